"""What holds for the built-in scorecards: those with examples of their own fire on them and on no near miss."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from processor.fraud.engine import Weighed
from processor.fraud.reading import Fields, parse_head
from processor.fraud.rule import Conversation, Rule
from processor.fraud.rules import compile_rules
from processor.rulesets.directory import builtin
from tests.core.weighing import Reader, reader, weighed_by

FRAUD = builtin().fraud
HEAD = ("id", "version", "status", "type", "title", "severity", "remind", "source", "tests")


def head(card: dict[str, Any]) -> Rule:
    problems: list[str] = []
    rule = parse_head(Fields({key: card[key] for key in HEAD if key in card}, "card", problems))
    assert problems == []
    return rule


CARDS = [head(card) for card in FRAUD.scorecards["cards"] if "tests" in card and card["status"] == "active"]
each_card = pytest.mark.parametrize("card", CARDS, ids=lambda card: card.id)


@cache
def rules() -> Reader:
    return reader(compile_rules(FRAUD.groups, FRAUD.rules, FRAUD.scorecards, FRAUD.brands))


def weighed(conversation: Conversation) -> Iterator[Weighed]:
    return weighed_by(rules(), conversation)


def fired(conversation: Conversation) -> set[str]:
    return {rule.id for seen in weighed(conversation) for rule in seen.rules}


@each_card
def test_a_card_fires_on_each_of_its_examples(card: Rule) -> None:
    assert len(card.hits) >= 3
    assert [hit for hit in card.hits if card.id not in fired(hit)] == []


@each_card
def test_a_card_leaves_its_near_misses_alone(card: Rule) -> None:
    assert len(card.misses) >= 3
    assert [miss for miss in card.misses if card.id in fired(miss)] == []


@each_card
def test_one_of_the_near_misses_is_a_notice_and_fires_nothing(card: Rule) -> None:
    notices = [miss for miss in card.misses if any(seen.warning or seen.inquiry for seen in weighed(miss))]
    assert notices
    assert [notice for notice in notices if fired(notice)] == []
