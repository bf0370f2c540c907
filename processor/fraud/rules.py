"""Fraud rules compiled: from groups of words to the bit masks the engine weighs with.

A rule names *groups* of words and entities and says which of them must come together. A group is true of a message
when one of its literals or entities stands in it. Compiling gives one bit to each shared group with literals, to each
rule's own group with literals, to each entity kind and to each `near` clause; a group then is a mask ("any of these
bits"), and every clause is a test on the bits of the messages in reach. Bits change from ruleset to ruleset; what is
remembered of a message is therefore kept by each bit's *key*, a hash of its name that never changes.

Four shared groups are special, and may be absent:
`warning`      makes a message a notice, which fires nothing
`inquiry`      makes it a question whether something is a fraud
`strong`       together with a url, bank card or wallet, takes a warning's effect away
`reassurance`  "this is no fraud": a warning or inquiry that lies within such a phrase does not count
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from processor.errors import Invalid
from processor.fraud.brands import LINKS, Brands, read_brands
from processor.fraud.reading import KINDS, parse_rule, read_items
from processor.fraud.rule import Item, Rule, Scope, Status
from processor.fraud.scorecard import Card, Points, Scorecards
from processor.fraud.scorecard_reading import NOTICE_WORDS, Notice, Signal, Written, WrittenCard, read_scorecards

__all__ = ["SPECIAL", "Clauses", "NearBits", "Rule", "Rulebook", "bits_in", "compile_rules", "parse_rule"]

SPECIAL = ("warning", "inquiry", "strong", "reassurance")
_TRACEABLE = ("bank_card", "wallet", "im_handle")
_MOST_TOUCHED = 4_096  # masks whose rules are remembered

Groups = Mapping[str, Sequence[Item]]


@dataclass(frozen=True, slots=True, kw_only=True)
class NearBits:
    """A `near` clause as masks; `bit` is set for a message in which it holds."""

    a: int
    b: int
    max_chars: int
    ordered: bool
    bit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Clauses:
    """A rule as masks over bits."""

    rule: Rule
    parts: int  # bits that help to fulfil a clause; the message that fires the rule brings one of them
    need: tuple[int, ...]  # each must meet the bits in reach
    at_least: int
    of: tuple[int, ...]  # so many of these must
    none_of: int  # must not meet the current message
    nears: tuple[NearBits, ...]
    order: tuple[int, ...]
    groups: Mapping[str, int]  # the mask of each of the rule's groups, by its name there


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalBits:
    """A scorecard's signal as masks; `bit` is set for a message that shows it."""

    bit: int
    any: int
    unless: int
    near: NearBits | None  # its `a` is `any`, its `bit` is `bit`


@dataclass(frozen=True, slots=True, kw_only=True)
class Touched:
    """What the bits of a message have to do with."""

    clauses: tuple[Clauses, ...]  # strongest first
    alone: tuple[Clauses, ...]  # those of them that may fire without an earlier message
    nears: tuple[NearBits, ...]  # both sides of which are among the bits
    signals: int  # of scorecards: the bits of those that need nothing near
    blocked: int  # the bits of signals that something else in the message rules out
    keys: tuple[int, ...]  # of the bits worth remembering, in order
    idle: bool  # nothing of this fires, is remembered, or makes a notice or a question


