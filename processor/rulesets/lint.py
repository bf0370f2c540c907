"""What is allowed in a ruleset but was hardly meant: terms that can never matter, and terms that matter too often.

Nothing here guesses how a text is read: every term is put before the judge itself, alone and then all of them against
ordinary chat, and the findings say what came of it. An *error* is something that cannot have been meant (a term that
nothing finds, one that an allow entry always covers, one that would hit a thousandth of all chat); a *warning* is
something that a person should look at.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from processor.errors import Invalid
from processor.fraud.rules import Rulebook, compile_rules
from processor.judge import judge
from processor.matching.folding import fold, is_break, is_hanzi, squeeze
from processor.matching.term import forms, identity
from processor.model import ChatMessage, Hit, Malformed, Severity
from processor.ruleset import Rules
from processor.rulesets.compile import BUILTIN_LEXICON, compile_base, compile_overlay
from processor.rulesets.document import BaseDocument, Document, Entry, FraudDocument, Off, OverlayDocument
from processor.rulesets.places import ALIASES, OVERLAY, Place, Places

Level = Literal["error", "warning"]
Kind = Literal[
    "alias",
    "allow",
    "ceiling",
    "comma",
    "duplicate",
    "everyday",
    "expired",
    "off",
    "regrade",
    "reminder",
    "short",
    "subsumed",
    "unreachable",
    "invalid",
]

TOO_OFTEN = 0.001  # of ordinary lines: no term that acts may hit so many
NOTABLE: Mapping[Severity, float] = {  # share of ordinary lines from which on a term is worth a look
    Severity.HIGH: 0.0,
    Severity.MEDIUM: 0.0,
    Severity.LOW: 0.0005,
    Severity.LOG: 0.005,
}
SHORT_WORD = 3  # letters; a shorter word of a spaced script is an abbreviation of many things
SHORT_NUMBER = 4  # digits
_AS_WRITTEN = frozenset({"accent", "case", "variant", "width"})  # transforms that every term is found through

_POLICY = {  # the real one does not matter here: what counts is what is found, not what follows
    "actions": {"default": {"high": "block", "medium": "review", "low": "mask", "log": "pass"}},
    "fraud": {"review_at": 100, "remind_at": 100},
    "reminder": {"locale": "auto", "cooldown_s": 1, "expires_s": 1, "max_recipients": 1},
}


class Finding(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One remark about one entry."""

    level: Level
    kind: Kind
    message: str  # a sentence without the place
    part: str = ""  # the lexicon, or "aliases", "overlay" or "reminders"
    term: str = ""
    file: str | None = None
    line: int | None = None
    hits: int | None = None  # lines of ordinary chat that the term hits
    rate: float | None = None  # the same as a share

    @property
    def where(self) -> str:
        """File and line, or as much as is known of them."""
        return f"{self.file}:{self.line}" if self.file else self.part


class Report(Struct, frozen=True, kw_only=True):
    """What a look at a ruleset came to."""

    findings: Sequence[Finding]
    terms: int
    ordinary_lines: int = 0
    ordinary_hit: int = 0  # lines that a term with a severity above log hits

    def count(self, level: Level) -> int:
        """How many findings are of that level."""
        return sum(finding.level == level for finding in self.findings)


class Placed(NamedTuple):
    """An entry and where it stands."""

    lexicon: str
    entry: Entry
    place: Place | None


def inspect(
    document: Document,
    *,
    base: BaseDocument | None = None,
    ordinary: Sequence[str] = (),
    places: Places | None = None,
    today: str = "",
) -> Report:
    """Everything that is worth a remark in `document`, errors first, then by place.

    `base`: what an overlay lies over; without it, nothing. `ordinary`: lines of chat that should be left alone.
    `places`: where the entries stand, from `places`. `today`: YYYY-MM-DD, for entries that have expired; "" for none.
    Policy and fraud rules need not compile. Raises: Invalid, if entries do not.
    """
    subject = _Subject(
        document=document, base=base or BaseDocument(), ordinary=ordinary, places=places or {}, today=today
    )
    findings = [finding for check in _CHECKS for finding in check(subject)]
    findings.sort(key=lambda finding: (finding.level != "error", finding.file or "", finding.line or 0))
    return Report(
        findings=findings,
        terms=len(subject.placed),
        ordinary_lines=len(ordinary),
        ordinary_hit=sum(any(hit.severity != Severity.LOG for hit in hits) for hits in subject.ordinary_hits),
    )


