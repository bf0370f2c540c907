"""Everything that decides what happens to a message lives here, as a table.

The table gives an action for each severity, by default and for single categories; the gravest of a message's hits
decides. The fraud score decides beside it: from `remind_at` on the likely victim is warned, from `review_at` on the
message is held for a person. A notice that warns of fraud, or a question whether something is one, is not punished
for quoting the words.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct, structs

from processor.errors import Invalid
from processor.fraud.reminders import MOST_GIVEN, Limits
from processor.fraud.wording import LOCALE, hotline_flaws
from processor.model import Action, Fraud, Hit, Severity

Row = dict[Severity, Action]
FRAUD = "fraud"  # the category whose hits are wording for the fraud engine


class Actions(Struct, frozen=True, forbid_unknown_fields=True):
    """The table: severity → action, for single categories and for all others."""

    default: Row
    categories: dict[str, Row] = {}

    def of(self, category: str, severity: Severity) -> Action:
        """The action for a hit."""
        row = self.categories.get(category, self.default)
        return row.get(severity) or self.default[severity]


class FraudBands(Struct, frozen=True, forbid_unknown_fields=True):
    """From which fraud score on something happens; scores are 0–100."""

    review_at: int
    remind_at: int


class ReminderLimits(Struct, frozen=True, forbid_unknown_fields=True):
    """How reminders are sent: `locale` is a language tag or "auto"; times are seconds."""

    locale: str
    cooldown_s: int
    expires_s: int
    max_recipients: int
    per_day: int = 8
    per_day_kept: int = 2
    hotline: dict[str, str] = {}  # whom to ask in doubt, by language


class Policy(Struct, frozen=True, forbid_unknown_fields=True):
    """What follows from hits and scores."""

    actions: Actions
    fraud: FraudBands
    reminder: ReminderLimits

    @property
    def limits(self) -> Limits:
        """What the fraud engine must know to write reminders."""
        return Limits(remind_at=self.fraud.remind_at, review_at=self.fraud.review_at, **structs.asdict(self.reminder))


class Decision(NamedTuple):
    """What happens to one message, and one sentence per reason."""

    action: Action
    remind: bool
    reasons: tuple[str, ...]


def parse(document: Mapping[str, Any]) -> Policy:
    """The policy of a ruleset's `policy` part; raises Invalid."""
    try:
        policy = msgspec.convert(document, Policy, strict=True)
    except msgspec.ValidationError as error:
        raise Invalid([f"policy: {error}"]) from None
    problems = [
        f"policy: actions.default has no action for severity {s}" for s in Severity if s not in policy.actions.default
    ]
    if not 0 < policy.fraud.remind_at <= policy.fraud.review_at <= 100:  # noqa: PLR2004  scores end at 100
        problems.append("policy: fraud needs 0 < remind_at <= review_at <= 100")
    problems += _reminder_problems(policy.reminder)
    if problems:
        raise Invalid(problems)
    return policy


def _reminder_problems(limits: ReminderLimits) -> Iterator[str]:
    if limits.locale != "auto" and not LOCALE.fullmatch(limits.locale):
        yield f"policy: reminder.locale must be auto or a language tag such as zh-CN, not {limits.locale!r}"
    if not 0 < limits.per_day <= MOST_GIVEN:
        yield f"policy: reminder.per_day must be 1 to {MOST_GIVEN}, not {limits.per_day}"
    elif not 0 <= limits.per_day_kept < limits.per_day:
        yield f"policy: reminder.per_day_kept must be 0 to {limits.per_day - 1}, not {limits.per_day_kept}"
    yield from hotline_flaws(limits.hotline)
    yield from (
        f"policy: reminder.{name} must not be below {least}, but is {value}"
        for name, least in (("cooldown_s", 0), ("expires_s", 1), ("max_recipients", 1))
        if (value := getattr(limits, name)) < least
    )


def merge(document: Mapping[str, Any], partial: Mapping[str, Any]) -> dict[str, Any]:
    """`document` with the entries of `partial` over it, table by table."""
    merged = dict(document)
    for key, value in partial.items():
        known = merged.get(key)
        merged[key] = merge(known, value) if isinstance(known, Mapping) and isinstance(value, Mapping) else value
    return merged


def decide(policy: Policy, hits: Sequence[Hit], fraud: Fraud | None, why: Sequence[str], *, quoted: bool) -> Decision:
    """The action for a message.

    `why` holds the fraud engine's sentences; `quoted` is true for a notice that warns of fraud and for a question
    about it: then wording of category fraud counts for nothing, and the score never flags.
    """
    action, reasons = Action.PASS, list(why)
    for hit in hits:
        if quoted and hit.category == FRAUD:
            continue
        verdict = policy.actions.of(hit.category, hit.severity)
        begun = f", begun in {', '.join(hit.evidence[:-1])}," if hit.evidence else ""
        reasons.append(
            f"{hit.field} {'completes' if begun else 'holds'} “{hit.term}”{begun}"
            f" ({hit.category}, {hit.severity}, lexicon {hit.lexicon}): {verdict}"
        )
        action = max(action, verdict, key=_rank)
    score = fraud.score if fraud else 0
    if score >= policy.fraud.review_at and not quoted:
        reasons.append(f"fraud score {score} is at or over {policy.fraud.review_at}: review")
        action = max(action, Action.REVIEW, key=_rank)
    return Decision(action, score >= policy.fraud.remind_at, tuple(reasons))


def _rank(action: Action) -> int:
    return action.rank
