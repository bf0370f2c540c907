"""Rulesets in Redis: immutable snapshots, one pointer per scope, a history, and a channel that wakes the workers.

    chatguard:ruleset:{base}:v:<n>       the document's bytes, never changed
    chatguard:ruleset:{base}:current     {"version": n, "digest": "<SHA-256 of those bytes, 64 hex digits>"}
    chatguard:ruleset:{base}:history     list, newest first, of who published what, when and why
    chatguard:ruleset:scopes             set of the tenants' scopes, e.g. "tenant:t1"
    chatguard:rulesets                   channel; message {"scope", "version", "digest"}

For a tenant's overlay `{tenant:<id>}` stands in place of `{base}`. Snapshot, pointer, history and message are written
by one script, so that nobody ever sees a pointer without its snapshot. The braces are a hash tag: on a Redis Cluster
all keys of a scope are in one slot, as the script needs; the set of scopes is not, which is why it is written on its
own, and before: a scope without a pointer does no harm. PUBLISH reaches every node of a cluster.

A person with redis-cli does the same by hand: SET the snapshot, SET the pointer, SADD the scope if it is a new
tenant's, PUBLISH. To take an overlay away: DEL its pointer, leave its snapshots, PUBLISH. What was not published is
found all the same: workers look every ten seconds.
"""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialWithJitterBackoff
from redis.exceptions import RedisError, ResponseError

from processor.errors import ChatguardError, Invalid, Misconfigured, Unavailable
from processor.rulesets.document import Scope, digest, tenant_of

CHANNEL = "chatguard:rulesets"
SCOPES = "chatguard:ruleset:scopes"
SNAPSHOTS_KEPT = 20
HISTORY_KEPT = 200

Client = Redis
"""A connection to the store, for those who need not know what it is made of."""

Digest = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
Version = Annotated[int, Meta(ge=1)]


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


class Published(Struct, frozen=True, kw_only=True, gc=False):
    """One line of a scope's history; `digest` is empty where an overlay was taken away."""

    version: int
    digest: str
    at: int  # ms since the epoch
    by: str
    why: str


class Snapshot(Struct, frozen=True, kw_only=True, gc=False):
    """The bytes of one version, not yet verified."""

    version: int
    digest: str  # what the pointer or the history says
    content: bytes

    def verify(self) -> None:
        """Raises: Invalid, if the bytes are not those that were published."""
        if digest(self.content) != self.digest:
            raise Invalid([f"the bytes of version {self.version} do not have the digest {self.digest[:12]}…"])


class Author(Struct, frozen=True, kw_only=True, gc=False):
    """Who publishes, why, and when (ms since the epoch)."""

    by: str
    why: str
    at: int


# KEYS: pointer, history, snapshot, then snapshots to forget. ARGV: the pointer as it was read ('' for none), the new
# pointer, the bytes, the history line, the channel, the notice, how many history lines to keep.
_PUBLISH = """
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return redis.error_reply('CONFLICT moved') end
if redis.call('EXISTS', KEYS[3]) == 1 then return redis.error_reply('CONFLICT exists') end
redis.call('SET', KEYS[3], ARGV[3])
redis.call('SET', KEYS[1], ARGV[2])
redis.call('LPUSH', KEYS[2], ARGV[4])
redis.call('LTRIM', KEYS[2], 0, ARGV[7] - 1)
for i = 4, #KEYS do redis.call('DEL', KEYS[i]) end
redis.call('PUBLISH', ARGV[5], ARGV[6])
return 1
"""

# KEYS: pointer, history. ARGV: the pointer as it was read, the history line, the channel, the notice.
_REMOVE = """
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return redis.error_reply('CONFLICT moved') end
redis.call('DEL', KEYS[1])
redis.call('LPUSH', KEYS[2], ARGV[2])
redis.call('PUBLISH', ARGV[3], ARGV[4])
return 1
"""


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


async def scopes(redis: Redis) -> set[Scope]:
    """The scopes of all tenants that ever had an overlay. Raises: Unavailable."""
    with _edge():
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
    with _edge():
        async with redis.pipeline(transaction=False) as pipeline:
            for scope in wanted:
                pipeline.get(pointer_key(scope))
            answers = await pipeline.execute(raise_on_error=False)
    return {scope: _pointer(scope, answer) for scope, answer in zip(wanted, answers, strict=True)}


async def snapshot(redis: Redis, scope: Scope, pointer: Pointer) -> Snapshot:
    """The bytes that `pointer` names. Raises: Unavailable; Invalid, if they are not there or not those."""
    with _edge():
        content: Any = await redis.get(snapshot_key(scope, pointer.version))
    if content is None:
        raise Invalid([f"version {pointer.version} of {scope} is not in the store"])
    found = Snapshot(version=pointer.version, digest=pointer.digest, content=content)
    found.verify()
    return found


