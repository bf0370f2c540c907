"""`chatguard rules lint|test|explain` as people call it."""

import json
from pathlib import Path

from typer.testing import CliRunner

import processor
from processor.cli import app

POLICY = Path(processor.__file__).parent / "builtin" / "policy.yaml"

RULE = """
id: FR-SD-001
version: 1
status: active
type: SD
title: {zh: 试, en: Try}
severity: high
score: 60
stage: pay
terms:
  a: [刷单]
  b: [转账]
when: {all_of: [a, b]}
tests: {hit: [刷单转账], miss: [早]}
"""
TEXTS = "remind.SD.v1:\n  en: {title: t, body: b}\n"


def ruleset(folder: Path, rule: str = RULE) -> str:
    rules = folder / "fraud" / "rules"
    rules.mkdir(parents=True)
    (rules / "SD.yaml").write_text(rule, encoding="utf-8")
    (folder / "policy.yaml").write_text(POLICY.read_text(encoding="utf-8"), encoding="utf-8")
    (folder / "reminders.yaml").write_text(TEXTS, encoding="utf-8")
    return str(folder)


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["rules", *arguments])
    return result.exit_code, result.output


def test_lint_says_file_and_line_and_fails_on_errors_only(tmp_path: Path) -> None:
    source = ruleset(tmp_path)
    code, said = run("lint", source)
    assert (code, f"warning: {source}/fraud/rules/SD.yaml:2: FR-SD-001 has 1 hit" in said) == (0, True)
    assert run("lint", source, "--strict")[0] == 1


def test_lint_tells_a_broken_rule(tmp_path: Path) -> None:
    code, said = run("lint", ruleset(tmp_path, RULE.replace("score: 60", "score: 900")), "--json")
    assert code == 1
    (finding,) = json.loads(said)["findings"]
    assert (finding["level"], finding["what"], finding["line"]) == ("error", "FR-SD-001", 2)


def test_lint_tells_a_file_that_is_no_yaml(tmp_path: Path) -> None:
    code, said = run("lint", ruleset(tmp_path, RULE + "  x: ["))
    assert code == 1
    assert "SD.yaml" in said


def test_test_prints_what_comes_out_otherwise(tmp_path: Path) -> None:
    assert run("test", ruleset(tmp_path / "a"))[0] == 0
    code, said = run("test", ruleset(tmp_path / "b", RULE.replace("miss: [早]", "miss: [刷单转账]")))
    assert code == 1
    assert "FR-SD-001@1: miss 1 came out otherwise; fired: FR-SD-001@1\n  A: 刷单转账\n" in said


def test_explain_follows_a_conversation_in_a_file(tmp_path: Path) -> None:
    talk = tmp_path / "talk.txt"
    talk.write_text("A: 刷单吗\nB: 好\nA: 先转账\n", encoding="utf-8")
    code, said = run("explain", "--conversation", str(talk), "--ruleset", ruleset(tmp_path / "a"))
    assert code == 0
    assert "FR-SD-001@1 Try: not fired" in said
    assert "missing: all_of b" in said
    assert "FR-SD-001@1 Try: fired, score 60, stage pay" in said
    code, said = run("explain", "刷单转账", "--ruleset", str(tmp_path / "a"), "--json")
    assert [each["fired"] for each in json.loads(said)["trace"]["rules"]] == [True]
