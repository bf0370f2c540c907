"""The compiler as a process of its own: the same rulesets, and nothing that happens to it reaches the worker."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from processor.errors import Invalid, Unavailable
from processor.judge import judge
from processor.model import ChatMessage
from processor.ruleset import Base, Rules
from processor.rulesets import compiler as module
from processor.rulesets.compiler import Compiler, compile_snapshot
from processor.rulesets.directory import builtin
from processor.rulesets.document import BASE, BaseDocument, Document, Entry, OverlayDocument, canonical, digest
from processor.rulesets.limits import TenantLimits
from processor.rulesets.store import Snapshot
from tests.processes import comes_true, runs

LIMITS = TenantLimits()
TEXTS = (
    "出售冰毒,送货上门",
    "出售 冰-毒",
    "bingdu",
    "时代孕育了他",
    "我是公安局的,你涉嫌洗钱,请把钱转到安全账户",
    "带你刷单返利,先垫付 100 元,加我微信",
    "今天吃什么",
    "word 42 and more",
    "甲方乙方",
)


@pytest.fixture(scope="module")
def compiler() -> Iterator[Compiler]:
    with Compiler() as running:
        yield running


def snapshot(document: Document, version: int = 1) -> Snapshot:
    content = canonical(document)
    return Snapshot(version=version, digest=digest(content), content=content)


def verdicts(base: Base) -> Any:
    items = [
        ChatMessage(
            tenant_id="t", conversation_id="c", message_id=str(n), sender_id="s", type="text", content=text, sent_at=n
        )
        for n, text in enumerate(TEXTS)
    ]
    return judge(items, range(len(items)), Rules(base=base), {})


def extended(*terms: str) -> BaseDocument:
    document = builtin()
    entries = [*(Entry(term=term) for term in terms), Entry(term=r"word \d+", kind="pattern")]
    document.lexicons["own"] = [*entries, Entry(term="甲方乙方", kind="exact")]
    return document


def test_what_the_process_compiles_judges_as_what_is_compiled_here(compiler: Compiler) -> None:
    for version, document in enumerate((builtin(), extended("甲方"), extended("乙方"), builtin())):
        published = snapshot(document, version)
        there, here = compiler(BASE, published, LIMITS), compile_snapshot(BASE, published, LIMITS)
        assert isinstance(there, Base)
        assert isinstance(here, Base)
        assert there.name == here.name
        assert verdicts(there) == verdicts(here)


def test_an_overlay_comes_back_too(compiler: Compiler) -> None:
    overlay = OverlayDocument(tenant="t", lexicons={"own": [Entry(term="竞品")]})
    compiled = compiler("tenant:t", snapshot(overlay), LIMITS)
    assert [meaning.spelling for meaning in compiled.meanings] == ["竞品"]


def test_what_is_wrong_with_a_ruleset_is_told(compiler: Compiler) -> None:
    with pytest.raises(Invalid, match="policy: there is none"):
        compiler(BASE, snapshot(BaseDocument()), LIMITS)
    with pytest.raises(Invalid, match="for tenant:t, not for base"):
        compiler(BASE, snapshot(OverlayDocument(tenant="t")), LIMITS)


def test_a_compiler_that_was_killed_has_a_successor() -> None:
    overlay = snapshot(OverlayDocument(tenant="t"))
    with Compiler() as compiler:
        assert compiler.pid
        os.kill(compiler.pid, signal.SIGKILL)
        assert compiler("tenant:t", overlay, LIMITS).name == f"1@{overlay.digest[:12]}"


def test_a_ruleset_that_kills_every_compiler_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "compile_snapshot", lambda *_: os.kill(os.getpid(), signal.SIGKILL))
    with Compiler() as compiler, pytest.raises(Invalid, match="died of it"):
        compiler(BASE, snapshot(BaseDocument()), LIMITS)


def test_a_closed_compiler_compiles_nothing() -> None:
    with Compiler() as compiler:
        pass
    with pytest.raises(Unavailable):
        compiler(BASE, snapshot(BaseDocument()), LIMITS)


@pytest.mark.parametrize("end", ["os.kill(os.getpid(), signal.SIGKILL)", "raise SystemExit"])
def test_the_compiler_ends_with_the_worker(end: str) -> None:
    script = f"""
import os, signal
from processor.rulesets.compiler import Compiler
with Compiler() as compiler:
    print(compiler.pid, flush=True)
    {end}
"""
    done = subprocess.run([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, check=False, timeout=60)
    assert comes_true(lambda: not runs(int(done.stdout)))
