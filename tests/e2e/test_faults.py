"""Whatever dies, every message comes out exactly once, in order, with its verdict."""

import asyncio
import json
import signal

import pytest

from processor.model import Topic
from tests.e2e.fleet import SESSION_MS, Fleet, chat, eventually

pytestmark = [pytest.mark.services, pytest.mark.timeout(240)]


async def test_every_kind_of_message_comes_out_where_it_belongs(fleet: Fleet) -> None:
    worker = fleet.start()
    count = await fleet.produce(chat(3_000))
    await fleet.drained()
    report = await fleet.settled(count=count)
    assert report.flagged > 0
    assert report.dead > 0
    assert report.reminders > 0
    delivered = await fleet.read(Topic.DELIVERED)
    assert {dict(record.headers)["chatguard-verdict"] for record in delivered} <= {b"pass", b"mask"}
    assert any(json.loads(record.value)["type"] == "image" for record in delivered)
    assert worker.stop() < 10


async def test_a_worker_killed_in_mid_batch_loses_and_doubles_nothing(fleet: Fleet) -> None:
    count = await fleet.produce(chat(20_000))
    for _ in range(3):
        worker = fleet.start()
        lag = await fleet.lag()
        await eventually(lambda w=worker: bool(w.port), 30, "the worker has started")
        while await fleet.lag() >= lag:  # noqa: ASYNC110  the broker has no event to wait for
            await asyncio.sleep(0.02)
        worker.kill()
    fleet.start()
    await fleet.drained()
    await fleet.settled(count=count)


async def test_a_worker_frozen_beyond_its_session_adds_nothing_when_it_wakes(fleet: Fleet) -> None:
    frozen, other = fleet.start(), fleet.start()
    await fleet.ready(frozen, other)
    writing = asyncio.create_task(fleet.produce(chat(30_000)))
    await asyncio.sleep(0.5)
    frozen.signal(signal.SIGSTOP)
    count = await writing
    await asyncio.sleep(SESSION_MS / 1000 + 2)
    await fleet.drained()
    frozen.signal(signal.SIGCONT)
    count += await fleet.produce(chat(1_000, start=30_000))
    await fleet.drained()
    await fleet.settled(count=count)
    await fleet.ready(frozen, other)
