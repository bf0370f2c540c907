"""A document to what the judge holds in its hand. Pure, slow (up to seconds for very many terms), thread-safe."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache
from importlib.resources import files
from typing import NamedTuple

import msgspec

from processor.errors import Invalid
from processor.fraud.rules import Rulebook, compile_rules
from processor.fraud.wording import base_flaws, overlay_flaws
from processor.matching.cut import Cut
from processor.matching.engine import Bytewise
from processor.matching.matcher import Matcher
from processor.matching.patterns import Patterns
from processor.matching.term import identity
from processor.model import Severity
from processor.needs import Needs
from processor.policy import FRAUD, parse
from processor.ruleset import Allow, Base, Entry, Ground, Kinds, Meaning, Overlay, whole
from processor.rulesets.company import NeededWords, is_ordinary
from processor.rulesets.document import MAX_TERM, BaseDocument, FraudDocument, OverlayDocument
from processor.rulesets.document import Entry as Written
from processor.rulesets.entries import entry_flaws

BUILTIN_LEXICON = "base"
CEILINGS = {Severity.HIGH: 6, Severity.MEDIUM: 5, Severity.LOW: 4, Severity.LOG: 2}
"""What the transforms of a hit may cost together, by the severity of its term; costs: `matching.readings.COSTS`."""

PLAINLY = 1  # what the plain readings cost
CHEAP = 2  # pays for what is neither sound nor look
SHORT = 2  # characters
MOST_SHORT = 5_000  # terms that are so short, beyond which nearly every pair of syllables would be one of them
MOST_DEAR = 200_000  # terms


def compile_base(document: BaseDocument, *, version: int, digest: str) -> Base:
    """Raises Invalid with everything that is wrong with entries, rules, policy or aliases."""
    if not document.policy:
        raise Invalid(["policy: there is none; write policy.yaml, which says what happens at each severity"])
    templates = msgspec.to_builtins(document.reminders)
    if flaws := list(base_flaws(templates)):
        raise Invalid(flaws)
    fraud = msgspec.json.encode(document.fraud)
    book = _rulebook(fraud)
    needed = NeededWords()
    names = _builtin_names()
    given = _meanings({name: each for name, each in document.lexicons.items() if name in names}, needed)
    own = _meanings({name: each for name, each in document.lexicons.items() if name not in names}, needed)
    words = [Meaning(term, bits) for term, bits in book.terms.items()]
    beside = [Meaning(term, bits) for term, bits in book.beside.items()]
    aliases = _aliases(document.aliases, [*given.terms, *own.terms, *words, *beside], needed)
    grounded = {meaning.what for meaning in (*given.terms, *words, *beside)}
    low = list(dict.fromkeys([*given.terms, *words, *(each for each in aliases if each.what in grounded)]))
    high = list(dict.fromkeys([*own.terms, *(each for each in aliases if each.what not in grounded)]))
    meanings, kinds = _kinds([*low, *high], [given, own], needed)
    return Base(
        version=version,
        digest=digest,
        ground=_ground(fraud, *_searched(low)),
        own=Matcher(*_searched(high), first=len(low)),
        meanings=meanings,
        kinds=kinds,
        policy=parse(document.policy),
        policy_document=document.policy,
        templates=templates,
    )


def compile_overlay(document: OverlayDocument, *, version: int, digest: str) -> Overlay:
    """What a tenant's document comes to. Its policy is checked against a base, when `Rules` brings them together.

    Raises Invalid with everything that is wrong with its reminder texts or with its entries.
    """
    templates = msgspec.to_builtins(document.reminders)
    if flaws := list(overlay_flaws(templates)):
        raise Invalid(flaws)
    needed = NeededWords()
    own = _meanings(document.lexicons, needed, lexicon=document.tenant)
    terms = list(dict.fromkeys([*own.terms, *(Meaning(term, Allow(term)) for term in document.allow)]))
    meanings, kinds = _kinds(terms, [own], needed, sifted=True)
    return Overlay(
        tenant=document.tenant,
        version=version,
        digest=digest,
        own=Matcher(*_searched(terms), engine=Bytewise, sifted=True),
        meanings=meanings,
        kinds=kinds,
        regraded_terms={identity(regrade.term): regrade.severity for regrade in document.regrade if regrade.term},
        regraded_categories={regrade.category: regrade.severity for regrade in document.regrade if regrade.category},
        off_terms=frozenset(map(identity, document.off.terms)),
        off_categories=frozenset(document.off.categories),
        off_rules=frozenset(document.off.rules),
        templates=templates,
        policy_document=document.policy,
    )


@cache
def _builtin_names() -> frozenset[str]:
    """Of the lexicons that come with the package."""
    return frozenset(file.name.rpartition(".")[0] for file in (files("processor") / "builtin" / "lexicons").iterdir())


_Searched = tuple[tuple[str, ...], tuple[int | None, ...]]  # terms and their ceilings


def _searched(meanings: Sequence[Meaning]) -> _Searched:
    return tuple(meaning.spelling for meaning in meanings), tuple(_ceilings(meanings))


@lru_cache(maxsize=2)
def _ground(fraud: bytes, terms: tuple[str, ...], ceilings: tuple[int | None, ...]) -> Ground:
    """The same object for the same content: most publications change none of it."""
    book = _rulebook(fraud)
    return Ground(
        matcher=Matcher(terms, ceilings),
        beside=Matcher(list(book.beside)),
        beside_bits=list(book.beside.values()),
        book=book,
    )


def _ceilings(meanings: Sequence[Meaning]) -> list[int | None]:
    """What the readings of each may cost; in a very large lexicon dear readings would find something in every text."""
    ceilings = [_ceiling(meaning) for meaning in meanings]
    dear = [number for number, ceiling in enumerate(ceilings) if ceiling is not None and ceiling > CHEAP]
    short = [number for number in dear if len(identity(meanings[number].spelling)) <= SHORT]
    too_many = dear if len(dear) > MOST_DEAR else short if len(short) > MOST_SHORT else []
    for number in too_many:
        what = meanings[number].what
        if isinstance(what, Entry) and what.ceiling is None:
            ceilings[number] = CHEAP
    return ceilings


def _ceiling(meaning: Meaning) -> int | None:
    """Words of fraud rules and allowed phrases are taken as they are written; they are not told for themselves.

    Slang that is an ordinary word is not read for what sounds or looks like it, by default: 椰子 is no 叶子.
    """
    if not isinstance(meaning.what, Entry):
        return None
    if meaning.what.ceiling is not None:
        return meaning.what.ceiling
    usual = CEILINGS[meaning.what.severity]
    return min(usual, PLAINLY) if meaning.needs and meaning.needs.own else usual


@lru_cache(maxsize=2)
def _rulebook(fraud: bytes) -> Rulebook:
    """The fraud rules of a document; most publications change a lexicon and leave them as they were."""
    document = msgspec.json.decode(fraud, type=FraudDocument)
    return compile_rules(document.groups, document.rules, document.scorecards, document.brands)


class _Meanings(NamedTuple):
    """What the entries of a document mean, by what finds them."""

    terms: list[Meaning]
    patterns: list[Meaning]
    exact: list[Meaning]


def _meanings(
    lexicons: Mapping[str, list[Written]], needed: NeededWords, *, lexicon: str = BUILTIN_LEXICON
) -> _Meanings:
    """Raises Invalid with everything that is wrong with any of the entries."""
    sorted_out = _Meanings([], [], [])
    problems: list[str] = []
    for name, entries in lexicons.items():
        for entry in entries:
            rich = not entry.is_plain
            if rich or len(entry.term) > MAX_TERM:
                problems += [f"{name}: {entry.term[:MAX_TERM]!r}: {flaw}" for flaw in entry_flaws(entry, least=1)]
            term = entry.term
            what = Entry(term, entry.category, entry.severity, lexicon, entry.ceiling)
            if not rich:
                sorted_out.terms.append(Meaning(term, what))
            elif problems:
                continue
            elif entry.kind == "pattern":
                sorted_out.patterns.append(Meaning("", what, needed.by(entry)))
            elif entry.kind == "exact":
                sorted_out.exact.append(Meaning(term, what, needed.by(entry)))
            else:
                sorted_out.terms.append(Meaning(term, Allow(term) if entry.kind == "allow" else what, needed.by(entry)))
    if problems:
        raise Invalid(problems)
    return sorted_out


def _kinds(
    found: Sequence[Meaning], entries: Sequence[_Meanings], needed: NeededWords, *, sifted: bool = False
) -> tuple[list[Meaning], Kinds]:
    """All meanings, those of the matchers' terms first, then patterns, then whole messages; and what finds those."""
    matched = [meaning for each in entries for meaning in each.patterns]
    whole_texts = [meaning for each in entries for meaning in each.exact]
    exact: dict[str, list[int]] = {}
    for number, meaning in enumerate(whole_texts, start=len(found) + len(matched)):
        exact.setdefault(whole(meaning.spelling), []).append(number)
    try:
        patterns = Patterns([meaning.what.term for meaning in matched if isinstance(meaning.what, Entry)])
    except ValueError as error:
        raise Invalid([str(error)]) from None
    kinds = Kinds(
        patterns=patterns,
        first_pattern=len(found),
        exact=exact,
        company=needed.company(),
        cut=Cut(
            (meaning.spelling for meaning in found if isinstance(meaning.what, Entry) and _stands_alone(meaning)),
            sifted=sifted,
        ),
    )
    return [*found, *matched, *whole_texts], kinds


def _stands_alone(meaning: Meaning) -> bool:
    return meaning.needs is None or not meaning.needs.near


def _aliases(aliases: Mapping[str, str], plain: Iterable[Meaning], needed: NeededWords) -> list[Meaning]:
    """An alias means what its term means, to the lexicons and to the fraud rules; an ordinary word needs company."""
    known: dict[str, list[Meaning]] = {}
    for meaning in plain:
        known.setdefault(identity(meaning.spelling), []).append(meaning)
    strangers = [spelling for spelling, term in aliases.items() if identity(term) not in known]
    if strangers:
        raise Invalid(
            [f"alias {spelling}={aliases[spelling]}: no lexicon or rule has the term" for spelling in strangers]
        )
    return [
        Meaning(spelling, meaning.what, _alias_needs(spelling, meaning, needed))
        for spelling, term in aliases.items()
        for meaning in known[identity(term)]
    ]


def _alias_needs(spelling: str, meaning: Meaning, needed: NeededWords) -> Needs | None:
    if identity(spelling) == identity(meaning.spelling) or not is_ordinary(spelling):
        return meaning.needs
    category = meaning.what.category if isinstance(meaning.what, Entry) else FRAUD
    return needed.trade(category, meaning.needs)
