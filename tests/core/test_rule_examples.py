"""Rules' own examples before the real judge."""

from typing import Any

from processor.ruleset import Rules
from processor.rulesets.compile import compile_base
from processor.rulesets.directory import builtin
from processor.rulesets.document import BaseDocument, FraudDocument
from processor.rulesets.rule_examples import Tried, try_examples
from tests.core.test_rule_lint import CARDS, card, rule


def tried(*rules: dict[str, Any], cards: dict[str, Any] | None = None) -> Tried:
    groups: dict[str, Any] = {"money": ["转账"], "warning": ["谨防"]}
    fraud = FraudDocument(groups=groups, rules=[*rules], scorecards=cards or {})
    return try_examples(
        Rules(base=compile_base(BaseDocument(fraud=fraud, policy=builtin().policy), version=0, digest=""))
    )


def test_examples_that_come_out_as_written_are_counted_and_nothing_is_told() -> None:
    done = tried(rule(tests={"hit": ["刷单先转账", ["A: 刷单吗", "A: 转账"]], "miss": ["刷单", "谨防刷单转账"]}))
    assert (done.rules, done.examples, done.without, done.failures) == (1, 4, [], [])


def test_a_hit_that_does_not_fire_and_a_miss_that_does_are_told() -> None:
    done = tried(rule(tests={"hit": ["刷单"], "miss": ["早", "刷单先转账"]}))
    assert [(each.rule, each.wanted, each.number, each.fired) for each in done.failures] == [
        ("FR-SD-001@1", "hit", 1, []),
        ("FR-SD-001@1", "miss", 2, ["FR-SD-001@1"]),
    ]
    assert done.failures[1].conversation == ["A: 刷单先转账"]


def test_rules_on_trial_and_scorecards_are_tried_too_and_drafts_are_not() -> None:
    examples = {"hit": ["兼职，转账"], "miss": ["兼职"]}
    trial = rule(status="shadow", tests={"hit": ["刷单转账"], "miss": ["早"]})
    draft = rule(id="FR-SD-002", status="draft", tests={"hit": ["早"], "miss": ["早"]})
    done = tried(trial, draft, cards=CARDS | {"cards": [card(tests=examples)]})
    assert (done.rules, done.examples, done.failures) == (2, 4, [])


def test_rules_about_new_contacts_are_tried_with_new_contacts() -> None:
    about = rule(context={"contact_age_days_lt": 7}, tests={"hit": ["刷单转账"], "miss": ["早"]})
    assert tried(about).failures == []


def test_rules_without_examples_are_named() -> None:
    assert tried(rule()).without == ["FR-SD-001@1"]
