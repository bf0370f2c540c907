"""What is wrong or hardly meant in a ruleset's fraud rules, groups, scorecards and reminder texts.

An error keeps a ruleset from judging, or a rule from ever firing or reminding; a warning is about what is there for
nothing, or what nobody has tried.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

from msgspec import Struct

from processor.errors import Invalid
from processor.fraud.brands import LINKS
from processor.fraud.reading import KINDS
from processor.fraud.rule import OTHER, STAGES, TYPES, Rule, Scope, Status
from processor.fraud.rules import SPECIAL, Clauses, Rulebook, compile_rules, parse_rule
from processor.fraud.scorecard import Card, Evidence
from processor.rulesets.document import BaseDocument
from processor.rulesets.rule_places import Places

EXAMPLES = 3  # of each kind, at least, where a rule has any
_NAMED = re.compile(r"(?:rule|card) (?P<rule>FR-[A-Z]{2}-[0-9]+)|(?P<kind>group|words|signal) '(?P<name>[^']+)'")


class RuleFinding(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One remark."""

    level: Literal["error", "warning"]
    kind: str
    message: str  # a sentence without the place
    what: str = ""  # the rule, group, words, signal or template
    file: str | None = None
    line: int | None = None

    @property
    def where(self) -> str:
        """File and line, as far as they are known."""
        return f"{self.file}:{self.line}" if self.file else ""


def inspect_rules(document: BaseDocument, places: Places | None = None) -> list[RuleFinding]:
    """Everything to say of a base ruleset's fraud rules, errors first, each in the order of its files."""
    found = _Findings(places or {})
    try:
        fraud = document.fraud
        book = compile_rules(fraud.groups, fraud.rules, fraud.scorecards, fraud.brands)
    except Invalid as error:
        found.invalid(error.problems)
        return found.all()
    rules = [parse_rule(each) for each in document.fraud.rules]
    cards = {card.rule.id: card for card in book.cards.cards}
    heads = [*rules, *(card.rule for card in cards.values())]
    for clauses in book.clauses:
        for why in _never_fires(clauses):
            found.add("error", "never fires", f"{clauses.rule.id} can never fire: {why}", ("rule", clauses.rule.id))
    for card in cards.values():
        if why := _card_never_fires(card, book):
            found.add("error", "never fires", f"{card.rule.id} can never fire: {why}", ("rule", card.rule.id))
    for rule in heads:
        _templates(rule, document.reminders, found)
        _examples(rule, found)
    for name in _unread(heads, document.reminders):
        found.add("warning", "unused", f"no rule comes to template {name!r}: is a name misspelt?", ("template", name))
    for kind, name in _unused(document):
        found.add("warning", "unused", f"{kind} {name!r} is used by no rule and no scorecard", (kind, name))
    return found.all()


def unread(base: BaseDocument, templates: Iterable[str]) -> list[str]:
    """The templates that no reminder can be written with while `base` is in force. Raises: Invalid."""
    fraud = base.fraud
    cards = compile_rules(fraud.groups, fraud.rules, fraud.scorecards, fraud.brands).cards.cards
    return _unread([*map(parse_rule, fraud.rules), *(card.rule for card in cards)], templates)


def invalid(problems: Iterable[str], places: Places | None = None) -> list[RuleFinding]:
    """What could not even be read, as findings; a problem that names its file and line keeps them in its words."""
    found = _Findings(places or {})
    found.invalid(problems)
    return found.all()


