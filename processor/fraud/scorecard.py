"""Scorecards: how much of a scheme has been seen, added up in points that a person can check.

A *signal* is something said or shown in one message: one of some words, or two kinds of words near each other, or an
entity. A card belongs to one type of fraud and gives points for signals by the *role* they play in the scheme:

contact  who he claims to be           lure   what he promises            threat    what he frightens with
trust    proof, praise, intimacy       move   to another app, site, chat  pressure  haste, secrecy, "no fraud"
ask      money, a code, a card, an account, the screen

A role gives the sum of its signals' points, but at most its cap. Of earlier messages points fade: by half per
half-life, and those of other people count for a part. A card fires when enough different roles are shown by the
sender of the current message, which must itself bring something; each role beyond that gives a little more. Nothing
is ever subtracted, so more evidence never lowers a score.
"""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from processor.fraud.rule import Rule

ROLES = ("contact", "lure", "threat", "trust", "move", "pressure", "ask")
STAGE_OF = {
    "contact": "contact",
    "lure": "lure",
    "threat": "lure",
    "trust": "trust",
    "move": "move",
    "pressure": "lure",
    "ask": "pay",
}
_MOST_KNOWN = 8_192  # masks whose cards are remembered


@dataclass(frozen=True, slots=True, kw_only=True)
class Points:
    """What one signal gives on one card."""

    signal: str
    bit: int
    role: str
    points: int
    says: str  # what the reason of a verdict calls it


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One scorecard; `rule` is how verdicts and reminders know it, its score filled in when it fires."""

    rule: Rule
    points: tuple[Points, ...]
    roles: int  # so many different ones
    one_of: frozenset[str]  # among them one of these, if any are named
    mask: int  # of all its signals


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What one message shows, and how much of its points still counts (0–1)."""

    bits: int
    weight: float
    own: bool  # whether the sender of the current message wrote it


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """A card that fired."""

    card: Card
    score: int
    parts: tuple[tuple[str, int], ...]  # what its signals say, and their points, most first
    stage: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorecards:
    """All cards of a ruleset."""

    cards: tuple[Card, ...] = ()
    caps: Mapping[str, int] = field(default_factory=dict)
    breadth: int = 0  # points for each role beyond those a card asks for
    bring: int = 0  # so many points the current message must bring itself
    least: int = 20  # a lower total is not worth a word
    most: int = 95
    half_life_ms: int = 43_200_000
    max_ms: int = 259_200_000
    others: float = 0.4  # how much of other people's signals counts
    signals: int = 0  # mask
    _known: dict[int, tuple[Card, ...]] = field(default_factory=dict, init=False, compare=False)

    def possible(self, bits: int) -> tuple[Card, ...]:
        """The cards that could fire with these signals at their best; remembered, since chat repeats itself."""
        bits &= self.signals
        known = self._known.get(bits)
        if known is None:
            full = [Evidence(bits=bits, weight=1.0, own=True)]
            known = tuple(card for card in self.cards if card.mask & bits and self.tally(card, full))
            if len(self._known) < _MOST_KNOWN:
                self._known[bits] = known
        return known

    def tally(self, card: Card, evidence: Sequence[Evidence]) -> Tally | None:
        """The card's total over the messages, if it fires; the first of them is the current one."""
        sums: dict[str, float] = {}
        own: set[str] = set()
        parts: list[tuple[float, Points]] = []
        around = 0
        for one in evidence:
            around |= one.bits
        brought, current = 0, evidence[0].bits
        for each in card.points:
            if not around & each.bit:
                continue
            weight = 0.0
            for one in evidence:
                if one.bits & each.bit:
                    weight = max(weight, one.weight)
                    if one.own:
                        own.add(each.role)
            sums[each.role] = sums.get(each.role, 0.0) + weight * each.points
            parts.append((weight * each.points, each))
            if current & each.bit:
                brought += each.points
        if brought < self.bring or len(own) < card.roles or (card.one_of and not own & card.one_of):
            return None
        total = sum(min(self.caps.get(role, 100), points) for role, points in sums.items())
        score = min(self.most, round(total) + self.breadth * (len(own) - card.roles))
        if score < self.least:
            return None
        parts.sort(key=lambda part: -part[0])
        told = tuple((each.says, round(points)) for points, each in parts if round(points))
        return Tally(card=card, score=score, parts=told, stage=max((STAGE_OF[role] for role in own), key=_far))


def _far(stage: str) -> int:
    return ("contact", "lure", "trust", "move", "pay").index(stage)


def totals(cards: Scorecards, touched: int, evidence: Sequence[Evidence], off: AbstractSet[str]) -> Iterable[Tally]:
    """The cards that fire, of those to which the current message's signals `touched` add something.

    Cards of one type share what they see: the best one on trial and the best one in force stand for all. `off` are ids.
    """
    around = 0
    for each in evidence:
        around |= each.bits
    best: dict[tuple[str, str], Tally] = {}
    for card in cards.possible(around):
        if card.mask & touched and card.rule.id not in off:
            tally = cards.tally(card, evidence)
            kind = (card.rule.type, card.rule.status)
            if tally and (kind not in best or tally.score > best[kind].score):
                best[kind] = tally
    return best.values()
