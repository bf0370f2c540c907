"""Fixtures for the tests of rulesets: a Redis of their own, and a directory to call commands in."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from redis.asyncio import Redis as Client

from processor.embedded import Redis as Server
from processor.embedded import run_redis
from processor.rulesets import store
from tests.contract.commands import POLICY


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A Redis of the module's own: keys of rulesets have fixed names, and some tests kill it."""
    with run_redis() as server:
        yield server


@pytest.fixture
async def redis(server: Server) -> AsyncIterator[Client]:
    """The module's Redis, emptied."""
    async with store.connect(server.url) as client:
        await client.flushall()
        yield client


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: Server) -> Path:
    """A directory to stand in, with a small base ruleset in `base/`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CHATGUARD_REDIS__URL", server.url)
    monkeypatch.setenv("USER", "tester")
    (tmp_path / "base" / "lexicons").mkdir(parents=True)
    (tmp_path / "base" / "lexicons" / "a.txt").write_text("赌博,gambling,high\n", encoding="utf-8")
    (tmp_path / "base" / "policy.yaml").write_text(POLICY)
    return tmp_path
