"""A real Kafka and a real Redis from pip packages alone, for a laptop, for tests, for the demo."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from processor.embedded.jars import Progress
from processor.embedded.kafka import Kafka, no_progress, run_kafka
from processor.embedded.redis import Redis, run_redis
from processor.embedded.service import Handle, Say, silent

__all__ = ["Handle", "Kafka", "Progress", "Redis", "Say", "Services", "run_kafka", "run_redis", "run_services"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    kafka: Kafka
    redis: Redis


@contextmanager
def run_services(
    *,
    kafka_at: str | None = None,
    redis_at: str | None = None,
    heap: str = "768m",
    quick: bool = True,
    say: Say = silent,
    progress: Progress = no_progress,
) -> Iterator[Services]:
    """Kafka and Redis, started at once; arguments and errors as of `run_kafka` and `run_redis`."""
    with ExitStack() as stack:
        redis = stack.enter_context(run_redis(at=redis_at, say=say))
        kafka = stack.enter_context(run_kafka(at=kafka_at, heap=heap, quick=quick, say=say, progress=progress))
        yield Services(kafka=kafka, redis=redis)
