"""`chatguard screen` as a person uses it: lines in, verdicts out, and words that help when something is wrong."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from processor.cli import app
from processor.errors import Invalid, Misconfigured

LINE = {"tenant_id": "t1", "conversation_id": "c1", "sender_id": "a", "receiver_ids": ["b"], "type": "text"}


def raw(content: str, number: int = 1, **fields: Any) -> bytes:
    return json.dumps({**LINE, "message_id": f"m{number}", "content": content, **fields}, ensure_ascii=False).encode()


def chatguard(*arguments: str | Path, given: bytes = b"") -> Result:
    return CliRunner().invoke(app, ["screen", *map(str, arguments)], input=given)


def verdicts(*arguments: str | Path, given: bytes = b"") -> list[dict[str, Any]]:
    done = chatguard(*arguments, given=given)
    assert done.exit_code == 0, done.output
    return [json.loads(line) for line in done.stdout_bytes.split(b"\n")[:-1]]


def started(*arguments: str) -> subprocess.Popen[bytes]:
    pipe = subprocess.PIPE
    command = [sys.executable, "-m", "processor.cli", "screen", "--no-builtin", *arguments]
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe)


def terms(verdict: dict[str, Any]) -> list[str]:
    return [hit["term"] for hit in verdict["hits"]]


@pytest.fixture
def lexicon(tmp_path: Path) -> Path:
    file = tmp_path / "own.txt"
    file.write_text("# ours\n竞品手机\nfoo bar,brands,low\n💊,drugs\n", encoding="utf-8")
    return file


def test_every_line_has_its_verdict_in_order(lexicon: Path) -> None:
    lines = [raw("竞品-手机", 1), b"", b"{", raw("好", 2) + b"\r", b"null", raw("a Foo  bar", 3)]
    found = verdicts("--lexicon", lexicon, "--no-builtin", given=b"\n".join(lines))
    assert [verdict["verdict"] for verdict in found] == ["flag", "dead", "dead", "deliver", "dead", "deliver"]
    assert [verdict.get("action") for verdict in found] == ["block", None, None, "pass", None, "mask"]
    (hit,) = found[0]["hits"]
    assert (hit["text"], hit["start"], hit["end"], hit["category"]) == ("竞品-手机", 0, 5, "custom")


def test_a_byte_order_mark_before_the_first_line_is_no_part_of_it() -> None:
    (verdict,) = verdicts("--no-builtin", given=b"\xef\xbb\xbf" + raw("hello") + b"\n")
    assert verdict["verdict"] == "deliver"


def test_the_built_in_words_can_be_left_out(lexicon: Path) -> None:
    given = raw("有海洛因和竞品手机")
    assert [terms(verdict) for verdict in verdicts("--lexicon", lexicon, given=given)] == [["海洛因", "竞品手机"]]
    assert [terms(verdict) for verdict in verdicts("--no-builtin", "--lexicon", lexicon, given=given)] == [["竞品手机"]]


def test_a_ruleset_stands_in_place_of_the_built_in_one(tmp_path: Path, lexicon: Path) -> None:
    (tmp_path / "lexicons").mkdir()
    (tmp_path / "lexicons" / "brands.txt").write_text("某品牌,brands,medium\n", encoding="utf-8")
    policy = Path(__file__).parents[2] / "processor" / "builtin" / "policy.yaml"
    (tmp_path / "policy.yaml").write_bytes(policy.read_bytes())
    given = raw("某品牌 海洛因 竞品手机")
    for more in ([], ["--no-builtin"]):
        (verdict,) = verdicts("--ruleset", tmp_path, "--lexicon", lexicon, *more, given=given)
        assert terms(verdict) == ["某品牌", "竞品手机"]


def test_an_alias_may_stand_for_a_term_of_a_lexicon_or_of_a_fraud_rule(tmp_path: Path, lexicon: Path) -> None:
    aliases = tmp_path / "aliases.txt"
    aliases.write_text("jpsj=竞品手机\nzz=是不是诈骗\nnobody=没有这个词\n药丸=💊\n", encoding="utf-8")
    done = chatguard("--lexicon", lexicon, "--aliases", aliases, given=raw("有jpsj，也卖药丸，zz"))
    verdict = json.loads(done.stdout)
    assert terms(verdict) == ["竞品手机", "💊"]
    assert "The sender asks whether something is a fraud" in verdict["reasons"]
    assert done.stderr.count("\n") == 1
    assert "没有这个词" in done.stderr


def test_an_alias_that_is_an_ordinary_word_needs_company(tmp_path: Path) -> None:
    (tmp_path / "own.txt").write_text("大麻,drugs\n贷款\n", encoding="utf-8")
    (tmp_path / "aliases.txt").write_text("叶子=大麻\n袋款=贷款\n", encoding="utf-8")
    options = "--no-builtin", "--lexicon", tmp_path / "own.txt", "--aliases", tmp_path / "aliases.txt"
    given = b"\n".join(raw(text) for text in ("叶子黄了，该扫了", "叶子怎么卖", "要袋款吗"))
    assert [terms(verdict) for verdict in verdicts(*options, given=given)] == [[], ["大麻"], ["贷款"]]


def test_a_term_cut_over_messages_is_told_with_all_of_them(lexicon: Path) -> None:
    pieces = enumerate(("竞品", "手", "机"))
    lines = [raw(text, number, sent_at=number * 1_000) for number, text in pieces]
    *begun, last = verdicts("--no-builtin", "--lexicon", lexicon, given=b"\n".join(lines))
    assert [terms(verdict) for verdict in begun] == [[], []]
    (hit,) = last["hits"]
    assert (hit["term"], hit["text"], hit["evidence"]) == ("竞品手机", "机", ["m0", "m1", "m2"])


def test_a_clock_far_ahead_does_not_empty_the_other_conversations() -> None:
    padding = {"ext": {"padding": "x" * 1_100_000}}  # so that the lines are not read at once
    story = [("c1", 1_000, "我是公安局的，你涉嫌洗钱"), ("c2", 10**18, "好"), ("c3", 9_000_000_000_000, "好")]
    story.append(("c1", 2_000, "把钱转到安全账户"))
    lines = [raw(text, n, conversation_id=c, sent_at=at, **padding) for n, (c, at, text) in enumerate(story)]
    together = verdicts(given=b"\n".join(lines))[-1]
    alone = verdicts(given=b"\n".join([lines[0], lines[-1]]))[-1]
    assert together["fraud"] == alone["fraud"] is not None
    assert "m0" in together["fraud"]["evidence"]


def test_a_verdict_comes_as_soon_as_its_line() -> None:
    with started() as screen:
        assert screen.stdin
        assert screen.stdout
        for number in range(3):
            screen.stdin.write(raw("hello", number) + b"\n")
            screen.stdin.flush()
            assert json.loads(screen.stdout.readline())["message_id"] == f"m{number}"


def test_a_reader_that_has_seen_enough_ends_the_command_without_a_word() -> None:
    with started() as screen:
        assert screen.stdout
        assert screen.stderr
        screen.stdout.close()
        screen.stdout = None
        _, complaint = screen.communicate(raw("hello") + b"\n", timeout=60)
    assert complaint == b""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_told_in_words() -> None:
    with started("--output", "/dev/full") as screen:
        _, complaint = screen.communicate(raw("hello") + b"\n", timeout=60)
    assert (screen.returncode, b"Traceback" in complaint) == (1, False)
    assert b"No space left" in complaint


WRONG_USES: list[tuple[Sequence[str], type[Exception], str]] = [
    (["--input", "missing.jsonl"], Misconfigured, "missing.jsonl cannot be opened"),
    (["--input", "."], Misconfigured, "cannot be opened"),
    (["--output", "missing/out.jsonl"], Misconfigured, "cannot be opened"),
    (["--input", "in.jsonl", "--output", "in.jsonl"], Misconfigured, "is the input"),
    (["--lexicon", "missing.txt"], Misconfigured, "missing.txt cannot be read"),
    (["--lexicon", "latin1.txt"], Misconfigured, "save it as UTF-8"),
    (["--lexicon", "bad.txt"], Invalid, "bad.txt:2"),
    (["--aliases", "missing.txt"], Misconfigured, "missing.txt cannot be read"),
    (["--aliases", "bad.txt"], Invalid, "wanted spelling=term"),
    (["--ruleset", "missing"], Misconfigured, "missing is no directory"),
    (["--ruleset", "rules"], Invalid, "policy.yaml"),
]


@pytest.mark.parametrize(("arguments", "error", "words"), WRONG_USES)
def test_a_wrong_use_is_told_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: Sequence[str], error: type[Exception], words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in.jsonl").write_bytes(raw("海洛因"))
    (tmp_path / "bad.txt").write_text("ok\n-- --\n", encoding="utf-8")
    (tmp_path / "latin1.txt").write_bytes("café".encode("latin-1"))
    (tmp_path / "rules" / "lexicons").mkdir(parents=True)
    (tmp_path / "rules" / "lexicons" / "x.txt").write_text("某品牌\n", encoding="utf-8")
    done = chatguard(*arguments, given=raw("海洛因"))
    assert isinstance(done.exception, error)
    assert words in str(done.exception)
    assert "海洛因" not in str(done.exception)
    assert (tmp_path / "in.jsonl").read_bytes() == raw("海洛因")
