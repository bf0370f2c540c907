"""Rulesets in Redis: immutable snapshots, one pointer per scope, a history, and a channel that wakes the workers.

    chatguard:ruleset:{base}:v:<n>       the document's bytes, never changed
    chatguard:ruleset:{base}:current     {"version": n, "digest": "<SHA-256 of those bytes, 64 hex digits>"}
    chatguard:ruleset:{base}:history     list, newest first, of who did what, when and why, over which version
    chatguard:ruleset:{base}:candidate   what is tried out beside it; see `rollout`
    chatguard:ruleset:{base}:probation   the band in which what newly came into force must stay; see `rollout`
    chatguard:ruleset:scopes             set of the tenants' scopes, e.g. "tenant:t1"
    chatguard:rulesets                   channel; message {"scope", "version", "digest"}

For a tenant's overlay `{tenant:<id>}` stands in place of `{base}`. Snapshot, pointer, history and message are written
by one script, so that nobody ever sees a pointer without its snapshot. The braces are a hash tag: on a Redis Cluster
all keys of a scope are in one slot, as the script needs; the set of scopes is not, which is why it is written on its
own, and before: a scope without a pointer does no harm. PUBLISH reaches every node of a cluster.

Versions only grow, candidates take theirs from the same numbers, and nothing is published over a candidate: it must be
promoted or withdrawn first.

A person with redis-cli does the same by hand: SET the snapshot, SET the pointer, SADD the scope if it is a new
tenant's, PUBLISH. To take an overlay away: DEL its pointer, leave its snapshots, PUBLISH. What was not published is
found all the same: workers look every ten seconds.
"""

from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Annotated, Any, Literal, Self

import msgspec
from msgspec import Meta, Struct
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialWithJitterBackoff
from redis.exceptions import RedisError, ResponseError

from processor.errors import ChatguardError, Invalid, Misconfigured, Unavailable
from processor.rulesets.document import Document, Scope, canonical, digest, tenant_of
from processor.rulesets.guard import Guard

CHANNEL = "chatguard:rulesets"
SCOPES = "chatguard:ruleset:scopes"
SNAPSHOTS_KEPT = 20
HISTORY_KEPT = 200

Client = Redis
"""A connection to the store, for those who need not know what it is made of."""

Digest = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
Version = Annotated[int, Meta(ge=1)]


Kind = Literal["push", "rollback", "drop", "shadow", "canary", "promote", "abort", "automatic"]


class Conflict(ChatguardError):
    """Somebody else published in this scope meanwhile; look at what is in force now and try again."""


class Pointer(Struct, frozen=True, kw_only=True, gc=False):
    """What is in force in a scope."""

    version: Version
    digest: Digest


class Notice(Struct, frozen=True, kw_only=True, gc=False):
    """The message on the channel; a hint only, the pointer is what counts."""

    scope: str
    version: int = 0  # 0: the scope's pointer is gone
    digest: str = ""


