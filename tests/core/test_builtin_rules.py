"""What holds for the built-in fraud rules: their own examples, ordinary chat, and the reminders they send."""

import ast
import json
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

import processor
from processor.fraud.engine import Weighed
from processor.fraud.entities import find_entities
from processor.fraud.reading import parse_rule
from processor.fraud.rule import OTHER, STAGES, TYPES, Conversation, Rule, Status
from processor.fraud.rules import compile_rules
from processor.fraud.wording import HOTLINES, PLACEHOLDER
from processor.matching.folding import squeeze
from processor.model import Reminder
from processor.policy import parse as parse_policy
from tests.core.weighing import Reader, reader, weighed_by

BUILTIN = Path(processor.__file__).parent / "builtin"
DATA = Path(__file__).parent / "data"
SPECIAL = ("warning", "inquiry", "strong", "reassurance")
REMIND_AT, REVIEW_AT = 30, 60
NEW_CONTACT = 10  # what it adds that two people met this week


def read_yaml(*parts: str) -> list[Any]:
    text = BUILTIN.joinpath(*parts).read_text(encoding="utf-8")
    return [document for document in yaml.load_all(text, yaml.CSafeLoader) if document]


GROUPS: dict[str, list[Any]] = read_yaml("fraud", "groups.yaml")[0]
DOCUMENTS = [
    document
    for file in sorted((BUILTIN / "fraud" / "rules").glob("*.yaml"))
    for document in read_yaml("fraud", "rules", file.name)
]
REMINDERS: dict[str, dict[str, dict[str, str]]] = read_yaml("reminders.yaml")[0]
RULES = [parse_rule(document) for document in DOCUMENTS]
each_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)


@cache
def rules() -> Reader:
    return reader(compile_rules(GROUPS, DOCUMENTS))


def weighed(conversation: Conversation) -> Iterator[Weighed]:
    return weighed_by(rules(), conversation)


def fired(conversation: Conversation) -> set[str]:
    return {rule.id for seen in weighed(conversation) for rule in seen.rules}


def is_notice(conversation: Conversation) -> bool:
    return any(seen.warning or seen.inquiry for seen in weighed(conversation))


def talks(name: str) -> list[tuple[str | None, Conversation]]:
    """The conversations of a data file, each with the type it is headed by, if any."""
    read = []
    for block in (DATA / name).read_text(encoding="utf-8").split("\n\n")[1:]:
        head, *rest = block.strip().split("\n")
        kind, turns = (head, rest) if head in TYPES else (None, [head, *rest])
        read.append((kind, tuple((line[0], line[3:]) for line in turns)))
    return read


def score(conversation: Conversation) -> int:
    return max((seen.fraud.score for seen in weighed(conversation) if seen.fraud), default=0)


def lines() -> list[str]:
    texts = [file.read_text(encoding="utf-8") for file in sorted(DATA.glob("benign*.txt"))]
    return [line.removeprefix("~ ") for text in texts for line in text.splitlines() if line and line[0] != "#"]


@each_rule
def test_a_rule_fires_on_each_of_its_examples(rule: Rule) -> None:
    assert [hit for hit in rule.hits if rule.id not in fired(hit)] == []


@each_rule
def test_a_rule_leaves_its_near_misses_alone(rule: Rule) -> None:
    assert [miss for miss in rule.misses if rule.id in fired(miss)] == []


@each_rule
def test_a_warning_with_the_words_of_a_rule_fires_nothing(rule: Rule) -> None:
    notices = [miss for miss in rule.misses if is_notice(miss)]
    assert notices, "one of the misses must be a warning"
    assert [notice for notice in notices if fired(notice)] == []


@each_rule
def test_a_rule_is_tried_and_says_where_it_comes_from(rule: Rule) -> None:
    assert len(rule.hits) >= 3
    assert len(rule.misses) >= 3
    assert rule.source


@each_rule
def test_a_rule_combines_groups(rule: Rule) -> None:
    when = rule.when
    clauses = len(when.all_of) + bool(when.any_of) + when.at_least + 2 * len(when.near) + len(when.order)
    assert clauses >= 2


def test_every_type_has_rules() -> None:
    count = Counter(rule.type for rule in RULES if rule.status is Status.ACTIVE)
    assert {kind: n for kind, n in count.items() if n < 3} == {}
    assert set(count) >= set(TYPES) - {OTHER}


def test_every_type_is_caught_in_one_message_and_in_a_conversation() -> None:
    flagged = [(rule.type, len(hit)) for rule in RULES if rule.score >= REVIEW_AT for hit in rule.hits]
    assert {kind for kind, length in flagged if length == 1} >= set(TYPES) - {OTHER}
    assert {kind for kind, length in flagged if length > 1} >= set(TYPES) - {OTHER}


def test_english_has_rules_for_the_types_its_schemes_belong_to() -> None:
    english = {rule.type for rule in RULES for hit in rule.hits if all(text.isascii() for _, text in hit)}
    assert english >= {"SD", "TZ", "GW", "KF", "DK", "LD", "GJ", "HL", "YX", "JP", "GR"}


def test_ids_are_unique() -> None:
    assert [id_ for id_, n in Counter(rule.id for rule in RULES).items() if n > 1] == []


def test_ordinary_chat_fires_nothing() -> None:
    scores = {line: [seen.fraud.score for seen in weighed((("A", line),)) if seen.fraud] for line in lines()}
    assert {line for line, score in scores.items() if max(score, default=0) >= REMIND_AT} == set()


