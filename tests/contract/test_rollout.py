"""Rulesets tried out on a real Redis: beside what is in force, promoted, withdrawn, and taken back by the workers."""

import asyncio
import json
import weakref
from collections import Counter
from typing import Any

import pytest
from redis.asyncio import Redis as Client

from processor.embedded import Redis as Server
from processor.errors import Invalid
from processor.matching.matcher import Matcher
from processor.rollout import Finding
from processor.rulesets import rollout, store
from processor.rulesets.document import BASE, Document, canonical, digest, scope_of, tenant_scope
from processor.rulesets.guard import Guard
from processor.rulesets.inforce import TrialBegun, TrialEnded, TrialRefused, TripUntold
from processor.rulesets.limits import TenantLimits
from processor.rulesets.rollout import AUTOMATIC, Candidate, Plan
from processor.rulesets.store import Author, Conflict, Pointer
from processor.rulesets.trials import Trip
from tests.contract.test_rulesets import Worker, base, broken, noting, overlay

pytestmark = pytest.mark.services

T1 = tenant_scope("t1")
ME = Author(by="tester", why="because", at=1)
SMALL = Guard(high=0.1, window=100)
FAR = 2**62


async def publish(redis: Client, document: Document, **how: Any) -> Pointer:
    return await store.publish(redis, scope_of(document), canonical(document), author=ME, **how)


async def begin(redis: Client, document: Document, **plan: Any) -> Candidate:
    return await rollout.begin(redis, scope_of(document), canonical(document), Plan(**plan), author=ME)


async def kinds(redis: Client, scope: str = BASE) -> list[tuple[str, int]]:
    return [(line.kind, line.version) for line in await store.history(redis, scope)]


def finding(
    version: int, flagged: int, messages: int = 100, *, mode: str = "canary", tenant: str | None = None
) -> Finding:
    verdicts = Counter({"pass": messages - flagged, "review": flagged})
    return Finding(tenant=tenant, version=version, mode=mode, verdicts=verdicts)


def tried(worker: Worker, tenant: str | None = None) -> int | None:
    trial = worker.rulesets.current.trials.get(tenant)
    return trial.version if trial else None


# --- the store


async def test_a_candidate_stands_beside_what_is_in_force_under_the_next_number(redis: Client) -> None:
    held = await publish(redis, base("贷款"))
    found = await begin(redis, base("赌博"), mode="canary", share=0.05)
    assert found.version == held.version + 1
    assert await store.current(redis, BASE) == held
    assert await redis.get("chatguard:ruleset:{base}:v:2") == canonical(base("赌博"))
    raw = json.loads(await redis.get("chatguard:ruleset:{base}:candidate") or b"")
    assert (raw["version"], raw["digest"], raw["over"], raw["plan"]["share"]) == (
        2,
        digest(canonical(base("赌博"))),
        1,
        0.05,
    )


async def test_nothing_is_published_or_begun_over_a_candidate(redis: Client) -> None:
    await begin(redis, base("赌博"))
    with pytest.raises(Conflict, match="promote or abort"):
        await publish(redis, base("贷款"))
    with pytest.raises(Conflict, match="promote or abort"):
        await begin(redis, base("贷款"))
    await rollout.withdraw(redis, BASE, author=ME)
    assert (await publish(redis, base("贷款"))).version == 2


async def test_promoting_flips_the_pointer_to_the_candidates_own_version(redis: Client) -> None:
    await publish(redis, base("贷款"))
    found = await begin(redis, base("赌博"))
    assert await rollout.promote(redis, BASE, author=ME) == found.pointer
    assert await store.current(redis, BASE) == found.pointer
    assert await rollout.candidate(redis, BASE) is None
    assert await kinds(redis) == [("promote", 2), ("shadow", 2), ("push", 1)]
    assert [line.before for line in await store.history(redis, BASE)] == [1, 1, 0]
    with pytest.raises(Invalid, match="nothing is tried out"):
        await rollout.promote(redis, BASE, author=ME)