class Published(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """One line of a scope's history; `digest` is empty where an overlay was taken away."""

    version: int
    digest: str
    at: int  # ms since the epoch
    by: str
    why: str
    kind: str = "push"  # a Kind; "automatic": the workers took it back
    before: int | None = None  # the version in force before it, 0 for none
    content_of: int | None = None  # the older version whose bytes these are

    @property
    def came_into_force(self) -> bool:
        """Whether it was in force afterwards; candidates and what was taken away were not."""
        return bool(self.digest) and (
            self.kind in {"push", "rollback", "promote"} or (self.kind == "automatic" and self.content_of is not None)
        )


class Probation(Struct, frozen=True, kw_only=True, gc=False):
    """Until when what came into force must keep to its band, or be taken back."""

    version: Version
    digest: Digest
    guard: Guard
    before: int  # the version whose content is then put in force again; 0: none was published
    until: int  # ms since the epoch


class Snapshot(Struct, frozen=True, kw_only=True, gc=False):
    """The bytes of one version, not yet verified."""

    version: int
    digest: str  # what the pointer or the history says
    content: bytes

    @classmethod
    def unpublished(cls, document: Document) -> Self:
        """Of a document that is in no store, as version 0."""
        content = canonical(document)
        return cls(version=0, digest=digest(content), content=content)

    def verify(self) -> None:
        """Raises: Invalid, if the bytes are not those that were published."""
        if digest(self.content) != self.digest:
            raise Invalid([f"the bytes of version {self.version} do not have the digest {self.digest[:12]}…"])


class Author(Struct, frozen=True, kw_only=True, gc=False):
    """Who publishes, why, and when (ms since the epoch)."""

    by: str
    why: str
    at: int


# KEYS: pointer, candidate, history, then keys to set, then keys to forget. ARGV: pointer and candidate as they were
# read ('' for none), the history line, how many lines to keep, the channel, the notice, whether the first key to set
# must be new, and the values to set.
_WRITE = """
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return redis.error_reply('CONFLICT moved') end
if (redis.call('GET', KEYS[2]) or '') ~= ARGV[2] then return redis.error_reply('CONFLICT candidate') end
if ARGV[7] == '1' and redis.call('EXISTS', KEYS[4]) == 1 then return redis.error_reply('CONFLICT exists') end
local values = #ARGV - 7
for i = 1, values do redis.call('SET', KEYS[3 + i], ARGV[7 + i]) end
for i = 4 + values, #KEYS do redis.call('DEL', KEYS[i]) end
redis.call('LPUSH', KEYS[3], ARGV[3])
redis.call('LTRIM', KEYS[3], 0, ARGV[4] - 1)
redis.call('PUBLISH', ARGV[5], ARGV[6])
return 1
"""


class Seen(Struct, frozen=True, kw_only=True, gc=False):
    """A scope as somebody saw it who is about to change it; nothing is written if it has changed meanwhile."""

    pointer: bytes  # as it stands there; empty for none
    candidate: bytes
    version: int  # in force; 0 for none


@asynccontextmanager
async def connect(
    url: str, *, timeout_s: float = 5.0, retries: int = 1, health_s: float = 10.0
) -> AsyncIterator[Redis]:
    """A client for `url` that connects when it is used and is closed at the end.

    `timeout_s`: longest wait for a connection or an answer; `retries`: how often a command is sent again; `health_s`:
    after so much idleness a connection is tried before it is used, 0 for never.
    Raises: Misconfigured, for a URL that is none.
    The protocol is the older RESP2: every server and proxy speaks it, and we need nothing of the newer one.
    """
    try:
        redis = Redis.from_url(
            url,
            protocol=2,
            decode_responses=False,
            socket_timeout=timeout_s,
            socket_connect_timeout=timeout_s,
            health_check_interval=health_s,
            client_name="chatguard",
            retry=Retry(ExponentialWithJitterBackoff(base=0.1, cap=1), retries),
        )
    except ValueError as error:
        raise Misconfigured([f"the Redis URL is wrong: {error}"]) from None
    try:
        yield redis
    finally:
        await redis.aclose()


def pointer_key(scope: Scope) -> str:
    """The key of what is in force in `scope`."""
    return f"chatguard:ruleset:{{{scope}}}:current"


def snapshot_key(scope: Scope, version: int) -> str:
    """The key of one version's bytes."""
    return f"chatguard:ruleset:{{{scope}}}:v:{version}"


def history_key(scope: Scope) -> str:
    """The key of the list of what was published in `scope`."""
    return f"chatguard:ruleset:{{{scope}}}:history"


def candidate_key(scope: Scope) -> str:
    """The key of what is tried out in `scope`."""
    return f"chatguard:ruleset:{{{scope}}}:candidate"


def probation_key(scope: Scope) -> str:
    """The key of the band that what is in force must keep to."""
    return f"chatguard:ruleset:{{{scope}}}:probation"


async def scopes(redis: Redis) -> set[Scope]:
    """The scopes of all tenants that ever had an overlay. Raises: Unavailable."""
    with edge():
        members: Any = await redis.smembers(SCOPES)
    return {member.decode(errors="replace") for member in members}


async def current(redis: Redis, scope: Scope) -> Pointer | None:
    """What is in force in `scope`, or None. Raises: Unavailable; Invalid, if the pointer is none."""
    found = (await pointers(redis, [scope]))[scope]
    if isinstance(found, Invalid):
        raise found
    return found


async def pointers(redis: Redis, wanted: Sequence[Scope]) -> Mapping[Scope, Pointer | Invalid | None]:
    """What is in force in each of the scopes, in one round trip. Raises: Unavailable."""
    with edge():
        async with redis.pipeline(transaction=False) as pipeline:
            for scope in wanted:
                pipeline.get(pointer_key(scope))
            answers = await pipeline.execute(raise_on_error=False)
    return {scope: as_pointer(scope, answer) for scope, answer in zip(wanted, answers, strict=True)}


async def snapshot(redis: Redis, scope: Scope, pointer: Pointer) -> Snapshot:
    """The bytes that `pointer` names. Raises: Unavailable; Invalid, if they are not there or not those."""
    with edge():
        content: Any = await redis.get(snapshot_key(scope, pointer.version))
    if content is None:
        raise Invalid([f"version {pointer.version} of {scope} is not in the store"])
    found = Snapshot(version=pointer.version, digest=pointer.digest, content=content)
    found.verify()
    return found


async def knows(redis: Redis, scope: Scope, version: int) -> bool:
    """Whether the store still holds that version's bytes. Raises: Unavailable."""
    with edge():
        return bool(await redis.exists(snapshot_key(scope, version)))


async def history(redis: Redis, scope: Scope) -> list[Published]:
    """What was published in `scope`, newest first. Raises: Unavailable. Lines that are none are left out."""
    with edge():
        lines: Any = await redis.lrange(history_key(scope), 0, HISTORY_KEPT - 1)
    found = []
    for line in lines:
        try:
            found.append(msgspec.json.decode(line, type=Published))
        except msgspec.DecodeError:
            continue
    return found


async def publish(
    redis: Redis,
    scope: Scope,
    content: bytes,
    *,
    author: Author,
    expect: int | None = None,
    kind: Kind = "push",
    content_of: int | None = None,
    probation: tuple[Guard, int] | None = None,
    over_candidate: bool = False,
) -> Pointer:
    """Puts `content` in force in `scope` as the next version, for all workers.

    `expect`: the version the caller saw in force, 0 for none; None: whatever is there now. `probation`: the band in
    which it must stay, and until when (ms since the epoch). `over_candidate`: withdraw a candidate that is tried out.
    Raises: Conflict, and nothing has changed, if another version is in force, something is tried out, or somebody was
    faster; Unavailable. The bytes are not looked into: whoever publishes compiles them first.
    """
    seen = await look(redis, scope, expect)
    if seen.candidate and not over_candidate:
        raise Conflict(f"a candidate is tried out in {scope}: promote or abort its rollout first")
    past = await history(redis, scope)
    new = Pointer(version=next_version(seen, past), digest=digest(content))
    line = Published(
        version=new.version,
        digest=new.digest,
        at=author.at,
        by=author.by,
        why=author.why,
        kind=kind,
        before=seen.version,
        content_of=content_of,
    )
    sets = {snapshot_key(scope, new.version): content, pointer_key(scope): to_json(new)}
    forgets = {candidate_key(scope), probation_key(scope), *forgotten(scope, past, {seen.version})}
    if probation:
        guard, until = probation
        on = Probation(version=new.version, digest=new.digest, guard=guard, before=seen.version, until=until)
        sets[probation_key(scope)] = to_json(on)
    if tenant_of(scope) is not None:
        await enter(redis, scope)
    await write(redis, scope, seen, line, in_force=new, sets=sets, forgets=forgets - sets.keys(), fresh=True)
    return new


async def look(redis: Redis, scope: Scope, expect: int | None = None) -> Seen:
    """What is there now, for `write` to compare. Raises: Conflict, if not version `expect` is in force; Unavailable."""
    with edge():
        answers: Any = await redis.mget(pointer_key(scope), candidate_key(scope))
    pointer, candidate = (answer or b"" for answer in answers)
    try:
        held = msgspec.json.decode(pointer, type=Pointer).version if pointer else 0
    except msgspec.DecodeError:
        held = 0  # a pointer that is none is mended by publishing over it
    if expect is not None and held != expect:
        raise Conflict(f"{scope} is at version {held}, not {expect}: somebody else has published meanwhile")
    return Seen(pointer=pointer, candidate=candidate, version=held)


def next_version(seen: Seen, past: Sequence[Published]) -> int:
    """The number after all that were ever used; candidates have theirs in the history too."""
    return max([seen.version, *(line.version for line in past)]) + 1


def forgotten(scope: Scope, past: Sequence[Published], keep: Collection[int]) -> set[str]:
    """The keys of snapshots that are too old, once another version is added."""
    recent = list(dict.fromkeys(line.version for line in past))
    return {snapshot_key(scope, old) for old in recent[SNAPSHOTS_KEPT - 1 :] if old not in keep}


async def write(
    redis: Redis,
    scope: Scope,
    seen: Seen,
    line: Published,
    *,
    in_force: Pointer | None,
    sets: Mapping[str, bytes],
    forgets: Collection[str] = (),
    fresh: bool = False,
) -> None:
    """Change a scope at once: set keys, forget keys, add `line` to the history, and tell all workers to look.

    `in_force`: what the notice names. `fresh`: the first key to set must be new. Raises: Conflict, and nothing has
    changed, if the scope is not any more as it was `seen`; Unavailable.
    """
    keys = [pointer_key(scope), candidate_key(scope), history_key(scope), *sets, *sorted(forgets)]
    notice = Notice(scope=scope, version=in_force.version, digest=in_force.digest) if in_force else Notice(scope=scope)
    facts = (seen.pointer, seen.candidate, to_json(line), HISTORY_KEPT, CHANNEL, to_json(notice), int(fresh))
    try:
        with edge(scope):
            await redis.eval(_WRITE, len(keys), *keys, *facts, *sets.values())
    except Conflict:
        # The client sends again what was not answered: then it may be our own first try that we collide with.
        if (await history(redis, scope))[:1] != [line]:
            raise


async def rollback(redis: Redis, scope: Scope, *, to: int, author: Author, expect: int | None = None) -> Pointer:
    """Puts the bytes of version `to` in force again, under a new version number: versions only ever grow.

    Raises: Invalid, if that version is not kept any more or its bytes have changed; Conflict; Unavailable.
    """
    content = await retained(redis, scope, to)
    return await publish(redis, scope, content.content, author=author, expect=expect, kind="rollback", content_of=to)


async def retained(redis: Redis, scope: Scope, version: int) -> Snapshot:
    """The bytes of any version that is still kept, verified against the history or the pointer.

    Raises: Invalid, if it is not kept, nothing tells its digest, or the bytes have changed; Unavailable.
    """
    pointer = await current(redis, scope)
    if pointer is None or pointer.version != version:
        digests = {line.version: line.digest for line in await history(redis, scope) if line.digest}
        if version not in digests:
            raise Invalid([f"version {version} of {scope} is not in the history"])
        pointer = Pointer(version=version, digest=digests[version])
    return await snapshot(redis, scope, pointer)


async def remove(redis: Redis, scope: Scope, *, author: Author, expect: int | None = None, kind: Kind = "drop") -> None:
    """Takes a tenant's overlay out of force; its snapshots and its history stay. Raises: Conflict, Unavailable."""
    seen = await look(redis, scope, expect)
    line = Published(
        version=seen.version, digest="", at=author.at, by=author.by, why=author.why, kind=kind, before=seen.version
    )
    gone = {pointer_key(scope), candidate_key(scope), probation_key(scope)}
    await write(redis, scope, seen, line, in_force=None, sets={}, forgets=gone)


async def enter(redis: Redis, scope: Scope) -> None:
    """Note a tenant's scope before something is published there."""
    with edge():
        await redis.sadd(SCOPES, scope)


def as_pointer(scope: Scope, answer: Any) -> Pointer | Invalid | None:
    if answer is None:
        return None
    try:
        return msgspec.json.decode(answer, type=Pointer)
    except (msgspec.DecodeError, TypeError):
        return Invalid([f'the pointer of {scope} is not {{"version": …, "digest": "<64 hex digits>"}}'])


def to_json(value: Struct) -> bytes:
    return msgspec.json.encode(value)


@contextmanager
def edge(scope: Scope = "") -> Iterator[None]:
    """Turns what Redis raises into our own errors."""
    try:
        yield
    except ResponseError as error:
        if str(error).startswith("CONFLICT"):
            raise Conflict(f"somebody else published in {scope} at the same moment; nothing has changed") from None
        raise Unavailable(f"Redis refused: {error}") from error
    except (RedisError, OSError, TimeoutError) as error:
        raise Unavailable(f"Redis is away: {str(error) or type(error).__name__}") from error
