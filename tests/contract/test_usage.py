"""Counts per term on a real Redis: the workers' figures add up, and Redis away costs nothing but figures."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from redis.asyncio import Redis as Client

from processor.embedded import Kafka
from processor.embedded import Redis as Server
from processor.errors import Unavailable
from processor.rulesets import store
from processor.rulesets.document import BASE, BaseDocument, Entry
from processor.rulesets.usage import Usage, add, add_always, read, report, since, stats_key
from processor.stream.topics import apply
from tests.contract.commands import said
from tests.contract.test_outcomes import write
from tests.core.test_feedback import flagged
from tests.core.test_feedback import said as fed_back

pytestmark = pytest.mark.services

GONE = "redis://127.0.0.1:1/0"


def counted(**hits: int) -> Usage:
    usage = Usage()
    usage.count({("base", term): amount for term, amount in hits.items()}, {})
    return usage


async def test_what_workers_count_adds_up_by_term_and_scope(redis: Client) -> None:
    for usage in (Usage(), Usage()):
        usage.count({("base", "赌博"): 2, ("t1", "竞品名"): 1}, {("base", "代孕"): 3})
        await add(redis, usage, keep_days=35)
        assert usage.take() == {}
    [(day, counts)] = (await read(redis, BASE, days=3)).items()
    assert counts == {"h:赌博": 4, "r:代孕": 6}
    assert await read(redis, "tenant:t1", days=2) == {day: {"h:竞品名": 2}}
    assert await read(redis, "tenant:t2", days=1) == {}


async def test_a_days_counts_are_forgotten_in_the_end(redis: Client) -> None:
    await add(redis, counted(a=1), keep_days=2)
    [day] = await read(redis, BASE, days=2)
    assert 86_400 < await redis.ttl(stats_key(BASE, day)) <= 2 * 86_400


async def test_more_terms_than_fit_one_round_trip_all_arrive(redis: Client) -> None:
    await add(redis, counted(**{f"t{n}": n + 1 for n in range(2_500)}), keep_days=1)
    [counts] = (await read(redis, BASE, days=2)).values()
    assert counts == {f"h:t{n}": n + 1 for n in range(2_500)}


async def test_counts_wait_while_redis_is_away(redis: Client) -> None:
    usage = counted(a=2)
    async with store.connect(GONE, timeout_s=0.5, retries=0) as away:
        with pytest.raises(Unavailable):
            await add(away, usage, keep_days=1)
    usage.count({("base", "a"): 1}, {})
    await add(redis, usage, keep_days=1)
    assert list((await read(redis, BASE, days=2)).values()) == [{"h:a": 3}]


async def test_a_worker_that_ends_adds_what_it_has_counted(redis: Client, server: Server) -> None:
    usage = counted(a=1)
    task = asyncio.create_task(add_always(usage, server.url, every_s=3_600, keep_days=1))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    assert list((await read(redis, BASE, days=2)).values()) == [{"h:a": 1}]


async def test_a_worker_adds_now_and_then_and_outlives_redis(redis: Client, server: Server) -> None:
    usage, lost, told = counted(a=1), counted(a=1), list[str]()
    tasks = [
        asyncio.create_task(add_always(usage, server.url, every_s=0.01, keep_days=1)),
        asyncio.create_task(add_always(lost, GONE, every_s=0.01, keep_days=1, timeout_s=0.2, trouble=told.append)),
    ]
    async with asyncio.timeout(20):
        while not await read(redis, BASE, days=2):  # noqa: ASYNC110  the store tells nobody
            await asyncio.sleep(0.01)
    assert [task.done() for task in tasks] == [False, False]
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    assert lost.take() == {("base", "h:a"): 1}
    assert len(told) == 1


async def test_a_user_who_may_not_write_is_told_and_keeps_its_counts(redis: Client, server: Server) -> None:
    await redis.execute_command("ACL", "SETUSER", "reader", "on", ">pass", "~*", "+@read", "+ping", "+client")  # type: ignore[no-untyped-call]
    usage, told = counted(a=1), list[str]()
    url = server.url.replace("redis://", "redis://reader:pass@")
    task = asyncio.create_task(add_always(usage, url, every_s=0.01, keep_days=1, trouble=told.append))
    async with asyncio.timeout(20):
        while not told:  # noqa: ASYNC110  it is told in another task
            await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.wait([task])
    assert "Redis is away" not in told[0]
    assert usage.take() == {("base", "h:a"): 1}


def test_memory_is_bounded_and_what_is_known_goes_on_being_counted() -> None:
    usage = Usage(most=2)
    usage.count({("base", "a"): 1, ("base", "b"): 1, ("base", "c"): 5}, {("base", "d"): 1})
    usage.count({("base", "a"): 1}, {})
    assert usage.dropped == 6
    assert usage.take() == {("base", "h:a"): 2, ("base", "h:b"): 1}


def test_a_report_ranks_terms_and_names_those_that_never_hit() -> None:
    document = BaseDocument(
        lexicons={"a": [Entry(term=term, category="x") for term in ("one", "two", "three", "four")]}
    )
    days = {"2026-01-02": {"h:two": 2, "r:four": 1}, "2026-01-01": {"h:two": 1, "h:one": 1, "h:gone": 4}}
    found = report(document, BASE, days)
    assert [(used.term, used.category, used.hits, used.rejected) for used in found.used] == [
        ("gone", "", 4, 0),
        ("two", "x", 3, 0),
        ("one", "x", 1, 0),
        ("four", "x", 0, 1),
    ]
    assert [used.share for used in found.used] == [0.5, 0.375, 0.125, 0.0]
    assert [used.term for used in found.never] == ["three"]
    assert (found.hits, found.rejected, found.days) == (8, 1, ["2026-01-01", "2026-01-02"])


def test_what_reviewers_let_go_is_counted_beside_even_where_no_hit_is_counted_any_more() -> None:
    document = BaseDocument(lexicons={"a": [Entry(term=term) for term in ("one", "two", "three")]})
    let_go = {("base", "one"): 2, ("base", "two"): 1, ("t1", "one"): 9}
    found = report(document, BASE, {"2026-01-01": {"h:one": 3}}, let_go)
    assert [(used.term, used.hits, used.overturned) for used in found.used] == [("one", 3, 2), ("two", 0, 1)]
    assert [(used.term, used.overturned) for used in found.never] == [("three", 0)]
    assert found.overturned == 3


def test_the_last_days_begin_at_midnight_utc() -> None:
    begun = datetime.fromtimestamp(since(3) / 1000, UTC)
    assert begun.time() == datetime.min.time()
    assert 2 <= (datetime.now(UTC) - begun) / timedelta(days=1) < 3


async def test_the_stats_command_reports_the_ruleset_in_force(
    redis: Client, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHATGUARD_REDIS__URL", server.url)
    words = tmp_path / "own.txt"
    words.write_text("竞品名,brand,low\n另一个,brand,low\n", encoding="utf-8")

    await asyncio.to_thread(said, "push", str(words), "--tenant", "t1")
    usage = Usage()
    usage.count({("t1", "竞品名"): 3, ("t1", "旧词"): 1}, {("t1", "竞品名"): 2})
    await add(redis, usage, keep_days=1)
    assert (await asyncio.to_thread(said, "stats", "--tenant", "t1")).splitlines() == [
        "term\tcategory\tseverity\thits\tshare\trejected",
        "竞品名\tbrand\tlow\t3\t75.0%\t2",
        "旧词\t(not in force)\t\t1\t25.0%\t0",
        "never: 1 terms: 另一个",
        "tenant:t1: 4 hits, 2 rejected on 1 of the last 7 days",
    ]
    facts = json.loads(await asyncio.to_thread(said, "stats", "--json"))
    assert (facts["scope"], facts["hits"], facts["used"]) == ("base", 0, [])
    assert len(facts["never"]) > 1_500


async def test_the_stats_command_counts_what_reviewers_let_go(
    kafka: Kafka, prefix: str, redis: Client, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHATGUARD_REDIS__URL", server.url)
    monkeypatch.setenv("CHATGUARD_KAFKA__BOOTSTRAP_SERVERS", kafka.bootstrap_servers)
    monkeypatch.setenv("CHATGUARD_TOPICS__PREFIX", prefix)
    await apply({"bootstrap_servers": kafka.bootstrap_servers}, prefix, partitions=1, replication=1)
    now, long_ago = since(1), since(9)
    feedback = [fed_back("rejected", at=now), fed_back("rejected", at=long_ago, message_id="m2")]
    await write(kafka, prefix, commit=True, flagged=[flagged(), flagged("m2"), flagged("m3")], feedback=feedback)
    usage = Usage()
    usage.count({("base", "贷款"): 4}, {})
    await add(redis, usage, keep_days=1)

    lines = (await asyncio.to_thread(said, "stats", "--overturned")).splitlines()

    assert lines[0] == "term\tcategory\tseverity\thits\tshare\trejected\toverturned"
    assert lines[1].split("\t")[0] == "贷款"
    assert lines[1].split("\t")[3:] == ["4", "100.0%", "0", "1"]
    assert lines[-1] == "base: 4 hits, 0 rejected, 1 overturned on 1 of the last 7 days"
    facts = json.loads(await asyncio.to_thread(said, "stats", "--json", "--overturned", "--days", "30"))
    assert (facts["overturned"], facts["used"][0]["overturned"]) == (2, 2)