async def test_what_the_store_lost_or_damaged_is_not_promoted(redis: Client) -> None:
    held = await publish(redis, base("贷款"))
    await begin(redis, base("赌博"))
    await redis.set("chatguard:ruleset:{base}:v:2", b"damaged")
    with pytest.raises(Invalid):
        await rollout.promote(redis, BASE, author=ME)
    assert await store.current(redis, BASE) == held


async def test_of_two_who_promote_and_withdraw_at_once_one_wins_and_one_is_told(redis: Client) -> None:
    await publish(redis, base("贷款"))
    await begin(redis, base("赌博"))
    both = await asyncio.gather(
        rollout.promote(redis, BASE, author=ME),
        rollout.withdraw(redis, BASE, author=ME),
        return_exceptions=True,
    )
    assert sum(isinstance(each, Conflict | Invalid) for each in both) == 1
    assert len(await store.history(redis, BASE)) == 3


async def test_a_candidate_that_cannot_be_read_counts_as_none_and_can_be_withdrawn(
    redis: Client, server: Server
) -> None:
    await publish(redis, base("贷款"))
    await redis.set(store.candidate_key(BASE), b'{"version": "x"}')
    async with Worker(server.url).running() as worker:
        assert (tried(worker), worker.error()) == (None, None)
    with pytest.raises(Invalid):
        await rollout.promote(redis, BASE, author=ME)
    assert await rollout.withdraw(redis, BASE, author=ME) is None
    await publish(redis, base("赌博"))


async def test_many_steps_of_one_rollout_do_not_drive_old_versions_out(redis: Client) -> None:
    await publish(redis, base("贷款"))
    await begin(redis, base("赌博"), mode="canary", share=0.01)
    for share in range(2, 40):
        await rollout.change(redis, BASE, author=ME, share=share / 100)
    await rollout.promote(redis, BASE, author=ME)
    assert (await store.rollback(redis, BASE, to=1, author=ME)).version == 3


# --- the worker


async def test_a_worker_takes_a_candidate_up_and_leaves_what_is_in_force(redis: Client, server: Server) -> None:
    await publish(redis, base("贷款"))
    async with Worker(server.url).running() as worker:
        before = worker.base
        await begin(redis, base("赌博"), mode="canary", share=0.25, unit="tenant")
        await worker.sees(lambda: tried(worker) == 2)
        trial = worker.rulesets.current.trials[None]
        assert (trial.mode, trial.share, trial.unit, trial.rules.base.version) == ("canary", 0.25, "tenant", 2)
        assert worker.base == before
        await rollout.withdraw(redis, BASE, author=ME)
        await worker.sees(lambda: tried(worker) is None)
        assert [event.promoted for event in worker.told(TrialEnded)] == [False]


async def test_what_is_tried_out_no_more_is_freed_and_what_is_promoted_is_not(redis: Client, server: Server) -> None:
    await publish(redis, base("贷款"))
    async with Worker(server.url).running() as worker:

        async def begun(version: int) -> weakref.ref[Matcher]:
            await begin(redis, base(f"词语{version}"), mode="canary", guard=SMALL)
            await worker.sees(lambda: tried(worker) == version)
            return weakref.ref(worker.rulesets.current.trials[None].rules.base.own)

        withdrawn = await begun(2)
        await rollout.withdraw(redis, BASE, author=ME)
        await worker.sees(lambda: withdrawn() is None)
        tripped = await begun(3)
        worker.rulesets.observe([finding(3, flagged=50)])
        await worker.sees(lambda: tripped() is None and not worker.rulesets.trials.untold)
        promoted = await begun(4)
        await rollout.promote(redis, BASE, author=ME)
        await worker.sees(lambda: worker.rulesets.current.base.version == 4 and tried(worker) is None)
        await worker.looks_again()
        assert worker.rulesets.trials.worn == []
        assert promoted() is worker.rulesets.current.base.own


async def test_a_worker_that_starts_during_a_rollout_has_the_candidate_from_its_first_batch(
    redis: Client, server: Server
) -> None:
    await begin(redis, base("赌博"))
    async with Worker(server.url).running(poll_s=60) as worker:
        assert tried(worker) == 1


