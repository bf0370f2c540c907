"""Trying a published ruleset out beside the one in force, in Redis: begin, widen, promote, withdraw, take back.

    chatguard:ruleset:{base}:candidate   JSON: version, digest, mode, share, unit, guard, over, by, why, at
    chatguard:ruleset:{base}:probation   JSON: version, digest, guard, before, until
    chatguard:ruleset:{base}:trial:<n>   hash, by worker: what it has seen of version n so far

The candidate's bytes stand where every version's stand, under a version number of its own, so that verdicts name it
and promoting it is but a flip of the pointer. There is at most one candidate per scope. Every step is one script with
its line of history. Workers that find a ruleset out of its band take it back themselves; the first one does it for all.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from processor.errors import Invalid
from processor.rulesets import store
from processor.rulesets.document import BASE, Scope, digest, tenant_of
from processor.rulesets.guard import Guard, percent
from processor.rulesets.store import Author, Client, Conflict, Digest, Kind, Pointer, Probation, Published, Version

Mode = Literal["shadow", "canary"]
Unit = Literal["conversation", "tenant"]

PROBATION_MS = 3_600_000
_TOTALS_S = 604_800
AUTOMATIC = "the workers"  # who takes a ruleset back by itself


class Plan(Struct, frozen=True, kw_only=True):
    """How a ruleset is tried out."""

    mode: Mode = "shadow"
    share: Annotated[float, Meta(gt=0, le=1)] = 1.0  # of the messages
    unit: Unit = "conversation"  # what is in the share as a whole
    guard: Guard | None = Guard()


class Candidate(Struct, frozen=True, kw_only=True):
    """A ruleset that is tried out, and how."""

    version: Version
    digest: Digest
    plan: Plan
    over: int  # the version in force when it began, 0 for none
    by: str
    why: str
    at: int  # ms since the epoch

    @property
    def pointer(self) -> Pointer:
        """What the pointer will say once it is promoted."""
        return Pointer(version=self.version, digest=self.digest)


class Totals(Struct, frozen=True, kw_only=True):
    """What one worker has seen of a version on trial since it began with it."""

    verdicts: dict[str, int] = {}
    in_force: dict[str, int] = {}
    changes: dict[str, int] = {}  # "pass>block": in force, and candidate

    def plus(self, other: "Totals") -> "Totals":
        """Both together."""
        names = self.__struct_fields__
        return Totals(**{name: dict(Counter(getattr(self, name)) + Counter(getattr(other, name))) for name in names})


class Sight(Struct, frozen=True, kw_only=True):
    """All that a worker wants to know of a scope."""

    pointer: Pointer | Invalid | None
    candidate: Candidate | None = None
    probation: Probation | None = None


async def sights(redis: Client, scopes: Sequence[Scope]) -> Mapping[Scope, Sight]:
    """What is in force, tried out and on probation in each scope, in one round trip. Raises: Unavailable.

    A candidate or a probation that cannot be read counts as none: it is a trial, and what is in force stays.
    """
    with store.edge():
        async with redis.pipeline(transaction=False) as pipeline:
            for scope in scopes:
                pipeline.get(store.pointer_key(scope))
                pipeline.mget(store.candidate_key(scope), store.probation_key(scope))
            answers: list[Any] = await pipeline.execute(raise_on_error=False)
    both = zip(scopes, answers[::2], answers[1::2], strict=True)
    return {scope: _sight(scope, pointer, beside) for scope, pointer, beside in both}


async def candidate(redis: Client, scope: Scope) -> Candidate | None:
    """What is tried out in `scope`. Raises: Unavailable."""
    return (await sights(redis, [scope]))[scope].candidate


async def begin(
    redis: Client, scope: Scope, content: bytes, plan: Plan, *, author: Author, expect: int | None = None
) -> Candidate:
    """Try `content` out as the scope's candidate; as with `publish`, the bytes are not looked into.

    Raises: Conflict, if something is tried out already or another version than `expect` is in force; Unavailable.
    """
    seen = await store.look(redis, scope, expect)
    if seen.candidate:
        raise Conflict(f"a candidate is tried out in {scope} already: promote or abort its rollout first")
    past = await store.history(redis, scope)
    new = Candidate(
        version=store.next_version(seen, past),
        digest=digest(content),
        plan=plan,
        over=seen.version,
        by=author.by,
        why=author.why,
        at=author.at,
    )
    if tenant_of(scope) is not None:
        await store.enter(redis, scope)
    sets = {store.snapshot_key(scope, new.version): content, store.candidate_key(scope): store.to_json(new)}
    forgets = store.forgotten(scope, past, {seen.version})
    line = _line(new, author, plan.mode, why=f"{_plan(plan)}: {author.why}")
    await store.write(redis, scope, seen, line, in_force=_in_force(seen), sets=sets, forgets=forgets, fresh=True)
    return new


async def change(redis: Client, scope: Scope, *, author: Author, **plan: Any) -> Candidate:
    """Change the mode, the share or the guard of what is tried out. Raises: Invalid, Conflict, Unavailable."""
    seen, old = await _seen(redis, scope)
    new = replace(old, plan=msgspec.convert(msgspec.to_builtins(replace(old.plan, **plan)), Plan))
    line = _line(new, author, new.plan.mode, why=f"{_plan(new.plan)}: {author.why}")
    sets = {store.candidate_key(scope): store.to_json(new)}
    await store.write(redis, scope, seen, line, in_force=_in_force(seen), sets=sets)
    return new


async def promote(redis: Client, scope: Scope, *, author: Author) -> Pointer:
    """Put the candidate in force for all, and watch its band for another hour. Raises: Invalid, Conflict, Unavailable.

    Its bytes are verified first: nothing comes into force that the workers would have to refuse.
    """
    seen, old = await _seen(redis, scope)
    if old.version <= seen.version:
        raise Invalid([f"version {seen.version} of {scope} has come into force since {old.version} began: abort it"])
    await store.snapshot(redis, scope, old.pointer)
    line = _line(old, author, "promote", before=seen.version)
    sets = {store.pointer_key(scope): store.to_json(old.pointer)}
    forgets = {store.candidate_key(scope), store.probation_key(scope)}
    if old.plan.guard:
        on = Probation(
            version=old.version,
            digest=old.digest,
            guard=old.plan.guard,
            before=seen.version,
            until=author.at + PROBATION_MS,
        )
        sets[store.probation_key(scope)] = store.to_json(on)
    await store.write(redis, scope, seen, line, in_force=old.pointer, sets=sets, forgets=forgets - sets.keys())
    return old.pointer


async def tell(redis: Client, scope: Scope, version: int, worker: str, seen: Totals) -> None:
    """Leave what a worker has seen so far, for `totals`; kept for a week. Raises: Unavailable."""
    key = totals_key(scope, version)
    with store.edge():
        async with redis.pipeline(transaction=False) as pipeline:
            pipeline.hset(key, worker, store.to_json(seen).decode())
            pipeline.expire(key, _TOTALS_S)
            await pipeline.execute()


async def totals(redis: Client, scope: Scope, version: int) -> list[Totals]:
    """What each worker has seen of a version on trial. Raises: Unavailable."""
    with store.edge():
        found: Any = await redis.hgetall(totals_key(scope, version))
    return [seen for line in found.values() if (seen := _read(line, Totals))]


def totals_key(scope: Scope, version: int) -> str:
    """The key of what workers have seen of a version on trial."""
    return f"chatguard:ruleset:{{{scope}}}:trial:{version}"


async def withdraw(
    redis: Client, scope: Scope, *, author: Author, kind: Kind = "abort", only: int | None = None
) -> Candidate | None:
    """Take the candidate away; what is in force stays. `only`: if it is that version.

    Gives what went; None for something that was no candidate. Raises: Invalid, if there is none (or not that one),
    Conflict, Unavailable.
    """
    seen = await store.look(redis, scope)
    old = _read(seen.candidate, Candidate)
    if not seen.candidate or (only is not None and (old is None or old.version != only)):
        raise Invalid([f"nothing is tried out in {scope}" if only is None else f"version {only} is tried out no more"])
    if old:
        line = _line(old, author, kind)
    else:
        line = Published(version=seen.version, digest="", at=author.at, by=author.by, why=author.why, kind=kind)
    forgets = {store.candidate_key(scope)}
    await store.write(redis, scope, seen, line, in_force=_in_force(seen), sets={}, forgets=forgets)
    return old


async def take_back(redis: Client, scope: Scope, probation: Probation, *, author: Author, builtin: bytes) -> None:
    """Put the content in force again that was there before the version on probation; `builtin`: if none was.

    Raises: Conflict, if that version is not in force any more; Invalid, if the older one is not kept; Unavailable.
    """
    expect, before = probation.version, probation.before
    if before:
        content = (await store.retained(redis, scope, before)).content
    elif scope == BASE:
        content = builtin
    else:
        await store.remove(redis, scope, author=author, expect=expect, kind="automatic")
        return
    await store.publish(
        redis, scope, content, author=author, expect=expect, kind="automatic", content_of=before, over_candidate=True
    )


def _line(of: Candidate, author: Author, kind: Kind, *, why: str | None = None, before: int | None = None) -> Published:
    return Published(
        version=of.version,
        digest=of.digest,
        at=author.at,
        by=author.by,
        why=why or author.why,
        kind=kind,
        before=of.over if before is None else before,
    )


def _plan(plan: Plan) -> str:
    return f"{percent(plan.share)} of the {plan.unit}s"


async def _seen(redis: Client, scope: Scope) -> tuple[store.Seen, Candidate]:
    seen = await store.look(redis, scope)
    found = _read(seen.candidate, Candidate)
    if found is None:
        raise Invalid([f"nothing is tried out in {scope}"])
    return seen, found


def _in_force(seen: store.Seen) -> Pointer | None:
    return _read(seen.pointer, Pointer)


def _sight(scope: Scope, pointer: Any, beside: Any) -> Sight:
    tried, probation = beside if isinstance(beside, list) else (None, None)
    return Sight(
        pointer=store.as_pointer(scope, pointer),
        candidate=_read(tried, Candidate),
        probation=_read(probation, Probation),
    )


_T = TypeVar("_T")


def _read(content: bytes | None, kind: type[_T]) -> _T | None:
    try:
        return msgspec.json.decode(content, type=kind) if content else None
    except msgspec.DecodeError:
        return None