@dataclass(frozen=True, kw_only=True)
class _Subject:
    """A document and what the judge says of its terms; each answer is worked out once."""

    document: Document
    base: BaseDocument
    ordinary: Sequence[str]
    places: Places = field(default_factory=dict)
    today: str = ""

    @property
    def overlay(self) -> OverlayDocument | None:
        return self.document if isinstance(self.document, OverlayDocument) else None

    @property
    def ground(self) -> BaseDocument:
        return self.document if isinstance(self.document, BaseDocument) else self.base

    @property
    def lexicon(self) -> str:
        """What verdicts call the lexicons of this document."""
        return self.document.tenant if isinstance(self.document, OverlayDocument) else BUILTIN_LEXICON

    @cached_property
    def placed(self) -> list[Placed]:
        seen: Counter[tuple[str, str]] = Counter()
        placed = []
        for lexicon, entries in self.document.lexicons.items():
            for entry in entries:
                place = self.place(lexicon, entry.term, seen[lexicon, entry.term])
                seen[lexicon, entry.term] += 1
                placed.append(Placed(lexicon, entry, place))
        return placed

    def place(self, part: str, term: str, nth: int = 0) -> Place | None:
        known = self.places.get((part, term), ())
        return known[min(nth, len(known) - 1)] if known else None

    @cached_property
    def owners(self) -> dict[str, list[Placed]]:
        """By the identity of a term, what of it stands in this document and counts wherever it is found."""
        owners: defaultdict[str, list[Placed]] = defaultdict(list)
        for each in self.placed:
            if each.entry.kind == "term" and not _is_narrow(each.entry):
                owners[identity(each.entry.term)].append(each)
        return owners

    @cached_property
    def rulebook(self) -> Rulebook | None:
        """The fraud rules below; None where they do not compile, which is told elsewhere."""
        try:
            fraud = self.ground.fraud
            return compile_rules(fraud.groups, fraud.rules, fraud.scorecards, fraud.brands)
        except Invalid:
            return None

    @cached_property
    def known(self) -> frozenset[str]:
        """The identities of all terms that an alias may stand for."""
        book = self.rulebook
        return self.lexicon_terms | {identity(term) for term in ((*book.terms, *book.beside) if book else ())}

    @cached_property
    def lexicon_terms(self) -> frozenset[str]:
        entries = (entry for entries in self.ground.lexicons.values() for entry in entries)
        return frozenset(identity(entry.term) for entry in entries if entry.kind == "term")

    @cached_property
    def rules(self) -> Rules:
        return self._compiled(self.overlay)

    @cached_property
    def rules_without_allow(self) -> Rules:
        overlay = self.overlay and replace(self.overlay, allow=[], lexicons=_without_allow(self.overlay))
        return self._compiled(overlay, replace(self.ground, lexicons=_without_allow(self.ground)))

    def _compiled(self, overlay: OverlayDocument | None, ground: BaseDocument | None = None) -> Rules:
        ground = ground or self.ground
        aliases = {s: term for s, term in ground.aliases.items() if identity(term) in self.lexicon_terms}
        ground = replace(ground, aliases=aliases, fraud=FraudDocument(), reminders={}, policy=_POLICY)
        overlays = {}
        if overlay:
            plain = replace(overlay, off=replace(overlay.off, rules=[]), reminders={}, policy={})
            overlays = {overlay.tenant: compile_overlay(plain, version=0, digest="")}
        return Rules(base=compile_base(ground, version=0, digest=""), overlays=overlays)

    @cached_property
    def own_hits(self) -> list[Sequence[Hit]]:
        """For each placed entry, what the judge finds in the term itself."""
        return self.hits([each.entry.term for each in self.placed])

    @cached_property
    def ordinary_hits(self) -> list[Sequence[Hit]]:
        """For each ordinary line, what the judge finds in it."""
        return self.hits(self.ordinary)

    def hits(self, texts: Sequence[str], rules: Rules | None = None) -> list[Sequence[Hit]]:
        tenant = self.lexicon if self.overlay else "-"
        messages = [
            ChatMessage(
                message_id="-", tenant_id=tenant, conversation_id=str(n), sender_id="-", type="text", content=text
            )
            for n, text in enumerate(texts)
        ]
        judged = judge(messages, [0] * len(messages), rules or self.rules, {}).each
        return [() if isinstance(each, Malformed) else each.hits for each in judged]


