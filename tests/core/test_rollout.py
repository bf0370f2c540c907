"""A batch while rulesets are tried out: a canary decides for its share, a shadow decides nothing."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.model import ChatMessage, Record, Severity, Topic
from processor.rollout import Finding, settle
from processor.ruleset import Overlay, Rules, Trial
from processor.rulesets.compile import compile_overlay
from processor.rulesets.document import Entry, OverlayDocument
from processor.stream.codec import decode_all
from processor.stream.conversations import Conversations, Shadows
from tests.core.test_judge import PLACE, Given, raw, rules

# 转账 beside 公安局, which an earlier message of the conversation may hold, is a fraud to both sides.
OLD = rules(("旧词", "custom", Severity.HIGH), ("同词", "custom", Severity.MEDIUM))
NEW = rules(("新词", "custom", Severity.HIGH), ("同词", "custom", Severity.LOW))
NEW = replace(NEW, base=replace(NEW.base, version=5, digest="ef" * 32))
WORDS = ("", "旧词", "新词", "同词", "我是公安局的", "请转账到这个账户", "晚上吃饭")
Batches = Sequence[Sequence[tuple[int, int]]]  # of (conversation, word); word 0: bytes that are no message

batches = st.lists(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, len(WORDS) - 1)), min_size=1, max_size=12), max_size=5
)


def trial(mode: Literal["shadow", "canary"], share: float = 1.0, **changes: Any) -> Trial:
    given = {"tenant": None, "version": 5, "digest": "ef" * 32, "rules": NEW, "unit": "conversation"}
    return Trial(**{**given, "mode": mode, "share": share, **changes})


def trying(tried: Trial, *, old: Rules = OLD) -> Rules:
    return Rules(base=old.base, overlays=old.overlays, trials={tried.tenant: tried})


def inputs(batch: Sequence[tuple[int, int]], first: int = 0) -> list[Given]:
    return [
        Given(
            value=raw(WORDS[word], first + n, conversation_id=f"c{who}", tenant_id=f"t{who % 3}"),
            offset=first + n,
            key=f"c{who}".encode(),
        )
        if word
        else Given(value=b"{", offset=first + n)
        for n, (who, word) in enumerate(batch)
    ]


def stream(batches: Batches, rules: Rules) -> tuple[list[Record], list[Finding]]:
    """The terminal records of all batches, in order, and what they told; conversations are remembered."""
    windows = Conversations(most=1_000, ttl_ms=10**15)
    shadows = Shadows(most=1_000, ttl_ms=10**15)
    records: list[Record] = []
    findings: list[Finding] = []
    first = 0
    for batch in batches:
        given = inputs(batch, first)
        first += len(batch)
        settled = settle(given, *decode_all(given), rules, PLACE, 5, windows, shadows.of(rules))
        windows.apply(settled.outcome.windows, [], 5)
        shadows.apply(settled.shadowed, [], 5)
        records += [r for r in settled.outcome.records if r.topic not in {Topic.CONVERSATIONS, Topic.REMINDER}]
        findings += settled.findings
        assert settled.outcome.tally.verdicts.total() == len(batch)
    return records, findings


def verdicts(records: Sequence[Record]) -> list[str]:
    return [dict(record.headers)["chatguard-verdict"].decode() for record in records]


@given(batches)
def test_a_shadow_changes_nothing_of_what_comes_out(batches: Batches) -> None:
    assert stream(batches, trying(trial("shadow")))[0] == stream(batches, OLD)[0]


@given(batches)
def test_a_shadow_tells_what_the_candidate_alone_would_have_decided(batches: Batches) -> None:
    _, findings = stream(batches, trying(trial("shadow")))
    old, new = verdicts(stream(batches, OLD)[0]), verdicts(stream(batches, NEW)[0])
    told: Counter[tuple[str, str]] = sum((finding.changes for finding in findings), Counter())
    assert told == Counter(pair for pair in zip(old, new, strict=True) if "dead" not in pair)


@given(batches, st.floats(0, 1))
def test_each_conversation_comes_out_as_if_its_side_had_judged_everything(batches: Batches, share: float) -> None:
    canary = trial("canary", share)
    records, findings = stream(batches, trying(canary))
    sides = stream(batches, OLD)[0], stream(batches, NEW)[0]
    words = [place for batch in batches for place in batch]
    expected = [
        new if word and canary.takes(message(conversation=f"c{who}")) else old
        for (who, word), old, new in zip(words, *sides, strict=True)
    ]
    assert records == expected
    judged: Counter[str] = sum((finding.verdicts for finding in findings), Counter())
    others: Counter[str] = sum((finding.in_force for finding in findings), Counter())
    assert (judged + others).total() == sum(1 for _, word in words if word)


@given(batches)
def test_a_canary_of_everything_is_the_candidate_in_force(batches: Batches) -> None:
    # Bytes that are no message are nobody's, and go out under what is in force.
    records, alone = stream(batches, trying(trial("canary")))[0], stream(batches, NEW)[0]
    assert [r for r in records if r.topic != "dead-letter"] == [r for r in alone if r.topic != "dead-letter"]


@pytest.mark.parametrize("mode", ["shadow", "canary"])
def test_a_batch_counts_what_its_own_verdicts_rejected_whoever_watches(mode: Literal["shadow", "canary"]) -> None:
    old, new = rules(("代孕", "x", Severity.HIGH)), rules(("迷药", "x", Severity.HIGH))
    given = [
        Given(value=raw(text, n, conversation_id=f"c{n}"), offset=n, key=f"c{n}".encode())
        for n, text in enumerate(["时代孕育了他", "行情低迷药价也没涨"] * 8)
    ]
    tried = trial(mode, 0.5, rules=new)
    canaries = [mode == "canary" and tried.takes(message(conversation=f"c{n}")) for n in range(len(given))]
    settled = settle(given, *decode_all(given), trying(tried, old=old), PLACE, 5, {}, {})
    expected = Counter(("base", ("代孕", "迷药")[n % 2]) for n, canary in enumerate(canaries) if canary == bool(n % 2))
    assert settled.outcome.tally.rejected == expected


def test_the_header_names_the_version_that_judged() -> None:
    canary = trial("canary", 0.5)
    records, _ = stream([[(who, 6) for who in range(10)]], trying(canary))
    named = [dict(record.headers)["chatguard-ruleset"].partition(b"@")[0] for record in records]
    assert named == [b"5" if canary.takes(message(conversation=f"c{who}")) else b"4" for who in range(10)]
    assert set(named) == {b"4", b"5"}


@given(st.text(min_size=1), st.floats(0, 1), st.floats(0, 1))
def test_a_larger_share_takes_all_that_a_smaller_one_took(conversation: str, one: float, other: float) -> None:
    small, large = sorted((one, other))
    taken = message(conversation=conversation)
    assert trial("canary", large).takes(taken) or not trial("canary", small).takes(taken)


@pytest.mark.parametrize("unit", ["conversation", "tenant"])
def test_a_share_takes_about_as_many_and_each_candidate_others(unit: str) -> None:
    each = [message(conversation=f"c{n}", tenant=f"t{n}") for n in range(4_000)]
    one, other = trial("canary", 0.25, unit=unit), trial("canary", 0.25, unit=unit, digest="12" * 32)
    taken = [n for n, m in enumerate(each) if one.takes(m)]
    assert 850 < len(taken) < 1_150
    assert 150 < sum(other.takes(each[n]) for n in taken) < 350


def test_a_tenant_is_in_the_share_with_all_its_conversations() -> None:
    by_tenant = trial("canary", 0.5, unit="tenant")
    for tenant in range(50):
        assert len({by_tenant.takes(message(conversation=f"c{n}", tenant=f"t{tenant}")) for n in range(20)}) == 1


def test_a_tenants_candidate_is_tried_on_that_tenant_only_and_before_the_base_s() -> None:
    own = overlay("旧词")
    with_own = Rules(base=OLD.base, overlays={"t1": own})
    tried = trial(
        "canary", tenant="t1", version=own.version, rules=Rules(base=OLD.base, overlays={"t1": overlay("自己")})
    )
    both = Rules(base=with_own.base, overlays=with_own.overlays, trials={None: trial("canary"), "t1": tried})
    assert both.trial(message(tenant="t1")) == tried
    assert both.trial(message(tenant="t2")) == both.trials[None]
    assert trying(tried).trial(message(tenant="t2")) is None


def test_what_is_on_probation_is_counted_by_its_own_messages() -> None:
    own = overlay("自己")
    watched = Rules(base=OLD.base, overlays={"t1": own}, probation=frozenset({None, "t1"}))
    _, findings = stream([[(0, 1), (1, 1), (1, 6), (2, 0)]], watched)
    told = {finding.tenant: (finding.version, finding.mode, dict(finding.verdicts)) for finding in findings}
    assert told == {None: (4, "probation", {"block": 2, "pass": 1}), "t1": (7, "probation", {"block": 1, "pass": 1})}


def overlay(word: str) -> Overlay:
    document = OverlayDocument(tenant="t1", lexicons={"own": [Entry(term=word)]})
    return compile_overlay(document, version=7, digest="cd" * 32)


def message(*, conversation: str = "c1", tenant: str = "t1") -> ChatMessage:
    return ChatMessage(message_id="m", tenant_id=tenant, conversation_id=conversation, sender_id="a", type="text")
