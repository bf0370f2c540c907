"""Rulesets on a real Redis: what is published comes into force, and nothing that goes wrong takes the good one away."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from redis.asyncio import Redis as Client

from processor.embedded import Redis as Server
from processor.errors import Invalid, Unavailable
from processor.ruleset import Base, Overlay
from processor.rulesets import compiler, store
from processor.rulesets.compiler import compile_snapshot
from processor.rulesets.disk import Copies
from processor.rulesets.document import (
    BASE,
    BaseDocument,
    Document,
    Entry,
    OverlayDocument,
    Scope,
    canonical,
    digest,
    scope_of,
    tenant_scope,
)
from processor.rulesets.inforce import Dropped, Event, Loaded, Refused, StoreFound, StoreLost
from processor.rulesets.limits import TenantLimits
from processor.rulesets.store import Author, Conflict, Pointer, Snapshot
from processor.rulesets.watch import Compile, Supply, start, watch

pytestmark = pytest.mark.services

POLICY: dict[str, Any] = {
    "actions": {"default": {"high": "block", "medium": "review", "low": "mask", "log": "pass"}},
    "fraud": {"review_at": 60, "remind_at": 30},
    "reminder": {"locale": "auto", "cooldown_s": 60, "expires_s": 60, "max_recipients": 9},
}
T1 = tenant_scope("t1")
ME = Author(by="tester", why="because", at=1)
SOON = 20.0


def base(*terms: str, **policy: Any) -> BaseDocument:
    return BaseDocument(lexicons={"a": [Entry(term=term) for term in terms]}, policy={**POLICY, **policy})


def overlay(*terms: str, tenant: str = "t1", **policy: Any) -> OverlayDocument:
    return OverlayDocument(tenant=tenant, lexicons={"own": [Entry(term=term) for term in terms]}, policy=policy)


def broken() -> BaseDocument:
    return BaseDocument(policy={"actions": "no table"})


def noting(versions: list[int]) -> Compile:
    """A compiler that adds to `versions` what it compiles."""

    def compiled(scope: Scope, snapshot: Snapshot, limits: TenantLimits) -> Base | Overlay:
        versions.append(snapshot.version)
        return compile_snapshot(scope, snapshot, limits)

    return compiled


class Worker:
    """What a worker does with rulesets, and what it was told."""

    def __init__(self, url: str, *, copies: Copies | None = None, **supply: Any) -> None:
        self.events: list[Event] = []
        self.supply = Supply(
            url=url,
            report=self.events.append,
            builtin=base("builtin term"),
            copies=copies,
            timeout_s=2.0,
            **supply,
        )

    @asynccontextmanager
    async def running(self, **pace: float) -> AsyncIterator["Worker"]:
        """Looks every 0.2 s unless told otherwise."""
        self.rulesets = await start(self.supply, patience_s=1.0)
        task = asyncio.create_task(
            watch(self.rulesets, self.supply, **{"poll_s": 0.2, "health_s": 1.0, "pause_s": 0.1, **pace})
        )
        try:
            yield self
        finally:
            task.cancel()
            await asyncio.wait([task])
            assert task.cancelled(), task.exception()

    @property
    def base(self) -> str:
        return self.rulesets.current.base.name

    @property
    def overlays(self) -> dict[str, int]:
        return {tenant: each.version for tenant, each in self.rulesets.current.overlays.items()}

    def error(self, scope: Scope = BASE) -> str | None:
        status = self.rulesets.status().get(scope)
        return status.error if status else None

    def told(self, kind: type[Event]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    async def sees(self, fact: Callable[[], object]) -> None:
        """Wait until `fact` holds of this worker."""
        async with asyncio.timeout(SOON):
            while not fact():  # noqa: ASYNC110  facts of the worker, which has nobody to tell but us
                await asyncio.sleep(0.01)

    async def looks_again(self) -> None:
        """Wait until the store was read once more from the beginning."""
        for _ in range(2):
            before = self.rulesets.checked_at
            await self.sees(lambda: self.rulesets.checked_at != before)  # noqa: B023  awaited at once


async def publish(redis: Client, document: Document) -> Pointer:
    return await store.publish(redis, scope_of(document), canonical(document), author=ME)


def named(version: int, document: Document) -> str:
    return f"{version}@{digest(canonical(document))[:12]}"


async def by_hand(redis: Client, scope: Scope, version: int, content: bytes, *, claimed: str | None = None) -> None:
    """What a person with redis-cli does, without telling anybody."""
    await redis.set(f"chatguard:ruleset:{{{scope}}}:v:{version}", content)
    pointer = {"version": version, "digest": claimed or digest(content)}
    await redis.set(f"chatguard:ruleset:{{{scope}}}:current", json.dumps(pointer))


# --- the store


async def test_publishing_writes_snapshot_pointer_and_history_under_the_documented_keys(redis: Client) -> None:
    content = canonical(base("贷款"))
    pointer = await store.publish(redis, BASE, content, author=ME)
    assert await redis.get("chatguard:ruleset:{base}:v:1") == content
    raw = await redis.get("chatguard:ruleset:{base}:current")
    assert json.loads(raw or b"") == {"version": 1, "digest": digest(content)}
    assert await store.current(redis, BASE) == pointer
    assert [(line.version, line.by, line.why) for line in await store.history(redis, BASE)] == [
        (1, "tester", "because")
    ]


async def test_publishing_tells_the_channel_what_has_come_into_force(redis: Client, server: Server) -> None:
    async with store.connect(server.url) as other, other.pubsub() as pubsub:
        await pubsub.subscribe("chatguard:rulesets")
        assert (await pubsub.get_message(timeout=SOON) or {})["type"] == "subscribe"
        pointer = await publish(redis, overlay("竞品"))
        message = await pubsub.get_message(timeout=SOON) or {}
    assert json.loads(message["data"]) == {"scope": "tenant:t1", "version": 1, "digest": pointer.digest}


async def test_of_two_who_publish_over_the_same_version_one_wins_and_one_is_told(redis: Client) -> None:
    await publish(redis, base("零号"))
    attempts = [
        store.publish(redis, BASE, canonical(base(term)), author=ME, expect=1) for term in ("甲方", "乙方", "丙方")
    ]
    results = await asyncio.gather(*attempts, return_exceptions=True)
    won = [result for result in results if isinstance(result, Pointer)]
    lost = [str(result) for result in results if isinstance(result, Conflict)]
    assert [pointer.version for pointer in won] == [2]
    assert len(lost) == 2
    assert all("somebody else" in reason for reason in lost)
    assert await store.current(redis, BASE) == won[0]
    assert len(await store.history(redis, BASE)) == 2


async def test_a_version_once_used_is_never_used_again(redis: Client) -> None:
    await publish(redis, overlay("甲方"))
    await store.remove(redis, T1, author=ME)
    assert (await publish(redis, overlay("乙方"))).version == 2
    await redis.set(store.snapshot_key(T1, 3), b"left by hand")
    with pytest.raises(Conflict):
        await publish(redis, overlay("丙方"))


async def test_a_rollback_is_a_new_version_with_the_old_bytes(redis: Client) -> None:
    first = await publish(redis, base("甲方"))
    await publish(redis, base("乙方"))
    back = await store.rollback(redis, BASE, to=1, author=ME)
    assert (back.version, back.digest) == (3, first.digest)
    with pytest.raises(Invalid, match="version 9 of base is not in the history"):
        await store.rollback(redis, BASE, to=9, author=ME)


async def test_a_damaged_snapshot_is_not_rolled_back_to(redis: Client) -> None:
    await publish(redis, base("甲方"))
    await publish(redis, base("乙方"))
    await redis.append(store.snapshot_key(BASE, 1), " ")
    with pytest.raises(Invalid, match="do not have the digest"):
        await store.rollback(redis, BASE, to=1, author=ME)
    assert (await store.current(redis, BASE) or Pointer(version=9, digest="")).version == 2


async def test_the_last_twenty_snapshots_are_kept(redis: Client) -> None:
    for number in range(25):
        await publish(redis, base(f"词 {number}"))
    kept = [version for version in range(1, 26) if await store.knows(redis, BASE, version)]
    assert kept == list(range(6, 26))
    assert len(await store.history(redis, BASE)) == 25


async def test_a_pointer_that_is_none_is_told_and_mended_by_publishing(redis: Client) -> None:
    await redis.set(store.pointer_key(BASE), "42")
    with pytest.raises(Invalid, match="pointer of base"):
        await store.current(redis, BASE)
    pointer = await publish(redis, base("甲方"))
    assert await store.current(redis, BASE) == pointer


async def test_a_redis_that_is_away_is_unavailable() -> None:
    async with store.connect("redis://127.0.0.1:1/0", timeout_s=0.2) as redis:
        with pytest.raises(Unavailable):
            await store.current(redis, BASE)


# --- a worker that follows


async def test_what_is_published_comes_into_force_at_once(redis: Client, server: Server) -> None:
    async with Worker(server.url).running(poll_s=600) as worker:
        assert worker.base == named(0, base("builtin term"))
        await worker.sees(lambda: worker.rulesets.listening)
        for version, term in enumerate(["甲方", "乙方", "丙方"], start=1):
            await publish(redis, base(term))
            await worker.sees(lambda: worker.base == named(version, base(term)))  # noqa: B023  awaited at once
    assert [event.version for event in worker.told(Loaded)] == [0, 1, 2, 3]


async def test_a_flip_without_a_message_is_found_by_looking(redis: Client, server: Server) -> None:
    async with Worker(server.url).running() as worker:
        await by_hand(redis, BASE, 7, canonical(base("甲方")))
        await worker.sees(lambda: worker.base == named(7, base("甲方")))


async def test_a_message_alone_makes_workers_look_at_a_tenant_nobody_had_heard_of(
    redis: Client, server: Server
) -> None:
    async with Worker(server.url).running(poll_s=600) as worker:
        await worker.sees(lambda: worker.rulesets.listening)
        await by_hand(redis, tenant_scope("new"), 1, canonical(overlay("竞品", tenant="new")))
        await redis.publish("chatguard:rulesets", '{"scope": "tenant:new"}')
        await worker.sees(lambda: worker.overlays == {"new": 1})


async def test_an_overlay_appears_and_goes(redis: Client, server: Server) -> None:
    async with Worker(server.url).running() as worker:
        await publish(redis, overlay("竞品"))
        await worker.sees(lambda: worker.overlays == {"t1": 1})
        await store.remove(redis, T1, author=ME)
        await worker.sees(lambda: worker.overlays == {})
        assert worker.told(Dropped) == [Dropped(scope=T1)]
        await publish(redis, overlay("竞品"))
        await worker.sees(lambda: worker.overlays == {"t1": 2})
        await redis.delete(store.pointer_key(T1))
        await worker.sees(lambda: worker.overlays == {})


@pytest.mark.parametrize("noise", [b"", b"\xff", b"[]", b'{"scope":"base"}', b'{"scope":"tenant:"}', b'{"scope":1}'])
async def test_any_message_is_only_a_hint_to_look(redis: Client, server: Server, noise: bytes) -> None:
    async with Worker(server.url).running(poll_s=600) as worker:
        await worker.sees(lambda: worker.rulesets.listening)
        await by_hand(redis, BASE, 1, canonical(base("甲方")))
        await redis.publish("chatguard:rulesets", noise)
        await worker.sees(lambda: worker.base == named(1, base("甲方")))


async def test_bytes_that_do_not_verify_leave_the_last_good_in_force(redis: Client, server: Server) -> None:
    good = base("甲方")
    await publish(redis, good)
    async with Worker(server.url).running() as worker:
        await by_hand(redis, BASE, 2, canonical(base("乙方")), claimed="0" * 64)
        await worker.sees(worker.error)
        await worker.looks_again()
        assert worker.base == named(1, good)
        assert "do not have the digest" in (worker.error() or "")
        assert len(worker.told(Refused)) == 1
        await by_hand(redis, BASE, 2, canonical(base("乙方")))
        await worker.sees(lambda: worker.base == named(2, base("乙方")))
        assert worker.error() is None


async def test_a_pointer_set_before_its_snapshot_is_followed_when_the_snapshot_is_there(
    redis: Client, server: Server
) -> None:
    content = canonical(base("甲方"))
    async with Worker(server.url).running() as worker:
        await redis.set(store.pointer_key(BASE), json.dumps({"version": 1, "digest": digest(content)}))
        await worker.sees(lambda: "not in the store" in (worker.error() or ""))
        await redis.set(store.snapshot_key(BASE, 1), content)
        await worker.sees(lambda: worker.base == named(1, base("甲方")))


async def test_a_ruleset_that_does_not_compile_is_tried_once_and_leaves_the_last_good_in_force(
    redis: Client, server: Server
) -> None:
    tried: list[int] = []
    await publish(redis, base("甲方"))
    async with Worker(server.url, compile=noting(tried)).running() as worker:
        await publish(redis, broken())
        await worker.sees(worker.error)
        await worker.looks_again()
        assert worker.base == named(1, base("甲方"))
        assert "policy" in (worker.error() or "")
        assert [event.version for event in worker.told(Refused)] == [2]
        await publish(redis, base("丙方"))
        await worker.sees(lambda: worker.base == named(3, base("丙方")))
        assert worker.error() is None
    assert tried == [0, 1, 2, 3]


async def test_a_compiler_that_breaks_does_not_stop_the_watch(
    redis: Client, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    def explode(document: OverlayDocument, /, *, version: int, digest: str) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(compiler, "compile_overlay", explode)
    async with Worker(server.url).running() as worker:
        await publish(redis, overlay("竞品"))
        await worker.sees(lambda: "ZeroDivisionError" in (worker.error(T1) or ""))
        await publish(redis, base("甲方"))
        await worker.sees(lambda: worker.base == named(1, base("甲方")))


async def test_a_document_published_for_somebody_else_is_refused(redis: Client, server: Server) -> None:
    async with Worker(server.url).running() as worker:
        await store.publish(redis, T1, canonical(overlay("竞品", tenant="t2")), author=ME)
        await worker.sees(lambda: "for tenant:t2, not for tenant:t1" in (worker.error(T1) or ""))
        assert worker.overlays == {}


async def test_an_overlay_that_does_not_fit_the_base_is_refused_until_the_base_fits_it(
    redis: Client, server: Server
) -> None:
    misfit = overlay("竞品", fraud={"review_at": 20})  # below the base's remind_at
    async with Worker(server.url).running() as worker:
        await publish(redis, overlay("好的", tenant="t2"))
        await publish(redis, misfit)
        await worker.sees(lambda: "remind_at" in (worker.error(T1) or ""))
        await worker.sees(lambda: worker.overlays == {"t2": 1})
        await publish(redis, base("甲方", fraud={"review_at": 60, "remind_at": 10}))
        await worker.sees(lambda: worker.overlays == {"t1": 1, "t2": 1})


async def test_a_pointer_set_back_by_hand_is_refused_and_a_rollback_is_not(redis: Client, server: Server) -> None:
    old = canonical(base("甲方"))
    await publish(redis, base("甲方"))
    await publish(redis, base("乙方"))
    async with Worker(server.url).running() as worker:
        await redis.set(store.pointer_key(BASE), json.dumps({"version": 1, "digest": digest(old)}))
        await worker.sees(lambda: "older than 2" in (worker.error() or ""))
        assert worker.base == named(2, base("乙方"))
        await store.rollback(redis, BASE, to=1, author=ME)
        await worker.sees(lambda: worker.base == named(3, base("甲方")))


async def test_a_redis_that_comes_back_empty_changes_nothing_and_is_followed_from_version_one(
    redis: Client, server: Server
) -> None:
    for term in ("甲方", "乙方"):
        await publish(redis, base(term))
    await publish(redis, overlay("竞品"))
    async with Worker(server.url).running() as worker:
        assert (worker.base, worker.overlays) == (named(2, base("乙方")), {"t1": 1})
        server.kill()
        await worker.sees(lambda: worker.rulesets.lost)
        await worker.sees(lambda: not worker.rulesets.listening)
        server.restart()
        await worker.sees(lambda: "names no version" in (worker.error() or ""))
        await worker.sees(lambda: "names no version" in (worker.error(T1) or ""))
        assert (worker.base, worker.overlays) == (named(2, base("乙方")), {"t1": 1})
        await publish(redis, base("丙方"))
        await worker.sees(lambda: worker.base == named(1, base("丙方")))
        await publish(redis, overlay("新的"))
        await worker.sees(lambda: worker.error(T1) is None)
    assert (len(worker.told(StoreLost)), len(worker.told(StoreFound))) == (1, 1)


async def test_what_was_published_while_the_connection_was_cut_is_found_on_reconnecting(
    redis: Client, server: Server
) -> None:
    async with Worker(server.url).running(poll_s=600) as worker:
        await worker.sees(lambda: worker.rulesets.listening)
        await redis.client_kill_filter(_type="pubsub")
        await by_hand(redis, BASE, 1, canonical(base("甲方")))
        await worker.sees(lambda: worker.base == named(1, base("甲方")))


async def test_a_network_that_goes_silent_is_noticed_and_left(redis: Client, server: Server) -> None:
    async with Tunnel.to(server.url) as tunnel, Worker(tunnel.url).running(poll_s=600, health_s=0.3) as worker:
        await worker.sees(lambda: worker.rulesets.listening)
        tunnel.swallow()  # what is open now stays open and says nothing any more
        await by_hand(redis, BASE, 1, canonical(base("甲方")))
        await redis.publish(store.CHANNEL, "{}")
        await worker.sees(lambda: worker.base == named(1, base("甲方")))


class Tunnel:
    """Connections to the server that can be made to swallow everything, as a network does whose route is lost."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._open: list[asyncio.StreamWriter] = []
        self._dead: set[asyncio.StreamWriter] = set()
        self.url = ""

    @classmethod
    @asynccontextmanager
    async def to(cls, url: str) -> AsyncIterator["Tunnel"]:
        tunnel = cls(urlsplit(url).port or 0)
        async with await asyncio.start_server(tunnel._serve, "127.0.0.1") as listening:
            tunnel.url = f"redis://127.0.0.1:{listening.sockets[0].getsockname()[1]}/0"
            try:
                yield tunnel
            finally:
                for writer in tunnel._open:
                    writer.close()

    def swallow(self) -> None:
        self._dead.update(self._open)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._open += [writer, far_writer]
        await asyncio.gather(self._pump(reader, far_writer), self._pump(far_reader, writer))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                if writer not in self._dead:
                    writer.write(data)
                    await writer.drain()
            writer.close()
        except OSError:
            pass


