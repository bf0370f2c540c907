"""Whatever dies, every message comes out exactly once, in order, with its verdict."""

import asyncio
import json
import re
import signal

import pytest
from msgspec.structs import replace

from processor.embedded import Kafka, Redis
from processor.model import Topic
from processor.rulesets import store
from processor.rulesets.directory import builtin
from processor.rulesets.document import BASE, Entry, canonical, digest
from processor.rulesets.store import Author
from tests.e2e.fleet import SESSION_MS, Fleet, chat, eventually, limit_record_size, schemes
from tests.e2e.undisturbed import as_undisturbed

AUTHOR = Author(by="test", why="a test", at=0)
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
    # More than three lives commit before they are killed; schemes go on all the while.
    parts = [list(chat(25_000, seed=number, start=25_000 * number)) for number in range(4)]
    frauds = list(schemes(4_000))
    count = await fleet.produce(
        message for number, part in enumerate(parts) for message in (*part, *frauds[1_000 * number :][:1_000])
    )
    count += await fleet.produce(frauds[4_000:])
    for _ in range(3):
        worker = fleet.start()
        lag = await fleet.lag()
        await eventually(lambda w=worker: bool(w.port), 30, "the worker has started")
        async with asyncio.timeout(30):
            while await fleet.lag() >= lag:  # noqa: ASYNC110  the broker has no event to wait for
                await asyncio.sleep(0.02)
        worker.kill()
    fleet.start()
    await fleet.drained()
    await fleet.settled(count=count)
    assert await as_undisturbed(fleet) > 100


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


async def test_rebalances_from_one_to_three_workers_and_back_lose_nothing(fleet: Fleet) -> None:
    first = fleet.start()
    await fleet.ready(first)
    writing = asyncio.create_task(fleet.produce(chat(40_000), per_second=2_000))
    others = [fleet.start(), fleet.start()]
    await fleet.spread(first, *others)
    joined = max(worker.when("joining the group") for worker in others)
    settled = max(worker.when("lane runs") for worker in (first, *others))
    assert settled - joined < 3.0
    for worker in others:
        assert await asyncio.to_thread(worker.stop) < 10
    await fleet.spread(first)
    count = await writing
    await fleet.drained()
    await fleet.settled(count=count)


async def test_a_stop_in_full_flow_ends_within_ten_seconds_and_leaves_nothing_half_done(fleet: Fleet) -> None:
    count = await fleet.produce(chat(30_000))
    worker = fleet.start()
    await fleet.ready(worker)
    assert worker.stop() < 10
    assert "Traceback" not in worker.log.read_text()
    fleet.start()
    await fleet.drained()
    await fleet.settled(count=count)


async def test_a_stop_during_a_rebalance_does_not_wait_for_a_frozen_member(fleet: Fleet) -> None:
    fleet.settings["CHATGUARD_KAFKA__SESSION_TIMEOUT_MS"] = "30000"
    first, frozen = fleet.start(), fleet.start()
    await fleet.spread(first, frozen)
    frozen.signal(signal.SIGSTOP)
    rebalances = first.log.read_text().count("rebalancing")
    third = fleet.start()
    await eventually(lambda: first.log.read_text().count("rebalancing") > rebalances, 30, "the group rebalances")
    for worker in (first, third):
        assert await asyncio.to_thread(worker.stop) < 10
        assert "lane runs" not in worker.log.read_text().partition("worker stops")[2]


async def test_a_record_the_broker_refuses_becomes_a_dead_letter_and_the_rest_flows(fleet: Fleet) -> None:
    worker = fleet.start()
    await fleet.ready(worker)
    # Behind the worker's back the topic now takes less than the worker knows: the send fails inside a transaction.
    await limit_record_size(fleet.client, fleet.prefix + Topic.FLAGGED, 20_000)
    large = {
        **next(m for m in chat(1) if isinstance(m, dict)),
        "message_id": "large",
        "content": "出售海洛因" + "好" * 9_000,
    }
    count = await fleet.produce([*chat(2_000), large, *chat(2_000, start=2_001)])
    await fleet.drained()
    await fleet.settled(count=count)
    dead = [dict(record.headers) for record in await fleet.read(Topic.DEAD_LETTER)]
    refused = [headers for headers in dead if headers["chatguard-error-kind"] == b"refused"]
    assert len(refused) == 1
    assert b"MessageSizeTooLarge" in refused[0]["chatguard-error-message"]
    assert 'chatguard_lane_restarts_total{reason="refused"}' in worker.metrics()


async def test_the_broker_may_be_killed(fleet: Fleet, kafka: Kafka) -> None:
    first, second = fleet.start(), fleet.start()
    await fleet.ready(first, second)
    count = await fleet.produce(chat(20_000))
    kafka.kill()
    await asyncio.sleep(1)
    await asyncio.to_thread(kafka.restart)
    count += await fleet.produce(chat(2_000, start=20_000))
    await fleet.drained(90)
    await fleet.settled(count=count)


