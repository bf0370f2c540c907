"""Fraud rules: what a document must say, and what compiling makes of it."""

from typing import Any

import pytest

from processor.errors import Invalid
from processor.fraud.rule import Scope, Status
from processor.fraud.rules import compile_rules, parse_rule

WARNED = {"warning": ["谨防"], "inquiry": ["是不是骗子"], "strong": ["安全账户"]}


def rule(**changes: Any) -> dict[str, Any]:
    document = {
        "id": "FR-GJ-001",
        "version": 3,
        "status": "active",
        "type": "GJ",
        "title": {"zh": "自称公检法并要求转账", "en": "Claims to be the police and asks for a transfer"},
        "severity": "high",
        "score": 60,
        "stage": "pay",
        "terms": {"hot": ["安全账户"], "move": [{"group": "transfer"}, {"entity": "bank_card"}]},
        "when": {"any_of": ["hot"], "all_of": ["move"]},
    }
    return {key: value for key, value in (document | changes).items() if value is not None}


def problems(document: dict[str, Any]) -> str:
    with pytest.raises(Invalid) as caught:
        parse_rule(document)
    return "\n".join(caught.value.problems)


def test_a_rule_says_all_it_says_and_the_rest_has_defaults() -> None:
    parsed = parse_rule(rule())
    assert (parsed.name, parsed.status, parsed.template) == ("FR-GJ-001@3", Status.ACTIVE, "remind.GJ.v1")
    assert parsed.remind_to == ("receiver",)
    assert (parsed.window.scope, parsed.window.max_messages, parsed.window.max_ms) == (
        Scope.CONVERSATION,
        20,
        3_600_000,
    )
    assert parsed.terms["move"] == (("group", "transfer"), ("entity", "bank_card"))


def test_what_a_rule_may_say_more() -> None:
    parsed = parse_rule(
        rule(
            window={"scope": "sender", "max_messages": 5, "max_seconds": 60},
            context={"contact_age_days_lt": 7, "sender_not_roles": ["bot"]},
            remind={"to": ["receiver", "sender"], "template": "remind.GJ.v2", "cooldown_s": 60},
            source=["handbook"],
            tests={"hit": ["一句话", ["A: 你好", "B: 什么事"]], "miss": []},
        )
    )
    assert (parsed.window.scope, parsed.window.max_messages, parsed.window.max_ms) == (Scope.SENDER, 5, 60_000)
    assert (parsed.contact_younger_ms, parsed.sender_not_roles) == (7 * 86_400_000, ("bot",))
    assert (parsed.remind_to, parsed.template, parsed.cooldown_s) == (("receiver", "sender"), "remind.GJ.v2", 60)
    assert parsed.hits == ((("A", "一句话"),), (("A", "你好"), ("B", "什么事")))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"id": None}, "id is missing"),
        ({"id": "GJ1"}, "id must look like FR-GJ-001"),
        ({"id": "FR-SD-001"}, "id says type SD, but type is GJ"),
        ({"id": "FR-QT-000", "type": "QT"}, "kept for the engine's own rule"),
        ({"version": 0}, "version must be a whole number from 1"),
        ({"version": True}, "version must be a whole number"),
        ({"status": "live"}, "status must be one of draft, shadow, active, retired"),
        ({"type": "XX"}, "type must be one of"),
        ({"title": {"zh": "只有中文"}}, "title: en is missing"),
        ({"severity": "critical"}, "severity must be one of"),
        ({"score": 0}, "score must be a whole number from 1 to 100"),
        ({"score": 101}, "score must be a whole number from 1 to 100"),
        ({"stage": "end"}, "stage must be one of contact, lure, trust, move, pay"),
        ({"colour": "red"}, "unknown field 'colour'"),
        ({"terms": {}}, "terms must be a mapping"),
        ({"terms": {"hot": [], "move": ["x"]}}, "group 'hot' must be a list that is not empty"),
        ({"terms": {"hot": [{"entity": "car"}], "move": ["x"]}}, "unknown entity kind 'car'"),
        ({"terms": {"hot": [{"any": ["x"]}], "move": ["x"]}}, "write a text, {group: name} or {entity: kind}"),
        ({"when": {"any_of": ["hat"]}}, "any_of names unknown group 'hat'"),
        ({"when": {"all_of": ["hat"]}}, "all_of names unknown group 'hat'"),
        ({"when": {"any_of": ["hot"], "none_of": ["hat"]}}, "none_of names unknown group 'hat'"),
        ({"when": {"order": ["move", "hat"]}}, "order names unknown group 'hat'"),
        ({"when": {"order": ["move"]}}, "order needs two groups or more"),
        ({"when": {"near": [{"a": "hot", "b": "hat", "max_chars": 4}]}}, "b must be one of hot, move, not 'hat'"),
        ({"when": {"near": [{"a": "hot", "b": "move"}]}}, "max_chars is missing"),
        ({"when": {"at_least": {"n": 3, "of": ["hot", "move"]}}}, "n must be a whole number from 1 to 2, not 3"),
        ({"when": {"at_least": {"n": 1, "of": ["hat"]}}}, "of names unknown group 'hat'"),
        ({"when": {"none_of": ["hot"]}}, "when needs any_of, all_of, at_least, near or order"),
        ({"when": {"any_of": ["hot"], "some_of": ["hot"]}}, "when: unknown field 'some_of'"),
        ({"when": {"any_of": "hot"}}, "any_of must be a list of words"),
        ({"window": {"scope": "account"}}, "scope must be one of message, sender, conversation"),
        ({"window": {"max_messages": 21}}, "max_messages must be a whole number from 1 to 20"),
        ({"context": {"sender_not_roles": ["king"]}}, "unknown role 'king'"),
        ({"remind": {"to": ["all"]}}, "unknown recipient 'all'"),
        ({"tests": {"hit": [["你好"]]}}, "neither a message nor a list of lines"),
    ],
)
def test_a_rule_that_cannot_be_meant_is_refused_in_words(changes: dict[str, Any], sentence: str) -> None:
    told = problems(rule(**changes))
    assert sentence in told
    assert all(line.startswith("rule ") for line in told.splitlines())


