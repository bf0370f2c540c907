"""A batch through the judge and the router: what becomes of a message, and why."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.errors import Invalid
from processor.fraud.entities import find_entities
from processor.fraud.window import recipient, to_bytes
from processor.judge import judge
from processor.model import Action, ChatMessage, Header, Severity, Topic
from processor.policy import Policy, decide, parse
from processor.routing import Outcome, Place, route
from processor.ruleset import Overlay, Rules
from processor.rulesets.compile import compile_base, compile_overlay
from processor.rulesets.directory import builtin
from processor.rulesets.document import BaseDocument, Entry, FraudDocument, Off, OverlayDocument, Regrade
from processor.stream.codec import decode, decode_all
from processor.stream.conversations import Conversations

BUILTIN = builtin()
PLACE = Place(topic="chat.raw", partition=3)
RULE: dict[str, Any] = {
    "id": "FR-GJ-900",
    "version": 2,
    "status": "active",
    "type": "GJ",
    "title": {"zh": "自称公安要求转账", "en": "Claims to be the police and asks for money"},
    "severity": "high",
    "score": 60,
    "stage": "pay",
    "terms": {"auth": ["公安局"], "move": ["转账"]},
    "when": {"all_of": ["auth", "move"]},
    "source": ["a test"],
    "tests": {"hit": ["公安局 转账"] * 3, "miss": ["转账"] * 3},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """An input record."""

    value: bytes | None
    offset: int = 0
    timestamp: int = 1_780_000_000_000
    key: bytes | None = b"c1"
    headers: Sequence[Header] = field(default_factory=list)


def rules(*entries: tuple[str, str, Severity], overlay: OverlayDocument | None = None, **parts: Any) -> Rules:
    lexicon = [Entry(term=term, category=category, severity=severity) for term, category, severity in entries]
    document = BaseDocument(
        lexicons={"test": lexicon},
        fraud=FraudDocument(groups={"warning": ["谨防"], "inquiry": ["是不是诈骗"]}, rules=[RULE]),
        reminders=BUILTIN.reminders,
        policy=BUILTIN.policy,
        **parts,
    )
    base = compile_base(document, version=4, digest="ab" * 32)
    overlays: dict[str, Overlay] = {}
    if overlay:
        overlays[overlay.tenant] = compile_overlay(overlay, version=7, digest="cd" * 32)
    return Rules(base=base, overlays=overlays)


def raw(content: str | None = None, number: int = 1, **fields: Any) -> bytes:
    message = {
        "message_id": f"m{number}",
        "tenant_id": "t1",
        "conversation_id": "c1",
        "sender_id": "a",
        "receiver_ids": ["b"],
        "type": "text",
        "content": content,
        **fields,
    }
    return json.dumps(message, ensure_ascii=False).encode()


def run(values: Sequence[bytes], rules: Rules, place: Place = PLACE, **given: Any) -> Outcome:
    inputs = [Given(value=value, offset=100 + number, **given) for number, value in enumerate(values)]
    items, times = decode_all(inputs)
    return route(inputs, items, judge(items, times, rules, {}), rules, place, now=5)


def only(outcome: Outcome) -> tuple[Topic, Any]:
    """The one terminal record of an outcome, as its topic and value."""
    (record,) = [r for r in outcome.records if r.topic in {Topic.DELIVERED, Topic.FLAGGED, Topic.DEAD_LETTER}]
    return record.topic, record.value


HEROIN = ("海洛因", "drugs", Severity.HIGH)


def test_a_clean_message_is_delivered_byte_for_byte() -> None:
    value = raw("晚上一起吃饭吗", ext={"a": [1, 2.50]})
    (record,) = run([value], rules(HEROIN)).records
    assert (record.topic, record.value, record.key, record.partition) == (Topic.DELIVERED, value, b"c1", 3)
    assert dict(record.headers) == {
        "chatguard-origin": b"chat.raw/3/100",
        "chatguard-verdict": b"pass",
        "chatguard-ruleset": b"4@abababababab",
    }


def test_a_flagged_message_carries_its_reasons_and_the_input() -> None:
    topic, value = only(run([raw("出售海-洛因")], rules(HEROIN)))
    envelope = json.loads(value)
    assert topic is Topic.FLAGGED
    assert envelope["action"] == "block"
    assert envelope["verdict"] == "flag"
    assert envelope["hits"] == [
        {
            "term": "海洛因",
            "text": "海-洛因",
            "start": 2,
            "end": 6,
            "field": "content",
            "category": "drugs",
            "severity": "high",
            "lexicon": "base",
            "via": ["separator"],
        }
    ]
    assert envelope["message"] == json.loads(raw("出售海-洛因"))
    assert envelope["ruleset"] == {"base": "4@abababababab", "tenant": None}
    assert envelope["fraud"] is None
    assert len(envelope["reasons"]) == 1


@pytest.mark.parametrize(
    ("severity", "topic", "verdict"),
    [
        (Severity.HIGH, Topic.FLAGGED, b"block"),
        (Severity.MEDIUM, Topic.FLAGGED, b"review"),
        (Severity.LOW, Topic.DELIVERED, b"mask"),
        (Severity.LOG, Topic.DELIVERED, b"pass"),
    ],
)
def test_severity_decides_what_happens(severity: Severity, topic: Topic, verdict: bytes) -> None:
    (record,) = run([raw("有海洛因")], rules(("海洛因", "drugs", severity))).records
    assert (record.topic, dict(record.headers)["chatguard-verdict"]) == (topic, verdict)


def test_masking_replaces_the_word_and_keeps_every_other_byte() -> None:
    value = raw("有😀海洛因吧", texts=["海洛因", "好"], ext={"price": 1.50})
    topic, masked = only(run([value], rules(("海洛因", "drugs", Severity.LOW))))
    assert topic is Topic.DELIVERED
    assert json.loads(masked) == json.loads(value) | {"content": "有😀***吧", "texts": ["***", "好"]}
    assert b"1.50" in masked or b"1.5" in masked


def test_captions_are_judged_and_media_addresses_are_not() -> None:
    caption = raw("海洛因", type="image", texts=["好", "海洛因"])
    envelope = json.loads(only(run([caption], rules(HEROIN)))[1])
    assert [hit["field"] for hit in envelope["hits"]] == ["texts[1]"]
    assert only(run([raw("海洛因", type="image")], rules(HEROIN)))[0] is Topic.DELIVERED


def test_a_malformed_message_is_a_dead_letter_with_its_bytes_and_the_reason() -> None:
    (record,) = run([b"\xff{"], rules(HEROIN), headers=[("trace", b"1"), ("chatguard-origin", b"old/0/0")]).records
    headers = dict(record.headers)
    assert (record.topic, record.value, record.key) == (Topic.DEAD_LETTER, b"\xff{", b"c1")
    assert headers["chatguard-verdict"] == b"dead"
    assert headers["chatguard-origin"] == b"chat.raw/3/100"
    assert headers["chatguard-error-kind"] == b"malformed"
    assert headers["chatguard-error-offset"] == b"100"
    assert headers["trace"] == b"1"
    assert [key for key, _ in record.headers].count("chatguard-origin") == 1


def test_a_record_too_large_for_its_topic_becomes_a_dead_letter_that_says_so() -> None:
    place = Place(topic="chat.raw", partition=0, limits={Topic.DELIVERED: 400})
    value = raw("好" * 400)
    (record,) = run([value], rules(HEROIN), place).records
    assert (record.topic, record.value) == (Topic.DEAD_LETTER, value)
    assert dict(record.headers)["chatguard-error-kind"] == b"oversize"


def test_a_dead_letter_too_large_even_for_its_topic_leaves_the_value_out_and_says_so() -> None:
    # What a producer has compressed may be many times larger than the limit of the topic that it is in.
    place = Place(topic="chat.raw", partition=3, limits={Topic.DEAD_LETTER: 900})
    headers = [("theirs", b"x" * 900)]
    (record,) = run([b"{" + b" " * 1_000], rules(HEROIN), place, headers=headers).records
    assert (record.topic, record.key, record.value) == (Topic.DEAD_LETTER, b"c1", None)
    ours = dict(record.headers)
    assert "theirs" not in ours
    assert ours["chatguard-error-kind"] == b"oversize"
    assert ours["chatguard-origin"] == b"chat.raw/3/100"
    assert b"left out" in ours["chatguard-error-message"]


def test_the_victim_is_reminded_even_if_the_message_becomes_a_dead_letter_for_its_size() -> None:
    # The recipient's window remembers that a reminder was given; were it not sent, the next ones would be held back.
    place = Place(topic="chat.raw", partition=3, limits={Topic.FLAGGED: 1_000})
    outcome = run([raw("我是公安局的，马上转账" + "好" * 400)], rules(), place)
    written = [record.topic for record in outcome.records]
    assert (written[:2], {*written[2:]}) == ([Topic.DEAD_LETTER, Topic.REMINDER], {Topic.CONVERSATIONS})
    assert outcome.tally.reminders == {"sent": 1}


def test_a_fraud_conversation_is_flagged_and_its_victim_reminded_once() -> None:
    lines = ["我是公安局的", "你马上转账", "快转账", "转账了吗"]
    outcome = run([raw(line, number) for number, line in enumerate(lines)], rules())
    topics = [record.topic for record in outcome.records]
    assert topics.count(Topic.FLAGGED) == 3
    (reminder,) = [json.loads(r.value or b"") for r in outcome.records if r.topic is Topic.REMINDER]
    assert (reminder["recipient_id"], reminder["recipient_role"], reminder["fraud_type"]) == ("b", "receiver", "GJ")
    assert reminder["message_id"] == "m1"
    windows = [record for record in outcome.records if record.topic is Topic.CONVERSATIONS]
    assert [(window.key, window.partition) for window in windows] == [(b"c1", 3), (to_bytes(recipient("t1", "b")), 3)]
    assert outcome.tally.reminders == {"sent": 1, "cooldown": 2}


def test_a_warning_that_quotes_fraud_words_fires_nothing() -> None:
    scam = ("资金清查", "fraud", Severity.HIGH)
    outcome = run([raw("谨防公安局转账资金清查骗局")], rules(scam))
    assert only(outcome)[0] is Topic.DELIVERED
    assert outcome.tally.reminders == {}


def test_a_victim_who_asks_is_reminded_and_never_flagged() -> None:
    outcome = run([raw("公安局让我转账，是不是诈骗")], rules(("转账", "fraud", Severity.HIGH)))
    assert only(outcome)[0] is Topic.DELIVERED
    (reminder,) = [json.loads(r.value or b"") for r in outcome.records if r.topic is Topic.REMINDER]
    assert (reminder["recipient_id"], reminder["recipient_role"]) == ("a", "sender")


def test_an_overlay_adds_allows_regrades_and_switches_off_for_its_tenant_alone() -> None:
    overlay = OverlayDocument(
        tenant="t1",
        lexicons={"own": [Entry(term="竞品手机", category="custom", severity=Severity.MEDIUM)]},
        allow=["海洛因研究所"],
        regrade=[Regrade(category="drugs", severity=Severity.LOG)],
        off=Off(terms=["赌场"]),
    )
    held = rules(HEROIN, ("赌场", "gambling", Severity.HIGH), overlay=overlay)
    cases: Mapping[tuple[str, str], Topic] = {
        ("t1", "竞品手机"): Topic.FLAGGED,
        ("t2", "竞品手机"): Topic.DELIVERED,
        ("t1", "海洛因"): Topic.DELIVERED,
        ("t2", "海洛因"): Topic.FLAGGED,
        ("t1", "赌场"): Topic.DELIVERED,
        ("t2", "赌场"): Topic.FLAGGED,
        ("t2", "海洛因研究所"): Topic.FLAGGED,
    }
    for (tenant, text), topic in cases.items():
        assert only(run([raw(text, tenant_id=tenant)], held))[0] is topic, (tenant, text)
    (record,) = run([raw("好")], held).records
    assert dict(record.headers)["chatguard-ruleset"] == b"4@abababababab+7@cdcdcdcdcdcd"
    envelope = json.loads(only(run([raw("竞品手机")], held))[1])
    assert envelope["hits"][0]["lexicon"] == "t1"
    assert envelope["ruleset"]["tenant"] == "7@cdcdcdcdcdcd"


def test_an_overlay_may_spell_a_term_of_the_base_in_another_way() -> None:
    overlay = OverlayDocument(
        tenant="t1",
        regrade=[Regrade(term="HEROIN", severity=Severity.LOG)],
        off=Off(terms=["貸款", "Wire-Transfer"]),
    )
    terms = [(term, "custom", Severity.HIGH) for term in ("heroin", "贷款", "wire transfer")]
    assert only(run([raw("heroin 贷款 wire transfer")], rules(*terms, overlay=overlay)))[0] is Topic.DELIVERED


def test_an_allowed_phrase_covers_a_term_inside_it_only() -> None:
    overlay = OverlayDocument(tenant="t1", allow=["海洛因研究所"])
    held = rules(HEROIN, overlay=overlay)
    assert only(run([raw("海洛因研究所")], held))[0] is Topic.DELIVERED
    assert only(run([raw("海洛因研究所卖海洛因")], held))[0] is Topic.FLAGGED


def test_the_tally_counts_each_term_by_the_lexicon_it_is_of() -> None:
    overlay = OverlayDocument(tenant="t1", lexicons={"own": [Entry(term="竞品名")]})
    both = rules(("赌博", "gambling", Severity.LOW), overlay=overlay)
    outcome = run([raw("赌博赌-博竞品名"), raw("赌博", tenant_id="t2"), raw("晚上吃饭吗")], both)
    assert outcome.tally.terms == {("base", "赌博"): 3, ("t1", "竞品名"): 1}
    assert outcome.tally.rejected == {}


def test_the_tally_counts_as_rejected_what_a_phrase_allows_and_not_what_is_switched_off() -> None:
    overlay = OverlayDocument(tenant="t1", allow=["海洛因研究所"], off=Off(terms=["云朵杯"]))
    both = rules(HEROIN, ("云朵杯", "x", Severity.HIGH), overlay=overlay)
    outcome = run([raw("海洛因研究所办云朵杯"), raw("海洛因研究所", tenant_id="t2")], both)
    assert outcome.tally.rejected == {("base", "海洛因"): 1}
    assert outcome.tally.terms == {("base", "海洛因"): 1}


def test_the_tally_counts_what_was_found_and_rejected() -> None:
    overlay = OverlayDocument(tenant="t1", lexicons={"own": [Entry(term="迷药")]})
    both = rules(("代孕", "x", Severity.HIGH), overlay=overlay)
    outcome = run([raw("时代孕育了他"), raw("行情低迷药价也没涨"), raw("包成功代孕套餐")], both)
    assert outcome.tally.rejected == {("base", "代孕"): 1, ("t1", "迷药"): 1}
    assert outcome.tally.terms == {("base", "代孕"): 1}


def test_a_word_that_comes_often_is_one_reason() -> None:
    envelope = json.loads(only(run([raw("海洛因" * 3)], rules(HEROIN)))[1])
    assert len(envelope["hits"]) == 3
    assert len(envelope["reasons"]) == 1


def test_a_term_listed_twice_is_one_hit() -> None:
    envelope = json.loads(only(run([raw("出售海洛因")], rules(HEROIN, HEROIN, aliases={"海洛因": "海洛因"})))[1])
    assert len(envelope["hits"]) == 1


def test_an_alias_of_a_sign_means_that_sign_alone() -> None:
    signs = ("💊", "drugs", Severity.HIGH), ("🔫", "weapons", Severity.HIGH)
    envelope = json.loads(only(run([raw("卖药丸")], rules(*signs, aliases={"药丸": "💊"})))[1])
    assert [hit["term"] for hit in envelope["hits"]] == ["💊"]


def test_a_ruleset_without_a_policy_is_refused_by_name() -> None:
    with pytest.raises(Invalid, match=r"policy\.yaml"):
        compile_base(BaseDocument(), version=1, digest="ab" * 32)


def test_an_alias_means_its_term() -> None:
    envelope = json.loads(only(run([raw("有HLY吗")], rules(HEROIN, aliases={"hly": "海洛因"})))[1])
    assert (envelope["hits"][0]["term"], envelope["hits"][0]["text"]) == ("海洛因", "HLY")
    assert "alias" in envelope["hits"][0]["via"]


def test_an_alias_of_an_unknown_term_is_refused() -> None:
    with pytest.raises(Invalid, match="no lexicon or rule has the term"):
        rules(aliases={"hly": "海洛因"})


@given(st.lists(st.binary(max_size=60) | st.just(raw("出售海洛因")) | st.just(raw("好")), max_size=8))
def test_every_input_has_exactly_one_terminal_record_in_order(values: list[bytes]) -> None:
    outcome = run(values, HELD)
    origins = [
        int(dict(record.headers)["chatguard-origin"].split(b"/")[-1])
        for record in outcome.records
        if record.topic in {Topic.DELIVERED, Topic.FLAGGED, Topic.DEAD_LETTER}
    ]
    assert origins == list(range(100, 100 + len(values)))
    assert outcome.tally.verdicts.total() == len(values)


def test_a_message_that_breaks_the_judge_is_a_dead_letter_and_the_others_are_judged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(text: str, field: str = "content") -> Any:
        if "炸" in text:
            raise ZeroDivisionError
        return find_entities(text, field)

    monkeypatch.setattr("processor.judge.find_entities", broken)
    outcome = run([raw("好"), raw("炸 13812345678"), raw("出售海洛因")], HELD)
    assert [r.topic for r in outcome.records] == [Topic.DELIVERED, Topic.DEAD_LETTER, Topic.FLAGGED]
    assert outcome.tally.dead == {"judge": 1}
    assert dict(outcome.records[1].headers)["chatguard-error-message"] == b"ZeroDivisionError while judging"


@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_malformed(value: bytes) -> None:
    decode(value)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
FIELDS = [*ChatMessage.__struct_fields__, "unknown"]


@given(st.dictionaries(st.sampled_from(FIELDS), json_values))
def test_any_json_object_is_judged_or_malformed_and_never_raises(fields: dict[str, Any]) -> None:
    outcome = run([json.dumps(json.loads(raw("转账")) | fields).encode()], HELD)
    assert outcome.tally.verdicts.total() == 1


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "no value"),
        (b"", "not JSON"),
        (b"[]", "object"),
        (b"{}", "message_id"),
        (raw("x", message_id=""), "message_id"),
        (raw("x", message_id=7), "message_id"),
        (raw("x", sender_id="u" * 513), "sender_id"),
        (raw("x", receiver_ids="b"), "receiver_ids"),
        (raw("x", sent_at="now"), "sent_at"),
        (raw("x", conversation_type="channel"), "conversation_type"),
        (raw("x", ext=[]), "ext"),
        (b'{"message_id":"\\ud800"}', "not JSON"),
    ],
)
def test_the_reason_of_a_dead_letter_names_the_field(value: bytes | None, reason: str) -> None:
    item = decode(value)
    assert not isinstance(item, ChatMessage)
    assert reason in item.reason


@given(st.text())
def test_the_reason_of_a_dead_letter_never_holds_what_the_message_holds(text: str) -> None:
    value = raw("", conversation_type=f"secret{text}secret - at `$.x`")
    assert getattr(decode(value), "reason", "") == "not a chat message: Invalid enum value - at `$.conversation_type`"


def test_null_is_absent_for_optional_fields() -> None:
    fields: dict[str, Any] = dict.fromkeys(["receiver_ids", "sent_at", "sender", "texts", "ext", "contact_since"])
    assert isinstance(decode(raw(None, **fields)), ChatMessage)


@given(st.integers())
def test_a_clock_that_shows_no_sensible_year_counts_for_nothing(sent_at: int) -> None:
    _, (at,) = decode_all([Given(value=raw("x", sent_at=sent_at), timestamp=77)])
    assert at == (sent_at if 0 <= sent_at < 253_402_300_800_000 else 77)


POLICY = parse(BUILTIN.policy)
hits = st.lists(
    st.tuples(st.sampled_from(["drugs", "custom", "terror"]), st.sampled_from(list(Severity))), min_size=1, max_size=5
)


@given(hits, hits)
def test_more_hits_never_give_a_milder_action(
    some: list[tuple[str, Severity]], more: list[tuple[str, Severity]]
) -> None:
    assert action(POLICY, some).rank <= action(POLICY, [*some, *more]).rank


def action(policy: Policy, graded: list[tuple[str, Severity]]) -> Action:
    from processor.model import Hit

    found = [Hit("x", "x", 0, 1, "content", category, severity, "base") for category, severity in graded]
    return decide(policy, found, None, (), quoted=False).action


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {**BUILTIN.policy, "fraud": {"review_at": 20, "remind_at": 30}},
        {**BUILTIN.policy, "actions": {"default": {"high": "block"}}},
        {**BUILTIN.policy, "actions": {"default": {"high": "explode"}}},
        {**BUILTIN.policy, "typo": 1},
    ],
)
def test_a_policy_with_a_gap_or_a_typo_is_refused(broken: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        parse(broken)


def test_conversations_are_bounded_in_number_and_in_idle_time() -> None:
    from processor.fraud.window import Window

    kept = Conversations(most=3, ttl_ms=100)
    for number in range(3):
        kept.apply({f"c{number}": Window(f"c{number}")}, [], at=number)
    new = {"c3": Window("c3")}
    assert kept.stale(new, now=50) == ["c0"]
    assert kept.stale({}, now=50) == []
    assert kept.stale({}, now=102) == ["c0", "c1"]
    kept.apply(new, ["c0"], at=50)
    assert list(kept) == ["c1", "c2", "c3"]


HELD = rules(HEROIN)


def test_verdicts_encode_as_the_contract_says() -> None:
    assert msgspec.json.decode(only(run([raw("出售海洛因")], HELD))[1], type=dict[str, Any]).keys() >= {"message"}