async def test_a_larger_share_and_a_promotion_compile_nothing_again(redis: Client, server: Server) -> None:
    compiled: list[int] = []
    await publish(redis, base("贷款"))
    async with Worker(server.url, compile=noting(compiled)).running() as worker:
        await begin(redis, base("赌博"), mode="canary", share=0.05)
        await worker.sees(lambda: tried(worker) == 2)
        await rollout.change(redis, BASE, author=ME, share=0.5)
        await worker.sees(lambda: worker.rulesets.current.trials[None].share == 0.5)
        await rollout.promote(redis, BASE, author=ME)
        await worker.sees(lambda: worker.rulesets.current.base.version == 2 and tried(worker) is None)
        assert compiled == [0, 1, 2]
        assert [event.promoted for event in worker.told(TrialEnded)] == [True]
        assert len(worker.told(TrialBegun)) == 2


async def test_a_candidate_that_does_not_compile_is_refused_and_what_is_in_force_stays(
    redis: Client, server: Server
) -> None:
    await publish(redis, base("贷款"))
    async with Worker(server.url).running() as worker:
        await begin(redis, broken())
        await worker.sees(lambda: worker.told(TrialRefused))
        await worker.looks_again()
        assert (tried(worker), worker.rulesets.current.base.version, worker.error()) == (None, 1, None)
        assert len(worker.told(TrialRefused)) == 1


async def test_a_candidate_that_an_overlay_does_not_fit_is_refused(redis: Client, server: Server) -> None:
    await publish(redis, base("贷款"))
    await publish(redis, overlay("竞品", fraud={"review_at": 40}))
    async with Worker(server.url).running() as worker:
        await begin(redis, base("赌博", fraud={"review_at": 60, "remind_at": 50}))
        await worker.sees(lambda: worker.told(TrialRefused))
        await worker.looks_again()
        assert (tried(worker), worker.overlays) == (None, {"t1": 1})


async def test_a_tenants_overlay_is_tried_out_on_its_own(redis: Client, server: Server) -> None:
    await publish(redis, base("贷款"))
    async with Worker(server.url).running() as worker:
        await begin(redis, overlay("竞品"))
        await worker.sees(lambda: tried(worker, "t1") == 1)
        assert worker.overlays == {}
        await rollout.promote(redis, T1, author=ME)
        await worker.sees(lambda: worker.overlays == {"t1": 1})


async def test_one_worker_that_sees_the_band_left_takes_the_candidate_back_for_all(
    redis: Client, server: Server
) -> None:
    await publish(redis, base("贷款"))
    async with Worker(server.url).running() as one, Worker(server.url).running() as other:
        await begin(redis, base("赌博"), mode="canary", share=0.05, guard=SMALL)
        await one.sees(lambda: tried(one) == 2)
        await other.sees(lambda: tried(other) == 2)
        one.rulesets.observe([finding(2, flagged=10)])
        assert tried(one) == 2
        one.rulesets.observe([finding(2, flagged=11)])
        assert tried(one) is None
        await other.sees(lambda: tried(other) is None)
        last = (await store.history(redis, BASE))[0]
        assert (last.kind, last.version, last.by) == ("automatic", 2, AUTOMATIC)
        assert last.why == "it flags 11 of the last 100 messages, more than 10%"
        assert len(one.told(Trip)) == 1
        await one.sees(lambda: not one.rulesets.trials.untold)
        seen = await rollout.totals(redis, BASE, 2)
        assert [each.verdicts for each in seen] == [{"pass": 179, "review": 21}]


async def test_a_worker_that_may_not_write_drops_the_candidate_for_itself_and_says_so(
    redis: Client, server: Server
) -> None:
    await redis.acl_setuser(
        "reader",
        enabled=True,
        passwords=["+secret"],
        keys=["chatguard:*"],
        categories=["+@read", "+@connection", "+@pubsub"],
        reset=True,
    )
    await publish(redis, base("贷款"))
    url = server.url.replace("redis://", "redis://reader:secret@")
    async with Worker(url).running() as worker:
        await begin(redis, base("赌博"), mode="canary", guard=SMALL)
        await worker.sees(lambda: tried(worker) == 2)
        worker.rulesets.observe([finding(2, flagged=50)])
        assert tried(worker) is None
        await worker.sees(lambda: worker.told(TripUntold))
        await worker.looks_again()
        assert (tried(worker), worker.rulesets.lost) == (None, None)
        assert await rollout.candidate(redis, BASE) is not None
        await rollout.withdraw(redis, BASE, author=ME)
        await worker.sees(lambda: not worker.rulesets.trials.untold)
    await redis.acl_deluser("reader")


