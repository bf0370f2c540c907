"""A term cut over the messages of one sender: what is put together again, and what never is."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.fraud.window import Piece, Window, decode, encode
from processor.judge import Judged, judge
from processor.matching.cut import LONGEST, MOST, Cut
from processor.model import Hit, Severity
from processor.pieces import WITHIN_MS, join
from processor.ruleset import Rules
from processor.rulesets.document import Entry, Off, OverlayDocument
from processor.stream.codec import decode as decode_message
from tests.core.test_entries import rules

TERMS = ("海洛因", "贷款", "methadone", "麒婴鲲鹏")
DRUGS = [Entry(term=term, category="drugs") for term in TERMS]


RULES = rules(*DRUGS)


class Talk:
    """One conversation after another message; windows go through their stored bytes each time."""

    def __init__(self, held: Rules = RULES) -> None:
        self.rules = held
        self.windows: dict[str, Window] = {}
        self.written = 0
        self.last = 0

    def say(self, text: str | None, *, at: int | None = None, **fields: Any) -> Judged:
        self.last += 1
        message = {"message_id": f"m{self.last}", "tenant_id": "t1", "conversation_id": "c", "sender_id": "a"}
        item = decode_message(json.dumps({**message, "type": "text", "content": text, **fields}).encode())
        judgements = judge([item], [self.last * 1_000 if at is None else at], self.rules, self.windows)
        self.windows |= {known: decode(encode(window)) for known, window in judgements.windows.items()}
        self.written += len(judgements.windows)
        (judged,) = judgements.each
        assert isinstance(judged, Judged)
        return judged

    def hits(self, *texts: str) -> Sequence[Hit]:
        """The hits of the last of these messages."""
        return [self.say(text) for text in texts][-1].hits


@pytest.mark.parametrize(
    "texts",
    [
        ("海洛", "因"),
        ("海", "洛", "因"),
        ("海", "洛因！"),
        ("贷 ", "-款。"),
        ("METHA", "done"),
        ("麒", "婴", "鲲", "鹏"),
    ],
)
def test_a_term_cut_over_messages_is_a_hit_of_the_one_that_completes_it(texts: tuple[str, ...]) -> None:
    talk = Talk()
    judged = [talk.say(text) for text in texts]
    assert [len(each.hits) for each in judged] == [0] * (len(texts) - 1) + [1]
    (hit,) = judged[-1].hits
    assert hit.term in TERMS
    assert (hit.text, hit.start, hit.end, hit.field) == (texts[-1], 0, len(texts[-1]), "content")
    assert hit.evidence == [f"m{number}" for number in range(1, len(texts) + 1)]
    assert "split" in hit.via
    assert all(f"m{number}" in judged[-1].reasons[0] for number in range(1, len(texts)))


def test_it_makes_no_difference_whether_the_pieces_come_in_one_batch() -> None:
    fields = {"tenant_id": "t1", "conversation_id": "c", "sender_id": "a", "type": "text"}
    texts = ("海", "洛", "因")
    items = [
        decode_message(json.dumps({**fields, "message_id": f"m{n}", "content": text}).encode())
        for n, text in enumerate(texts)
    ]
    judgements = judge(items, [0, 1, 2], RULES, {})
    assert [len(each.hits) for each in judgements.each if isinstance(each, Judged)] == [0, 0, 1]
    assert list(judgements.windows) == ["c"]


def test_the_pieces_are_of_one_sender_one_conversation_and_one_tenant() -> None:
    others: list[dict[str, Any]] = [{"sender_id": "b"}, {"conversation_id": "d"}, {"tenant_id": "t2"}]
    for other in others:
        talk = Talk()
        talk.say("海洛")
        assert talk.say("因", **other).hits == (), other
        assert len(talk.say("因").hits) == 1


def test_what_is_written_in_between_does_not_hide_the_pieces() -> None:
    talk = Talk()
    talk.say("海洛")
    talk.say("今天天气不错啊，出来玩吗")
    talk.say("好", sender_id="b")
    assert len(talk.hits("哈哈", "因")) == 1


def test_the_pieces_stand_within_a_minute_by_their_own_times() -> None:
    for apart, found in ((WITHIN_MS, 1), (-WITHIN_MS, 1), (WITHIN_MS + 1, 0), (-WITHIN_MS - 1, 0)):
        talk = Talk()
        talk.say("海洛", at=10**12)
        assert len(talk.say("因", at=10**12 + apart).hits) == found, apart


def test_a_term_of_too_many_pieces_is_not_put_together() -> None:
    pieces = "麒婴鲲鹏貔貅饕"
    assert len(pieces) == MOST + 1
    held = rules(Entry(term=pieces))
    assert Talk(held).hits(*pieces) == ()
    assert len(Talk(held).hits(pieces[:2], *pieces[2:])) == 1


def test_ordinary_talk_never_makes_a_term() -> None:
    for texts in (("去看海洛", "因为好看"), ("我要贷", "款式好看"), ("上海", "洛阳", "因为"), ("海", "海洛", "为因")):
        assert Talk().hits(*texts) == (), texts
    held = rules(Entry(term="上门服务"), Entry(term="hot girls"), Entry(term="r8"))
    assert Talk(held).hits("送货上门", "服务很好") == ()
    assert Talk(held).hits("hot", "girls") == ()
    assert Talk(held).hits("r", "8") == ()


def test_a_message_that_came_twice_is_not_two_pieces() -> None:
    held = rules(Entry(term="麒麒"))
    talk = Talk(held)
    talk.say("麒", message_id="m")
    assert talk.say("麒", message_id="m").hits == ()
    assert talk.written == 1
    assert len(talk.say("麒", message_id="n").hits) == 1


def test_most_messages_leave_nothing_behind() -> None:
    talk = Talk()
    for text in ("好的", "海边", "晚上一起吃饭吗", "海洛因不能碰", "！！", "", "贷款", "因", None):
        talk.say(text)
    assert talk.written == 0


def test_what_is_remembered_is_the_beginning_of_a_term_and_bounded() -> None:
    talk = Talk()
    for number in range(200):
        talk.say("海", sender_id=f"s{number % 50}", at=0)
        talk.say("麒婴", sender_id="a", at=0)
    pieces = talk.windows["c"].pieces
    assert len(pieces) <= 32
    assert {piece.text for piece in pieces} == {"海", "麒婴"}
    assert sum(piece.sender_id == "a" for piece in pieces) <= 8


def test_old_pieces_make_room() -> None:
    talk = Talk()
    talk.say("海", at=0)
    talk.say("海", at=10 * WITHIN_MS)
    assert [piece.at for piece in talk.windows["c"].pieces] == [10 * WITHIN_MS]


def test_a_tenants_overlay_holds_for_pieces_as_well() -> None:
    own = OverlayDocument(
        tenant="t1", lexicons={"own": [Entry(term="竞品")]}, off=Off(terms=["贷款"]), allow=["海洛因"]
    )
    held = rules(*DRUGS, overlay=own)
    assert [hit.lexicon for hit in Talk(held).hits("竞", "品")] == ["t1"]
    assert Talk(held).hits("贷", "款") == Talk(held).hits("海洛", "因") == ()


def test_slang_that_needs_company_is_not_put_together() -> None:
    held = rules(Entry(term="麒婴", company=("克",)))
    assert Talk(held).hits("麒", "婴") == ()


def test_a_window_of_an_older_version_has_no_pieces() -> None:
    old = encode(Window("c"))
    assert decode(old).pieces == ()
    assert decode(b"\x93\xa1c\x90\x90") == Window("c")


words = st.text(st.sampled_from("甲乙丙"), min_size=1, max_size=5)


@given(st.lists(words, max_size=8), words)
def test_a_text_begins_a_term_if_some_term_is_longer(terms: list[str], text: str) -> None:
    cut = Cut(terms)
    long = [term for term in terms if len(term) > 1]
    assert cut.begins(text) == any(term.startswith(text) and term != text for term in long)
    assert cut.holds(text) == (text in long)


@given(st.lists(words, min_size=1, max_size=4), st.lists(words, max_size=6))
def test_what_completes_a_term_is_the_pieces_in_order(terms: list[str], texts: list[str]) -> None:
    cut, window = Cut(terms), None
    for number, text in enumerate(texts):
        (message,) = [
            decode_message(
                json.dumps(
                    {
                        "message_id": str(number),
                        "tenant_id": "t",
                        "conversation_id": "c",
                        "sender_id": "s",
                        "type": "text",
                    }
                ).encode()
            )
        ]
        joined = join(message, text, at=number, window=window, cuts=[cut])  # type: ignore[arg-type]
        window = joined.window
        for piece in joined.complete:
            assert piece.text in terms
            assert piece.text == "".join(texts[int(known)] for known in piece.messages)
            assert piece.messages[-1] == str(number)
            assert 2 <= len(piece.messages) <= MOST
        pairs = {texts[earlier] + text for earlier in range(number)}
        assert {term for term in terms if term in pairs and len(term) > 1} <= {piece.text for piece in joined.complete}


def test_a_piece_is_short() -> None:
    long = "麒" * (LONGEST + 1)
    assert Talk(rules(Entry(term=long + "婴"))).hits(long, "婴") == ()


def test_a_piece_is_kept_as_it_was() -> None:
    piece = Piece("t", "s", 5, "海洛", ("m1", "m2"))
    assert decode(encode(Window("c", pieces=(piece,)))).pieces == (piece,)


def test_a_masked_piece_is_masked_whole() -> None:
    held = rules(Entry(term="海洛因", severity=Severity.LOW))
    (hit,) = Talk(held).hits("海洛", "因 ")
    assert (hit.start, hit.end) == (0, 2)