class _Findings:
    """Collects remarks and knows where the things stand."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._found: list[RuleFinding] = []

    def add(self, level: Literal["error", "warning"], kind: str, message: str, about: tuple[str, str]) -> None:
        place = self._places.get(about)
        file, line = (place.file, place.line) if place else (None, None)
        self._found.append(RuleFinding(level=level, kind=kind, message=message, what=about[1], file=file, line=line))

    def invalid(self, problems: Iterable[str]) -> None:
        for problem in problems:
            match = _NAMED.match(problem)
            about = ("rule", match["rule"]) if match and match["rule"] else ("", "")
            if match and match["kind"]:
                about = (match["kind"], match["name"])
            self.add("error", "invalid", problem, about)

    def all(self) -> list[RuleFinding]:
        return sorted(self._found, key=lambda each: (each.level, each.file or "", each.line or 0))


def _never_fires(clauses: Clauses) -> Iterator[str]:
    when = clauses.rule.when
    if not clauses.parts:
        yield "it has no clause that a message could fulfil"
        return
    required = dict.fromkeys([*when.all_of, *when.order, *(side for near in when.near for side in (near.a, near.b))])
    for name in required:
        if not clauses.groups[name]:
            yield f"it needs group {name!r}, which is empty"
        elif clauses.rule.window.scope is Scope.MESSAGE and not clauses.groups[name] & ~clauses.none_of:
            yield f"it needs group {name!r} in a message in which none_of forbids it"
    if when.any_of and not any(clauses.groups[name] for name in when.any_of):
        yield "all groups of any_of are empty"
    if when.at_least > sum(1 for name in when.of if clauses.groups[name]):
        yield "at_least asks for more groups than are not empty"
    if not clauses.parts & ~clauses.none_of:
        yield "whatever it needs is also in none_of"


def _card_never_fires(card: Card, book: Rulebook) -> str:
    """Asks the card itself: everything it knows, said at once by one person."""
    cards = book.cards
    if cards.tally(card, [Evidence(bits=card.mask, weight=1.0, own=True)]):
        return ""
    roles = {each.role for each in card.points}
    if len(roles) < card.roles:
        return f"it asks for {card.roles} roles and gives points for {len(roles)}"
    if card.one_of and not roles & card.one_of:
        return f"it gives no points for {' or '.join(sorted(card.one_of))}, one of which it asks for"
    return f"all its points together stay below {cards.least}, or below what a message must bring ({cards.bring})"


def _templates(rule: Rule, templates: Mapping[str, Any], found: _Findings) -> None:
    if rule.status not in (Status.ACTIVE, Status.SHADOW):
        return
    usual = [f"remind.{kind}.v1" for kind in (rule.type, OTHER)]
    if not any(name in templates for name in (rule.template, *usual)):
        said = f"{rule.id} has no words to remind with: none of {', '.join(dict.fromkeys((rule.template, *usual)))}"
        found.add("error", "template", said, ("rule", rule.id))
    elif rule.template not in templates:
        found.add("warning", "template", f"{rule.id}: there is no template {rule.template}", ("rule", rule.id))


def _unread(rules: Iterable[Rule], templates: Iterable[str]) -> list[str]:
    """The templates that no reminder can be written with."""
    bases = {*(rule.template for rule in rules), *(f"remind.{kind}.v1" for kind in TYPES)}
    parts = [base.rpartition(".") for base in bases]
    special = ["again", *(f"{part}{again}" for part in (*STAGES, "sender") for again in ("", ".again"))]
    staged = {f"{stem}.{part}.{version}" for stem, _, version in parts for part in special}
    return [name for name in templates if name not in bases | staged]


def _examples(rule: Rule, found: _Findings) -> None:
    hits, misses = len(rule.hits), len(rule.misses)
    if (hits or misses) and min(hits, misses) < EXAMPLES:
        said = f"{rule.id} has {hits} hit and {misses} miss examples: at least {EXAMPLES} of each are wanted"
        found.add("warning", "examples", said, ("rule", rule.id))


def _unused(document: BaseDocument) -> Iterator[tuple[str, str]]:
    """Groups, words and signals that nothing in force or on its way comes to."""
    fraud = document.fraud
    groups, cards = fraud.groups, fraud.scorecards
    words, signals = cards.get("words") or {}, cards.get("signals") or {}
    pointed = {name for card in cards.get("cards") or () for name in _signals_of(card, cards)}
    yield from (("signal", name) for name in signals if name not in pointed)
    notice = cards.get("notice") or {}
    reached = [*SPECIAL, *(name for key in ("of", "alone", "unless") for name in notice.get(key) or ())]
    for name in pointed & set(signals):
        reached += [each for key in ("any", "near", "unless") for each in signals[name].get(key) or ()]
    reached += [name for rule in fraud.rules for items in rule["terms"].values() for name in _groups_in(items)]
    reached = list(dict.fromkeys(reached))
    for name in reached:  # grows while it is read
        nested = _groups_in(groups.get(name) or words.get(name) or ())
        reached += [each for each in nested if each not in reached]
    others = {*KINDS, *LINKS}
    yield from (("group", name) for name in groups if name not in reached and name not in others)
    yield from (("words", name) for name in words if name not in reached and name not in others)


def _signals_of(card: Mapping[str, Any], cards: Mapping[str, Any]) -> Iterator[str]:
    common = {} if card.get("common") is False else cards.get("common") or {}
    for given in (*(card.get("points") or {}).values(), *common.values()):
        yield from given


def _groups_in(items: Sequence[Any]) -> list[str]:
    return [str(item["group"]) for item in items if isinstance(item, Mapping) and "group" in item]
