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
"""

import asyncio
import gc
import random
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

import msgspec
from redis.asyncio import Redis
from redis.exceptions import RedisError

from processor.errors import Invalid, Unavailable
from processor.ruleset import Base, Overlay
from processor.rulesets import store
from processor.rulesets.compile import compile_base, compile_overlay
from processor.rulesets.directory import builtin
from processor.rulesets.disk import Copies
from processor.rulesets.document import (
    BASE,
    BaseDocument,
    Document,
    OverlayDocument,
    Scope,
    canonical,
    digest,
    parse,
    scope_of,
    tenant_of,
)
from processor.rulesets.inforce import CopyTrouble, Held, Report, Rulesets, Source, now
from processor.rulesets.release import release
from processor.rulesets.store import Notice, Pointer, Snapshot

_SWAP_EVERY_S = 1.0  # many overlays at once are not made to wait for the last, nor swapped one by one
_LONGEST_PAUSE_S = 10.0

Found = Mapping[Scope, Pointer | Invalid | None]
Change = tuple[Held, float] | None


class CompileBase(Protocol):
    """Base document → what the judge uses. Pure, may take a second. Raises: Invalid."""

    def __call__(self, document: BaseDocument, /, *, version: int, digest: str) -> Base: ...


class CompileOverlay(Protocol):
    """Overlay document → what the judge uses. Pure, may take a second. Raises: Invalid."""

    def __call__(self, document: OverlayDocument, /, *, version: int, digest: str) -> Overlay: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Supply:
    """Where rulesets come from, what compiles them, and who is told."""

    url: str  # of Redis, with credentials
    report: Report
    compile_base: CompileBase = compile_base
    compile_overlay: CompileOverlay = compile_overlay
    copies: Copies | None = None  # None: nothing is kept on disk
    builtin: Callable[[], BaseDocument] = builtin
    timeout_s: float = 5.0  # longest wait for a connection or an answer


async def start(supply: Supply, *, patience_s: float = 2.0) -> Rulesets:
    """The first rulesets: the store's; where it cannot give them now, the last good copies on disk; else the built-in.

    Waits at most `patience_s` for the store to say what is in force. Raises: Invalid, only if even the built-in
    ruleset does not compile.
    """
    content = canonical(supply.builtin())
    snapshot = Snapshot(version=0, digest=digest(content), content=content)
    base, seconds = await asyncio.to_thread(_compile, supply, BASE, snapshot, "builtin")
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
        while True:
            wake.clear()
            asked = set(hinted)
            hinted.clear()  # what is hinted from here on has not been looked at
            try:
                found = await _look(redis, {*rulesets.held, *asked})
                asked = {scope for scope in asked if found[scope] is not None}
                await _refresh(rulesets, redis, supply, found, wake)
            except Unavailable as error:
                rulesets.away(str(error))
            else:
                rulesets.found()
            hinted |= asked
            try:  # not all workers at the same moment
                await asyncio.wait_for(wake.wait(), poll_s * random.uniform(0.8, 1.0))  # noqa: S311  no secret
            except TimeoutError:
                pass


async def _listen_always(
    rulesets: Rulesets, supply: Supply, heard: Callable[[Notice | None], None], *, health_s: float, pause_s: float
) -> None:
    pause = pause_s
    while True:
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
        while True:
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
    return await store.pointers(redis, [BASE, *sorted(scope for scope in tenants if tenant_of(scope))])


async def _refresh(rulesets: Rulesets, redis: Redis, supply: Supply, found: Found, wake: asyncio.Event) -> None:
    """Load what has changed; stops early, after a swap, when `wake` says that there is news.

    Raises: Unavailable, with what was loaded before in force.
    """
    changes: dict[Scope, Change] = {}
    swapped = time.monotonic()
    try:
        for scope, pointer in found.items():
            changed = await _change(rulesets, redis, supply, scope, pointer)
            changes.update(changed)
            if changed and (scope == BASE or time.monotonic() - swapped > _SWAP_EVERY_S):
                await _swap(rulesets, changes)
                changes, swapped = {}, time.monotonic()
                if wake.is_set():
                    break
    finally:
        await _swap(rulesets, changes)


async def _swap(rulesets: Rulesets, changes: Mapping[Scope, Change]) -> None:
    """Put the changes in force, and let go of what they replace."""
    worn: list[object] = [held.compiled for scope in changes if (held := rulesets.held.get(scope))]
    rulesets.swap(changes)
    if worn:
        await asyncio.to_thread(release, worn)


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
    try:
        snapshot = await store.snapshot(redis, scope, pointer)
    except Invalid as error:  # may mend itself: by hand the pointer can be set before the snapshot
        rulesets.refuse(scope, pointer, error.problems)
        return {}
    try:
        change = await asyncio.to_thread(_compile, supply, scope, snapshot, "store")
    except Invalid as error:
        rulesets.refuse(scope, pointer, error.problems, hopeless=True)
        return {}
    await _on_disk(supply, lambda copies: copies.save(scope, snapshot))
    return {scope: change}


def _compile(supply: Supply, scope: Scope, snapshot: Snapshot, source: Source) -> tuple[Held, float]:
    """The snapshot, ready for the judge, and the seconds it took. Raises: Invalid.

    No garbage is collected meanwhile: what is made here stays, and a collection that walks all of it would hold up
    the judge for longer than anything else does.
    """
    began = time.monotonic()
    gc.disable()
    try:
        document = _document(snapshot, scope)
        compile_ = supply.compile_base if isinstance(document, BaseDocument) else supply.compile_overlay
        compiled = compile_(document, version=snapshot.version, digest=snapshot.digest)  # type: ignore[arg-type]
    except Invalid:
        raise
    except Exception as error:  # whatever a ruleset does to the compiler, judging goes on with the last good
        raise Invalid([f"compiling failed: {type(error).__name__}: {error}"]) from error
    finally:
        gc.freeze()
        gc.enable()
    held = Held(version=snapshot.version, digest=snapshot.digest, source=source, loaded_at=now(), compiled=compiled)
    return held, time.monotonic() - began


def _document(snapshot: Snapshot, scope: Scope) -> Document:
    document = parse(snapshot.content)
    if scope_of(document) != scope:
        raise Invalid([f"this is a document for {scope_of(document)}, not for {scope}"])
    return document


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
