"""What became of what the rules said: reminders, flagged messages and feedback, joined and counted. Pure.

A rule *fired* in each message whose verdict or reminder cites it. Feedback is about one message, named by itself or by
a reminder of it. Whether it was a fraud is what the latest `confirmed` or `rejected` says, a reviewer's before a
user's; precision is the confirmed part of what was decided. What users do (stopped, reported, blocked, paid) is counted
beside it and decides nothing: people report friends, and pay what they owe.

A term of a lexicon is *overturned* in each flagged message with it that a reviewer's latest word rejects.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

import msgspec
from msgspec import Struct

KINDS = ("stopped", "reported", "blocked", "paid", "confirmed", "rejected")
DECIDING = ("confirmed", "rejected")
_Z = 1.959964  # 95 %


class Feedback(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One thing that happened to a reminder or a flagged message; at least one of the two ids is there."""

    reminder_id: str | None = None
    message_id: str | None = None
    tenant_id: str
    kind: Literal["stopped", "reported", "blocked", "paid", "confirmed", "rejected"]
    at: int
    by_role: Literal["user", "reviewer"]

    def __post_init__(self) -> None:
        """Refuses feedback about nothing."""
        if not (self.reminder_id or self.message_id):
            raise ValueError("needs a reminder_id or a message_id")


class RuleStats(Struct, frozen=True, kw_only=True):
    """One rule, as verdicts cite it, and what became of it; all counts are of messages."""

    rule: str
    fired: int
    reminded: int
    flagged: int
    stopped: int
    reported: int
    blocked: int
    paid: int
    confirmed: int
    rejected: int
    precision: float | None  # None while nothing was decided
    precision_from: float | None  # 95 % interval (Wilson)
    precision_to: float | None


class FeedbackReport(Struct, frozen=True, kw_only=True):
    """All rules, those that fired most first, and what could not be used."""

    rules: Sequence[RuleStats]
    messages: int  # in which some rule fired
    feedback: int  # that was joined
    unmatched: int  # feedback about what is not, or no longer, there
    unreadable: int  # values that are none of the three


class _Told(Struct, frozen=True, gc=False):
    """Of a reminder or an envelope, what is needed here."""

    tenant_id: str
    message_id: str
    reminder_id: str | None = None
    rules: list[str] = []
    verdict: str | None = None
    fraud: "_Fraud | None" = None
    hits: "list[_Hit]" = []


class _Fraud(Struct, frozen=True, gc=False):
    rules: list[str] = []


class _Hit(Struct, frozen=True, gc=False):
    lexicon: str
    term: str


class _Kind(Struct, frozen=True, gc=False):
    kind: str | None = None


_KIND = msgspec.json.Decoder(_Kind)
_FEEDBACK = msgspec.json.Decoder(Feedback)
_TOLD = msgspec.json.Decoder(_Told)

_Message = tuple[str, str]  # tenant, message
_Terms = tuple[tuple[str, str], ...]  # lexicon as verdicts name it, term


class _Account(Struct):
    """What is known of one message."""

    rules: tuple[str, ...] = ()
    terms: _Terms = ()  # that hit it, if it was flagged
    reminded: bool = False
    flagged: bool = False


