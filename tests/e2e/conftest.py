"""Fixtures of the whole-process tests."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from processor.embedded import Kafka, Redis
from processor.stream.topics import apply
from tests.e2e.fleet import Fleet


@pytest.fixture
async def fleet(kafka: Kafka, redis_server: Redis, prefix: str, tmp_path: Path) -> AsyncIterator[Fleet]:
    """Topics of four partitions; whatever workers a test leaves are killed."""
    fleet = Fleet(kafka.bootstrap_servers, redis_server.url, f"{prefix}.", tmp_path)
    await apply(fleet.client, fleet.prefix, partitions=fleet.partitions, replication=1)
    yield fleet
    for worker in fleet.workers:
        if worker.process.poll() is None:
            worker.kill()
