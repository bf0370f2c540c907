"""Follow the store: what is published there is compiled beside the judging and swapped in between two batches.

Pub/sub forgets whatever was sent while nobody listened, so a message is only a hint to look. What counts are the
pointers: they are read after subscribing, on every message, on every (re)subscription, and every few seconds. Looking
and listening are two tasks with a connection each, so that trouble in one does not stop the other.

Which way a scope may go:
- Up, always. Down only if the store does not hold the version in force any more: then it was wiped or restored, and
  all workers must agree on what it says now. A pointer set back by hand while the newer snapshot is still there is
  refused: to go back, publish the old bytes again (`chatguard lexicon rollback` does).
- An overlay goes when its pointer is gone while the store still holds its snapshot: somebody took it away. If both are
  gone the store has lost its memory, and what is in force stays. So does the base when its pointer is gone.

A candidate is compiled like everything else and put beside what is in force, until the store names it no more. What a
worker has taken back, since it left its band, it tells the store at the next look, for all.
"""

import asyncio
import gc
import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import msgspec
from redis.asyncio import Redis
from redis.exceptions import RedisError

from processor.errors import Invalid, Unavailable
from processor.ruleset import Base, Overlay
from processor.rulesets import rollout, store
from processor.rulesets.compiler import compile_snapshot
from processor.rulesets.directory import builtin
from processor.rulesets.disk import Copies
from processor.rulesets.document import (
    BASE,
    BaseDocument,
    Scope,
    canonical,
    tenant_of,
)
from processor.rulesets.inforce import CopyTrouble, Held, Report, Rulesets, Source, TripUntold, now
from processor.rulesets.limits import TenantLimits
from processor.rulesets.release import release
from processor.rulesets.rollout import AUTOMATIC, Candidate, Sight
from processor.rulesets.store import Author, Conflict, Notice, Pointer, Snapshot
from processor.rulesets.trials import Tested, Trip

_SWAP_EVERY_S = 1.0  # many overlays at once are not made to wait for the last, nor swapped one by one
_LONGEST_PAUSE_S = 10.0
_NOTHING = Sight(pointer=None)

Found = Mapping[Scope, Sight]
Change = tuple[Held, float] | None