class Ledger:
    """Collects values in any order; feedback may come before what it is about."""

    def __init__(self, *, tenant: str | None = None) -> None:
        self._tenant = tenant
        self._accounts: defaultdict[_Message, _Account] = defaultdict(_Account)
        self._message_of: dict[tuple[str, str], str] = {}  # tenant, reminder → message
        self._rules: dict[tuple[str, ...], tuple[str, ...]] = {}  # most messages share a few
        self._terms: dict[_Terms, _Terms] = {}
        self._feedback: dict[tuple[str, str | None, str | None, str, str], int] = {}  # … kind, role → latest
        self._unreadable = 0

    def add(self, value: bytes | None) -> None:
        """Enter the value of a record of `reminder`, `flagged` or `feedback`, told apart by its fields."""
        try:
            if _KIND.decode(value or b"").kind is not None:
                self._hear(_FEEDBACK.decode(value or b""))
            else:
                self._enter(_TOLD.decode(value or b""))
        except msgspec.MsgspecError:
            self._unreadable += 1

    def _hear(self, said: Feedback) -> None:
        if self._tenant in {None, said.tenant_id}:
            key = (said.tenant_id, said.reminder_id, said.message_id, said.kind, said.by_role)
            self._feedback[key] = max(said.at, self._feedback.get(key, said.at))

    def _enter(self, told: _Told) -> None:
        if self._tenant not in {None, told.tenant_id}:
            return
        rules = tuple(told.rules if told.reminder_id else told.fraud.rules if told.fraud else ())
        if told.reminder_id:
            self._message_of[told.tenant_id, told.reminder_id] = told.message_id
        if not told.reminder_id and told.verdict is None:
            self._unreadable += 1
            return
        account = self._accounts[told.tenant_id, told.message_id]
        account.reminded |= told.reminder_id is not None
        account.flagged |= told.verdict == "flag"
        merged = tuple(dict.fromkeys([*account.rules, *rules]))
        account.rules = self._rules.setdefault(merged, merged)
        terms = tuple(dict.fromkeys([*account.terms, *((hit.lexicon, hit.term) for hit in told.hits)]))
        account.terms = self._terms.setdefault(terms, terms)

    def report(self) -> FeedbackReport:
        """What it comes to so far."""
        said, unmatched = self._joined()
        decided = {message: _decision(kinds) for message, kinds in said.items()}
        counts: defaultdict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(_COUNTED, 0))
        for message, account in self._accounts.items():
            facts = tuple(_facts(account, said.get(message, {}), decided.get(message)))
            for rule in account.rules:
                for fact in facts:
                    counts[rule][fact] += 1
        rows = [_row(rule, count) for rule, count in counts.items()]
        return FeedbackReport(
            rules=sorted(rows, key=lambda row: (-row.fired, row.rule)),
            messages=sum(1 for account in self._accounts.values() if account.rules),
            feedback=len(self._feedback) - unmatched,
            unmatched=unmatched,
            unreadable=self._unreadable,
        )

    def overturned(self, since: int = 0) -> Counter[tuple[str, str]]:
        """By lexicon and term, in how many messages it was overturned, from `since` (ms since the epoch) on."""
        counts: Counter[tuple[str, str]] = Counter()
        for message, said in self._joined()[0].items():
            reviewers = {(kind, role): at for (kind, role), at in said.items() if role == "reviewer"}
            if _decision(reviewers) == "rejected" and reviewers["rejected", "reviewer"] >= since:
                counts.update(self._accounts[message].terms)
        return counts

    def _joined(self) -> tuple[Mapping[_Message, Mapping[tuple[str, str], int]], int]:
        """Per message: (kind, role) → when last; and how much feedback is about nothing known."""
        joined: defaultdict[_Message, dict[tuple[str, str], int]] = defaultdict(dict)
        unmatched = 0
        for (tenant, reminder, message, kind, role), at in self._feedback.items():
            about = self._message_of.get((tenant, reminder), message) if reminder else message
            if about is None or (tenant, about) not in self._accounts:
                unmatched += 1
                continue
            said = joined[tenant, about]
            said[kind, role] = max(at, said.get((kind, role), at))
        return joined, unmatched


_COUNTED = ("fired", "reminded", "flagged", *KINDS)


def _facts(account: _Account, said: Mapping[tuple[str, str], int], decided: str | None) -> Iterator[str]:
    yield "fired"
    if account.reminded:
        yield "reminded"
    if account.flagged:
        yield "flagged"
    yield from dict.fromkeys(kind for kind, _ in said if kind not in DECIDING)
    if decided:
        yield decided


def _decision(said: Mapping[tuple[str, str], int]) -> str | None:
    """The latest word of a reviewer, or else of a user; of two at the same time the milder one."""
    words = [
        (role == "reviewer", at, kind == "rejected", kind) for (kind, role), at in said.items() if kind in DECIDING
    ]
    return max(words)[-1] if words else None


def _row(rule: str, counts: Mapping[str, int]) -> RuleStats:
    confirmed, decided = counts["confirmed"], counts["confirmed"] + counts["rejected"]
    low, high = wilson(confirmed, decided) if decided else (None, None)
    precision = confirmed / decided if decided else None
    return RuleStats(rule=rule, precision=precision, precision_from=low, precision_to=high, **counts)


def wilson(good: int, of: int) -> tuple[float, float]:
    """The 95 % interval of a share of which `good` of `of` (more than 0) were seen."""
    share, square = good / of, _Z * _Z
    middle = share + square / (2 * of)
    spread = _Z * math.sqrt(share * (1 - share) / of + square / (4 * of * of))
    whole = 1 + square / of
    return max(0.0, (middle - spread) / whole), min(1.0, (middle + spread) / whole)