# --- a worker that starts


async def test_a_worker_starts_with_what_the_store_has(redis: Client, server: Server) -> None:
    await publish(redis, base("甲方"))
    for number in range(30):
        await publish(redis, overlay("竞品", tenant=f"t{number}"))
    worker = Worker(server.url)
    rulesets = await start(worker.supply)
    assert rulesets.current.base.name == named(1, base("甲方"))
    assert len(rulesets.current.overlays) == 30
    assert rulesets.checked_at
    assert not rulesets.lost


async def test_a_worker_that_starts_without_redis_takes_the_last_good_copies(
    redis: Client, server: Server, tmp_path: Path
) -> None:
    copies = Copies(tmp_path, store="here")
    await publish(redis, base("甲方"))
    await publish(redis, overlay("竞品"))
    await start(Worker(server.url, copies=copies).supply)
    server.kill()
    try:
        alone = Worker(server.url, copies=copies)
        rulesets = await start(alone.supply, patience_s=0.5)
        assert rulesets.lost
        assert rulesets.current.base.name == named(1, base("甲方"))
        assert set(rulesets.current.overlays) == {"t1"}
        assert {scope: each.source for scope, each in rulesets.status().items()} == {BASE: "disk", T1: "disk"}
        elsewhere = await start(Worker(server.url, copies=Copies(tmp_path, store="there")).supply, patience_s=0.5)
        assert elsewhere.current.base.name == named(0, base("builtin term"))
    finally:
        server.restart()


