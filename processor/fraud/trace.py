"""Why fraud rules and scorecards fire at a message, and what is missing where they do not; for people, not for judging.

Whether something fired is what the judge said; this tells which of its parts were met, by which words of which
messages. Words of earlier messages are known only to whoever has followed the conversation from there, so they are
handed from trace to trace.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence

from msgspec import Struct

from processor.fraud.engine import Looked, Mark, Seen, context_of, counted_by, faded, in_order, in_reach, look
from processor.fraud.rule import STAGES, Status
from processor.fraud.rules import Clauses, Rulebook, bits_in
from processor.fraud.scorecard import STAGE_OF, Card, Evidence
from processor.fraud.window import Window
from processor.model import ChatMessage, Entity

_DAY_MS = 86_400_000

Words = Mapping[str, Sequence[tuple[str, int]]]
"""By message id: what stood in it, and the bits that it set."""


class Found(Struct, frozen=True):
    """Something in a message that means something to the rules."""

    text: str
    field: str
    start: int
    end: int
    of: Sequence[str]  # group/<name>, <rule>/<its own group>, entity/<kind>, link/<kind>, words of scorecards as group/


class Part(Struct, frozen=True):
    """A clause of a rule, or a signal of a card."""

    clause: str  # any_of, all_of, at_least, near, order, none_of, context; for a card the role
    what: str
    met: bool
    by: Sequence[str]  # words, each with the earlier message it stood in: `刷单`, `刷单 (m1)`
    points: int = 0  # what a card gives for it, after fading


class Traced(Struct, frozen=True, kw_only=True):
    """A rule or card of which the message meets something."""

    rule: str  # id@version
    title: str
    kind: str  # rule or card
    fired: bool
    on_trial: bool
    score: int  # of a card, what its points add up to
    stage: str | None
    parts: Sequence[Part]
    missing: Sequence[str]  # empty if it fired

    @property
    def share(self) -> float:
        """How much of it is met."""
        return 1.0 if self.fired else 1 / (1 + len(self.missing))


class Trace(Struct, frozen=True, kw_only=True):
    """One message and everything it touches, what fired first, then what lacks least."""

    message_id: str
    found: Sequence[Found]
    cancelled: str  # "", "official", "warning" or "inquiry"
    cancelled_by: Sequence[str]  # the words that make it so
    context: Sequence[tuple[str, int]]  # what the platform knows, and the points it adds when something fired
    rules: Sequence[Traced]


def trace(
    book: Rulebook,
    message: ChatMessage,
    *,
    at: int,
    marks: Sequence[Mark],
    entities: Sequence[Entity],
    window: Window | None,
    fired: Collection[str],
    words: Words,
) -> tuple[Trace, Words]:
    """What a message meets, and the words known after it.

    The arguments are those of `weigh`; `window` as it was before the message; `fired`: the rules that the judge says
    fired, on trial or not; `words`: what the trace of the message before gave back.
    """
    looked = look(book, message, at=at, marks=marks, entities=entities, window=window)
    texts = {"content": message.content or "", **{f"texts[{n}]": text for n, text in enumerate(message.texts or ())}}
    known = {**words, message.message_id: [(_text(texts, mark), mark.bits) for mark in looked.marks]}
    teller = _Teller(book, looked, known, message, at)
    touched = [*teller.rules(fired), *teller.cards(fired)]
    cancelled = _cancelled(message, looked, fired)
    return (
        Trace(
            message_id=message.message_id,
            found=[
                Found(
                    _text(texts, mark), mark.field, mark.start, mark.end, [book.name_of[b] for b in bits_in(mark.bits)]
                )
                for mark in sorted(looked.marks, key=lambda mark: (mark.field, mark.start, mark.end))
            ],
            cancelled=cancelled,
            cancelled_by=teller.cancelling(cancelled),
            context=context_of(message, at),
            rules=sorted(touched, key=lambda each: (-each.share, -each.score, each.rule)),
        ),
        known,
    )


def _text(texts: Mapping[str, str], mark: Mark) -> str:
    return texts[mark.field][mark.start : mark.end]


def _cancelled(message: ChatMessage, looked: Looked, fired: Collection[str]) -> str:
    if message.sender is not None and message.sender.role == "official":
        return "official"
    return "inquiry" if looked.inquiry else "warning" if looked.notice and not fired else ""


class _Teller:
    """Tells of one message what it meets."""

    def __init__(self, book: Rulebook, looked: Looked, words: Words, message: ChatMessage, at: int) -> None:
        self.book, self.looked, self.words, self.message, self.at = book, looked, words, message, at
        self._sources = {each.bit: each.any | (each.near.b if each.near else 0) for each in book.signals}

    def cancelling(self, cancelled: str) -> list[str]:
        book = self.book
        mask = {"warning": book.warning | book.notice.telling, "inquiry": book.inquiry}.get(cancelled, 0)
        return self._by(mask, [self.looked.current])

    def rules(self, fired: Collection[str]) -> Iterator[Traced]:
        current = self.looked.current
        for clauses in self.book.clauses:
            touches = clauses.parts | _union([near.a | near.b for near in clauses.nears])
            if touches & current.bits:
                parts = list(self._clauses(clauses))
                rule, has = clauses.rule, clauses.rule.name in fired
                yield Traced(
                    rule=rule.name,
                    title=rule.title["en"],
                    kind="rule",
                    fired=has,
                    on_trial=rule.status is Status.SHADOW,
                    score=rule.score,
                    stage=rule.stage,
                    parts=parts,
                    missing=[] if has else self._missing(parts, clauses),
                )

    def _missing(self, parts: Sequence[Part], clauses: Clauses) -> list[str]:
        missing = [f"{part.clause} {part.what}" for part in parts if not part.met]
        if not clauses.parts & self.looked.current.bits:
            missing.append("the two sides stand too far apart in this message")
        return missing or [self._held_back()]

    def _held_back(self) -> str:
        cancelled = _cancelled(self.message, self.looked, ())
        return f"the message counts for nothing: {cancelled}" if cancelled else "another of its kind stands for it"

    def _clauses(self, clauses: Clauses) -> Iterator[Part]:
        rule, when, groups = clauses.rule, clauses.rule.when, clauses.groups
        reach = in_reach(rule, self.looked.current, self.looked.past)
        around = _union([seen.bits for seen in reach])

        def part(clause: str, names: Sequence[str], least: int) -> Part:
            met = sum(1 for name in names if groups[name] & around) >= least
            return Part(clause, " | ".join(names), met, self._by(_union([groups[name] for name in names]), reach))

        if when.any_of:
            yield part("any_of", when.any_of, 1)
        for name in when.all_of:
            yield part("all_of", [name], 1)
        if when.at_least:
            told = part("at_least", when.of, when.at_least)
            yield Part(told.clause, f"{when.at_least} of {told.what}", told.met, told.by)
        for near, bits in zip(when.near, clauses.nears, strict=True):
            sign = "→" if near.ordered else "~"
            what = f"{near.a} {sign} {near.b} within {near.max_chars}"
            yield Part("near", what, bool(bits.bit & around), self._by(bits.a | bits.b, reach))
        if when.order:
            shown = all(mask & around for mask in clauses.order)
            met = shown and in_order(clauses, self.book, reach)
            yield Part("order", " → ".join(when.order), met, self._by(_union(clauses.order), reach))
        if when.none_of:
            against = self._by(clauses.none_of, [self.looked.current])
            yield Part("none_of", " | ".join(when.none_of), not against, against)
        yield from self._context(clauses)

    def _context(self, clauses: Clauses) -> Iterator[Part]:
        rule, since, sender = clauses.rule, self.message.contact_since, self.message.sender
        if rule.contact_younger_ms is not None:
            young = since is not None and self.at - since < rule.contact_younger_ms
            yield Part("context", f"in contact for less than {rule.contact_younger_ms // _DAY_MS} days", young, [])
        if rule.sender_not_roles:
            fits = sender is None or sender.role not in rule.sender_not_roles
            yield Part("context", f"sender is not {' or '.join(rule.sender_not_roles)}", fits, [])

    def cards(self, fired: Collection[str]) -> Iterator[Traced]:
        cards, current = self.book.cards, self.looked.current
        reach = counted_by(cards, current.sighting, self.looked.past)
        evidence = faded(cards, current.bits & cards.signals, current.sighting, reach)
        for card in cards.cards:
            if card.mask & current.bits:
                yield self._card(card, evidence, [current, *reach], card.rule.name in fired)

    def _card(self, card: Card, evidence: Sequence[Evidence], seen: Sequence[Seen], fired: bool) -> Traced:  # noqa: FBT001
        cards = self.book.cards
        sums: dict[str, float] = {}
        own: dict[str, None] = {}
        brought = 0
        parts: list[Part] = []
        for each in card.points:
            weights = [one.weight for one in evidence if one.bits & each.bit]
            if not weights:
                continue
            points = max(weights) * each.points
            sums[each.role] = sums.get(each.role, 0.0) + points
            if any(one.own and one.bits & each.bit for one in evidence):
                own[each.role] = None
            brought += each.points if evidence[0].bits & each.bit else 0
            parts.append(Part(each.role, each.signal, True, self._by(each.bit, seen), round(points)))  # noqa: FBT003
        total = round(sum(min(cards.caps.get(role, 100), points) for role, points in sums.items()))
        tally = cards.tally(card, evidence)
        return Traced(
            rule=card.rule.name,
            title=card.rule.title["en"],
            kind="card",
            fired=fired,
            on_trial=card.rule.status is Status.SHADOW,
            score=tally.score if tally else total,
            stage=tally.stage if tally else max((STAGE_OF[role] for role in own), key=STAGES.index, default=None),
            parts=sorted(parts, key=lambda part: -part.points),
            missing=[] if fired else [*self._lacks(card, list(own), brought, total)] or [self._held_back()],
        )

    def _lacks(self, card: Card, own: Sequence[str], brought: int, total: int) -> Iterator[str]:
        cards = self.book.cards
        if len(own) < card.roles:
            shown = f"only {', '.join(own)}" if own else "none"
            yield f"{card.roles} roles by this sender ({shown})"
        if card.one_of and not card.one_of & set(own):
            yield f"one of the roles {', '.join(sorted(card.one_of))}"
        if brought < cards.bring:
            yield f"{cards.bring} points brought by this message, not {brought}"
        if total < cards.least:
            yield f"{cards.least} points in all, not {total}"

    def _by(self, mask: int, seen: Sequence[Seen]) -> list[str]:
        """The words that set these bits, the current message's first."""
        sources = mask | _union([source for bit, source in self._sources.items() if bit & mask])
        told: dict[str, None] = {}
        current = self.looked.current
        for each in sorted(seen, key=lambda one: one is not current):
            if not each.bits & (mask | sources):
                continue
            identity = each.sighting.message_id
            place = "" if each is current else f" ({identity})"
            words = [text for text, bits in self.words.get(identity, ()) if bits & sources]
            told |= {f"{word}{place}": None for word in words or (["?"] if each.bits & mask else [])}
        return list(told)


def _union(masks: Sequence[int] | Iterator[int]) -> int:
    union = 0
    for mask in masks:
        union |= mask
    return union