async def test_a_pushed_ruleset_that_flags_too_much_is_taken_back_for_all(redis: Client, server: Server) -> None:
    await publish(redis, base("贷款"))
    async with Worker(server.url).running() as one, Worker(server.url).running() as other:
        await publish(redis, base("的"), probation=(SMALL, FAR))
        await one.sees(lambda: one.rulesets.current.probation == {None})
        one.rulesets.observe([finding(2, flagged=50, mode="probation")])
        await other.sees(lambda: other.rulesets.current.base.version == 3)
        await one.sees(lambda: one.rulesets.current.base.version == 3)
        assert one.rulesets.current.base.digest == digest(canonical(base("贷款")))
        last = (await store.history(redis, BASE))[0]
        assert (last.kind, last.before, last.content_of, last.by) == ("automatic", 2, 1, AUTOMATIC)
        assert one.rulesets.current.probation == frozenset()


async def test_the_first_published_ruleset_is_taken_back_to_the_built_in_one(redis: Client, server: Server) -> None:
    async with Worker(server.url).running() as worker:
        await publish(redis, base("的"), probation=(SMALL, FAR))
        await publish(redis, overlay("的"), probation=(SMALL, FAR))
        await worker.sees(lambda: worker.rulesets.current.probation == {None, "t1"})
        worker.rulesets.observe([finding(1, flagged=50, mode="probation")])
        worker.rulesets.observe([finding(1, flagged=50, mode="probation", tenant="t1")])
        await worker.sees(lambda: worker.rulesets.current.base.version == 2)
        await worker.sees(lambda: worker.overlays == {})
        assert worker.rulesets.current.base.digest == digest(canonical(base("builtin term")))


async def test_probation_ends_and_what_is_taken_back_meanwhile_takes_the_candidate_along(
    redis: Client, server: Server
) -> None:
    await publish(redis, base("贷款"))
    await publish(redis, base("赌博"), probation=(SMALL, 1))
    async with Worker(server.url).running() as worker:
        assert worker.rulesets.current.probation == frozenset()
        await publish(redis, base("赌博", "借款"), probation=(SMALL, FAR))
        await begin(redis, base("新的"))
        await worker.sees(lambda: tried(worker) == 4 and worker.rulesets.current.probation == {None})
        worker.rulesets.observe([finding(3, flagged=50, mode="probation")])
        await worker.sees(lambda: worker.rulesets.current.base.version == 5 and tried(worker) is None)
        assert await rollout.candidate(redis, BASE) is None


async def test_an_overlay_that_is_too_large_is_refused_and_the_tenants_last_good_one_stays(
    redis: Client, server: Server
) -> None:
    await publish(redis, overlay("竞品"))
    async with Worker(server.url, limits=TenantLimits(terms=2)).running() as worker:
        assert worker.overlays == {"t1": 1}
        await publish(redis, overlay("一号词", "二号词", "三号词"))
        await publish(redis, overlay("别家的词", tenant="t2"))
        await worker.sees(lambda: worker.error(T1))
        assert "3 terms, more than the 2 that one tenant may have" in (worker.error(T1) or "")
        await worker.sees(lambda: worker.overlays == {"t1": 1, "t2": 1})


async def test_a_rollout_goes_on_while_redis_is_away(redis: Client, server: Server) -> None:
    await publish(redis, base("贷款"))
    async with Worker(server.url).running() as worker:
        await begin(redis, base("赌博"), guard=SMALL)
        await worker.sees(lambda: tried(worker) == 2)
        server.kill()
        try:
            await worker.sees(lambda: worker.rulesets.lost)
            assert tried(worker) == 2
            worker.rulesets.observe([finding(2, flagged=50)])
            assert tried(worker) is None
        finally:
            await asyncio.to_thread(server.restart)
