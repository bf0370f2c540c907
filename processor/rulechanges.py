"""Two rulesets over the same messages: what changes per fraud rule, verdicts and reminders alike. Pure."""

from collections import Counter
from collections.abc import Sequence

import msgspec
from msgspec import Struct

from processor.judge import Item, Judged
from processor.model import Malformed
from processor.rollout import Step, verdict


class RuleChange(Struct, frozen=True, kw_only=True):
    """One rule, by its id whatever its version; a side that has not the rule never fired it."""

    rule: str
    before: int  # messages in which it fired
    after: int
    lost: int  # those in which it fired before and does not after
    gained: int
    verdicts: dict[str, int]  # "pass → review" → messages, of those lost or gained whose verdict changes
    reminders_lost: int  # reminders to people, of those that cite it
    reminders_gained: int

    @property
    def changes(self) -> bool:
        """Whether anything at all comes out otherwise."""
        return bool(self.lost or self.gained or self.reminders_lost or self.reminders_gained)


class RuleReport(Struct, frozen=True, kw_only=True):
    """What a replay came to."""

    messages: int
    dead: int
    verdicts: dict[str, int]  # all that change, whatever the reason
    reminders_before: int
    reminders_after: int
    rules: Sequence[RuleChange]  # that fired on either side, those with most changes first


class _Count(Struct):
    before: int = 0
    after: int = 0
    lost: int = 0
    gained: int = 0
    reminders_lost: int = 0
    reminders_gained: int = 0
    verdicts: Counter[Step] = msgspec.field(default_factory=Counter)


class RuleChanges:
    """What has been compared so far."""

    def __init__(self) -> None:
        self._rules: dict[str, _Count] = {}
        self._steps: Counter[Step] = Counter()
        self._reminders = [0, 0]
        self._messages = self._dead = 0

    def add(self, items: Sequence[Item], old: Sequence[Judged | Malformed], new: Sequence[Judged | Malformed]) -> None:
        """Compare two judgements of the same items, in their order."""
        for item, before, after in zip(items, old, new, strict=True):
            if isinstance(item, Malformed):
                self._dead += 1
                continue
            self._messages += 1
            step = verdict(before), verdict(after)
            if step[0] != step[1]:
                self._steps[step] += 1
            self._fired(before, after, step)
            self._reminded(before, after)

    def _fired(self, before: Judged | Malformed, after: Judged | Malformed, step: Step) -> None:
        had, has = _rules(before), _rules(after)
        for rule in had | has:
            count = self._rules.setdefault(rule, _Count())
            count.before += rule in had
            count.after += rule in has
            count.lost += rule not in has
            count.gained += rule not in had
            if step[0] != step[1] and (rule in had) != (rule in has):
                count.verdicts[step] += 1

    def _reminded(self, before: Judged | Malformed, after: Judged | Malformed) -> None:
        old, new = _reminders(before), _reminders(after)
        self._reminders[0] += len(old)
        self._reminders[1] += len(new)
        for person in old.keys() | new.keys():
            had, has = old.get(person, frozenset()), new.get(person, frozenset())
            for rule in had - has:
                self._rules.setdefault(rule, _Count()).reminders_lost += 1
            for rule in has - had:
                self._rules.setdefault(rule, _Count()).reminders_gained += 1

    def report(self) -> RuleReport:
        """What it comes to so far."""
        rules = [_change(rule, count) for rule, count in self._rules.items()]
        return RuleReport(
            messages=self._messages,
            dead=self._dead,
            verdicts=_named(self._steps),
            reminders_before=self._reminders[0],
            reminders_after=self._reminders[1],
            rules=sorted(rules, key=lambda each: (-each.lost - each.gained, not each.changes, each.rule)),
        )


def _rules(judged: Judged | Malformed) -> set[str]:
    fraud = judged.fraud if isinstance(judged, Judged) else None
    return {_id(rule) for rule in fraud.rules} if fraud else set()


def _reminders(judged: Judged | Malformed) -> dict[tuple[str, str], frozenset[str]]:
    """Who is reminded of which type, and the rules that the reminder cites."""
    if isinstance(judged, Malformed):
        return {}
    return {(each.recipient_id, each.fraud_type): frozenset(map(_id, each.rules)) for each in judged.reminders}


def _id(rule: str) -> str:
    return rule.partition("@")[0]


def _named(steps: Counter[Step]) -> dict[str, int]:
    return {f"{before} → {after}": count for (before, after), count in steps.most_common()}


def _change(rule: str, count: _Count) -> RuleChange:
    return RuleChange(
        rule=rule,
        before=count.before,
        after=count.after,
        lost=count.lost,
        gained=count.gained,
        verdicts=_named(count.verdicts),
        reminders_lost=count.reminders_lost,
        reminders_gained=count.reminders_gained,
    )
