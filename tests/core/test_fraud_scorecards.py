"""Scorecards: points by role, over a conversation, and what is wrong with a document."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.errors import Invalid
from processor.fraud.engine import Mark, Weighed, weigh
from processor.fraud.entities import find_entities
from processor.fraud.rules import Rulebook, compile_rules
from processor.fraud.window import Window
from processor.model import ChatMessage, Sender
from processor.rulesets.directory import builtin

HOUR = 3_600_000
DAY = 24 * HOUR
CARD = {
    "id": "FR-KF-900",
    "version": 2,
    "status": "active",
    "type": "KF",
    "title": {"zh": "试", "en": "Fake service desk"},
    "severity": "high",
    "roles": 2,
    "one_of": ["ask"],
    "points": {"contact": {"claim": 12}, "lure": {"refund": 9}, "ask": {"code": 20, "screen": 14}},
}
DOCUMENT: dict[str, Any] = {
    "settings": {"least": 20, "half_life_hours": 12, "max_hours": 72, "others_percent": 40, "caps": {"ask": 30}},
    "words": {
        "desk": ["客服"],
        "refund": ["退款"],
        "tell": ["告诉我"],
        "code": ["验证码"],
        "screen": ["共享屏幕"],
        "report": ["记者"],
        "police": ["抓获"],
        "retold": ["他让我"],
    },
    "signals": {
        "claim": {"any": ["desk"]},
        "refund": {"any": ["refund"]},
        "code": {"any": ["code"], "near": ["tell"], "chars": 6},
        "screen": {"any": ["screen"], "fleeting": True},
        "sum": {"any": ["tell"], "near": ["number"], "chars": 4},
        "odd": {"any": ["odd_link"], "near": ["brand_name"], "chars": 50},
    },
    "notice": {"of": ["report", "police"], "at_least": 2, "alone": ["retold"]},
    "cards": [CARD],
}
BRANDS = {"brands": {"b": {"names": ["工商银行"], "domains": ["icbc.com.cn"]}}}


def book_of(document: Mapping[str, Any] = DOCUMENT, **card: Any) -> Rulebook:
    return compile_rules({}, [], dict(document) | {"cards": [CARD | card]}, BRANDS)


def talk(book: Rulebook, lines: Sequence[tuple[str, str]], step_ms: int = 60_000) -> list[Weighed]:
    """What is said of each line; a line is its writer and its text."""
    window: Window | None = None
    said = []
    for number, (who, text) in enumerate(lines):
        message = ChatMessage(str(number), "t", "c", who, "text", content=text)
        marks = [
            Mark(start, start + len(term), bits)
            for terms in (book.terms, book.beside)
            for term, bits in terms.items()
            for start in range(len(text))
            if text.startswith(term, start)
        ]
        weighed = weigh(
            book,
            message,
            at=number * step_ms,
            marks=marks,
            entities=list(find_entities(text)),
            window=window,
            wording=None,
        )
        window = weighed.window
        said.append(weighed)
    return said


def score(book: Rulebook, *lines: tuple[str, str], step_ms: int = 60_000) -> int:
    fraud = talk(book, lines, step_ms)[-1].fraud
    return fraud.score if fraud else 0


def test_points_of_different_roles_are_added_up_over_the_conversation() -> None:
    said = talk(book_of(), [("A", "您好我是客服"), ("A", "给您退款"), ("B", "好"), ("A", "验证码告诉我")])
    assert [one.fraud.score if one.fraud else 0 for one in said] == [0, 0, 0, 41]
    fraud = said[-1].fraud
    assert fraud is not None
    assert (fraud.types, fraud.rules, fraud.stage, fraud.evidence) == (["KF"], ["FR-KF-900@2"], "pay", ["0", "1", "3"])
    assert said[-1].reasons == ("FR-KF-900@2: fake service desk (score 41: code 20, claim 12, refund 9)",)


def test_a_reason_calls_signals_what_the_document_says() -> None:
    book = book_of(DOCUMENT | {"says": {"code": "asks for a code", "claim": "a service desk"}})
    [*_, said] = talk(book, [("A", "您好客服"), ("A", "给你退款"), ("A", "验证码告诉我")])
    assert said.reasons == (
        "FR-KF-900@2: fake service desk (score 41: asks for a code 20, a service desk 12, refund 9)",
    )


@pytest.mark.parametrize("says", [{"none": "x"}, {"code": ""}, {"code": 1}, {"code": "x" * 61}])
def test_what_reasons_cannot_say_is_refused(says: Mapping[str, Any]) -> None:
    with pytest.raises(Invalid, match="says"):
        book_of(DOCUMENT | {"says": says})


def test_one_role_is_not_enough_nor_roles_without_the_one_that_matters() -> None:
    assert score(book_of(), ("A", "验证码告诉我"), ("A", "共享屏幕")) == 0
    assert score(book_of(), ("A", "客服退款客服")) == 0


def test_two_people_do_not_make_a_scheme_together() -> None:
    assert score(book_of(), ("A", "客服给我退款了"), ("B", "验证码告诉我")) == 0


def test_a_role_gives_no_more_than_its_cap() -> None:
    assert score(book_of(), ("A", "我是客服"), ("A", "验证码告诉我,再共享屏幕")) == 12 + 30


def test_what_must_stand_near_must_stand_near() -> None:
    assert score(book_of(), ("A", "我是客服,验证码您自己收好就行了,改天告诉我地址")) == 0


def test_points_fade_with_time() -> None:
    lines = ("A", "我是客服"), ("A", "验证码告诉我")
    scores = [score(book_of(), *lines, step_ms=hours * HOUR) for hours in (0, 6, 12, 24, 80)]
    assert scores[0] == 32
    assert scores == sorted(scores, reverse=True)
    assert scores[-1] == 0


def test_a_fleeting_signal_counts_in_its_own_message_only() -> None:
    assert score(book_of(), ("A", "客服"), ("A", "共享屏幕")) == 26
    assert score(book_of(), ("A", "共享屏幕"), ("A", "客服")) == 0


def test_a_report_and_a_story_retold_show_nothing() -> None:
    assert score(book_of(), ("A", "记者:客服要验证码告诉我的嫌犯被抓获")) == 0
    assert score(book_of(), ("A", "客服,他让我把验证码告诉我妈")) == 0
    assert score(book_of(), ("A", "记者"), ("A", "客服,验证码告诉我")) == 32


def test_the_current_message_must_bring_what_it_is_asked_to_bring() -> None:
    document = DOCUMENT | {"settings": {"least": 20, "bring": 15}}
    assert score(book_of(document), ("A", "验证码告诉我"), ("A", "我是客服")) == 0
    assert score(book_of(document), ("A", "我是客服"), ("A", "验证码告诉我")) == 32


def test_a_young_or_unverified_account_adds_to_a_suspicion_and_is_told() -> None:
    book = book_of()
    text = "我是客服,验证码告诉我"
    marks = [
        Mark(text.find(term), text.find(term) + len(term), bits) for term, bits in book.terms.items() if term in text
    ]
    scores = {}
    for sender in (
        None,
        Sender(registered_at=-100 * DAY),
        Sender(registered_at=0),
        Sender(registered_at=0, verified=False),
    ):
        message = ChatMessage("m", "t", "c", "A", "text", content=text, sender=sender)
        weighed = weigh(book, message, at=DAY, marks=marks, entities=[], window=None, wording=None)
        assert weighed.fraud is not None
        scores[weighed.fraud.score] = weighed.reasons[1:]
    assert scores == {
        32: (),
        37: ("The account is younger than a month (+5)",),
        42: ("The account is younger than a month (+5)", "The account is not verified (+5)"),
    }


def test_a_card_switched_to_shadow_only_reports() -> None:
    (_, last) = talk(book_of(status="shadow"), [("A", "我是客服"), ("A", "验证码告诉我")])
    assert last.fraud is None
    assert last.shadow == ("FR-KF-900@2",)


def test_words_that_overlap_are_one_kind_of_notice() -> None:
    words = DOCUMENT["words"] | {"report": ["被骗"], "police": ["被骗了", "抓获"]}
    book = book_of(DOCUMENT | {"words": words})
    assert not talk(book, [("A", "被骗了的钱，客服 退款")])[0].warning
    assert talk(book, [("A", "被骗的钱，抓获了")])[0].warning


def test_what_makes_no_notice_rules_one_out() -> None:
    notice = DOCUMENT["notice"] | {"unless": ["refund"]}
    book = book_of(DOCUMENT | {"notice": notice})
    assert talk(book, [("A", "记者：抓获一人")])[0].warning
    assert not talk(book, [("A", "记者：抓获一人，退款")])[0].warning


def test_an_everyday_word_is_kept_apart_unless_it_makes_a_notice() -> None:
    book = book_of(DOCUMENT | {"everyday": ["告诉我", "记者", "unheard of"]})
    assert set(book.beside) == {"告诉我"}
    assert "告诉我" not in book.terms
    assert "记者" in book.terms


@given(st.lists(st.sampled_from(["客服", "退款", "验证码告诉我", "共享屏幕", "好的", "123"]), max_size=8), st.data())
def test_more_evidence_in_a_message_never_lowers_the_score(said: list[str], data: st.DataObject) -> None:
    book = book_of(DOCUMENT | {"settings": {"least": 1, "breadth": 3}}, roles=1, one_of=[])
    before = [("A", one) for one in said]
    more = data.draw(st.sampled_from(["客服", "退款", "共享屏幕"]))
    assert score(book, *before, ("A", f"验证码告诉我 {more}")) >= score(book, *before, ("A", "验证码告诉我"))


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"signals": {"x": {"any": ["nowhere"]}}}, "signal 'x': any names unknown word 'nowhere'"),
        ({"signals": {"x": {}}}, "signal 'x': any must name words"),
        ({"words": {"url": ["a"]}}, "scorecards: words uses the name 'url', which a group or entity has already"),
        ({"settings": {"caps": {"boss": 3}}}, "scorecards: settings: caps names unknown role 'boss'"),
        ({"cards": [CARD | {"points": {"ask": {"none": 3}}}]}, "card FR-KF-900: points names unknown signal 'none'"),
        (
            {"cards": [CARD | {"points": {"ask": {"code": 101}}}]},
            "card FR-KF-900: points must give code a whole number from 0 to 100, not 101",
        ),
        ({"cards": [CARD | {"score": 3}]}, "card FR-KF-900: unknown field 'score'"),
        ({"cards": [CARD, CARD]}, "rule FR-KF-900 stands there 2 times"),
        ({"more": 1}, "scorecards: unknown field 'more'"),
    ],
)
def test_what_is_wrong_with_a_document_is_told(changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(Invalid) as caught:
        compile_rules({}, [], DOCUMENT | changes, BRANDS)
    assert problem in caught.value.problems


def test_no_signal_of_a_built_in_card_reminds_by_itself() -> None:
    fraud = builtin().fraud
    cards = compile_rules(fraud.groups, fraud.rules, fraud.scorecards, fraud.brands).cards.cards
    assert {(card.rule.id, each.signal) for card in cards for each in card.points if each.points >= 30} == set()
    assert {card.rule.type for card in cards} >= {
        "SD",
        "TZ",
        "GW",
        "KF",
        "DK",
        "ZX",
        "LD",
        "GJ",
        "HL",
        "YX",
        "JP",
        "GR",
    }
