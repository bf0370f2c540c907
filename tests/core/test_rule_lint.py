"""What `chatguard rules lint` says of fraud rules, and what it leaves alone."""

from pathlib import Path
from typing import Any

import pytest

from processor.rulesets.directory import builtin
from processor.rulesets.document import BaseDocument, FraudDocument, Text
from processor.rulesets.rule_lint import RuleFinding, inspect_rules
from processor.rulesets.rule_places import rule_places

TEXTS = {"remind.SD.v1": {"en": Text(title="t", body="b")}}


def rule(**changes: Any) -> dict[str, Any]:
    document = {
        "id": "FR-SD-001",
        "version": 1,
        "status": "active",
        "type": "SD",
        "title": {"zh": "试", "en": "Try"},
        "severity": "high",
        "score": 60,
        "stage": "pay",
        "terms": {"a": ["刷单"], "b": [{"group": "money"}]},
        "when": {"all_of": ["a", "b"]},
    }
    return document | changes


def card(**changes: Any) -> dict[str, Any]:
    head = {key: value for key, value in rule(id="FR-SD-900").items() if key not in {"score", "stage", "terms", "when"}}
    return head | {"roles": 2, "points": {"lure": {"job": 14}, "ask": {"pay": 20}}} | changes


CARDS: dict[str, Any] = {"words": {"w": ["兼职"]}, "signals": {"job": {"any": ["w"]}, "pay": {"any": ["money"]}}}


def findings(*rules: dict[str, Any], cards: dict[str, Any] | None = None, **parts: Any) -> list[RuleFinding]:
    fraud = FraudDocument(groups={"money": ["转账"]} | parts.pop("groups", {}), rules=[*rules], scorecards=cards or {})
    return inspect_rules(BaseDocument(fraud=fraud, reminders=parts.get("reminders", TEXTS)))


def said(*rules: dict[str, Any], **parts: Any) -> list[tuple[str, str, str]]:
    return [(each.level, each.kind, each.what) for each in findings(*rules, **parts)]


def test_a_whole_rule_and_card_have_nothing_to_tell() -> None:
    assert said(rule(), cards=CARDS | {"cards": [card()]}) == []


def test_the_shipped_rules_have_no_errors_and_every_finding_has_its_place() -> None:
    found = inspect_rules(builtin(), rule_places("builtin"))
    assert [each.message for each in found if each.level == "error"] == []
    assert [each.message for each in found if not each.where] == []


def test_the_place_of_every_shipped_rule_group_card_and_template_is_known() -> None:
    document, places = builtin(), rule_places("builtin")
    fraud = document.fraud
    wanted = {
        *(("rule", each["id"]) for each in [*fraud.rules, *fraud.scorecards["cards"]]),
        *(("group", name) for name in fraud.groups),
        *(("words", name) for name in fraud.scorecards["words"]),
        *(("signal", name) for name in fraud.scorecards["signals"]),
        *(("template", name) for name in document.reminders),
    }
    assert wanted - set(places) == set()


def test_a_place_is_the_line_the_thing_begins_on() -> None:
    for (kind, name), place in rule_places("builtin").items():
        path = Path(__file__).parents[2] / "processor" / place.file
        assert name in path.read_text(encoding="utf-8").split("\n")[place.line - 1], (kind, name)


def test_every_problem_of_every_broken_rule_is_an_error() -> None:
    broken = findings(rule(score=0), rule(id="FR-SD-002", stage="end", severity="dire"))
    assert [(each.level, each.kind, each.what) for each in broken] == [
        ("error", "invalid", "FR-SD-001"),
        ("error", "invalid", "FR-SD-002"),
        ("error", "invalid", "FR-SD-002"),
    ]


def test_an_unknown_group_is_an_error_of_its_rule() -> None:
    assert said(rule(terms={"a": ["刷单"], "b": [{"group": "nobody"}]})) == [("error", "invalid", "FR-SD-001")]


EMPTY = {"empty": [{"group": "empty"}]}  # names only itself


@pytest.mark.parametrize(
    "changes",
    [
        {"terms": {"a": ["刷单"], "b": [{"group": "empty"}]}},
        {"when": {"all_of": ["a", "b"], "none_of": ["a", "b"]}},
        {"when": {"all_of": ["a", "b"], "none_of": ["b"]}, "window": {"scope": "message"}},
        {
            "terms": {"a": ["刷单"], "b": [{"group": "money"}], "c": [{"group": "empty"}]},
            "when": {"any_of": ["b"], "near": [{"a": "a", "b": "c", "max_chars": 3}]},
        },
    ],
)
def test_a_rule_that_can_never_fire_is_an_error(changes: dict[str, Any]) -> None:
    assert ("error", "never fires", "FR-SD-001") in said(rule(**changes), groups=EMPTY)


@pytest.mark.parametrize(
    ("changes", "settings"),
    [
        ({"roles": 3}, {}),
        ({"one_of": ["threat"]}, {}),
        ({"points": {"lure": {"job": 3}, "ask": {"pay": 3}}}, {}),
        ({}, {"caps": {"ask": 1, "lure": 1}}),
        ({}, {"bring": 50}),
    ],
)
def test_a_card_that_can_never_fire_is_an_error(changes: dict[str, Any], settings: dict[str, Any]) -> None:
    found = findings(rule(), cards=CARDS | {"cards": [card(**changes)], "settings": settings})
    assert [(each.kind, each.what) for each in found] == [("never fires", "FR-SD-900")]


def test_groups_words_and_signals_that_nothing_uses_are_told() -> None:
    cards = {"words": {**CARDS["words"], "w2": ["丙"]}, "signals": {**CARDS["signals"], "s2": {"any": ["w2"]}}}
    found = said(rule(), groups={"g2": ["丁"], "warning": ["谨防"]}, cards=cards | {"cards": [card()]})
    assert {(kind, what) for _, kind, what in found} == {("unused", "g2"), ("unused", "w2"), ("unused", "s2")}


def test_a_group_inside_a_used_group_is_used() -> None:
    assert said(rule(), groups={"money": ["转账", {"group": "more"}], "more": ["汇款"]}) == []


def test_a_rule_without_words_to_remind_with_is_an_error_and_a_missing_one_with_a_stand_in_a_warning() -> None:
    assert said(rule(), reminders={}) == [("error", "template", "FR-SD-001")]
    assert said(rule(remind={"template": "remind.SD.v9"})) == [("warning", "template", "FR-SD-001")]


def test_a_template_that_no_rule_comes_to_is_told() -> None:
    read = ("", ".pay", ".sender", ".again", ".pay.again", ".sender.again")
    names = (*(f"remind.SD{part}.v1" for part in read), "remind.SD.paid.v1")
    found = said(rule(), reminders=dict.fromkeys(names, TEXTS["remind.SD.v1"]))
    assert found == [("warning", "unused", "remind.SD.paid.v1")]


def test_a_rule_with_too_few_examples_is_told_and_one_with_none_is_not() -> None:
    assert said(rule(tests={"hit": ["刷单转账"] * 3, "miss": ["早"] * 2})) == [("warning", "examples", "FR-SD-001")]
    assert said(rule(tests={"hit": ["刷单转账"] * 3, "miss": ["早"] * 3})) == []