Compile = Callable[[Scope, Snapshot, TenantLimits], Base | Overlay]
"""As `compile_snapshot`: may take seconds, in a thread. Raises: Invalid."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Supply:
    """Where rulesets come from, what compiles them, and who is told."""

    url: str  # of Redis, with credentials
    report: Report
    compile: Compile = compile_snapshot
    limits: TenantLimits = field(default_factory=TenantLimits)
    copies: Copies | None = None  # None: nothing is kept on disk
    builtin: BaseDocument = field(default_factory=builtin)
    timeout_s: float = 5.0  # longest wait for a connection or an answer


async def start(supply: Supply, *, patience_s: float = 2.0) -> Rulesets:
    """The first rulesets: the store's; where it cannot give them now, the last good copies on disk; else the built-in.

    Waits at most `patience_s` for the store to say what is in force. Raises: Invalid, only if even the built-in
    ruleset does not compile.
    """
    base, seconds = await asyncio.to_thread(_compile, supply, BASE, Snapshot.unpublished(supply.builtin), "builtin")
    rulesets = Rulesets(base, seconds, supply.report)
    async with store.connect(supply.url, timeout_s=min(supply.timeout_s, patience_s)) as redis:
        try:
            async with asyncio.timeout(patience_s):
                found = await _look(redis, ())
            await _refresh(rulesets, redis, supply, found, asyncio.Event())
        except (Unavailable, TimeoutError) as error:
            rulesets.away(str(error) or "Redis does not answer")
        else:
            rulesets.found()
    await _fill_from_disk(rulesets, supply)
    return rulesets


async def watch(
    rulesets: Rulesets, supply: Supply, *, poll_s: float = 10.0, health_s: float = 10.0, pause_s: float = 1.0
) -> None:
    """Keep `rulesets` up to date until cancelled.

    `poll_s`: between two looks when nothing was heard; `health_s`: after so much silence the listening connection is
    tried, after three times as much it is given up; `pause_s`: the first wait before listening again, doubled each
    time up to ten seconds.
    """
    wake = asyncio.Event()
    rulesets.alarm = wake.set
    hinted: set[Scope] = set()

    def heard(notice: Notice | None) -> None:
        rulesets.listening = True
        if notice is not None and tenant_of(notice.scope):
            hinted.add(notice.scope)
        wake.set()

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_follow(rulesets, supply, wake, hinted, poll_s=poll_s))
        tasks.create_task(_listen_always(rulesets, supply, heard, health_s=health_s, pause_s=pause_s))


async def _follow(
    rulesets: Rulesets, supply: Supply, wake: asyncio.Event, hinted: set[Scope], *, poll_s: float
) -> None:
    async with store.connect(supply.url, timeout_s=supply.timeout_s) as redis:
        while not _cancelled():
            wake.clear()
            asked = set(hinted)
            hinted.clear()  # what is hinted from here on has not been looked at
            try:
                await _tell(rulesets, redis, supply)
                found = await _look(redis, {*rulesets.held, *asked})
                asked = {scope for scope in asked if found[scope] != _NOTHING}
                await _refresh(rulesets, redis, supply, found, wake)
            except Unavailable as error:
                rulesets.away(str(error))
            else:
                rulesets.found()
            hinted |= asked
            await _let_go(rulesets)
            # Not all workers at the same moment.
            with suppress(TimeoutError):
                async with asyncio.timeout(poll_s * random.uniform(0.8, 1.0)):  # noqa: S311  no secret
                    await wake.wait()


def _cancelled() -> bool:
    """Whether this task was cancelled, though nothing was raised here.

    Until Python 3.12 `asyncio.wait_for`, by which the client sends, loses a cancellation that comes as it succeeds.
    """
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def _listen_always(
    rulesets: Rulesets, supply: Supply, heard: Callable[[Notice | None], None], *, health_s: float, pause_s: float
) -> None:
    pause = pause_s
    while not _cancelled():
        rulesets.listening = False
        try:
            await _listen(supply, heard, health_s=health_s)
        except (RedisError, OSError, TimeoutError):
            pause = pause_s if rulesets.listening else min(2 * pause, _LONGEST_PAUSE_S)
        rulesets.listening = False
        await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311  no secret


async def _listen(supply: Supply, heard: Callable[[Notice | None], None], *, health_s: float) -> None:
    """Call `heard` with every notice, and with None whenever a subscription begins. Raises what Redis raises.

    The client's own health check would wait for ever for an answer that never comes, and its own reconnecting would
    hide a gap; so this sends its own pings, gives up after three silent intervals, and never reconnects by itself.
    """
    loop = asyncio.get_running_loop()
    async with (
        store.connect(supply.url, timeout_s=supply.timeout_s, retries=0, health_s=0) as redis,
        redis.pubsub() as pubsub,
    ):
        await pubsub.subscribe(store.CHANNEL)
        last = asked = loop.time()
        while not _cancelled():
            message = await pubsub.get_message(timeout=min(health_s, 1.0))
            if message is not None:
                last = asked = loop.time()
                if message["type"] in {"subscribe", "message"}:
                    heard(_notice(message["data"]))
            elif loop.time() - last > 3 * health_s:
                raise TimeoutError("nothing was heard from Redis, not even an answer to a ping")
            elif loop.time() - asked >= health_s:
                asked = loop.time()
                await pubsub.ping()


def _notice(data: object) -> Notice | None:
    """The message, or None for one that is none: it still says that there is something to look at."""
    try:
        return msgspec.json.decode(data, type=Notice) if isinstance(data, bytes) else None
    except msgspec.DecodeError:
        return None


async def _look(redis: Redis, known: Iterable[Scope]) -> Found:
    """What the store says is in force, the base first. Raises: Unavailable."""
    tenants = {*await store.scopes(redis), *known} - {BASE}
    return await rollout.sights(redis, [BASE, *sorted(scope for scope in tenants if tenant_of(scope))])


async def _refresh(rulesets: Rulesets, redis: Redis, supply: Supply, found: Found, wake: asyncio.Event) -> None:
    """Load what has changed; stops early, after a swap, when `wake` says that there is news.

    Raises: Unavailable, with what was loaded before in force.
    """
    changes: dict[Scope, Change] = {}
    swapped = time.monotonic()
    try:
        for scope, sight in found.items():
            changed = await _change(rulesets, redis, supply, scope, sight.pointer)
            changes.update(changed)
            if changed and (scope == BASE or time.monotonic() - swapped > _SWAP_EVERY_S):
                await _swap(rulesets, changes)
                changes, swapped = {}, time.monotonic()
                if wake.is_set():
                    break
    except Unavailable:
        await _swap(rulesets, changes)
        raise
    await _swap(rulesets, changes)
    await _try_out(rulesets, redis, supply, found)


async def _swap(rulesets: Rulesets, changes: Mapping[Scope, Change]) -> None:
    """Put the changes in force, and let go of what they replace."""
    worn: list[object] = [held.compiled for scope in changes if (held := rulesets.held.get(scope))]
    rulesets.swap(changes)
    await _release(rulesets, worn)


async def _let_go(rulesets: Rulesets) -> None:
    """Free candidates that are tried out no more; one that was promoted is in force by now."""
    used = {id(held.compiled) for held in rulesets.held.values()}
    worn: list[object] = [each for each in rulesets.trials.worn if id(each) not in used]
    rulesets.trials.worn.clear()
    await _release(rulesets, worn)


async def _release(rulesets: Rulesets, worn: list[object]) -> None:
    used: list[Held | Tested] = [*rulesets.held.values(), *rulesets.trials.tested.values()]
    if worn:
        kept = [each.compiled.ground for each in used if isinstance(each.compiled, Base)]
        await asyncio.to_thread(release, worn, kept)


@contextmanager
def _without_collections() -> Iterator[None]:
    """No garbage is collected meanwhile.

    What is made here stays, and a collection that walks all of it would hold up the judge for longer than anything
    else does.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


