"""Fixtures of the whole-process tests."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from processor.embedded import Kafka, Redis
from processor.rulesets import store
from processor.stream.topics import apply
from tests.e2e.fleet import Fleet


@pytest.fixture
async def fleet(kafka: Kafka, redis_server: Redis, prefix: str, tmp_path: Path) -> AsyncIterator[Fleet]:
    """Topics of four partitions and no published ruleset; whatever workers a test leaves are killed."""
    async with store.connect(redis_server.url) as redis:
        async for key in redis.scan_iter("chatguard:ruleset*"):
            await redis.delete(key)
    fleet = Fleet(kafka.bootstrap_servers, redis_server.url, f"{prefix}.", tmp_path)
    await apply(fleet.client, fleet.prefix, partitions=fleet.partitions, replication=1)
    yield fleet
    for worker in fleet.workers:
        if worker.process.poll() is None:
            worker.kill()
