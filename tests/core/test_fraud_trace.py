"""The explanation of a judgement agrees with the judgement."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processor.cli.rules import Step, explained
from processor.fraud.trace import Traced
from processor.model import ChatMessage, Sender
from processor.ruleset import Rules
from processor.rulesets.compile import compile_base
from processor.rulesets.directory import builtin
from processor.rulesets.document import BaseDocument, FraudDocument
from tests.core.test_rule_lint import CARDS, card, rule

NEAR = {
    "id": "FR-KF-001",
    "type": "KF",
    "terms": {"code": ["验证码"], "tell": ["告诉我"], "no": ["别怕"]},
    "when": {"near": [{"a": "code", "b": "tell", "max_chars": 4}], "none_of": ["no"]},
}
ORDER = {
    "id": "FR-GJ-001",
    "type": "GJ",
    "terms": {"who": ["警官"], "move": [{"group": "money"}]},
    "when": {"order": ["who", "move"]},
    "context": {"contact_age_days_lt": 7, "sender_not_roles": ["bot"]},
}
WORDS = ["刷单", "转账", "兼职", "验证码", "告诉我", "别怕", "警官", "谨防", "是不是诈骗", "隔得很远很远很远", "早"]


def rules() -> Rules:
    fraud = FraudDocument(
        groups={"money": ["转账"], "warning": ["谨防"], "inquiry": ["是不是诈骗"]},
        rules=[rule(), rule(**NEAR), rule(**ORDER)],
        scorecards=CARDS | {"cards": [card()]},
    )
    return Rules(base=compile_base(BaseDocument(fraud=fraud, policy=builtin().policy), version=0, digest=""))


RULES = rules()


def talk(*lines: str, **changes: Any) -> list[Step]:
    fields = {"tenant_id": "t", "conversation_id": "c", "type": "text"} | changes
    messages = [
        (ChatMessage(message_id=f"m{number}", sender_id=line[0], content=line[3:], **fields), 1000 * number)
        for number, line in enumerate(lines)
    ]
    return explained(messages, RULES)


def of(step: Step, name: str) -> Traced:
    return next(each for each in step.trace.rules if each.rule == f"{name}@1")


def test_a_rule_that_fires_shows_its_parts_with_their_words_and_messages() -> None:
    first, second = talk("A: 刷单吗", "A: 先转账")
    assert of(first, "FR-SD-001").missing == ["all_of b"]
    fired = of(second, "FR-SD-001")
    assert (fired.fired, fired.missing) == (True, [])
    assert [(part.what, part.by) for part in fired.parts] == [("a", ["刷单 (m0)"]), ("b", ["转账"])]


def test_words_that_stand_too_far_apart_are_what_is_missing() -> None:
    (far,) = talk("A: 验证码隔得很远很远告诉我")
    told = of(far, "FR-KF-001")
    assert told.missing[0] == "near code ~ tell within 4"
    assert talk("A: 验证码告诉我")[0].trace.rules[0].fired


def test_a_word_that_forbids_a_rule_is_named() -> None:
    (step,) = talk("A: 别怕，验证码告诉我")
    assert [part.by for part in of(step, "FR-KF-001").parts if not part.met] == [["别怕"]]


def test_the_context_that_a_rule_wants_is_a_part_of_it() -> None:
    assert "context in contact for less than 7 days" in of(talk("A: 警官 转账")[0], "FR-GJ-001").missing
    assert of(talk("A: 警官 转账", contact_since=0)[0], "FR-GJ-001").fired


def test_the_wrong_order_is_told() -> None:
    assert of(talk("A: 转账 警官", contact_since=0)[0], "FR-GJ-001").missing == ["order who → move"]


def test_a_card_shows_its_points_and_what_it_lacks() -> None:
    first, second = talk("A: 兼职", "A: 转账")
    assert of(first, "FR-SD-900").missing == ["2 roles by this sender (only lure)", "20 points in all, not 14"]
    fired = of(second, "FR-SD-900")
    assert [(part.clause, part.what, part.points, part.by) for part in fired.parts] == [
        ("ask", "pay", 20, ["转账"]),
        ("lure", "job", 14, ["兼职 (m0)"]),
    ]
    assert (fired.fired, fired.score, fired.stage) == (True, 34, "pay")


@pytest.mark.parametrize(
    ("line", "cancelled", "by"),
    [("A: 谨防刷单转账", "warning", ["谨防"]), ("A: 刷单转账，是不是诈骗", "inquiry", ["是不是诈骗"])],
)
def test_a_notice_and_a_question_say_which_words_make_them_so(line: str, cancelled: str, by: list[str]) -> None:
    (step,) = talk(line)
    assert (step.trace.cancelled, step.trace.cancelled_by) == (cancelled, by)


def test_an_official_sender_cancels_by_what_he_is() -> None:
    (step,) = talk("A: 刷单转账", sender=Sender(role="official"))
    assert step.trace.cancelled == "official"
    assert of(step, "FR-SD-001").missing == ["the message counts for nothing: official"]


@settings(max_examples=150)
@given(st.lists(st.tuples(st.sampled_from("AB"), st.lists(st.sampled_from(WORDS), min_size=1, max_size=4)), max_size=5))
def test_what_fired_lacks_nothing_and_what_did_not_fire_lacks_something(turns: list[tuple[str, list[str]]]) -> None:
    for step in talk(*(f"{who}: {''.join(words)}" for who, words in turns), contact_since=0):
        for each in step.trace.rules:
            assert each.fired == (not each.missing)
            if each.fired:
                assert [part.what for part in each.parts if not part.met] == []
            elif not step.trace.cancelled and each.kind == "rule":
                assert "another of its kind stands for it" not in each.missing


@settings(max_examples=100)
@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=6))
def test_every_rule_of_the_verdict_is_in_the_trace(words: list[str]) -> None:
    (step,) = talk("A: " + "，".join(words), contact_since=0)
    cited = set(step.verdict.fraud.rules) if step.verdict.fraud else set()
    assert cited == {each.rule for each in step.trace.rules if each.fired}