def _remark(level: Level, kind: Kind, each: Placed, message: str, *, hits: int | None = None, of: int = 0) -> Finding:
    return _finding(level, kind, each.lexicon, each.entry.term, each.place, message, hits=hits, of=of)


def _finding(
    level: Level,
    kind: Kind,
    part: str,
    term: str,
    place: Place | None,
    message: str,
    *,
    hits: int | None = None,
    of: int = 0,
) -> Finding:
    return Finding(
        level=level,
        kind=kind,
        message=message,
        part=part,
        term=term,
        file=place.file if place else None,
        line=place.line if place else None,
        hits=hits,
        rate=round(hits / of, 6) if hits is not None and of else None,
    )


def _without_allow(document: Document) -> dict[str, list[Entry]]:
    return {
        lexicon: [entry for entry in entries if entry.kind != "allow"] for lexicon, entries in document.lexicons.items()
    }


def _is_narrow(entry: Entry) -> bool:
    """Whether the entry does not count wherever it is found."""
    return bool(entry.fields or entry.company or entry.all or entry.without or entry.expires)


def _mistyped(subject: _Subject) -> Iterator[Finding]:
    for each in subject.placed:
        if "，" in each.entry.term:
            message = f"{each.entry.term!r} has a full-width comma: category and severity follow an ASCII comma"
            yield _remark("warning", "comma", each, message)


def _repeated(subject: _Subject) -> Iterator[Finding]:
    first: dict[object, Placed] = {}
    for each in subject.placed:
        entry = each.entry
        read = entry.term if entry.kind == "pattern" else _folded(entry.term)
        known = first.setdefault((entry.kind, read, entry.fields, entry.company, entry.all, entry.without), each)
        if known is not each:
            message = f"{_graded(each)} is read the same as {_graded(known)} in {_where(known)}"
            yield _remark("warning", "duplicate", each, message)


def _subsumed(subject: _Subject) -> Iterator[Finding]:
    """A term in which another one of the same category, and no milder, is found anyway."""
    for each, inner in _inner(subject):
        if each is not inner and _folded(inner.entry.term) != _folded(each.entry.term):
            graver = f" ({inner.entry.severity})" if inner.entry.severity != each.entry.severity else ""
            message = f"{each.entry.term!r} is found anyway, by {inner.entry.term!r}{graver} in {_where(inner)}"
            yield _remark("warning", "subsumed", each, message)


def _inner(subject: _Subject) -> Iterator[tuple[Placed, Placed]]:
    """Each entry with the first other one that makes it idle; of two that find each other, the later one is idle.

    What is found by an alias, or by a dear reading (笑气气弹 as 笑气弹), does not count: that may depend on a ceiling
    or on company.
    """
    idle: set[str] = set()
    for each, hits in zip(subject.placed, subject.own_hits, strict=True):
        own = identity(each.entry.term)
        for hit in hits if each.entry.kind == "term" else ():
            found = identity(hit.term)
            inner = next((other for other in subject.owners.get(found, ()) if _covers(other, each)), None)
            as_written = hit.lexicon == subject.lexicon and _AS_WRITTEN.issuperset(hit.via)
            # A term stands for all its spellings: 甲. is found in 甲.a as it is written, and not in 甲a.
            if as_written and found != own and found in own and inner and found not in idle:
                idle.add(own)
                yield each, inner
                break