async def test_redis_may_go_and_come_back_and_versions_converge(fleet: Fleet, redis_server: Redis) -> None:
    worker = fleet.start(CHATGUARD_REDIS__POLL_SECONDS="1")
    await fleet.ready(worker)
    held = await publish(redis_server.url, "特制测试词甲")
    await eventually(lambda: f'digest="{held}"' in worker.metrics(), 15, "the ruleset is in force")
    redis_server.kill()
    count = await fleet.produce(chat(2_000))
    await fleet.drained()
    await eventually(lambda: "chatguard_redis_up 0" in worker.metrics(), 15, "the worker sees that Redis is away")
    assert worker.health()["ready"], "judging goes on by the last good rulesets"
    assert f'digest="{held}"' in worker.metrics()
    await asyncio.to_thread(redis_server.restart)  # it comes back empty, and nobody heard a publication
    newer = await publish(redis_server.url, "特制测试词乙", silently=True)
    await eventually(lambda: f'digest="{newer}"' in worker.metrics(), 30, "the versions have converged")
    count += await fleet.produce([{**message("m-new"), "content": "有特制测试词乙吗"}])
    await fleet.drained()
    await fleet.settled(count=count)
    flagged = [json.loads(record.value) for record in await fleet.read(Topic.FLAGGED)]
    assert [e["hits"][0]["term"] for e in flagged if e["message_id"] == "m-new"] == ["特制测试词乙"]


async def test_a_ruleset_that_does_not_verify_leaves_the_last_good_one_in_force(
    fleet: Fleet, redis_server: Redis
) -> None:
    worker = fleet.start(CHATGUARD_REDIS__POLL_SECONDS="1")
    await fleet.ready(worker)
    held = await publish(redis_server.url, "特制测试词甲")
    await eventually(lambda: f'digest="{held}"' in worker.metrics(), 15, "the ruleset is in force")
    await publish(redis_server.url, "特制测试词丙", damage=True)
    await eventually(
        lambda: 'chatguard_ruleset_reloads_total{result="refused"} 1' in worker.metrics(), 15, "it was refused"
    )
    assert worker.health()["ready"]
    assert "refused" in worker.health()["checks"]
    count = await fleet.produce(
        [{**message("m1"), "content": "特制测试词甲"}, {**message("m2"), "content": "特制测试词丙"}]
    )
    await fleet.drained()
    report = await fleet.settled(count=count)
    assert (report.flagged, report.delivered) == (1, 1)
    good = await publish(redis_server.url, "特制测试词丁")
    await eventually(lambda: f'digest="{good}"' in worker.metrics(), 15, "the next good one comes into force")


async def test_a_worker_that_starts_while_redis_is_away_judges_by_its_copy_on_disk(
    fleet: Fleet, redis_server: Redis
) -> None:
    worker = fleet.start()
    await fleet.ready(worker)
    held = await publish(redis_server.url, "特制测试词甲")
    await eventually(lambda: f'digest="{held}"' in worker.metrics(), 15, "the ruleset is in force")
    worker.stop()
    redis_server.kill()
    try:
        later = fleet.start()
        await fleet.ready(later)
        assert f'digest="{held}"' in later.metrics()
        count = await fleet.produce([{**message("m1"), "content": "特制测试词甲"}])
        await fleet.drained()
        assert (await fleet.settled(count=count)).flagged == 1
    finally:
        await asyncio.to_thread(redis_server.restart)


async def test_a_missing_or_uneven_topic_keeps_the_worker_from_starting(fleet: Fleet) -> None:
    worker = fleet.start(CHATGUARD_TOPICS__PREFIX=fleet.prefix + "elsewhere.")
    assert await asyncio.to_thread(worker.process.wait, 30) == 2
    assert worker.log.read_text().count("does not exist") == len({*Topic} - {Topic.FEEDBACK})  # which no worker needs


async def test_no_log_line_or_metric_holds_a_word_or_an_id(fleet: Fleet) -> None:
    worker = fleet.start()
    secret = {**message("m-secret"), "content": "出售海洛因 6222020200112230006", "sender_id": "u-secret"}
    count = await fleet.produce([secret, b'{"content": "u-secret"', *chat(200)])
    await fleet.drained()
    await fleet.settled(count=count)
    said = worker.metrics()
    worker.stop()
    for word in ("海洛因", "secret", "6222020200112230006"):
        assert word not in worker.log.read_text()
        assert word not in said
    assert not re.search(r"\bc\d+\b|\bu\d+[ab]\b", worker.log.read_text())


def message(message_id: str) -> dict[str, object]:
    """A text message without content."""
    return {"message_id": message_id, "tenant_id": "t1", "conversation_id": "c1", "sender_id": "a", "type": "text"}


async def publish(url: str, term: str, *, silently: bool = False, damage: bool = False) -> str:
    """Put the built-in ruleset with one more term in force; gives its digest as metrics show it.

    `silently`: by hand and without the message on the channel, as if it were lost. `damage`: by hand, and the bytes
    are not those of the digest.
    """
    document = builtin()
    content = canonical(replace(document, lexicons={**document.lexicons, "extra": [Entry(term=term)]}))
    async with store.connect(url) as redis:
        if not silently and not damage:
            return (await store.publish(redis, BASE, content, author=AUTHOR)).digest[:12]
        held = await store.current(redis, BASE)
        version = held.version + 1 if held else 1
        pointer = {"version": version, "digest": digest(content)}
        await redis.set(store.snapshot_key(BASE, version), content + b" " * damage)
        await redis.set(store.pointer_key(BASE), json.dumps(pointer))
        if not silently:
            await redis.publish(store.CHANNEL, json.dumps({"scope": BASE, **pointer}))
        return str(pointer["digest"])[:12]
