"""The demo's traffic is what it claims to be, and the built-in ruleset judges it as it should."""

from collections import Counter, defaultdict
from functools import cache
from statistics import median

import pytest

from processor.demo import offers
from processor.demo.schemes import SCHEMES, with_check_digit
from processor.demo.traffic import Kind, Message, labelled, stream
from processor.judge import Judged, judge
from processor.model import Action, ChatMessage, Malformed, Severity
from processor.ruleset import Rules
from processor.rulesets.compile import compile_base
from processor.rulesets.directory import builtin
from processor.stream.codec import decode

START_MS = 1_780_000_000_000
COUNT = 40_000


@cache
def messages() -> tuple[Message, ...]:
    return tuple(labelled(COUNT, seed=1, start_ms=START_MS))


def of_kind(*kinds: Kind) -> list[ChatMessage]:
    items = [decode(message.value) for message in messages() if message.kind in kinds]
    assert items
    assert all(isinstance(item, ChatMessage) for item in items)
    return [item for item in items if isinstance(item, ChatMessage)]


@cache
def judged() -> dict[Kind, list[tuple[ChatMessage, Judged]]]:
    items = [decode(message.value) for message in messages()]
    times = [item.sent_at or 0 if isinstance(item, ChatMessage) else 0 for item in items]
    each = judge(items, times, Rules(base=compile_base(builtin(), version=0, digest="0" * 64)), {}).each
    found = defaultdict(list)
    for message, item, judgement in zip(messages(), items, each, strict=True):
        if isinstance(item, ChatMessage):
            assert isinstance(judgement, Judged), judgement
            found[message.kind].append((item, judgement))
    return found


def test_the_same_seed_gives_the_same_bytes() -> None:
    once = list(stream(3_000, seed=7, start_ms=START_MS))
    assert list(stream(3_000, seed=7, start_ms=START_MS)) == once
    assert list(stream(3_000, seed=8, start_ms=START_MS)) != once


def test_a_longer_stream_begins_as_a_shorter_one_does() -> None:
    assert list(stream(500, seed=7, start_ms=START_MS)) == list(stream(2_000, seed=7, start_ms=START_MS))[:500]


def test_only_garbage_is_no_message_and_all_garbage_is_none() -> None:
    malformed = {isinstance(decode(message.value), Malformed) for message in messages() if message.kind is Kind.GARBAGE}
    assert malformed == {True}
    assert len({type(decode(m.value)) for m in messages() if m.kind is not Kind.GARBAGE}) == 1


def test_garbage_is_malformed_in_many_ways() -> None:
    items = [decode(message.value) for message in messages() if message.kind is Kind.GARBAGE]
    assert len({item.reason for item in items if isinstance(item, Malformed)}) >= 10


def test_time_never_goes_back_and_ids_are_unique() -> None:
    items = [item for item in map(decode, (m.value for m in messages())) if isinstance(item, ChatMessage)]
    times = [item.sent_at or 0 for item in items]
    assert times[0] >= START_MS
    assert times == sorted(times)
    assert len({item.message_id for item in items}) == len(items)


def test_a_record_is_keyed_by_its_conversation() -> None:
    for message in messages():
        item = decode(message.value)
        if isinstance(item, ChatMessage):
            assert item.conversation_id.encode() == message.key


def test_people_talk_in_many_tenants_and_conversations_direct_and_in_groups() -> None:
    items = of_kind(Kind.TALK)
    assert len({item.tenant_id for item in items}) >= 60
    assert len({item.conversation_id for item in items}) > 3_000
    kinds = Counter(item.conversation_type for item in items)
    assert min(kinds["direct"], kinds["group"]) > len(items) / 5
    assert all(item.sender_id not in (item.receiver_ids or []) for item in items)


def test_chinese_small_talk_is_as_short_as_chat_is_and_differs() -> None:
    lines = [item.content or "" for item in of_kind(Kind.TALK)]
    chinese = [line for line in lines if any("\u4e00" <= char <= "\u9fff" for char in line)]
    assert 8 <= median(map(len, chinese)) <= 13
    assert len(set(chinese)) > len(chinese) / 3
    assert len(chinese) > len(lines) / 2