def test_everything_that_is_wrong_is_told_at_once() -> None:
    assert len(problems(rule(score=0, stage="x", colour="red", when={"any_of": ["hat"]})).splitlines()) == 4


def test_compiling_tells_the_problems_of_all_rules_and_groups() -> None:
    with pytest.raises(Invalid) as caught:
        compile_rules({"transfer": ["转账", {"group": "nowhere"}]}, [rule(score=0), rule(id="FR-GJ-002", stage="x")])
    told = "\n".join(caught.value.problems)
    assert "group 'transfer' names unknown group 'nowhere'" in told
    assert "rule FR-GJ-001: score" in told
    assert "rule FR-GJ-002: stage" in told


def test_a_rule_that_names_a_shared_group_nobody_wrote_is_refused() -> None:
    with pytest.raises(Invalid, match="rule FR-GJ-001: group 'move' names unknown group 'transfer'"):
        compile_rules({}, [rule()])


def test_two_live_rules_of_one_id_are_refused_but_a_retired_one_may_stand_by() -> None:
    groups = {"transfer": ["转账"]}
    with pytest.raises(Invalid, match="FR-GJ-001 stands there 2 times"):
        compile_rules(groups, [rule(), rule(version=4)])
    assert len(compile_rules(groups, [rule(status="retired"), rule(version=4)]).clauses) == 1


def test_terms_are_those_of_live_rules_and_special_groups_each_with_its_groups_bits() -> None:
    groups: dict[str, list[Any]] = {"transfer": ["转账", {"group": "pay"}], "pay": ["付款", "转账"]}
    groups |= WARNED | {"unused": ["早上好"]}
    draft = rule(id="FR-GJ-002", status="draft", terms={"hot": ["草稿"], "move": ["x"]})
    book = compile_rules(groups, [rule(), draft])
    assert set(book.terms) == {"谨防", "是不是骗子", "安全账户", "转账", "付款"}
    assert book.terms["转账"].bit_count() == 2
    assert book.terms["安全账户"] & book.strong
    assert book.terms["谨防"] == book.warning


def test_groups_that_name_each_other_are_the_same_group() -> None:
    groups: dict[str, list[Any]] = {"transfer": ["转账", {"group": "pay"}], "pay": ["付款", {"group": "transfer"}]}
    (clauses,) = compile_rules(groups, [rule()]).clauses
    book = compile_rules(groups, [rule()])
    assert clauses.need[1] & book.terms["转账"]
    assert clauses.need[1] & book.terms["付款"]


def test_a_group_may_be_called_like_an_entity_kind() -> None:
    book = compile_rules({"transfer": [{"entity": "url"}], "url": ["网址"]}, [rule()])
    assert "网址" not in book.terms


def test_every_entity_kind_has_a_bit_of_its_own() -> None:
    bits = compile_rules({}, []).entity_bits
    assert len(bits) == 10
    assert len(set(bits.values())) == 10


def test_keys_of_groups_stay_when_the_rulebook_grows() -> None:
    groups = {"transfer": ["转账"], "a_first": ["另外"]}
    small = compile_rules(groups, [rule()])
    more = rule(id="FR-GJ-002", score=99, terms={"one": [{"group": "a_first"}]}, when={"any_of": ["one"]})
    large = compile_rules(groups, [more, rule(version=4)])
    assert set(small.bit_of) < set(large.bit_of)
    assert small.key_of[small.terms["转账"]] == large.key_of[large.terms["转账"]]
