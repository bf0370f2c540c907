"""A ruleset tried out on living workers: on its share only, never back and forth, and gone when it flags too much."""

import asyncio
from collections import defaultdict

import pytest
from msgspec.structs import replace

from processor.embedded import Redis
from processor.model import Topic
from processor.rulesets import rollout, store
from processor.rulesets.directory import builtin
from processor.rulesets.document import BASE, Entry, canonical
from processor.rulesets.guard import Guard
from processor.rulesets.rollout import AUTOMATIC, Plan
from processor.rulesets.store import Author
from tests.e2e.fleet import Fleet, Worker, chat, eventually

AUTHOR = Author(by="test", why="a test", at=0)
pytestmark = [pytest.mark.services, pytest.mark.timeout(240)]


async def test_a_conversation_that_came_to_the_candidate_stays_there_whatever_dies(
    fleet: Fleet, redis_server: Redis
) -> None:
    fleet.settings["CHATGUARD_REDIS__POLL_SECONDS"] = "1"
    async with store.connect(redis_server.url) as redis:
        await store.publish(redis, BASE, with_terms("特制测试词甲"), author=AUTHOR)
        first, second = fleet.start(), fleet.start()
        await fleet.spread(first, second)
        writing = asyncio.create_task(fleet.produce(chat(24_000), per_second=2_000))
        plan = Plan(mode="canary", share=0.2, guard=None)
        await rollout.begin(redis, BASE, with_terms("特制测试词乙"), plan, author=AUTHOR)
        await eventually(lambda: trying(first, "0.2") and trying(second, "0.2"), 15, "both try it out")
        await asyncio.sleep(1)
        second.kill()
        await rollout.change(redis, BASE, author=AUTHOR, share=0.6)
        await eventually(lambda: trying(first, "0.6"), 15, "the share has grown")
        third = fleet.start()
        await fleet.spread(first, third)
        await asyncio.sleep(1)
        await rollout.promote(redis, BASE, author=AUTHOR)
        await eventually(lambda: in_force(first, 2) and in_force(third, 2), 15, "the candidate is in force")
        count = await writing
        count += await fleet.produce(chat(5_000, start=24_000))
    await fleet.drained()
    await fleet.settled(count=count)
    by_conversation = await versions(fleet)
    assert all(seen == sorted(seen) for seen in by_conversation.values())
    assert all(seen[-1] == 2 for seen in by_conversation.values())
    assert any(set(seen) == {1, 2} for seen in by_conversation.values())


async def test_a_candidate_that_flags_too_much_is_taken_back_by_the_workers(fleet: Fleet, redis_server: Redis) -> None:
    async with store.connect(redis_server.url) as redis:
        await store.publish(redis, BASE, with_terms("特制测试词甲"), author=AUTHOR)
        first, second = fleet.start(), fleet.start()
        await fleet.spread(first, second)
        plan = Plan(mode="canary", share=0.5, guard=Guard(high=0.4, window=200))
        await rollout.begin(redis, BASE, with_terms("收到", "晚上", "明天"), plan, author=AUTHOR)
        await eventually(lambda: trying(first, "0.5") and trying(second, "0.5"), 15, "both try it out")
        count = await fleet.produce(chat(8_000), per_second=2_000)
        await eventually(lambda: not trying(first, "0.5") and not trying(second, "0.5"), 15, "it is gone everywhere")
        last = (await store.history(redis, BASE))[0]
        assert (last.kind, last.version, last.by) == ("automatic", 2, AUTOMATIC)
        assert "more than 40%" in last.why
        assert await rollout.candidate(redis, BASE) is None
    count += await fleet.produce(chat(5_000, start=8_000))
    await fleet.drained()
    await fleet.settled(count=count)
    assert {1, 2} == {version for seen in (await versions(fleet)).values() for version in seen}
    assert all(seen[-1] == 1 for seen in (await versions(fleet)).values())
    assert 'chatguard_rollouts_total{event="tripped"} 1' in first.metrics() + second.metrics()


async def test_a_shadow_is_counted_and_flags_nothing(fleet: Fleet, redis_server: Redis) -> None:
    async with store.connect(redis_server.url) as redis:
        await store.publish(redis, BASE, with_terms("特制测试词甲"), author=AUTHOR)
        worker = fleet.start(CHATGUARD_REDIS__POLL_SECONDS="1")
        await fleet.ready(worker)
        await rollout.begin(redis, BASE, with_terms("收到", "晚上", "明天"), Plan(guard=None), author=AUTHOR)
        await eventually(lambda: trying(worker, "1.0"), 15, "it is tried out")
        count = await fleet.produce(chat(2_000))
        await fleet.drained()
        report = await fleet.settled(count=count)
        assert report.flagged < 200
        assert 'chatguard_shadow_verdicts_total{after="block",before="pass"}' in worker.metrics()
        assert {1} == {version for seen in (await versions(fleet)).values() for version in seen}
        changes: dict[str, int] = {}
        async with asyncio.timeout(15):
            while sum(changes.values()) < count - report.dead:  # the worker tells each second
                changes = {step: n for seen in await rollout.totals(redis, BASE, 2) for step, n in seen.changes.items()}
                await asyncio.sleep(0.1)
    assert changes["pass>block"] > 500


def with_terms(*terms: str) -> bytes:
    """The built-in ruleset with more terms that block."""
    document = builtin()
    extra = [Entry(term=term) for term in terms]
    return canonical(replace(document, lexicons={**document.lexicons, "extra": extra}))


def trying(worker: Worker, share: str) -> bool:
    return any(line.startswith("chatguard_rollout_share{") and line.endswith(f" {share}") for line in shown(worker))


def in_force(worker: Worker, version: int) -> bool:
    return any(
        line.startswith("chatguard_ruleset_info{") and f'scope="base",version="{version}"' in line
        for line in shown(worker)
    )


def shown(worker: Worker) -> list[str]:
    return worker.metrics().splitlines()


async def versions(fleet: Fleet) -> dict[str, list[int]]:
    """The versions that judged each conversation, in the order of its messages."""
    judged: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    for topic in (Topic.DELIVERED, Topic.FLAGGED):
        for record in await fleet.read(topic):
            headers = dict(record.headers)
            version = int(headers["chatguard-ruleset"].partition(b"@")[0])
            offset = int(headers["chatguard-origin"].rpartition(b"/")[2])
            judged[record.key.decode()].append((offset, version))
    return {conversation: [version for _, version in sorted(seen)] for conversation, seen in judged.items()}
