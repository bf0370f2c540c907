"""What terms come to is counted by whole workers and stands in Redis when they have ended."""

import json

import pytest

from processor.embedded import Redis
from processor.model import Topic
from processor.rulesets import store
from processor.rulesets.document import BASE
from processor.rulesets.usage import read, stats_key
from tests.e2e.fleet import Fleet, chat

pytestmark = [pytest.mark.services, pytest.mark.timeout(180)]


async def test_the_hits_that_workers_count_are_the_hits_that_verdicts_name(fleet: Fleet, redis_server: Redis) -> None:
    async with store.connect(redis_server.url) as redis:
        await redis.delete(*[stats_key(BASE, day) for day in await read(redis, BASE, days=2)] or ["none"])
        worker = fleet.start()
        await fleet.produce(chat(2_000))
        await fleet.drained()
        worker.stop()
        counts = await read(redis, BASE, days=2)
    verdicts = [json.loads(record.value) for record in await fleet.read(Topic.FLAGGED)]
    named = [hit["term"] for verdict in verdicts for hit in verdict["hits"] if hit["severity"] == "high"]
    assert named
    for term in set(named):
        assert sum(day[f"h:{term}"] for day in counts.values()) == named.count(term)