def test_some_attachments_have_words_and_some_have_none() -> None:
    items = of_kind(Kind.PICTURE)
    assert {"image", "file", "voice", "card"} == {item.type for item in items}
    assert 0.2 < sum(bool(item.texts) for item in items) / len(items) < 0.8


def test_frauds_unfold_over_several_messages_among_the_traffic_of_others() -> None:
    conversations: dict[bytes, list[int]] = defaultdict(list)
    for number, message in enumerate(messages()):
        if message.kind is Kind.FRAUD:
            conversations[message.key].append(number)
    assert median(map(len, conversations.values())) >= 4
    assert all(last - first > 1 for first, *_, last in (c for c in conversations.values() if len(c) > 3))


def test_every_scheme_asks_for_money_once_it_has_said_something_else() -> None:
    for scheme in (*SCHEMES["zh"], *SCHEMES["en"]):
        asks = [number for number, line in enumerate(scheme.lines) if line.startswith("S! ")]
        assert asks
        assert asks[0] >= 2
        assert all(line.startswith(("S ", "V ", "S! ")) for line in scheme.lines)


def test_card_numbers_check_out() -> None:
    assert with_check_digit("7992739871") == "79927398713"
    assert with_check_digit("411111111111111") == "4111111111111111"


def test_the_terms_of_the_offers_stand_in_the_lexicons_with_the_severity_they_are_listed_under() -> None:
    severities = {entry.term: entry.severity for entries in builtin().lexicons.values() for entry in entries}
    expected = {
        Severity.HIGH: [*offers.BLOCKED_ENGLISH, *(term for term, _ in offers.BLOCKED)],
        Severity.MEDIUM: [*offers.REVIEWED_ENGLISH, *(term for term, _ in offers.REVIEWED)],
        Severity.LOW: [*offers.MASKED_ENGLISH, *(term for term, _ in offers.MASKED)],
    }
    assert {term: severities.get(term) for terms in expected.values() for term in terms} == {
        term: severity for severity, terms in expected.items() for term in terms
    }
    assert offers.PRODUCT not in severities


def test_two_to_four_in_a_hundred_are_flagged() -> None:
    flagged = sum(judgement.action.flags for each in judged().values() for _, judgement in each)
    assert 0.02 <= flagged / COUNT <= 0.04


@pytest.mark.parametrize("kind", [Kind.TALK, Kind.NOTICE, Kind.QUESTION, Kind.PRODUCT])
def test_nothing_is_flagged_that_harms_nobody(kind: Kind) -> None:
    assert [item.content for item, judgement in judged()[kind] if judgement.action is not Action.PASS] == []


def test_every_offer_is_flagged_in_whatever_disguise() -> None:
    assert [item.content for item, judgement in judged()[Kind.OFFER] if not judgement.action.flags] == []
    via = {way for _, judgement in judged()[Kind.OFFER] for hit in judgement.hits for way in hit.via}
    assert via >= {"separator", "invisible", "variant", "case", "width"}


def test_every_mention_is_masked() -> None:
    assert {judgement.action for _, judgement in judged()[Kind.MENTION]} == {Action.MASK}


def test_whoever_asks_whether_something_is_a_fraud_is_answered() -> None:
    asked = judged()[Kind.QUESTION]
    assert sum(judgement.remind for _, judgement in asked) > len(asked) * 0.9


def test_every_type_of_fraud_in_the_traffic_is_found_with_its_evidence() -> None:
    fired = [judgement.fraud for _, judgement in judged()[Kind.FRAUD] if judgement.fraud]
    types = Counter(kind for fraud in fired for kind in fraud.types)
    assert set(types) >= {scheme.type for scheme in (*SCHEMES["zh"], *SCHEMES["en"])}
    assert sum(len(fraud.evidence) > 1 for fraud in fired) > len(fired) / 2