def _covers(inner: Placed, each: Placed) -> bool:
    one, other = inner.entry, each.entry
    return one.category == other.category and one.severity.rank >= other.severity.rank


def _unreachable(subject: _Subject) -> Iterator[Finding]:
    """A term that is not even found in itself; of one that needs company or a field nobody can tell."""
    lost = [
        each
        for each, hits in zip(subject.placed, subject.own_hits, strict=True)
        if each.entry.kind in {"term", "exact"}
        and not _is_narrow(each.entry)
        and not _finds(hits, each.entry.term, subject.lexicon)
    ]
    freed = subject.hits([each.entry.term for each in lost], subject.rules_without_allow) if lost else []
    covered = {id(each) for each, hits in zip(lost, freed, strict=True) if _finds(hits, each.entry.term)}
    for each in lost:
        if id(each) in covered:
            yield _remark("error", "allow", each, f"{each.entry.term!r} never hits: an allow entry covers all of it")
        else:
            message = f"{each.entry.term!r} is not found in itself: nothing that anybody writes reads as it"
            yield _remark("error", "unreachable", each, message)


def _finds(hits: Iterable[Hit], term: str, lexicon: str | None = None) -> bool:
    own = identity(term)
    return any(identity(hit.term) == own and lexicon in {None, hit.lexicon} for hit in hits)


def _short(subject: _Subject) -> Iterator[Finding]:
    """Words of few letters, and short numbers; two hanzi may well be a term, which ordinary chat tells."""
    for each in subject.placed:
        counted = [char for char in squeeze(each.entry.term) if not is_break(char)]
        least = SHORT_NUMBER if all(char.isdecimal() for char in counted) else SHORT_WORD
        spaced = not any(map(is_hanzi, counted)) and all(char.isalnum() for char in counted)
        alone = each.entry.kind == "term" and not (each.entry.company or each.entry.all)
        if alone and counted and spaced and len(counted) < least and each.entry.severity != Severity.LOG:
            what = "digits" if least == SHORT_NUMBER else "letters"
            message = f"{each.entry.term!r} has {len(counted)} {what}: it will stand for many other things"
            yield _remark("warning", "short", each, message)


def _everyday(subject: _Subject) -> Iterator[Finding]:
    """Terms that hit ordinary chat: more than any may, or more than those of their severity should."""
    seen: defaultdict[str, dict[int, Sequence[str]]] = defaultdict(dict)  # term → line → how it was read there
    for number, hits in enumerate(subject.ordinary_hits):
        for hit in hits:
            if hit.lexicon == subject.lexicon:
                seen[identity(hit.term)].setdefault(number, hit.via)
    total = len(subject.ordinary)
    for each in subject.placed:
        lines = seen.get(identity(each.entry.term), {})
        share = len(lines) / total if lines else 0.0
        if lines and share > NOTABLE[each.entry.severity]:
            level: Level = "error" if share > TOO_OFTEN and each.entry.severity != Severity.LOG else "warning"
            example = subject.ordinary[next(iter(lines))]
            message = (
                f"{each.entry.term!r} ({each.entry.severity}) hits {len(lines):,} of {total:,} ordinary lines "
                f"({share:.2%}), e.g. “{example}”"
            )
            dear = [via for via in lines.values() if not _AS_WRITTEN.issuperset(via)]
            if len(dear) < len(lines):
                yield _remark(level, "everyday", each, message, hits=len(lines), of=total)
            else:
                read = ", ".join(sorted({how for via in dear for how in via}))
                message += f", each time through {read}: a lower ceiling would spare them"
                yield _remark(level, "ceiling", each, message, hits=len(lines), of=total)


