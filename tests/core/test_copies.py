"""One text sent to many conversations: counted where it is suspicious, exactly, and within bounds."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.fraud.copies import MOST_TEXTS, count_copies, telling
from processor.fraud.engine import Weighed
from processor.fraud.window import Window, decode, encode, sender
from processor.judge import Judged, judge
from processor.model import ChatMessage, Fraud, Sender
from processor.routing import Place, route
from processor.ruleset import Rules
from processor.rulesets.compile import compile_base
from processor.rulesets.directory import builtin
from processor.stream.codec import decode_all
from tests.core.test_judge import Given
from tests.e2e.fleet import schemes

DAY = 86_400_000
OFFER = "做任务返佣日结三百，垫付后马上返现"
RULES = Rules(base=compile_base(builtin(), version=0, digest="ab" * 32))


def message(conversation: int = 0, text: str = OFFER, **changes: Any) -> ChatMessage:
    fields: dict[str, Any] = {"message_id": f"m{conversation}", "tenant_id": "t", "sender_id": "a", "type": "text"}
    return ChatMessage(**{**fields, "conversation_id": f"c{conversation}", "content": text, **changes})


def suspicious(score: int = 40, **changes: Any) -> Weighed:
    return Weighed(fraud=Fraud(score, ["SD"], ["FR-SD-001@1"], None, ["m"]), reasons=("a rule",), **changes)


def scores(*sent: tuple[ChatMessage, int], weighed: Weighed | None = None) -> list[int]:
    """The scores that messages come to, one after the other, with a restart after each."""
    windows: dict[str, Window] = {}
    found = []
    for each, at in sent:
        told, changed = count_copies(weighed or suspicious(), each, at=at, windows=windows)
        windows |= {key: decode(encode(window)) for key, window in changed.items()}
        found.append(told.fraud.score if told.fraud else 0)
    return found


def test_a_text_gets_points_from_its_third_conversation_on_and_more_from_its_eighth() -> None:
    assert scores(*((message(n), n) for n in range(10))) == [40, 40, 45, 45, 45, 45, 45, 50, 50, 50]


def test_the_reason_says_to_how_many_and_for_how_many_points() -> None:
    windows: dict[str, Window] = {}
    for number in range(12):
        told, changed = count_copies(suspicious(), message(number), at=number, windows=windows)
        windows |= changed
        if number == 3:
            assert told.reasons == ("a rule", "The same text went to 4 conversations within a day (+5)")
    assert told.reasons[1] == "The same text went to 8 or more conversations within a day (+10)"


@pytest.mark.parametrize(
    "text",
    [
        "ok",
        "早上好",
        "早上好呀，吃饭了吗",
        "好的收到！！！！！！！！！！！！",
        "good morning to you",
        "。" * 90,
        "哈" * 90,
    ],
)
def test_short_texts_and_everyday_phrases_do_not_count(text: str) -> None:
    assert telling(message(text=text)) is None
    assert scores(*((message(n, text), n) for n in range(9))) == [40] * 9


def test_what_is_not_suspicious_is_neither_counted_nor_remembered() -> None:
    assert count_copies(Weighed(), message(), at=0, windows={}) == (Weighed(), {})
    items = [message(n, "今天天气真不错，我们下午一起去公园散步好不好") for n in range(20)]
    assert sender("t", "a") not in judge(items, [0] * 20, RULES, {}).windows


@pytest.mark.parametrize(
    "changes", [{"sender_id": "b"}, {"tenant_id": "u"}, {"content": OFFER + "，名额不多"}, {"conversation_id": "c0"}]
)
def test_another_sender_tenant_or_text_or_the_same_conversation_adds_nothing(changes: dict[str, Any]) -> None:
    assert scores((message(0), 0), (message(1), 0), (message(2), 0))[-1] == 45
    fields = {name: value for name, value in changes.items() if name != "content"}
    last = message(2, changes.get("content", OFFER), **fields)
    assert scores((message(0), 0), (message(1), 0), (last, 0))[-1] == 40


def test_numbers_spaces_case_and_invisible_characters_make_no_other_text() -> None:
    one, other = "Order 4711: pay the Customs fee now", "order  98 : pay the customs\u200b fee now"
    assert telling(message(text=one)) == telling(message(text=other)) is not None


def test_bots_that_the_platform_vouches_for_and_people_who_ask_are_not_counted() -> None:
    bot = [(message(n, sender=Sender(role="bot")), n) for n in range(5)]
    assert scores(*bot) == [40] * 5
    assert scores(*((message(n), n) for n in range(5)), weighed=suspicious(inquiry=True)) == [40] * 5


def test_yesterdays_conversations_do_not_count_and_a_message_that_comes_twice_changes_nothing() -> None:
    assert scores((message(0), 0), (message(1), 1), (message(2), DAY + 1)) == [40, 40, 40]
    assert scores((message(0), 0), (message(0), 0), (message(1), 1), (message(0), 0), (message(1), 1)) == [40] * 5


def test_the_points_never_pass_a_hundred_and_are_only_added() -> None:
    assert scores(*((message(n), n) for n in range(9)), weighed=suspicious(97))[-1] == 100


@given(
    st.lists(
        st.tuples(st.integers(0, 30), st.integers(0, 9), st.integers(0, 3 * DAY)).map(
            lambda drawn: (message(drawn[0], OFFER + "好" * drawn[1]), drawn[2])
        ),
        max_size=60,
    )
)
def test_whatever_is_sent_what_is_remembered_stays_small(sent: list[tuple[ChatMessage, int]]) -> None:
    windows: dict[str, Window] = {}
    for each, at in sent:
        windows |= count_copies(suspicious(), each, at=at, windows=windows)[1]
    for key, window in windows.items():
        assert key == sender("t", "a")
        assert len(window.copies) <= MOST_TEXTS
        assert len(encode(window)) < 600


INPUTS = [Given(value=msgspec.json.encode(each), offset=number, key=b"k") for number, each in enumerate(schemes(400))]


def run(sizes: list[int]) -> tuple[list[Any], dict[str, Window]]:
    """Everything that comes of the same stream in batches of these sizes, with a restart between any two."""
    windows: dict[str, Window] = {}
    records: list[Any] = []
    begin, turn = 0, 0
    while begin < len(INPUTS):
        batch = INPUTS[begin : begin + sizes[turn % len(sizes)]]
        items, times = decode_all(batch)
        judgements = judge(items, times, RULES, windows)
        assert all(isinstance(each, Judged) for each in judgements.each)
        outcome = route(batch, items, judgements, RULES, Place(topic="raw", partition=0), 0)
        records += [each for each in outcome.records if each.topic != "conversations"]
        windows |= {key: decode(encode(window)) for key, window in outcome.windows.items()}
        begin, turn = begin + len(batch), turn + 1
    return records, windows


UNDISTURBED = run([len(INPUTS)])


@given(st.lists(st.integers(1, 200), min_size=1, max_size=6))
def test_verdicts_reminders_and_memory_do_not_depend_on_batches_and_restarts(sizes: list[int]) -> None:
    records, windows = run(sizes)
    assert records == UNDISTURBED[0]
    assert windows == UNDISTURBED[1]


def test_the_stream_of_that_test_has_reminders_escalations_and_copies() -> None:
    reminders = [each.value for each in UNDISTURBED[0] if each.topic == "reminder"]
    assert len(reminders) > 40
    assert any(b".again.v1" in each for each in reminders)
    flagged = [each.value for each in UNDISTURBED[0] if each.topic == "flagged"]
    assert any(b"conversations within a day (+" in each for each in flagged)