async def _change(
    rulesets: Rulesets, redis: Redis, supply: Supply, scope: Scope, pointer: Pointer | Invalid | None
) -> dict[Scope, Change]:
    """What is to be put in force for `scope`, or nothing. Raises: Unavailable."""
    held = rulesets.held.get(scope)
    if isinstance(pointer, Invalid):
        rulesets.refuse(scope, None, pointer.problems)
    elif pointer is None:
        return await _gone(rulesets, redis, supply, scope, held)
    elif held and held.named == (pointer.version, pointer.digest):
        rulesets.confirm(scope)
    elif held and pointer.version < held.version and await store.knows(redis, scope, held.version):
        lower = f"version {pointer.version} is older than {held.version}, which is in force: publish it as a new one"
        rulesets.refuse(scope, pointer, [lower])
    elif not rulesets.hopeless(scope, pointer):
        return await _load(rulesets, redis, supply, scope, pointer)
    return {}


async def _gone(
    rulesets: Rulesets, redis: Redis, supply: Supply, scope: Scope, held: Held | None
) -> dict[Scope, Change]:
    if held is None or held.source == "builtin":
        rulesets.confirm(scope)
    elif scope != BASE and await store.knows(redis, scope, held.version):
        await _on_disk(supply, lambda copies: copies.forget(scope))
        return {scope: None}
    else:
        rulesets.refuse(scope, None, [f"the store names no version any more; {held.version} stays in force"])
    return {}


async def _load(
    rulesets: Rulesets, redis: Redis, supply: Supply, scope: Scope, pointer: Pointer
) -> dict[Scope, Change]:
    tested = rulesets.trials.tested.get(scope)
    try:
        snapshot = await store.snapshot(redis, scope, pointer)
    except Invalid as error:  # may mend itself: by hand the pointer can be set before the snapshot
        rulesets.refuse(scope, pointer, error.problems)
        return {}
    try:
        if tested and tested.candidate.pointer == pointer:  # promoted: it is compiled already
            change = _held(snapshot, "store", tested.compiled), 0.0
        else:
            change = await asyncio.to_thread(_compile, supply, scope, snapshot, "store")
    except Invalid as error:
        rulesets.refuse(scope, pointer, error.problems, hopeless=True)
        return {}
    await _on_disk(supply, lambda copies: copies.save(scope, snapshot))
    return {scope: change}


