"""Two rulesets over the same messages: whose verdicts differ, and by which terms and rules. Pure."""

from collections import Counter
from collections.abc import Iterator, Sequence

import msgspec
from msgspec import Struct

from processor.judge import Item, Judged
from processor.model import ChatMessage, Hit, Malformed
from processor.rollout import Step, verdict


class Example(Struct, frozen=True, kw_only=True):
    """A text whose verdict changed. It holds a person's words: to be shown only to those who ask for it."""

    message_id: str
    text: str
    spans: Sequence[tuple[int, int]]  # what was found there, in code points
    before: str
    after: str


class Cause(Struct, frozen=True, kw_only=True):
    """A term or rule that only one side found, or that both grade differently, in messages whose verdict changed."""

    kind: str  # "term", "rule", or "policy" where both sides found the same
    what: str
    how: str  # "added", "removed" or "regraded"; "" for a policy
    steps: Counter[Step] = msgspec.field(default_factory=Counter)  # messages by both verdicts
    examples: list[Example] = msgspec.field(default_factory=list)

    @property
    def messages(self) -> int:
        """How many messages have changed with it."""
        return sum(self.steps.values())


class Comparison:
    """What has been compared so far."""

    def __init__(self, *, examples: int = 0) -> None:
        self._examples = examples  # most to keep of each cause
        self._causes: dict[tuple[str, str, str], Cause] = {}
        self.steps: Counter[Step] = Counter()  # messages by both verdicts, equal ones included
        self.reminded: list[int] = [0, 0]  # messages after which somebody is warned, on both sides
        self.dead = 0

    @property
    def messages(self) -> int:
        """Messages that both sides have judged."""
        return sum(self.steps.values())

    @property
    def changed(self) -> Counter[Step]:
        """Messages whose verdict differs, by both verdicts."""
        return Counter({step: count for step, count in self.steps.items() if step[0] != step[1]})

    @property
    def causes(self) -> list[Cause]:
        """Those that changed most messages first."""
        return sorted(self._causes.values(), key=lambda cause: (-cause.messages, cause.kind, cause.what, cause.how))

    def flagged(self, side: int) -> int:
        """Messages held back by the old side (0) or by the new one (1)."""
        return sum(count for step, count in self.steps.items() if step[side] in {"review", "block"})

    def add(self, items: Sequence[Item], old: Sequence[Judged | Malformed], new: Sequence[Judged | Malformed]) -> None:
        """Compare two judgements of the same items, in their order."""
        for item, before, after in zip(items, old, new, strict=True):
            if isinstance(item, Malformed):
                self.dead += 1
                continue
            step = verdict(before), verdict(after)
            self.steps[step] += 1
            if isinstance(before, Judged) and isinstance(after, Judged):
                self.reminded[0] += before.remind
                self.reminded[1] += after.remind
                if step[0] != step[1]:
                    self._explain(item, step, before, after)

    def _explain(self, message: ChatMessage, step: Step, before: Judged, after: Judged) -> None:
        for kind, what, how, hits in _differences(before, after) or [("policy", "the table of actions", "", [])]:
            key = (kind, what, how)
            cause = self._causes.setdefault(key, Cause(kind=kind, what=what, how=how))
            cause.steps[step] += 1
            if len(cause.examples) < self._examples:
                cause.examples.append(_example(message, step, hits or [*after.hits, *before.hits]))


def _differences(before: Judged, after: Judged) -> list[tuple[str, str, str, list[Hit]]]:
    return [*_terms(before.hits, after.hits), *_rules(before, after)]


def _terms(before: Sequence[Hit], after: Sequence[Hit]) -> Iterator[tuple[str, str, str, list[Hit]]]:
    old, new = _graded(before), _graded(after)
    for name in sorted({*old, *new}):
        if old.get(name) == new.get(name):
            continue
        how = "added" if name not in old else "removed" if name not in new else "regraded"
        grades = " → ".join("/".join(sorted(side[name])) for side in (old, new) if name in side)
        term, lexicon = name
        own = "" if lexicon == "base" else f", lexicon {lexicon}"
        yield "term", f"{term} ({grades}{own})", how, [hit for hit in (*after, *before) if hit.term == term]


def _graded(hits: Sequence[Hit]) -> dict[tuple[str, str], frozenset[str]]:
    grades: dict[tuple[str, str], frozenset[str]] = {}
    for hit in hits:
        name = hit.term, hit.lexicon
        grades[name] = grades.get(name, frozenset()) | {f"{hit.category} {hit.severity}"}
    return grades


def _rules(before: Judged, after: Judged) -> Iterator[tuple[str, str, str, list[Hit]]]:
    old, new = (set(side.fraud.rules) if side.fraud else set() for side in (before, after))
    for rule in sorted(old ^ new):
        yield "rule", rule, "added" if rule in new else "removed", []


def _example(message: ChatMessage, step: Step, hits: Sequence[Hit]) -> Example:
    field = hits[0].field if hits else "content" if message.content else "texts[0]"
    text = message.content if field == "content" else (message.texts or [""])[int(field[6:-1])]
    spans = sorted({(hit.start, hit.end) for hit in hits if hit.field == field})
    return Example(message_id=message.message_id, text=text or "", spans=spans, before=step[0], after=step[1])
