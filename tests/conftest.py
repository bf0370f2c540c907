"""Fixtures for the tests that need a real Kafka or Redis, and how Hypothesis draws its examples."""

import os
import secrets
from collections.abc import Iterator

import pytest
from hypothesis import settings

from processor.embedded import Kafka, Redis, run_kafka, run_redis

settings.register_profile("here", deadline=None)  # the machine is shared: a slow example is not a wrong one
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")


@pytest.fixture(scope="session")
def kafka() -> Iterator[Kafka]:
    """One broker for the whole session; a test that breaks it mends it before it ends (`kafka.restart()`)."""
    with run_kafka(at=os.environ.get("CHATGUARD_KAFKA__BOOTSTRAP_SERVERS"), say=print) as kafka:
        yield kafka


@pytest.fixture(scope="session")
def redis_server() -> Iterator[Redis]:
    """One Redis for the whole session; a test keeps to keys that start with its `prefix`."""
    with run_redis(at=os.environ.get("CHATGUARD_REDIS__URL"), say=print) as redis:
        yield redis


@pytest.fixture
def prefix() -> str:
    """A beginning for names of topics, groups and keys that no other test has."""
    return f"t{secrets.token_hex(4)}"
