"""Who is reminded of what, in which words, and how often."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.fraud.engine import Weighed
from processor.fraud.reading import parse_rule
from processor.fraud.reminders import Limits, Reminded, remind
from processor.fraud.rule import WORDING, Rule
from processor.fraud.window import Given, Sighting, Window
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
    said: Weighed, to: ChatMessage | None = None, *, at: int = 1000, limits: Limits = LIMITS, templates: Any = TEMPLATES
) -> Reminded:
    return remind(said, to or message(), at=at, templates=templates, limits=limits)


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
    assert (quiet.reminders, quiet.window, quiet.suppressed) == ((), None, {})
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
    first = sent(weighed(rule()))
    soon = sent(weighed(rule(), window=first.window), message(message_id="m2"), at=1000 + 3_599_999)
    late = sent(weighed(rule(), window=first.window), message(message_id="m3"), at=1000 + 3_600_000)
    assert (soon.reminders, soon.suppressed, soon.window) == ((), {"cooldown": 1}, first.window)
    assert len(late.reminders) == 1


def test_another_type_another_person_and_another_tenant_do_not_wait() -> None:
    window = sent(weighed(rule())).window
    assert sent(weighed(rule(type="SD"), window=window)).reminders
    assert sent(weighed(rule(), window=window), message(receiver_ids=["y"])).reminders
    assert sent(weighed(rule(), window=window), message(tenant_id="u")).reminders


def test_a_rule_may_have_a_cooldown_of_its_own() -> None:
    often = rule(remind={"cooldown_s": 0})
    window = sent(weighed(often)).window
    assert sent(weighed(often, window=window)).reminders


def test_a_late_message_does_not_remind_again() -> None:
    window = sent(weighed(rule()), at=10_000_000).window
    assert sent(weighed(rule(), window=window), at=10_000_000 - 1000).suppressed == {"cooldown": 1}


def test_a_reminder_dated_far_ahead_holds_nothing_back_today() -> None:
    window = sent(weighed(rule()), at=10**18).window
    assert sent(weighed(rule(), window=window), at=1000).reminders


def test_the_window_forgets_reminders_past_their_cooldown_and_holds_256_at_most() -> None:
    old = tuple(Given("t", f"p{number}", "GJ", 0, 3_600_000) for number in range(300))
    window = sent(weighed(rule(), window=Window("c", (), old)), at=1000).window
    assert window is not None
    assert len(window.given) == 256
    assert window.given[-1].recipient_id == "victim"
    later = sent(weighed(rule(), window=window), message(receiver_ids=["y"]), at=4_000_000).window
    assert later is not None
    assert [given.recipient_id for given in later.given] == ["y"]


def test_beyond_the_most_recipients_nobody_is_reminded_and_the_rest_is_counted() -> None:
    crowd = message(receiver_ids=[f"p{number}" for number in range(10)])
    told = sent(weighed(rule()), crowd)
    assert people(told) == [("p0", "receiver"), ("p1", "receiver"), ("p2", "receiver")]
    assert told.suppressed == {"too_many": 7}
    assert sent(weighed(rule(), window=told.window), crowd).suppressed == {"cooldown": 3, "too_many": 7}


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


@given(times=st.lists(st.integers(0, 10 * 3_600_000), max_size=12))
def test_no_two_reminders_of_a_type_reach_a_person_within_the_cooldown(times: list[int]) -> None:
    window: Window | None = None
    given_at: list[int] = []
    for number, at in enumerate(sorted(times)):
        told = sent(weighed(rule(), window=window), message(message_id=f"m{number}"), at=at)
        window = told.window
        given_at += [reminder.sent_at for reminder in told.reminders]
    assert all(later - earlier >= 3_600_000 for earlier, later in pairwise(given_at))
    assert bool(given_at) == bool(times)