class NoticeBits(NamedTuple):
    """The masks of a `Notice`: by kind in `of`, and one each for the others."""

    of: tuple[int, ...]  # many quotations are one more kind
    least: int
    alone: int
    unless: int
    hands_off: int
    personal: int
    outside: int

    @property
    def telling(self) -> int:
        """All that may make a message a notice."""
        return self.alone | _union(self.of)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rulebook:
    """All rules of a ruleset, compiled.

    `terms` are the literals to look for, each with the bits it sets. `beside` are those so common in chat that they
    mean nothing by themselves: they are looked for only in messages in which something else was found.
    """

    terms: Mapping[str, int]
    beside: Mapping[str, int]
    entity_bits: Mapping[str, int]  # by kind
    clauses: tuple[Clauses, ...]  # strongest first
    touched_by: Mapping[int, int]  # bit → positions in `clauses` of the rules to look at, as a mask
    key_of: Mapping[int, int]  # bit → key, for each bit worth remembering
    bit_of: Mapping[int, int]  # and back
    telling: int  # the bits that mean anything to a rule or of themselves
    telling_alone: int  # those that make a notice or a question
    remembered: int  # the bits worth remembering
    warning: int
    inquiry: int
    strong: int
    reassurance: int
    traceable: int  # an address, card, wallet or handle that is not known to be a good one
    cards: Scorecards
    signals: tuple["SignalBits", ...]
    brands: Brands
    link_bits: Mapping[str, int]  # by kind of link
    number_bit: int
    numeric: int  # bits beside which a bare number means something
    quoting_bit: int  # of a message with many quotations
    notice: NoticeBits
    name_of: Mapping[int, str]  # bit → its stable name: group/<name>, entity/<kind>, <rule>/<group>, signal/<name> …
    _touched: dict[int, Touched] = field(default_factory=dict, init=False, compare=False)
    _keys: dict[int, tuple[int, ...]] = field(default_factory=dict, init=False, compare=False)

    def touched(self, bits: int) -> Touched:
        """What these bits have to do with; remembered by mask, since most messages hold one of a few everyday words."""
        bits &= self.telling
        known = self._touched.get(bits)
        if known is None:
            known = self._touch(bits)
            if len(self._touched) < _MOST_TOUCHED:
                self._touched[bits] = known
        return known

    def keys(self, bits: int) -> tuple[int, ...]:
        """The keys of those bits that are worth remembering, in order; remembered by mask, too."""
        bits &= self.remembered
        known = self._keys.get(bits)
        if known is None:
            known = tuple(sorted(self.key_of[bit] for bit in bits_in(bits)))
            if len(self._keys) < _MOST_TOUCHED:
                self._keys[bits] = known
        return known

    def _touch(self, bits: int) -> Touched:
        places = _union(self.touched_by.get(bit, 0) for bit in bits_in(bits))
        clauses = tuple(self.clauses[place.bit_length() - 1] for place in bits_in(places))
        nears = [near for each in clauses for near in each.nears if bits & near.a and bits & near.b]
        shown = [each for each in self.signals if bits & each.any]
        nears += [each.near for each in shown if each.near and bits & each.near.b]
        signals = _union(each.bit for each in shown if not each.near)
        blocked = _union(each.bit for each in shown if bits & each.unless)
        most = bits | _union(near.bit for near in nears)
        clauses = tuple(each for each in clauses if each.parts & most)  # half of a `near` clause is nothing yet
        return Touched(
            clauses=clauses,
            alone=tuple(each for each in clauses if all(most & mask for mask in each.need)),
            nears=tuple(nears),
            signals=signals & ~blocked,
            blocked=blocked,
            keys=self.keys(bits | (signals & ~blocked)),
            idle=not (clauses or nears or signals or bits & self.telling_alone),
        )


def bits_in(mask: int) -> list[int]:
    """The single bits of a mask, lowest first."""
    bits = []
    while mask:
        low = mask & -mask
        bits.append(low)
        mask ^= low
    return bits


def compile_rules(
    groups: Mapping[str, Sequence[Any]],
    rules: Iterable[Mapping[str, Any]],
    scorecards: Mapping[str, Any] | None = None,
    brands: Mapping[str, Any] | None = None,
) -> Rulebook:
    """The rulebook of shared groups, rule documents, scorecards and brands; drafts and the retired are only checked.

    Raises Invalid with every problem of every rule, group, card and brand.
    """
    problems: list[str] = []
    shared = {name: read_items(items, f"group {name!r}", problems) for name, items in groups.items()}
    parsed = _parse_all(rules, problems)
    for name, items in shared.items():
        _check_references(items, f"group {name!r}", shared, problems)
    for rule in parsed:
        for name, items in rule.terms.items():
            _check_references(items, f"rule {rule.id}: group {name!r}", shared, problems)
    written = read_scorecards(scorecards or {}, shared, problems)
    shared |= written.words
    for name, items in written.words.items():
        _check_references(items, f"words {name!r}", shared, problems)
    table = read_brands(brands or {}, problems)
    live = [rule for rule in parsed if _is_live(rule)]
    ids = Counter([*(rule.id for rule in live), *(card.rule.id for card in written.cards if _is_live(card.rule))])
    problems.extend(f"rule {id_} stands there {n} times" for id_, n in ids.items() if n > 1)
    if problems:
        raise Invalid(problems)
    return _Compiler(shared, table).compile(sorted(live, key=lambda rule: (-rule.score, rule.id)), written)


def _is_live(rule: Rule) -> bool:
    return rule.status in (Status.ACTIVE, Status.SHADOW)


