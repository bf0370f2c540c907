"""How rules weigh a message in its conversation: clauses, windows, notices, questions, scores."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from processor.errors import Invalid
from processor.fraud.engine import Mark, Weighed, reported, weigh
from processor.fraud.entities import find_entities
from processor.fraud.rules import Rulebook, compile_rules
from processor.fraud.window import Given, Sighting, Window, decode, encode, from_bytes, recipient, to_bytes
from processor.model import ChatMessage, Sender, Severity

HOUR = 3_600_000
DAY = 24 * HOUR
GROUPS: dict[str, list[Any]] = {
    "warning": ["谨防", "反诈中心", "scammers will"],
    "inquiry": ["是不是骗子", "是不是诈骗", "is this a scam", "a scam"],
    "strong": ["安全账户"],
    "reassurance": ["放心不是骗子", "不是骗子", "it's not a scam", "反诈中心认证"],
}


def rule(id_: str = "FR-GJ-001", **changes: Any) -> dict[str, Any]:
    return {
        "id": id_,
        "version": 1,
        "status": "active",
        "type": id_[3:5],
        "title": {"zh": "试", "en": "Claims to be the police"},
        "severity": "high",
        "score": 60,
        "stage": "move",
        "terms": {"a": ["甲"], "b": ["乙"], "c": ["丙"], "d": ["丁"]},
        "when": {"all_of": ["a", "b"]},
    } | changes


def book_of(*rules: Mapping[str, Any]) -> Rulebook:
    return compile_rules(GROUPS, rules or [rule()])


def marks_in(book: Rulebook, text: str, field: str = "content") -> list[Mark]:
    """What the matcher would find: every literal, wherever it stands."""
    found = []
    for term, bits in book.terms.items():
        start = text.find(term)
        while start >= 0:
            found.append(Mark(start, start + len(term), bits, field))
            start = text.find(term, start + 1)
    return found


def message(text: str, id_: str = "m", **changes: Any) -> ChatMessage:
    fields = {"tenant_id": "t", "conversation_id": "c", "sender_id": "bad", "type": "text"} | changes
    return ChatMessage(message_id=id_, content=text, **fields)


def weigh_text(
    book: Rulebook,
    text: str,
    window: Window | None = None,
    *,
    at: int = 0,
    wording: Severity | None = None,
    off: frozenset[str] = frozenset(),
    **changes: Any,
) -> Weighed:
    said = message(text, changes.pop("id_", "m"), **changes)
    marks = marks_in(book, text)
    entities = find_entities(text)
    for number, extra in enumerate(said.texts or ()):
        marks += marks_in(book, extra, f"texts[{number}]")
        entities += find_entities(extra, f"texts[{number}]")
    return weigh(book, said, at=at, marks=marks, entities=entities, window=window, wording=wording, off=off)


def talk(book: Rulebook, *lines: str, step: int = 1000) -> list[Weighed]:
    """A conversation: each line "A: text" or "B: text", one second apart."""
    window, each = None, []
    for number, line in enumerate(lines):
        sender, text = line.split(": ", 1)
        each.append(weigh_text(book, text, window, at=number * step, id_=f"m{number}", sender_id=sender))
        window = each[-1].window
    return each


def fired(weighed: Weighed) -> list[str]:
    return [rule.id for rule in weighed.rules]


def score(weighed: Weighed) -> int:
    return weighed.fraud.score if weighed.fraud else 0


# Clauses


@pytest.mark.parametrize(
    ("when", "hits", "misses"),
    [
        ({"any_of": ["a", "b"]}, ["甲", "乙", "甲乙"], ["丙", "无"]),
        ({"all_of": ["a", "b"]}, ["甲乙", "乙…甲"], ["甲", "乙", "甲丙"]),
        ({"any_of": ["a"], "all_of": ["b"]}, ["甲乙"], ["甲", "乙"]),
        ({"at_least": {"n": 2, "of": ["a", "b", "c"]}}, ["甲丙", "甲乙丙"], ["甲", "丙丙", "甲丁"]),
        ({"all_of": ["d"], "at_least": {"n": 1, "of": ["a", "b"]}}, ["丁甲"], ["丁", "甲乙"]),
        ({"any_of": ["a"], "none_of": ["c"]}, ["甲", "甲乙"], ["甲丙", "丙"]),
        ({"near": [{"a": "a", "b": "b", "max_chars": 2}]}, ["甲乙", "甲一二乙", "乙一二甲"], ["甲一二三乙", "甲"]),
        (
            {"near": [{"a": "a", "b": "b", "max_chars": 2, "ordered": True}]},
            ["甲一乙", "乙…甲乙"],
            ["乙一甲", "甲一二三乙"],
        ),
        ({"order": ["a", "b"]}, ["甲乙", "甲…乙…甲"], ["乙甲", "甲", "乙甲乙"]),
        ({"order": ["a", "b", "c"]}, ["甲乙丙"], ["甲丙乙", "乙甲丙", "甲乙"]),
    ],
)
def test_each_clause_holds_for_what_it_says(when: dict[str, Any], hits: Sequence[str], misses: Sequence[str]) -> None:
    book = book_of(rule(when=when))
    assert [text for text in hits if not fired(weigh_text(book, text))] == []
    assert [text for text in misses if fired(weigh_text(book, text))] == []


def test_one_word_in_two_groups_is_neither_near_itself_nor_in_order_with_itself() -> None:
    terms = {"a": ["甲"], "b": ["甲", "乙"]}
    near = rule(terms=terms, when={"near": [{"a": "a", "b": "b", "max_chars": 5}]})
    order = rule("FR-GJ-002", terms=terms, when={"order": ["a", "b"]})
    assert fired(weigh_text(book_of(near, order), "甲")) == []
    assert fired(weigh_text(book_of(near), "甲乙")) == ["FR-GJ-001"]


def test_near_means_one_field_of_one_message() -> None:
    book = book_of(rule(when={"near": [{"a": "a", "b": "b", "max_chars": 100}]}))
    assert not fired(weigh_text(book, "甲", texts=["乙"]))
    assert fired(weigh_text(book, "", texts=["甲乙"]))
    assert not fired(talk(book, "A: 甲", "A: 乙")[-1])


def test_near_in_an_earlier_message_still_counts() -> None:
    book = book_of(rule(when={"near": [{"a": "a", "b": "b", "max_chars": 2}], "all_of": ["c"]}))
    assert fired(talk(book, "A: 甲乙", "A: 丙")[-1])
    assert not fired(talk(book, "A: 甲…………乙", "A: 丙")[-1])


def test_order_goes_by_messages_and_within_one_by_place_and_field() -> None:
    book = book_of(rule(when={"order": ["a", "b"]}))
    assert fired(talk(book, "A: 甲", "A: 乙")[-1])
    assert not fired(talk(book, "A: 乙", "A: 甲")[-1])
    assert fired(weigh_text(book, "甲", texts=["乙"]))
    assert not fired(weigh_text(book, "乙", texts=["甲"]))


def test_entities_are_items_of_groups_like_words() -> None:
    book = book_of(rule(terms={"a": ["甲"], "b": [{"entity": "bank_card"}]}))
    assert fired(weigh_text(book, "甲 6222021234567890128"))
    assert not fired(weigh_text(book, "甲 6222021234567890129"))


# Windows


def test_a_scheme_spread_over_messages_fires_when_it_is_complete() -> None:
    first, second, third = talk(book_of(), "A: 甲", "B: 你好", "A: 乙")
    assert (first.fraud, second.fraud) == (None, None)
    assert third.fraud is not None
    assert third.fraud.evidence == ["m0", "m2"]
    assert second.window is first.window


def test_a_message_that_adds_nothing_does_not_fire_again_what_stood_before() -> None:
    *_, last = talk(book_of(rule(), rule("FR-SD-001", when={"all_of": ["c", "d"]})), "A: 甲乙", "A: 丙")
    assert last.fraud is None


@pytest.mark.parametrize(
    ("window", "lines", "fires"),
    [
        ({"scope": "message"}, ["A: 甲", "A: 乙"], False),
        ({"scope": "message"}, ["A: 甲乙"], True),
        ({"scope": "sender"}, ["A: 甲", "B: 乙"], False),
        ({"scope": "sender"}, ["A: 甲", "B: 丙", "A: 乙"], True),
        ({"scope": "conversation"}, ["A: 甲", "B: 乙"], True),
        ({"max_messages": 2}, ["A: 甲", "A: 丙", "A: 乙"], False),
        ({"max_messages": 3}, ["A: 甲", "A: 丙", "A: 乙"], True),
        ({"max_messages": 1}, ["A: 甲", "A: 乙"], False),
        ({"max_seconds": 1}, ["A: 甲", "A: 丁", "A: 乙"], False),
        ({"max_seconds": 2}, ["A: 甲", "A: 丁", "A: 乙"], True),
    ],
)
def test_a_rule_looks_as_far_as_its_window(window: dict[str, Any], lines: Sequence[str], fires: bool) -> None:  # noqa: FBT001
    remembers_all = rule("FR-SD-001", when={"all_of": ["c", "d"]})
    book = book_of(rule(window=window), remembers_all, rule("FR-TZ-001", terms={"e": ["丙"]}, when={"any_of": ["e"]}))
    assert ("FR-GJ-001" in fired(talk(book, *lines)[-1])) is fires


def test_none_of_looks_at_the_current_message_only() -> None:
    book = book_of(rule(when={"all_of": ["a", "b"], "none_of": ["c"]}))
    assert fired(talk(book, "A: 甲丙", "A: 乙")[-1])
    assert not fired(talk(book, "A: 甲", "A: 乙丙")[-1])


def test_only_messages_of_the_same_tenant_count() -> None:
    book = book_of()
    window = weigh_text(book, "甲", tenant_id="other", id_="m0").window
    later = weigh_text(book, "乙", window, id_="m1")
    assert later.fraud is None
    assert later.window is not None
    assert len(later.window.sightings) == 2


def test_the_same_message_again_changes_nothing() -> None:
    book = book_of(rule(when={"at_least": {"n": 2, "of": ["a", "b"]}}))
    once = weigh_text(book, "甲", id_="m0")
    twice = weigh_text(book, "甲", once.window, id_="m0", at=5)
    assert twice.window is once.window
    assert twice.fraud is None
    full = weigh_text(book, "乙", twice.window, id_="m1")
    again = weigh_text(book, "乙", full.window, id_="m1")
    assert (again.fraud, again.window) == (full.fraud, full.window)


def test_a_late_message_counts_at_its_own_time() -> None:
    book = book_of(rule(when={"order": ["a", "b"]}))
    window = weigh_text(book, "乙", id_="m1", at=10_000).window
    late = weigh_text(book, "甲", window, id_="m0", at=5_000)
    assert late.fraud is not None
    assert late.fraud.evidence == ["m1", "m0"]


def test_a_message_dated_far_ahead_does_not_drive_out_the_others() -> None:
    book = book_of()
    window = None
    for number in range(19):
        window = weigh_text(book, "丙甲", window, id_=f"x{number}", at=10**15).window
    window = weigh_text(book, "甲", window, id_="m0", at=0).window
    assert fired(weigh_text(book, "乙", window, id_="m1", at=1000))


def test_a_window_keeps_the_last_twenty_messages_of_each_tenant() -> None:
    book = book_of()
    window = weigh_text(book, "甲", None, id_="other", tenant_id="other").window
    for number in range(30):
        window = weigh_text(book, "甲", window, id_=f"m{number}").window
    assert window is not None
    assert [each.message_id for each in window.sightings] == ["other", *(f"m{number}" for number in range(10, 30))]


def test_what_is_remembered_survives_another_ruleset() -> None:
    window = weigh_text(book_of(), "甲", id_="m0").window
    other = rule("FR-DK-001", terms={"z": ["子"]}, when={"any_of": ["z"]})
    assert window is not None
    assert fired(weigh_text(book_of(other, rule(version=2)), "乙", decode(encode(window)), id_="m1"))


# Context, status, switches


def test_a_new_contact_is_one_known_for_fewer_days_than_the_rule_says() -> None:
    book = book_of(rule(context={"contact_age_days_lt": 7}))
    at = 100 * DAY
    assert fired(weigh_text(book, "甲乙", at=at, contact_since=at - 6 * DAY))
    assert not fired(weigh_text(book, "甲乙", at=at, contact_since=at - 7 * DAY))
    assert not fired(weigh_text(book, "甲乙", at=at))


def test_a_rule_may_leave_out_senders_of_some_role() -> None:
    book = book_of(rule(context={"sender_not_roles": ["bot"]}))
    assert not fired(weigh_text(book, "甲乙", sender=Sender(role="bot")))
    assert fired(weigh_text(book, "甲乙", sender=Sender(role="user")))
    assert fired(weigh_text(book, "甲乙"))


def test_a_rule_on_trial_only_reports() -> None:
    weighed = weigh_text(book_of(rule(status="shadow")), "甲乙")
    assert (weighed.fraud, weighed.rules, weighed.shadow) == (None, (), ("FR-GJ-001@1",))


def test_a_rule_switched_off_for_the_tenant_does_not_fire() -> None:
    assert weigh_text(book_of(), "甲乙", off=frozenset({"FR-GJ-001"})).fraud is None
    assert weigh_text(book_of(), "", wording=Severity.HIGH, off=frozenset({"FR-QT-000"})).fraud is None


# Scores and reasons


def test_further_rules_and_a_new_contact_add_to_the_strongest_and_a_hundred_is_the_most() -> None:
    weak, strong = rule(score=40, stage="lure"), rule("FR-SD-001", score=60, stage="trust")
    book = book_of(weak, strong, rule("FR-TZ-001", score=95, when={"all_of": ["c"]}))
    both = weigh_text(book, "甲乙").fraud
    assert both is not None
    assert (both.score, both.types, both.rules, both.stage) == (
        65,
        ["SD", "GJ"],
        ["FR-SD-001@1", "FR-GJ-001@1"],
        "trust",
    )
    assert score(weigh_text(book, "甲乙", contact_since=-DAY)) == 75
    assert score(weigh_text(book, "甲乙丙", contact_since=-DAY)) == 100
    assert weigh_text(book, "无", contact_since=-DAY).fraud is None


@pytest.mark.parametrize(
    ("severity", "expected"), [(Severity.HIGH, 60), (Severity.MEDIUM, 40), (Severity.LOW, 30), (Severity.LOG, 0)]
)
def test_wording_of_a_lexicon_weighs_by_its_severity(severity: Severity, expected: int) -> None:
    weighed = weigh_text(book_of(), "", wording=severity)
    assert score(weighed) == expected
    assert [each.name for each in weighed.rules] == (["FR-QT-000@1"] if expected else [])


def test_wording_adds_to_rules_and_a_rule_of_the_same_score_goes_first() -> None:
    weighed = weigh_text(book_of(), "甲乙", wording=Severity.HIGH)
    assert weighed.fraud is not None
    assert (weighed.fraud.score, weighed.fraud.types) == (65, ["GJ", "QT"])


def test_each_rule_gives_one_sentence() -> None:
    titled = rule("FR-SD-001", title={"zh": "试", "en": "USDT is asked for"})
    weighed = weigh_text(book_of(rule(), titled), "甲乙")
    assert weighed.reasons == (
        "FR-GJ-001@1: claims to be the police (score 60)",
        "FR-SD-001@1: USDT is asked for (score 60)",
    )


# Notices


@pytest.mark.parametrize("text", ["谨防诈骗：甲乙", "反诈中心提醒 甲乙", "scammers will 甲乙"])
def test_a_notice_fires_nothing_and_leaves_no_trace(text: str) -> None:
    weighed = weigh_text(book_of(), text, wording=Severity.HIGH)
    assert (weighed.fraud, weighed.warning, weighed.window) == (None, True, None)


def test_a_notice_cancels_itself_and_not_the_conversation() -> None:
    first, notice, last = talk(book_of(), "A: 甲", "B: 谨防诈骗", "A: 乙")
    assert notice.window is first.window
    assert fired(last)


def test_a_warning_is_worth_nothing_beside_strong_words_and_a_way_to_pay() -> None:
    book = book_of(rule(terms={"a": ["安全账户"]}, when={"any_of": ["a"]}))
    assert fired(weigh_text(book, "反诈中心要求转入安全账户 6222021234567890128"))
    assert not fired(weigh_text(book, "反诈中心提醒没有安全账户"))
    assert not fired(weigh_text(book, "反诈中心提醒没有安全账户，电话13800138000"))


def test_what_somebody_quotes_is_not_said_by_him() -> None:
    told = "我同学昨天收到一条，“甲乙，马上办理，明天就没有了”，他没理"
    assert not fired(weigh_text(book_of(), told))
    assert fired(weigh_text(book_of(), told.replace("“", "").replace("”", "")))


@pytest.mark.parametrize(
    "text",
    ["“甲乙，马上办理，明天就没有了”", "请打开“甲”，再打开“乙”，然后告诉我你看到了什么"],
    ids=["the whole text", "words of his own"],
)
def test_quotation_marks_hide_nothing(text: str) -> None:
    assert fired(weigh_text(book_of(), text))


@given(st.text('甲乙“”"「」 a,', max_size=60))
def test_quotations_lie_apart_and_within_quotation_marks(text: str) -> None:
    spans = reported(text)
    assert all(text[start] + text[end - 1] in {"“”", "「」", '""'} for start, end in spans)
    assert all(one[1] <= other[0] for one, other in pairwise(spans))


def test_an_official_account_fires_nothing_whatever_it_says() -> None:
    weighed = weigh_text(book_of(), "甲乙 是不是骗子", sender=Sender(role="official"), wording=Severity.HIGH)
    assert (weighed.fraud, weighed.warning, weighed.inquiry, weighed.window) == (None, True, False, None)


@pytest.mark.parametrize("text", ["放心不是骗子 甲乙", "我们有反诈中心认证 甲乙", "it's not a scam, trust me 甲乙"])
def test_whoever_says_that_it_is_no_fraud_neither_warns_nor_asks(text: str) -> None:
    weighed = weigh_text(book_of(), text)
    assert (score(weighed), weighed.warning, weighed.inquiry) == (60, False, False)


def test_reassurance_defeats_only_what_lies_within_it() -> None:
    assert weigh_text(book_of(), "这是不是骗子").inquiry
    assert weigh_text(book_of(), "说不是骗子，反诈中心说谨防").warning


# Questions


@pytest.mark.parametrize(
    ("text", "expected"),
    [("甲乙 是不是骗子", 59), ("这是不是诈骗", 30), ("is this a scam? 甲乙", 59), ("甲 是不是骗子", 30)],
)
def test_who_asks_is_answered_but_never_flagged(text: str, expected: int) -> None:
    weighed = weigh_text(book_of(), text)
    assert (weighed.inquiry, weighed.warning, score(weighed), weighed.window) == (True, False, expected, None)
    assert weighed.reasons[0] == "The sender asks whether something is a fraud"


def test_a_question_is_of_the_type_that_fired_or_that_the_conversation_is_about_or_of_none() -> None:
    book = book_of(rule(), rule("FR-SD-001", when={"all_of": ["c", "d"]}))
    asked = [
        weigh_text(book, "甲乙 是不是骗子"),
        talk(book, "A: 丙", "A: 丁", "B: 是不是骗子")[-1],
        weigh_text(book, "他要我丙 是不是骗子"),
        weigh_text(book, "是不是骗子"),
    ]
    assert [weighed.fraud and weighed.fraud.types for weighed in asked] == [["GJ"], ["SD"], ["SD"], ["QT"]]


def test_a_victim_who_quotes_a_warning_is_answered_too() -> None:
    weighed = weigh_text(book_of(), "反诈中心打来说甲乙，是不是骗子", wording=Severity.HIGH)
    assert (weighed.inquiry, weighed.warning, score(weighed), weighed.rules) == (True, False, 30, ())


# Properties

WORDS = st.sampled_from(
    [
        "甲",
        "乙",
        "丙",
        "丁",
        "…",
        "谨防",
        "是不是骗子",
        "不是骗子",
        "安全账户",
        "6222021234567890128",
        "abc.cn",
        "5000元",
    ]
)
TEXTS = st.lists(WORDS, max_size=6).map("".join)
RULES = st.lists(
    st.sampled_from(
        [
            rule(),
            rule("FR-SD-001", when={"any_of": ["c"]}, score=35),
            rule("FR-TZ-001", when={"at_least": {"n": 2, "of": ["a", "c", "d"]}}, score=50),
            rule("FR-DK-001", when={"near": [{"a": "a", "b": "d", "max_chars": 3}]}, score=70),
            rule("FR-KF-001", terms={"x": [{"entity": "bank_card"}], "y": ["乙"]}, when={"all_of": ["x", "y"]}),
            rule("FR-GR-001", when={"order": ["c", "b"]}, status="shadow", window={"scope": "sender"}),
        ]
    ),
    unique_by=lambda each: each["id"],
)
LINES = st.lists(
    st.tuples(
        TEXTS,
        st.integers(-HOUR, 2 * HOUR) | st.integers(),
        st.sampled_from(["A", "B"]),
        st.sampled_from(["t", "u"]),
        st.integers(0, 9),
    ),
    max_size=25,
)
NEUTRAL = st.lists(st.sampled_from(["甲", "乙", "丙", "丁", "…", "6222021234567890128 ", "abc.cn "]), max_size=6)


def play(book: Rulebook, lines: Sequence[tuple[str, int, str, str, int]]) -> list[Weighed]:
    window, each = None, []
    for text, at, sender, tenant, number in lines:
        each.append(weigh_text(book, text, window, at=at, sender_id=sender, tenant_id=tenant, id_=f"m{number}"))
        window = each[-1].window
    return each


@given(rules=RULES, lines=LINES)
def test_messages_in_any_order_are_weighed_and_their_window_can_be_kept(
    rules: list[dict[str, Any]], lines: list[tuple[str, int, str, str, int]]
) -> None:
    for weighed in play(book_of(*rules), lines):
        assert 0 <= score(weighed) <= 100
        assert not (weighed.fraud and weighed.warning)
        if weighed.fraud:
            assert weighed.fraud.evidence[-1].startswith("m")
            assert len(set(weighed.fraud.evidence)) == len(weighed.fraud.evidence)
        if weighed.window:
            assert decode(encode(weighed.window)) == weighed.window


@given(rules=RULES, lines=LINES)
def test_a_record_that_comes_twice_leaves_the_window_as_it_is(
    rules: list[dict[str, Any]], lines: list[tuple[str, int, str, str, int]]
) -> None:
    book, window = book_of(*rules), None
    for text, at, sender, tenant, number in lines:
        once = weigh_text(book, text, window, at=at, sender_id=sender, tenant_id=tenant, id_=f"m{number}")
        window = once.window
        twice = weigh_text(book, text, window, at=at, sender_id=sender, tenant_id=tenant, id_=f"m{number}")
        assert twice.window is window
        assert (twice.fraud, twice.reasons) == (once.fraud, once.reasons)


@given(rules=RULES, text=NEUTRAL, more=NEUTRAL, known=st.none() | st.integers(-30 * DAY, 0), words=st.booleans())
def test_more_evidence_never_lowers_the_score(
    rules: list[dict[str, Any]],
    text: list[str],
    more: list[str],
    known: int | None,
    words: bool,  # noqa: FBT001
) -> None:
    book = book_of(*rules)
    wording = Severity.MEDIUM if words else None
    less = weigh_text(book, "".join(text), wording=wording)
    grown = weigh_text(book, "".join([*text, *more]), wording=wording or Severity.LOW, contact_since=known)
    assert score(grown) >= score(less)


KEYS = st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 2**30))
WINDOWS = st.builds(
    Window,
    st.text(min_size=1),
    st.lists(
        st.builds(Sighting, st.text(), st.integers(-(2**62), 2**62), st.text(), st.text(), st.lists(KEYS).map(tuple))
    ).map(tuple),
    st.lists(
        st.builds(
            Given,
            conversation=st.integers(0, 2**32 - 1),
            message=st.integers(0, 2**32 - 1),
            fraud_type=st.text(),
            at=st.integers(0, 2**62),
            cooldown_ms=st.integers(0, 2**40),
            stage=st.integers(0, 5),
            band=st.integers(0, 1),
        )
    ).map(tuple),
)


@given(window=WINDOWS)
def test_a_window_comes_back_from_its_bytes(window: Window) -> None:
    assert decode(encode(window)) == window


@given(tenant=st.text(), user=st.text())
def test_the_key_of_a_person_is_no_conversation_s_and_comes_back_from_its_bytes(tenant: str, user: str) -> None:
    key = to_bytes(recipient(tenant, user))
    assert from_bytes(key) == recipient(tenant, user)
    with pytest.raises(UnicodeDecodeError):  # a conversation's id is UTF-8
        key.decode()


@given(names=st.lists(st.tuples(st.text(), st.text()), unique=True, min_size=2, max_size=2))
def test_two_people_have_two_keys(names: list[tuple[str, str]]) -> None:
    assert recipient(*names[0]) != recipient(*names[1])


@given(data=st.binary(max_size=40))
@example(data=b"\x93\xa1\xff\x90\x90")  # an id that is not UTF-8
def test_bytes_that_are_no_window_are_refused(data: bytes) -> None:
    try:
        window = decode(data)
    except Invalid:
        return
    assert decode(encode(window)) == window


def test_a_usual_window_is_small() -> None:
    book = book_of()
    window = None
    for number in range(8):
        id_ = f"01HV{number:022d}"
        window = weigh_text(book, "甲乙", window, id_=id_, sender_id="user-12345678", at=1_700_000_000_000).window
    assert window is not None
    assert len(encode(window)) < 1000