async def _try_out(rulesets: Rulesets, redis: Redis, supply: Supply, found: Found) -> None:
    """Put beside what is in force what the store says is to be tried out. Raises: Unavailable."""
    tested: dict[Scope, Tested] = {}
    for scope, sight in found.items():
        version = rulesets.held[scope].version if scope in rulesets.held else 0
        if sight.candidate and rulesets.trials.wanted(sight.candidate, scope, version):
            compiled = await _compiled(rulesets, redis, supply, scope, sight.candidate)
            if compiled:
                tested[scope] = Tested(candidate=sight.candidate, compiled=compiled)
    probations = {
        scope: sight.probation
        for scope, sight in found.items()
        if sight.probation
        and scope in rulesets.held
        and rulesets.trials.watches(sight.probation, scope, rulesets.held[scope].named, now())
    }
    rulesets.try_out(
        {s: each for s, each in tested.items() if rulesets.trials.wanted(each.candidate, s, 0)}, probations
    )


async def _compiled(
    rulesets: Rulesets, redis: Redis, supply: Supply, scope: Scope, candidate: Candidate
) -> Base | Overlay | None:
    tested = rulesets.trials.tested.get(scope)
    if tested and tested.candidate.pointer == candidate.pointer:
        return tested.compiled
    try:
        snapshot = await store.snapshot(redis, scope, candidate.pointer)
        held, _ = await asyncio.to_thread(_compile, supply, scope, snapshot, "store")
    except Invalid as error:
        rulesets.refuse_trial(scope, candidate, error.problems)
        return None
    return held.compiled


async def _tell(rulesets: Rulesets, redis: Redis, supply: Supply) -> None:
    """Tell the store what this worker has taken back; what cannot be told is tried again. Raises: Unavailable."""
    trials = rulesets.trials
    for key in sorted(trials.unsent):
        trials.unsent.discard(key)
        with suppress(Unavailable):  # a right to write may be missing; if Redis is away, the look will tell
            await rollout.tell(redis, *key, trials.worker, trials.totals[key])
    for scope, trip in list(trials.untold.items()):
        sight = (await rollout.sights(redis, [scope]))[scope]
        named = sight.candidate if trip.probation is None else sight.pointer
        if not isinstance(named, Candidate | Pointer) or named.version != trip.version:
            trials.untold.pop(scope, None)  # somebody was faster
            continue
        try:
            await _take_back(redis, supply, trip)
        except (Conflict, Invalid, Unavailable) as error:  # a right to write may be missing: judging goes on
            supply.report(TripUntold(scope=scope, reason=str(error)))
        else:
            trials.untold.pop(scope, None)


async def _take_back(redis: Redis, supply: Supply, trip: Trip) -> None:
    """Take a ruleset back for all workers. Raises: Conflict, Invalid, Unavailable."""
    author = Author(by=AUTOMATIC, why=trip.reason, at=now())
    if trip.probation:
        content = canonical(supply.builtin)
        await rollout.take_back(redis, trip.scope, trip.probation, author=author, builtin=content)
    else:
        await rollout.withdraw(redis, trip.scope, author=author, kind="automatic", only=trip.version)


def _held(snapshot: Snapshot, source: Source, compiled: Base | Overlay) -> Held:
    return Held(version=snapshot.version, digest=snapshot.digest, source=source, loaded_at=now(), compiled=compiled)


def _compile(supply: Supply, scope: Scope, snapshot: Snapshot, source: Source) -> tuple[Held, float]:
    """The snapshot, ready for the judge, and the seconds it took. Raises: Invalid."""
    began = time.monotonic()
    with _without_collections():
        compiled = supply.compile(scope, snapshot, supply.limits)
    return _held(snapshot, source, compiled), time.monotonic() - began


async def _fill_from_disk(rulesets: Rulesets, supply: Supply) -> None:
    """Put the last good copies in force for what the store should have given and could not."""
    if supply.copies is None:
        return
    copies, problems = await asyncio.to_thread(supply.copies.load)
    for scope, snapshot in copies.items():
        held = rulesets.held.get(scope)
        if (held and held.source == "store") or not (rulesets.lost or scope in rulesets.refused):
            continue
        try:
            change = await asyncio.to_thread(_compile, supply, scope, snapshot, "disk")
        except Invalid as error:
            problems += [f"the copy of {scope} on disk: {problem}" for problem in error.problems]
        else:
            await _swap(rulesets, {scope: change})
    for problem in problems:
        supply.report(CopyTrouble(reason=problem))


async def _on_disk(supply: Supply, do: Callable[[Copies], None]) -> None:
    if supply.copies is None:
        return
    try:
        await asyncio.to_thread(do, supply.copies)
    except Unavailable as error:
        supply.report(CopyTrouble(reason=str(error)))