def test_ordinary_chat_of_many_people_fires_nothing() -> None:
    """Lines that have nothing to do with each other, as in a busy group: no rule may be fed by strangers' words."""
    all_lines = lines()
    groups = [all_lines[start : start + 20] for start in range(0, len(all_lines), 20)]
    talks = [tuple((f"u{n % 5}", line) for n, line in enumerate(group)) for group in groups]
    assert [rule for talk in talks for rule in fired(talk)] == []


def test_ordinary_talk_next_door_to_fraud_fires_nothing() -> None:
    assert [talk for _, talk in talks("talks_ordinary.txt") if score(talk) >= REMIND_AT] == []


def test_fraud_as_it_is_talked_is_reminded_and_held_among_strangers() -> None:
    told = talks("talks_fraud.txt")
    for least in (REMIND_AT, REVIEW_AT - NEW_CONTACT):
        missed = [talk for _, talk in told if score(talk) < least]
        assert len(missed) <= len(told) / 10, missed


def test_fraud_is_called_by_its_type() -> None:
    found = [(kind, talk) for kind, talk in talks("talks_fraud.txt") if score(talk) >= REMIND_AT]
    others = [talk for kind, talk in found if kind not in {id_[3:5] for id_ in fired(talk)}]
    assert len(others) <= len(found) / 10, others


def test_a_group_holds_no_literal_twice() -> None:
    spelled = {
        name: Counter(squeeze(item) for item in items if isinstance(item, str)) for name, items in GROUPS.items()
    }
    assert {(name, each) for name, counts in spelled.items() for each, n in counts.items() if n > 1} == set()


def test_no_literal_is_a_single_character() -> None:
    literals = {item for items in GROUPS.values() for item in items if isinstance(item, str)}
    literals |= {item for rule in RULES for items in rule.terms.values() for item in items if isinstance(item, str)}
    assert {literal for literal in literals if len(squeeze(literal)) < 2} == set()


def test_every_group_is_used() -> None:
    used = {item[1] for rule in RULES for items in rule.terms.values() for item in items if item[0] == "group"}
    nested = {
        item["group"] for items in GROUPS.values() for item in items if isinstance(item, dict) and "group" in item
    }
    assert set(GROUPS) - used - nested - set(SPECIAL) == set()


@pytest.mark.parametrize(
    "text",
    [
        "放心，我不是骗子，做完就返佣金",
        "很多人以为是诈骗，其实都到账了",
        "国家反诈中心认证的平台，很安全",
        "案件保密，请勿向任何人透露",
        "先把反诈app卸载了，不然转不出去",
        "don't worry, this is not a scam",
    ],
)
def test_reassurance_is_no_warning(text: str) -> None:
    (seen,) = weighed((("A", text),))
    assert not seen.warning
    assert not seen.inquiry


@pytest.mark.parametrize(
    "text", ["这是不是诈骗啊", "他让我转钱，是骗子吗", "is this a scam?", "am I being scammed here"]
)
def test_a_question_is_answered_and_not_flagged(text: str) -> None:
    (seen,) = weighed((("A", text),))
    assert seen.inquiry
    assert seen.fraud
    assert REMIND_AT <= seen.fraud.score < REVIEW_AT


def test_every_reminder_a_rule_sends_is_written_in_both_languages() -> None:
    needed = {rule.template for rule in RULES} | {f"remind.{kind}.v1" for kind in TYPES}
    by_stage = {f"remind.{kind}.{part}.v1" for kind in TYPES for part in (*STAGES, "sender")}
    again = {f"remind.{kind}.again.v1" for kind in TYPES} | {"remind.GR.sender.again.v1", "remind.QT.sender.again.v1"}
    assert needed | again <= set(REMINDERS) <= needed | by_stage | again
    assert {f"remind.{kind}.pay.v1" for kind in TYPES if kind != OTHER} <= set(REMINDERS)
    assert {name for name, texts in REMINDERS.items() if set(texts) != {"zh-CN", "en"}} == set()


@pytest.mark.parametrize("name", REMINDERS)
def test_a_reminder_is_short_names_an_official_place_and_holds_no_link(name: str) -> None:
    chinese, english = REMINDERS[name]["zh-CN"], REMINDERS[name]["en"]
    assert len(chinese["title"]) <= 20
    assert len(english["title"]) <= 60
    assert "{hotline}" in chinese["body"]
    assert re.search(r"official|police|regulator|\{hotline\}", english["body"])
    assert re.search("不要|先别", chinese["body"])
    assert "do not" in english["body"]
    kinds = {entity.kind for text in (chinese, english) for part in text.values() for entity in find_entities(part)}
    assert kinds & {"url", "email", "im_handle", "phone"} == set()


def test_the_policy_is_valid_and_reviews_what_the_rules_flag() -> None:
    policy = parse_policy(read_yaml("policy.yaml")[0])
    assert policy.fraud.remind_at == REMIND_AT
    assert policy.fraud.review_at == REVIEW_AT


def test_the_page_about_reminders_shows_a_reminder_as_the_contract_and_the_texts_have_it() -> None:
    page = (Path(processor.__file__).parents[1] / "docs" / "reminders.md").read_text(encoding="utf-8")
    (written,) = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    reminder = json.loads(written)
    assert msgspec.json.decode(written, type=Reminder).score == 72
    texts = REMINDERS[reminder["template"]][reminder["locale"]]
    shown = {key: text.replace(PLACEHOLDER, HOTLINES["zh-CN"]) for key, text in texts.items()}
    assert shown == {key: reminder[key] for key in ("title", "body")}
    (consumer,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    ast.parse(consumer)