async def test_a_worker_that_started_from_disk_follows_the_store_when_it_is_back(
    redis: Client, server: Server, tmp_path: Path
) -> None:
    content = canonical(base("甲方"))
    copies = Copies(tmp_path, store="here")
    copies.save(BASE, Snapshot(version=1, digest=digest(content), content=content))
    server.kill()
    try:
        async with Worker(server.url, copies=copies).running() as worker:
            assert worker.base == named(1, base("甲方"))
            server.restart()
            await publish(redis, base("乙方"))
            await worker.sees(lambda: worker.base == named(1, base("乙方")))
            await worker.sees(lambda: worker.rulesets.lost is None)
    finally:
        server.restart()


async def test_a_worker_that_starts_on_a_broken_publication_takes_the_last_good_copy_and_says_why(
    redis: Client, server: Server, tmp_path: Path
) -> None:
    copies = Copies(tmp_path, store="here")
    await publish(redis, base("甲方"))
    await start(Worker(server.url, copies=copies).supply)
    await publish(redis, broken())
    rulesets = await start(Worker(server.url, copies=copies).supply)
    assert rulesets.current.base.name == named(1, base("甲方"))
    status = rulesets.status()[BASE]
    assert (status.source, "policy" in (status.error or "")) == ("disk", True)


async def test_an_overlay_taken_away_is_forgotten_on_disk_too(redis: Client, server: Server, tmp_path: Path) -> None:
    copies = Copies(tmp_path, store="here")
    await publish(redis, overlay("竞品"))
    async with Worker(server.url, copies=copies).running() as worker:
        assert set(copies.load()[0]) == {T1}
        await store.remove(redis, T1, author=ME)
        await worker.sees(lambda: worker.overlays == {})
    assert set(copies.load()[0]) == set()


async def test_a_worker_that_starts_on_an_empty_store_uses_the_builtin_ruleset(
    redis: Client, server: Server, tmp_path: Path
) -> None:
    content = canonical(base("甲方"))
    copies = Copies(tmp_path, store="here")
    copies.save(BASE, Snapshot(version=1, digest=digest(content), content=content))
    rulesets = await start(Worker(server.url, copies=copies).supply)
    assert rulesets.current.base.name == named(0, base("builtin term"))
