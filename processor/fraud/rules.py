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
from typing import Any

from processor.errors import Invalid
from processor.fraud.reading import KINDS, parse_rule, read_items
from processor.fraud.rule import Item, Rule, Scope, Status

__all__ = ["Clauses", "NearBits", "Rule", "Rulebook", "bits_in", "compile_rules", "parse_rule"]

_SPECIAL = ("warning", "inquiry", "strong", "reassurance")
_TRACEABLE = ("url", "bank_card", "wallet")
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Touched:
    """What the bits of a message have to do with."""

    clauses: tuple[Clauses, ...]  # strongest first
    alone: tuple[Clauses, ...]  # those of them that may fire without an earlier message
    nears: tuple[NearBits, ...]  # both sides of which are among the bits
    keys: tuple[int, ...]  # of the bits worth remembering, in order


@dataclass(frozen=True, slots=True, kw_only=True)
class Rulebook:
    """All rules of a ruleset, compiled. `terms` are the literals to look for, each with the bits it sets."""

    terms: Mapping[str, int]
    entity_bits: Mapping[str, int]  # by kind
    clauses: tuple[Clauses, ...]  # strongest first
    touched_by: Mapping[int, int]  # bit → positions in `clauses` of the rules to look at, as a mask
    key_of: Mapping[int, int]  # bit → key, for each bit worth remembering
    bit_of: Mapping[int, int]  # and back
    telling: int  # the bits that mean anything to a rule or of themselves
    remembered: int  # the bits worth remembering
    warning: int
    inquiry: int
    strong: int
    reassurance: int
    traceable: int  # url, bank card, wallet
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
        nears = tuple(near for each in clauses for near in each.nears if bits & near.a and bits & near.b)
        most = bits | _union(near.bit for near in nears)
        return Touched(
            clauses=clauses,
            alone=tuple(each for each in clauses if all(most & mask for mask in each.need)),
            nears=nears,
            keys=self.keys(bits),
        )


def bits_in(mask: int) -> list[int]:
    """The single bits of a mask, lowest first."""
    bits = []
    while mask:
        low = mask & -mask
        bits.append(low)
        mask ^= low
    return bits


def compile_rules(groups: Mapping[str, Sequence[Any]], rules: Iterable[Mapping[str, Any]]) -> Rulebook:
    """The rulebook of shared groups and rule documents; draft and retired rules are only checked.

    Raises Invalid with every problem of every rule and group.
    """
    problems: list[str] = []
    shared = {name: read_items(items, f"group {name!r}", problems) for name, items in groups.items()}
    parsed = _parse_all(rules, problems)
    for name, items in shared.items():
        _check_references(items, f"group {name!r}", shared, problems)
    for rule in parsed:
        for name, items in rule.terms.items():
            _check_references(items, f"rule {rule.id}: group {name!r}", shared, problems)
    live = [rule for rule in parsed if rule.status in (Status.ACTIVE, Status.SHADOW)]
    problems.extend(f"rule {id_} stands there {n} times" for id_, n in Counter(r.id for r in live).items() if n > 1)
    if problems:
        raise Invalid(problems)
    return _Compiler(shared).compile(sorted(live, key=lambda rule: (-rule.score, rule.id)))


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

    def __init__(self, shared: Groups) -> None:
        self.shared = shared
        self.bits: dict[str, int] = {}  # by stable name
        self.terms: defaultdict[str, int] = defaultdict(int)
        self.masks: dict[str, int] = {}  # of shared groups
        self.entity_bits = {kind: self.bit(f"entity/{kind}") for kind in KINDS}

    def compile(self, rules: Sequence[Rule]) -> Rulebook:
        special = {name: self.group_mask(name) for name in _SPECIAL}
        clauses = tuple(self.clauses(rule) for rule in rules)
        touched_by: defaultdict[int, int] = defaultdict(int)
        for place, each in enumerate(clauses):
            for bit in bits_in(_union([each.parts, *(near.a | near.b for near in each.nears)])):
                touched_by[bit] |= 1 << place
        remembered = _union(each.parts for each in clauses if each.rule.window.scope is not Scope.MESSAGE)
        bit_of = {_key(name): bit for name, bit in self.bits.items() if bit & remembered}
        if len(bit_of) < remembered.bit_count():
            raise Invalid(["two groups have the same 32-bit key: rename one of those added last"])
        return Rulebook(
            terms=dict(self.terms),
            entity_bits=self.entity_bits,
            clauses=clauses,
            touched_by=dict(touched_by),
            key_of={bit: key for key, bit in bit_of.items()},
            bit_of=bit_of,
            telling=_union([*touched_by, special["warning"], special["inquiry"]]),
            remembered=remembered,
            traceable=sum(self.entity_bits[kind] for kind in _TRACEABLE),
            **special,
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
