"""Who is reminded of what, in which words, and how often."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.fraud.engine import Weighed
from processor.fraud.reading import parse_rule
from processor.fraud.reminders import Limits, Reminded, remind
from processor.fraud.rule import STAGES, WORDING, Rule
from processor.fraud.window import Sighting, Window, decode, encode
from processor.model import ChatMessage, Fraud, Severity

TEMPLATES = {
    "remind.GJ.v1": {
        "zh-CN": {"title": "谨防冒充公检法", "body": "不要转账，可拨打96110"},
        "en": {"title": "Fake police", "body": "Do not transfer money; call 96110"},
    },
    "remind.QT.v1": {"zh-CN": {"title": "谨防诈骗", "body": "可拨打96110"}},
}
LIMITS = Limits(cooldown_s=3600, expires_s=60, max_recipients=3)


def rule(**changes: Any) -> Rule:
    document = {
        "id": f"FR-{changes.get('type', 'GJ')}-001",
        "version": 2,
        "status": "active",
        "type": "GJ",
        "title": {"zh": "试", "en": "Try"},
        "severity": "high",
        "score": 60,
        "stage": "pay",
        "terms": {"a": ["甲"]},
        "when": {"any_of": ["a"]},
    }
    return parse_rule(document | changes)


def weighed(*rules: Rule, window: Window | None = None, score: int = 60, **changes: Any) -> Weighed:
    fraud = Fraud(score, [each.type for each in rules] or ["QT"], [each.name for each in rules], None, ["m"])
    return Weighed(fraud=fraud, rules=rules, window=window, **changes)


def message(text: str = "安全账户", **changes: Any) -> ChatMessage:
    fields = {"message_id": "m", "tenant_id": "t", "conversation_id": "c", "sender_id": "bad", "type": "text"}
    return ChatMessage(**(fields | {"content": text, "receiver_ids": ["victim"]} | changes))


def sent(
    said: Weighed,
    to: ChatMessage | None = None,
    *,
    at: int = 1000,
    limits: Limits = LIMITS,
    templates: Any = TEMPLATES,
    windows: Mapping[str, Window] | None = None,
) -> Reminded:
    return remind(said, to or message(), at=at, templates=templates, limits=limits, windows=windows or {})


def test_a_reminder_holds_what_the_push_service_shows() -> None:
    (reminder,) = sent(weighed(rule())).reminders
    assert (reminder.recipient_id, reminder.recipient_role) == ("victim", "receiver")
    assert (reminder.fraud_type, reminder.severity, reminder.score) == ("GJ", Severity.HIGH, 60)
    assert (reminder.template, reminder.locale, reminder.title) == ("remind.GJ.v1", "zh-CN", "谨防冒充公检法")
    assert (reminder.rules, reminder.sent_at, reminder.expires_at) == (["FR-GJ-001@2"], 1000, 61_000)


def test_the_same_input_gives_the_same_id_and_another_recipient_another_one() -> None:
    both = sent(weighed(rule()), message(receiver_ids=["x", "y"])).reminders
    again = sent(weighed(rule()), message(receiver_ids=["x", "y"])).reminders
    assert both == again
    assert len({reminder.reminder_id for reminder in both}) == 2
    assert {len(reminder.reminder_id) for reminder in both} == {32}


def test_below_the_score_nobody_is_reminded() -> None:
    quiet = sent(weighed(rule(), score=29))
    assert (quiet.reminders, quiet.windows, quiet.suppressed) == ((), {}, {})
    assert len(sent(weighed(rule(), score=30)).reminders) == 1
    assert sent(Weighed()).reminders == ()


def people(reminded: Reminded) -> list[tuple[str, str]]:
    return [(reminder.recipient_id, reminder.recipient_role) for reminder in reminded.reminders]


def test_receivers_are_reminded_once_each_and_never_the_sender() -> None:
    to = message(receiver_ids=["x", "bad", "y", "x"])
    assert people(sent(weighed(rule()), to)) == [("x", "receiver"), ("y", "receiver")]


def test_without_receivers_the_others_who_wrote_are_reminded() -> None:
    window = Window(
        "c",
        (
            Sighting("t", 0, "m1", "x", ()),
            Sighting("other", 0, "m2", "stranger", ()),
            Sighting("t", 0, "m3", "bad", ()),
        ),
    )
    assert people(sent(weighed(rule(), window=window), message(receiver_ids=None))) == [("x", "receiver")]


def test_without_anyone_to_tell_that_is_told() -> None:
    nobody = sent(weighed(rule()), message(receiver_ids=[]))
    assert (nobody.reminders, nobody.suppressed) == ((), {"no_recipient": 1})


def test_a_rule_may_remind_the_sender_too() -> None:
    told = sent(weighed(rule(remind={"to": ["sender", "receiver"]})))
    assert people(told) == [("victim", "receiver"), ("bad", "sender")]
    assert people(sent(weighed(rule(remind={"to": ["sender"]})))) == [("bad", "sender")]


def test_who_asks_is_answered_and_nobody_else() -> None:
    asked = Weighed(fraud=Fraud(30, ["GJ"], [], None, ["m"]), inquiry=True)
    (reminder,) = sent(asked).reminders
    assert (reminder.recipient_id, reminder.recipient_role, reminder.template) == ("bad", "sender", "remind.GJ.v1")
    assert (reminder.fraud_type, reminder.severity) == ("GJ", Severity.MEDIUM)


def test_a_person_hears_of_a_type_once_per_cooldown() -> None:
    windows = sent(weighed(rule())).windows
    soon = sent(weighed(rule()), message(message_id="m2"), at=1000 + 3_599_999, windows=windows)
    late = sent(weighed(rule()), message(message_id="m3"), at=1000 + 3_600_000, windows=windows)
    assert (soon.reminders, soon.suppressed, soon.windows) == ((), {"cooldown": 1}, {})
    assert len(late.reminders) == 1


def test_another_type_person_tenant_or_conversation_does_not_wait() -> None:
    windows = sent(weighed(rule())).windows
    assert sent(weighed(rule(type="SD")), windows=windows).reminders
    assert sent(weighed(rule()), message(receiver_ids=["y"]), windows=windows).reminders
    assert sent(weighed(rule()), message(tenant_id="u"), windows=windows).reminders
    assert sent(weighed(rule()), message(conversation_id="d"), windows=windows).reminders


def test_a_rule_may_have_a_cooldown_of_its_own() -> None:
    often = rule(remind={"cooldown_s": 0})
    windows = sent(weighed(often)).windows
    assert sent(weighed(often), message(message_id="m2"), windows=windows).reminders


def test_one_message_reminds_once_however_often_it_comes() -> None:
    often = rule(remind={"cooldown_s": 0})
    windows = sent(weighed(often)).windows
    again = sent(weighed(often), windows=windows, at=10**9)
    assert (again.reminders, again.suppressed) == ((), {"cooldown": 1})


def test_a_late_message_does_not_remind_again() -> None:
    windows = sent(weighed(rule()), at=10_000_000).windows
    late = sent(weighed(rule()), message(message_id="m2"), at=10_000_000 - 1000, windows=windows)
    assert late.suppressed == {"cooldown": 1}


def test_a_reminder_dated_far_ahead_holds_nothing_back_today() -> None:
    windows = sent(weighed(rule()), at=10**18).windows
    assert sent(weighed(rule()), message(message_id="m2"), at=1000, windows=windows).reminders


AGAIN = {
    name: {"en": {"title": name, "body": name}}
    for name in (
        "remind.GJ.v1",
        "remind.GJ.pay.v1",
        "remind.GJ.again.v1",
        "remind.LD.pay.v1",
        "remind.LD.pay.again.v1",
        "remind.LD.again.v1",
        "remind.GR.sender.v1",
        "remind.GR.sender.again.v1",
        "remind.QT.v1",
        "remind.QT.again.v1",
    )
}


def read(*said: Weighed, apart_s: int = 60, limits: Limits = LIMITS) -> list[str | None]:
    """The template that each of these messages is answered by, one after the other."""
    windows: dict[str, Window] = {}
    answers: list[str | None] = []
    for number, each in enumerate(said):
        told = sent(
            each,
            message(message_id=f"m{number}"),
            at=1000 * apart_s * number,
            limits=limits,
            templates=AGAIN,
            windows=windows,
        )
        windows |= told.windows
        answers.append(told.reminders[0].template if told.reminders else None)
    return answers


def test_a_scheme_that_comes_to_a_later_stage_is_reminded_of_again_in_spite_of_the_cooldown() -> None:
    lure, move, pay = (weighed(rule(stage=stage)) for stage in ("lure", "move", "pay"))
    again = "remind.GJ.again.v1"
    assert read(lure, move, pay, pay, lure, move) == ["remind.GJ.v1", again, again, None, None, None]


def test_a_scheme_whose_score_comes_to_be_reviewed_is_reminded_of_again() -> None:
    low, high, higher = (weighed(rule(stage="lure"), score=score) for score in (40, 60, 90))
    assert read(low, low, high, higher, low) == ["remind.GJ.v1", None, "remind.GJ.again.v1", None, None]


def test_after_the_cooldown_the_words_are_the_stronger_ones() -> None:
    assert read(weighed(rule()), weighed(rule()), apart_s=3600) == ["remind.GJ.pay.v1", "remind.GJ.again.v1"]


@pytest.mark.parametrize(
    ("changes", "template"),
    [
        ({"type": "LD"}, "remind.LD.pay.again.v1"),
        ({"type": "LD", "stage": "move"}, "remind.LD.again.v1"),
        ({"type": "SD"}, "remind.QT.again.v1"),
        ({"type": "GR", "remind": {"to": ["sender"]}}, "remind.GR.sender.again.v1"),
    ],
)
def test_the_stronger_words_are_those_of_the_stage_then_of_the_type_then_the_general_ones(
    changes: dict[str, Any], template: str
) -> None:
    assert read(weighed(rule(**changes)), weighed(rule(**changes)), apart_s=3600)[1] == template


def test_without_stronger_words_the_usual_ones_are_said_again() -> None:
    windows = sent(weighed(rule())).windows
    (again,) = sent(weighed(rule()), message(message_id="m2"), at=10**9, windows=windows).reminders
    assert again.template == "remind.GJ.v1"


def test_a_person_gets_so_many_reminders_a_day_over_all_conversations_and_some_are_kept() -> None:
    limits = Limits(per_day=4, per_day_kept=1)
    windows: dict[str, Window] = {}

    def ask(conversation: str, said: Weighed, at: int) -> Reminded:
        to = message(conversation_id=conversation, message_id=f"{conversation}{at}")
        told = sent(said, to, at=at, limits=limits, windows=windows)
        windows.update(told.windows)
        return told

    lure, pay = weighed(rule(stage="lure")), weighed(rule(stage="pay"))
    assert [len(ask(f"c{number}", lure, number).reminders) for number in range(5)] == [1, 1, 1, 0, 0]
    assert ask("c9", pay, 9).suppressed == {"per_day": 1}
    assert len(ask("c0", pay, 10).reminders) == 1  # the one that was kept
    assert ask("c1", pay, 11).suppressed == {"per_day": 1}
    assert len(ask("c9", pay, 86_400_000 + 2).reminders) == 1  # three of the day before do not count any more


def test_a_question_may_use_what_is_kept() -> None:
    limits = Limits(per_day=2, per_day_kept=1)
    windows = sent(weighed(rule()), message(sender_id="x", receiver_ids=["y"])).windows
    asked = Weighed(fraud=Fraud(30, ["GJ"], [], None, ["m"]), inquiry=True)
    other = message(sender_id="y", conversation_id="d")
    assert len(sent(asked, other, limits=limits, windows=windows).reminders) == 1
    told = sent(weighed(rule()), message(receiver_ids=["y"], conversation_id="d"), limits=limits, windows=windows)
    assert told.suppressed == {"per_day": 1}


def test_what_is_remembered_of_a_person_is_bounded() -> None:
    windows: dict[str, Window] = {}
    limits = Limits(per_day=20, per_day_kept=0)
    for number in range(60):
        to = message(message_id=f"m{number}" * 60, conversation_id=f"c{number}" * 60)
        windows.update(sent(weighed(rule()), to, at=10_000_000 * number, limits=limits, windows=windows).windows)
    (window,) = windows.values()
    assert len(window.given) == 20
    assert len(encode(window)) < 1000


def test_beyond_the_most_recipients_nobody_is_reminded_and_the_rest_is_counted() -> None:
    crowd = message(receiver_ids=[f"p{number}" for number in range(10)])
    told = sent(weighed(rule()), crowd)
    assert people(told) == [("p0", "receiver"), ("p1", "receiver"), ("p2", "receiver")]
    assert told.suppressed == {"too_many": 7}
    assert sent(weighed(rule()), crowd, windows=told.windows).suppressed == {"cooldown": 3, "too_many": 7}


@pytest.mark.parametrize(
    ("text", "setting", "locale"),
    [
        ("转账", "auto", "zh-CN"),
        ("move your money", "auto", "en"),
        ("move your money", "zh-CN", "zh-CN"),
        ("转账", "en", "en"),
        ("转账", "fr", "zh-CN"),
    ],
)
def test_the_language_is_that_of_the_message_or_the_one_set(text: str, setting: str, locale: str) -> None:
    limits = Limits(locale=setting)
    assert [each.locale for each in sent(weighed(rule()), message(text), limits=limits).reminders] == [locale]


def test_captions_tell_the_language_too() -> None:
    (reminder,) = sent(weighed(rule()), message("", texts=["扫码领取"])).reminders
    assert reminder.locale == "zh-CN"


def test_a_missing_template_falls_back_to_the_types_and_then_to_the_general_one() -> None:
    own = rule(remind={"template": "remind.GJ.v9"})
    assert [each.template for each in sent(weighed(own)).reminders] == ["remind.GJ.v1"]
    assert [each.template for each in sent(weighed(rule(type="SD"))).reminders] == ["remind.QT.v1"]
    assert sent(weighed(rule()), templates={}).suppressed == {"no_template": 1}


STAGED = {
    name: {"en": {"title": name, "body": name}}
    for name in (
        "remind.GJ.v1",
        "remind.GJ.pay.v1",
        "remind.GJ.move.v9",
        "remind.GR.v1",
        "remind.GR.pay.v1",
        "remind.GR.sender.v1",
        "remind.QT.v1",
    )
}


def used(*rules: Rule, **changes: Any) -> list[tuple[str, str]]:
    reminders = sent(weighed(*rules, **changes), templates=STAGED).reminders
    return [(reminder.recipient_role, reminder.template) for reminder in reminders]


@pytest.mark.parametrize(
    ("changes", "template"),
    [
        ({"stage": "pay"}, "remind.GJ.pay.v1"),
        ({"stage": "lure"}, "remind.GJ.v1"),
        ({"stage": "move", "remind": {"template": "remind.GJ.v9"}}, "remind.GJ.move.v9"),
        ({"stage": "pay", "remind": {"template": "remind.GJ.v9"}}, "remind.GJ.pay.v1"),
        ({"stage": "pay", "type": "SD"}, "remind.QT.v1"),
    ],
)
def test_the_words_are_those_of_the_stage_then_of_the_type_then_the_general_ones(
    changes: dict[str, Any], template: str
) -> None:
    assert used(rule(**changes)) == [("receiver", template)]


def test_the_stage_is_the_furthest_of_the_type_that_leads() -> None:
    other = rule(type="SD", score=40)
    assert used(rule(stage="lure"), other) == [("receiver", "remind.GJ.v1")]
    assert used(rule(stage="lure"), rule(id="FR-GJ-002", stage="pay"), other) == [("receiver", "remind.GJ.pay.v1")]


def test_a_sender_who_is_reminded_reads_words_for_senders_and_one_who_asks_does_not() -> None:
    both = rule(type="GR", remind={"to": ["receiver", "sender"]})
    assert used(both) == [("receiver", "remind.GR.pay.v1"), ("sender", "remind.GR.sender.v1")]
    assert used(both, inquiry=True) == [("sender", "remind.GR.pay.v1")]
    assert used(rule(remind={"to": ["sender"]})) == [("sender", "remind.GJ.pay.v1")]


def test_a_reminder_by_stage_expires_as_any_other() -> None:
    (reminder,) = sent(weighed(rule()), templates=STAGED).reminders
    assert (reminder.template, reminder.expires_at - reminder.sent_at) == ("remind.GJ.pay.v1", 60_000)


def test_the_reminder_is_of_the_strongest_rule_that_names_a_type() -> None:
    (reminder,) = sent(weighed(WORDING[Severity.HIGH], rule(score=40, severity="medium"))).reminders
    assert (reminder.fraud_type, reminder.template, reminder.severity) == ("GJ", "remind.GJ.v1", Severity.HIGH)


DAY = 86_400_000
TOLD = st.builds(
    lambda stage, score, conversation, at: (stage, score, f"c{conversation}", at),
    st.sampled_from(STAGES),
    st.integers(30, 100),
    st.integers(0, 3),
    st.integers(0, 3 * DAY),
)


@given(told=st.lists(TOLD, max_size=40), per_day=st.integers(1, 20), repeat=st.sets(st.integers(0, 39)))
def test_whatever_comes_and_comes_twice_cap_and_cooldown_hold_and_no_reminder_is_doubled(
    told: list[tuple[str, int, str, int]], per_day: int, repeat: set[int]
) -> None:
    limits = Limits(cooldown_s=3600, per_day=per_day, per_day_kept=min(2, per_day - 1))
    windows: dict[str, Window] = {}
    reminders: list[tuple[str, int, str, int]] = []
    identities: list[str] = []
    for number, each in enumerate(sorted(told, key=lambda one: one[3])):
        stage, score, conversation, at = each
        to = message(message_id=f"m{number}", conversation_id=conversation)
        for _ in range(2 if number in repeat else 1):
            reminded = sent(weighed(rule(stage=stage), score=score), to, at=at, limits=limits, windows=windows)
            windows |= {key: decode(encode(window)) for key, window in reminded.windows.items()}  # a crash in between
            if reminded.reminders:
                reminders.append(each)
                identities.append(reminded.reminders[0].reminder_id)
    assert len(identities) == len(set(identities))
    assert bool(reminders) == bool(told)
    for _, _, _, begin in reminders:
        assert sum(1 for each in reminders if begin <= each[3] < begin + DAY) <= per_day
    for conversation in {each[2] for each in reminders}:
        for one, other in pairwise(each for each in reminders if each[2] == conversation):
            worse = STAGES.index(other[0]) > STAGES.index(one[0]) or other[1] >= 60 > one[1]
            assert other[3] - one[3] >= 3_600_000 or worse
