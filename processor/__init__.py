"""chatguard: exactly-once chat moderation and anti-fraud on Kafka and Redis."""

from importlib.metadata import version

__version__ = version("chatguard")