def _aliases(subject: _Subject) -> Iterator[Finding]:
    if not isinstance(subject.document, BaseDocument):
        return
    aliases = subject.document.aliases
    for spelling, term in aliases.items():
        place = subject.place(ALIASES, spelling)
        if identity(term) not in subject.known and subject.rulebook:
            message = f"{spelling!r} stands for {term!r}, which no lexicon and no fraud rule has"
            yield _finding("error", "alias", ALIASES, spelling, place, message)
        elif _folded(spelling) == _folded(term):
            message = f"{spelling!r} is read the same as {term!r}: an alias of it is not needed"
            yield _finding("warning", "alias", ALIASES, spelling, place, message)
        elif identity(spelling) in subject.lexicon_terms:
            message = f"{spelling!r} is a term of its own; as an alias of {term!r} it gives two hits for one"
            yield _finding("warning", "alias", ALIASES, spelling, place, message)


def _allow(subject: _Subject) -> Iterator[Finding]:
    """Phrases in which nothing is found that they could allow."""
    listed = subject.overlay.allow if subject.overlay else []
    phrases = [(OVERLAY, phrase, subject.place(OVERLAY, phrase)) for phrase in listed]
    phrases += [(each.lexicon, each.entry.term, each.place) for each in subject.placed if each.entry.kind == "allow"]
    if not phrases:
        return
    first: dict[str, str] = {}
    found = subject.hits([phrase for _, phrase, _ in phrases], subject.rules_without_allow)
    for (part, phrase, place), hits in zip(phrases, found, strict=True):
        known = first.setdefault(_folded(phrase), phrase)
        if known is not phrase and part == OVERLAY:
            message = f"{phrase!r} is read the same as {known!r}, which is allowed already"
            yield _finding("warning", "duplicate", part, phrase, place, message)
        elif not hits:
            message = f"{phrase!r} allows nothing: no term is found in it"
            yield _finding("warning", "allow", part, phrase, place, message)


def _expired(subject: _Subject) -> Iterator[Finding]:
    for each in subject.placed:
        if each.entry.expires is not None and each.entry.expires < subject.today:
            message = f"{each.entry.term!r} has not counted since {each.entry.expires}"
            yield _remark("warning", "expired", each, message)


def _strangers(subject: _Subject) -> Iterator[Finding]:
    """What an overlay re-grades or switches off although the base does not have it."""
    if not subject.overlay or not subject.base.lexicons:
        return
    entries = [entry for lexicon in subject.base.lexicons.values() for entry in lexicon]
    terms, categories = {identity(entry.term) for entry in entries}, {entry.category for entry in entries}
    rules = {str(rule.get("id")) for rule in subject.base.fraud.rules}
    off: Off = subject.overlay.off
    asked: list[tuple[Kind, str, str, bool]] = [
        *(("off", "term", term, identity(term) in terms) for term in off.terms),
        *(("off", "category", category, category in categories) for category in off.categories),
        *(("off", "fraud rule", rule, rule in rules) for rule in off.rules),
        *(
            ("regrade", "term", each.term, identity(each.term) in terms)
            for each in subject.overlay.regrade
            if each.term
        ),
        *(
            ("regrade", "category", each.category, each.category in categories)
            for each in subject.overlay.regrade
            if each.category
        ),
    ]
    for kind, what, name, known in asked:
        if not known:
            message = f"the base has no {what} {name!r}"
            yield _finding("warning", kind, OVERLAY, name, subject.place(OVERLAY, name), message)


def _folded(term: str) -> str:
    return next(iter(forms(term)), fold(term))


def _graded(each: Placed) -> str:
    return f"{each.entry.term!r} ({each.entry.category}, {each.entry.severity})"


def _where(each: Placed) -> str:
    return f"{each.place.file}:{each.place.line}" if each.place else each.lexicon


_CHECKS: Sequence[Callable[[_Subject], Iterable[Finding]]] = (
    _mistyped,
    _repeated,
    _unreachable,
    _subsumed,
    _short,
    _everyday,
    _aliases,
    _allow,
    _expired,
    _strangers,
)
