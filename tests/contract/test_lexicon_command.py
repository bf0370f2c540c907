"""`chatguard lexicon` against a real Redis."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis as Client
from typer.testing import CliRunner, Result

from processor.cli.lexicon import app
from processor.embedded import Redis as Server
from processor.embedded import run_redis
from processor.errors import Invalid, Misconfigured, Unavailable
from processor.rulesets.directory import read_base
from processor.rulesets.document import canonical

pytestmark = pytest.mark.services

POLICY = """
actions: {default: {high: block, medium: review, low: mask, log: pass}}
fraud: {review_at: 60, remind_at: 30}
reminder: {locale: auto, cooldown_s: 60, expires_s: 60, max_recipients: 9}
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A Redis of our own: keys of rulesets have fixed names."""
    with run_redis() as server:
        yield server


@pytest.fixture
def redis(server: Server) -> Iterator[Client]:
    with Client.from_url(server.url) as client:
        client.flushall()
        yield client


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: Server) -> Path:
    """A directory to stand in, with a small base ruleset in `base/`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CHATGUARD_REDIS__URL", server.url)
    monkeypatch.setenv("USER", "tester")
    (tmp_path / "base" / "lexicons").mkdir(parents=True)
    (tmp_path / "base" / "lexicons" / "a.txt").write_text("赌博,gambling,high\n", encoding="utf-8")
    (tmp_path / "base" / "policy.yaml").write_text(POLICY)
    return tmp_path


def call(*words: str) -> Result:
    return CliRunner().invoke(app, [*words])


def said(*words: str) -> str:
    """What the command prints when it is content."""
    result = call(*words)
    assert result.exit_code == 0, (result.output, result.exception)
    return result.stdout


def shown(*words: str) -> Any:
    return json.loads(said("show", "--json", *words))


def refusal(*words: str) -> BaseException | None:
    return call(*words).exception


def lexicon(name: str, *lines: str) -> str:
    Path(name).write_text("\n".join(lines), encoding="utf-8")
    return name


def test_pushing_a_directory_makes_it_the_whole_ruleset(redis: Client, place: Path) -> None:
    assert "base: 1@" in said("push", "base")
    assert redis.get("chatguard:ruleset:{base}:v:1") == canonical(read_base(place / "base"))


def test_pushing_a_lexicon_adds_it_to_what_is_in_force(redis: Client) -> None:
    said("push", "base")
    said("push", lexicon("mine.txt", "竞品名,brand,low"), "-m", "as agreed", "--author", "li")
    facts = shown()
    assert facts["document"]["lexicons"] == {
        "a": [{"category": "gambling", "severity": "high", "term": "赌博"}],
        "mine": [{"category": "brand", "severity": "low", "term": "竞品名"}],
    }
    assert [(line["version"], line["by"], line["why"]) for line in facts["history"]] == [
        (2, "li", "as agreed"),
        (1, "tester", "push base"),
    ]


def test_pushing_a_lexicon_before_anything_was_published_adds_it_to_the_builtin_ruleset(redis: Client) -> None:
    builtin = shown()
    assert builtin["version"] == 0
    said("push", lexicon("mine.txt", "竞品名,brand,low"))
    now = shown()
    assert now["version"] == 1
    assert now["document"]["lexicons"] == {
        **builtin["document"]["lexicons"],
        "mine": [{"category": "brand", "severity": "low", "term": "竞品名"}],
    }


def test_pushing_the_same_again_publishes_nothing(redis: Client) -> None:
    said("push", "base")
    assert "already" in said("push", "base")
    assert shown()["version"] == 1


def test_a_dry_run_shows_the_changes_and_publishes_nothing(redis: Client) -> None:
    said("push", "base")
    output = said("push", lexicon("a.txt", "赌博,gambling,low", "新的词"), "--dry-run")
    assert "~ term 赌博: gambling/high → gambling/low" in output
    assert "+ term 新的词: custom/high" in output
    assert shown()["version"] == 1


def test_a_tenants_lexicon_is_an_overlay(redis: Client) -> None:
    said("push", lexicon("mine.txt", "竞品名"), "--tenant", "t1")
    facts = shown("--tenant", "t1")
    assert (facts["scope"], facts["version"], list(facts["document"]["lexicons"])) == ("tenant:t1", 1, ["mine"])
    assert redis.smembers("chatguard:ruleset:scopes") == {b"tenant:t1"}
    assert shown()["version"] == 0


def test_a_tenants_ruleset_is_not_pushed_over_the_base(redis: Client) -> None:
    Path("theirs").mkdir()
    Path("theirs/overlay.yaml").write_text("tenant: t1\nallow: [加油站]\n", encoding="utf-8")
    error = refusal("push", "theirs")
    assert isinstance(error, Invalid)
    assert "for tenant:t1, not for base" in str(error)
    said("push", "theirs", "--tenant", "t1")