async def knows(redis: Redis, scope: Scope, version: int) -> bool:
    """Whether the store still holds that version's bytes. Raises: Unavailable."""
    with _edge():
        return bool(await redis.exists(snapshot_key(scope, version)))


async def history(redis: Redis, scope: Scope) -> list[Published]:
    """What was published in `scope`, newest first. Raises: Unavailable. Lines that are none are left out."""
    with _edge():
        lines: Any = await redis.lrange(history_key(scope), 0, HISTORY_KEPT - 1)
    found = []
    for line in lines:
        try:
            found.append(msgspec.json.decode(line, type=Published))
        except msgspec.DecodeError:
            continue
    return found


async def publish(redis: Redis, scope: Scope, content: bytes, *, author: Author, expect: int | None = None) -> Pointer:
    """Puts `content` in force in `scope` as the next version, for all workers.

    `expect`: the version the caller saw in force, 0 for none; None: whatever is there now.
    Raises: Conflict, and nothing has changed, if another version is in force or somebody was faster; Unavailable.
    The bytes are not looked into: whoever publishes compiles them first.
    """
    seen, held = await _seen(redis, scope, expect)
    past = await history(redis, scope)
    version = max([held, *(line.version for line in past)]) + 1
    new = Pointer(version=version, digest=digest(content))
    line = Published(version=version, digest=new.digest, at=author.at, by=author.by, why=author.why)
    forgotten = {line.version for line in past[SNAPSHOTS_KEPT - 1 :]} - {held}
    keys = [pointer_key(scope), history_key(scope), snapshot_key(scope, version)]
    keys += [snapshot_key(scope, old) for old in sorted(forgotten)]
    notice = _json(Notice(scope=scope, version=version, digest=new.digest))
    if tenant_of(scope) is not None:
        with _edge():
            await redis.sadd(SCOPES, scope)
    arguments = (seen, _json(new), content, _json(line), CHANNEL, notice, HISTORY_KEPT)
    await _run(redis, scope, _PUBLISH, keys, arguments, line=line)
    return new


async def rollback(redis: Redis, scope: Scope, *, to: int, author: Author, expect: int | None = None) -> Pointer:
    """Puts the bytes of version `to` in force again, under a new version number: versions only ever grow.

    Raises: Invalid, if that version is not kept any more or its bytes have changed; Conflict; Unavailable.
    """
    content = await retained(redis, scope, to)
    return await publish(redis, scope, content.content, author=author, expect=expect)


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


async def remove(redis: Redis, scope: Scope, *, author: Author, expect: int | None = None) -> None:
    """Takes a tenant's overlay out of force; its snapshots and its history stay. Raises: Conflict, Unavailable."""
    seen, held = await _seen(redis, scope, expect)
    line = Published(version=held, digest="", at=author.at, by=author.by, why=author.why)
    arguments = (seen, _json(line), CHANNEL, _json(Notice(scope=scope)))
    await _run(redis, scope, _REMOVE, [pointer_key(scope), history_key(scope)], arguments, line=line)


async def _run(
    redis: Redis, scope: Scope, script: str, keys: Sequence[str], arguments: Sequence[Any], *, line: Published
) -> None:
    """Runs a script that adds `line` to the history. Raises: Conflict, Unavailable."""
    try:
        with _edge(scope):
            await redis.eval(script, len(keys), *keys, *arguments)
    except Conflict:
        # The client sends again what was not answered: then it may be our own first try that we collide with.
        if (await history(redis, scope))[:1] != [line]:
            raise


async def _seen(redis: Redis, scope: Scope, expect: int | None) -> tuple[bytes, int]:
    """The pointer's bytes, for the script to compare, and its version (0 for none)."""
    with _edge():
        seen: Any = await redis.get(pointer_key(scope)) or b""
    try:
        held = msgspec.json.decode(seen, type=Pointer).version if seen else 0
    except msgspec.DecodeError:
        held = 0  # a pointer that is none is mended by publishing over it
    if expect is not None and held != expect:
        raise Conflict(f"{scope} is at version {held}, not {expect}: somebody else has published meanwhile")
    return seen, held


def _pointer(scope: Scope, answer: Any) -> Pointer | Invalid | None:
    if answer is None:
        return None
    try:
        return msgspec.json.decode(answer, type=Pointer)
    except (msgspec.DecodeError, TypeError):
        return Invalid([f'the pointer of {scope} is not {{"version": …, "digest": "<64 hex digits>"}}'])


def _json(value: Struct) -> bytes:
    return msgspec.json.encode(value)


@contextmanager
def _edge(scope: Scope = "") -> Iterator[None]:
    """Turns what Redis raises into our own errors."""
    try:
        yield
    except ResponseError as error:
        if str(error).startswith("CONFLICT"):
            raise Conflict(f"somebody else published in {scope} at the same moment; nothing has changed") from None
        raise Unavailable(f"Redis refused: {error}") from error
    except (RedisError, OSError, TimeoutError) as error:
        raise Unavailable(f"Redis is away: {str(error) or type(error).__name__}") from error