def _parse_all(rules: Iterable[Mapping[str, Any]], problems: list[str]) -> list[Rule]:
    parsed = []
    for document in rules:
        try:
            parsed.append(parse_rule(document))
        except Invalid as error:
            problems.extend(error.problems)
    return parsed


def _check_references(items: Iterable[Item], where: str, shared: Groups, problems: list[str]) -> None:
    named = [item[1] for item in items if item[0] == "group"]
    problems.extend(f"{where} names unknown group {name!r}" for name in named if name not in shared)


class _Compiler:
    """Hands out bits, and enters literals under them, while rules are turned into masks."""

    def __init__(self, shared: Groups, brands: Brands) -> None:
        self.shared = shared
        self.brands = brands
        self.bits: dict[str, int] = {}  # by stable name
        self.terms: defaultdict[str, int] = defaultdict(int)
        self.masks: dict[str, int] = {}  # of shared groups
        self.entity_bits = {kind: self.bit(f"entity/{kind}") for kind in KINDS}
        self.link_bits = {kind: self.bit(f"link/{kind}") for kind in LINKS}
        self.number_bit = self.bit("number")
        self.quoting_bit = self.bit("quoting")

    def compile(self, rules: Sequence[Rule], written: Written) -> Rulebook:
        special = {name: self.group_mask(name) for name in SPECIAL}
        clauses = tuple(self.clauses(rule) for rule in rules)
        touched_by: defaultdict[int, int] = defaultdict(int)
        for place, each in enumerate(clauses):
            for bit in bits_in(_union([each.parts, *(near.a | near.b for near in each.nears)])):
                touched_by[bit] |= 1 << place
        remembered = _union(each.parts for each in clauses if each.rule.window.scope is not Scope.MESSAGE)
        used = {
            name for card in written.cards if _is_live(card.rule) for given in card.points.values() for name in given
        }
        signals = {name: self.signal(name, signal) for name, signal in written.signals.items() if name in used}
        remembered |= _union(each.bit for name, each in signals.items() if not written.signals[name].fleeting)
        notice = self.notice(written.notice)
        bit_of = {_key(name): bit for name, bit in self.bits.items() if bit & remembered}
        if len(bit_of) < remembered.bit_count():
            raise Invalid(["two groups have the same 32-bit key: rename one of those added last"])
        alone = _union([*special.values(), notice.telling])
        beside = {term for term in written.everyday if term in self.terms and not self.terms[term] & alone}
        return Rulebook(
            terms={term: bits for term, bits in self.terms.items() if term not in beside},
            beside={term: bits for term, bits in self.terms.items() if term in beside},
            entity_bits=self.entity_bits,
            clauses=clauses,
            touched_by=dict(touched_by),
            key_of={bit: key for key, bit in bit_of.items()},
            bit_of=bit_of,
            telling=_union(
                [
                    *touched_by,
                    *(each.any | (each.near.b if each.near else 0) | each.unless for each in signals.values()),
                    notice.telling,
                    special["warning"],
                    special["inquiry"],
                ]
            ),
            telling_alone=_union([notice.telling, special["warning"], special["inquiry"]]),
            remembered=remembered,
            traceable=sum(self.entity_bits[kind] for kind in _TRACEABLE)
            + sum(self.link_bits[kind] for kind in ("odd_link", "short_link")),
            cards=self.scorecards(written, {name: each.bit for name, each in signals.items()}),
            signals=tuple(signals.values()),
            brands=self.brands,
            link_bits=self.link_bits,
            number_bit=self.number_bit,
            numeric=self.numeric(signals.values()),
            quoting_bit=self.quoting_bit,
            notice=notice,
            name_of={bit: name for name, bit in self.bits.items()},
            **special,
        )

    def notice(self, written: Notice) -> NoticeBits:
        of = tuple(self.names_mask([name]) for name in written.of)
        masks = (self.names_mask(getattr(written, key)) for key in NOTICE_WORDS)
        return NoticeBits((*of, self.quoting_bit) if of else (), written.least, *masks)

    def signal(self, name: str, signal: Signal) -> SignalBits:
        bit, any_ = self.bit(f"signal/{name}"), self.names_mask(signal.any)
        near = NearBits(a=any_, b=self.names_mask(signal.near), max_chars=signal.chars, ordered=signal.ordered, bit=bit)
        return SignalBits(bit=bit, any=any_, unless=self.names_mask(signal.unless), near=near if signal.near else None)

    def names_mask(self, names: Iterable[str]) -> int:
        """The mask of words, groups, entity kinds and the names that only scorecards know."""
        return _union(self.name_mask(name) for name in names)

    def name_mask(self, name: str) -> int:
        if name in self.entity_bits:
            return self.entity_bits[name]
        if name in self.link_bits:
            return self.link_bits[name]
        if name == "number":
            return self.number_bit
        if name == "brand_name":
            return self.mask(self.brands.names, "brand/name")
        return self.group_mask(name)

    def numeric(self, signals: Iterable[SignalBits]) -> int:
        """What a number must stand near to mean something."""
        nears = [each.near for each in signals if each.near]
        return _union(near.a for near in nears if near.b & self.number_bit) | _union(
            near.b for near in nears if near.a & self.number_bit
        )

    def scorecards(self, written: Written, bits: Mapping[str, int]) -> Scorecards:
        settings = written.settings
        cards = tuple(self.card(card, bits, written.says) for card in written.cards if _is_live(card.rule))
        return Scorecards(
            cards=cards,
            caps=settings.caps,
            breadth=settings.breadth,
            bring=settings.bring,
            least=settings.least,
            most=settings.most,
            half_life_ms=settings.half_life_ms,
            max_ms=settings.max_ms,
            others=settings.others_percent / 100,
            signals=_union(card.mask for card in cards),
        )

    def card(self, card: WrittenCard, bits: Mapping[str, int], says: Mapping[str, str]) -> Card:
        points = tuple(  # in an order of their own: a published ruleset's keys do not stand in the file's
            Points(
                signal=name,
                bit=bits[name],
                role=role,
                points=number,
                says=says.get(name, name.replace("_", " ")),
            )
            for role, given in sorted(card.points.items())
            for name, number in sorted(given.items())
            if number
        )
        return Card(
            rule=card.rule,
            points=points,
            roles=card.roles,
            one_of=card.one_of,
            mask=_union(each.bit for each in points),
        )

    def bit(self, name: str) -> int:
        return self.bits.setdefault(name, 1 << len(self.bits))

    def clauses(self, rule: Rule) -> Clauses:
        when = rule.when
        masks = {name: self.mask(items, f"{rule.id}/{name}") for name, items in rule.terms.items()}
        nears = tuple(
            NearBits(
                a=masks[near.a],
                b=masks[near.b],
                max_chars=near.max_chars,
                ordered=near.ordered,
                bit=self.bit(f"{rule.id}/near/{near.a}/{near.b}/{near.max_chars}/{near.ordered}"),
            )
            for near in when.near
        )
        any_of = _union(masks[name] for name in when.any_of)
        of = tuple(masks[name] for name in when.of)
        order = tuple(masks[name] for name in when.order)
        all_of = [masks[name] for name in when.all_of]
        need = dict.fromkeys([*([any_of] if when.any_of else []), *all_of, *order, *(near.bit for near in nears)])
        return Clauses(
            rule=rule,
            parts=_union([*need, *of]),
            need=tuple(need),
            at_least=when.at_least,
            of=of,
            none_of=_union(masks[name] for name in when.none_of),
            nears=nears,
            order=order,
            groups=masks,
        )

    def mask(self, items: Iterable[Item], own: str) -> int:
        """The mask of a group; its literals go under the bit named `own`."""
        mask = 0
        for item in items:
            if isinstance(item, str):
                bit = self.bit(own)
                self.terms[item] |= bit
                mask |= bit
            elif item[0] == "entity":
                mask |= self.entity_bits[item[1]]
            else:
                mask |= self.group_mask(item[1])
        return mask

    def group_mask(self, name: str) -> int:
        """The mask of a shared group; groups that name each other in a circle end up the same."""
        if name not in self.masks:
            reached = [name]
            for each in reached:
                nested = (item[1] for item in self.shared.get(each, ()) if item[0] == "group")
                reached.extend(other for other in nested if other not in reached)
            self.masks[name] = _union(self.own_mask(each) for each in reached)
        return self.masks[name]

    def own_mask(self, name: str) -> int:
        items = self.shared.get(name, ())
        return self.mask((item for item in items if isinstance(item, str) or item[0] == "entity"), f"group/{name}")


def _union(masks: Iterable[int]) -> int:
    union = 0
    for mask in masks:
        union |= mask
    return union


def _key(name: str) -> int:
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=4).digest())