def test_what_does_not_compile_is_not_published(redis: Client, place: Path) -> None:
    (place / "base" / "policy.yaml").write_text("actions: none\n")
    assert isinstance(refusal("push", "base"), Invalid)
    assert isinstance(refusal("push", lexicon("bad.txt", "贷", "好的,x,grave")), Invalid)
    assert redis.keys() == []


def test_a_base_that_an_overlay_in_force_does_not_fit_is_not_published(redis: Client, place: Path) -> None:
    said("push", "base")
    Path("theirs").mkdir()
    Path("theirs/overlay.yaml").write_text("policy: {fraud: {review_at: 40}}\n")
    said("push", "theirs", "--tenant", "t1")
    (place / "base" / "policy.yaml").write_text(POLICY.replace("remind_at: 30", "remind_at: 50"))
    error = refusal("push", "base")
    assert isinstance(error, Invalid)
    assert "overlay of t1" in str(error)


def test_a_rollback_returns_to_the_content_before_and_the_history_says_so(redis: Client) -> None:
    said("push", "base")
    first = shown()
    said("push", lexicon("mine.txt", "竞品名"))
    said("rollback")
    now = shown()
    assert (now["version"], now["digest"], now["document"]) == (3, first["digest"], first["document"])
    assert now["history"][0]["why"] == "rollback to 1"
    said("rollback", "--to", "2")
    assert "mine" in shown()["document"]["lexicons"]


def test_there_is_nothing_to_roll_back_to_before_the_first_version(redis: Client) -> None:
    said("push", "base")
    assert isinstance(refusal("rollback"), Invalid)
    assert isinstance(refusal("rollback", "--to", "9"), Invalid)


def test_an_overlay_is_dropped_and_brought_back(redis: Client) -> None:
    said("push", lexicon("mine.txt", "竞品名"), "--tenant", "t1")
    said("drop", "--tenant", "t1")
    assert shown("--tenant", "t1")["version"] == 0
    said("rollback", "--tenant", "t1")
    assert shown("--tenant", "t1")["version"] == 2
    assert isinstance(refusal("drop", "--tenant", "t2"), Invalid)


def test_what_is_in_force_but_damaged_is_replaced_by_pushing_a_whole_ruleset(redis: Client) -> None:
    said("push", "base")
    redis.set("chatguard:ruleset:{base}:v:1", b"damaged")
    assert isinstance(refusal("push", lexicon("mine.txt", "竞品名")), Invalid)
    said("push", "base")
    assert shown()["version"] == 2


def test_lint_counts_errors_and_warnings_and_fails_for_errors_only(redis: Client) -> None:
    good = call("lint", lexicon("w.txt", "贷款,fraud", "我要贷款,fraud"))
    assert (good.exit_code, good.stdout.splitlines()[-1]) == (0, "0 errors, 1 warnings")
    bad = call("lint", lexicon("b.txt", "贷", "好的词,x,grave"))
    assert (bad.exit_code, bad.stdout.splitlines()) == (
        1,
        [
            "error: b.txt:1: the term '贷' is a single character: it would match nearly everything",
            "error: b.txt:2: unknown severity 'grave': use one of log, low, medium, high",
            "2 errors, 0 warnings",
        ],
    )


def test_lint_and_diff_of_files_need_no_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHATGUARD_REDIS__URL", "redis://127.0.0.1:1/0")
    assert "0 errors" in said("lint", "base")
    assert "+ term 新的词: custom/high" in said("diff", "base", lexicon("n.txt", "赌博,gambling", "新的词"))
    assert isinstance(refusal("show"), Unavailable)


def test_versions_in_redis_can_be_compared(redis: Client) -> None:
    said("push", "base")
    said("push", lexicon("mine.txt", "竞品名"))
    [change] = json.loads(said("diff", "redis:1", "redis", "--json"))
    assert (change["kind"], change["what"]) == ("added", "竞品名")
    assert isinstance(refusal("diff", "redis:x", "redis"), Misconfigured)


def test_an_exported_ruleset_can_be_pushed_back_unchanged(redis: Client) -> None:
    said("push", "base")
    said("export", "copy")
    assert "already" in said("push", "copy")
    said("export", "copy.json")
    assert "already" in said("push", "copy.json")
    assert isinstance(refusal("export", "copy"), Misconfigured)


def test_a_word_list_is_imported_as_a_lexicon_file() -> None:
    said("import", lexicon("words", "甲方、乙方", "丙"), "names.txt", "--category", "names", "--severity", "low")
    assert Path("names.txt").read_text(encoding="utf-8") == "甲方,names,low\n乙方,names,low\n"


def test_a_missing_file_is_wrong_use() -> None:
    assert isinstance(refusal("push", "absent.txt"), Misconfigured)
    assert isinstance(refusal("show", "--tenant", ""), Misconfigured)
