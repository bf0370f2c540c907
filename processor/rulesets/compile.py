"""A document to what the judge holds in its hand. Pure, slow (up to seconds for very many terms), thread-safe."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

import msgspec

from processor.errors import Invalid
from processor.fraud.rules import Rulebook, compile_rules
from processor.matching.matcher import Matcher, identity
from processor.model import Severity
from processor.policy import parse
from processor.ruleset import Allow, Base, Entry, Meaning, Overlay
from processor.rulesets.document import BaseDocument, FraudDocument, OverlayDocument
from processor.rulesets.document import Entry as Written

BUILTIN_LEXICON = "base"
CEILINGS = {Severity.HIGH: 6, Severity.MEDIUM: 5, Severity.LOW: 4, Severity.LOG: 3}
"""What the transforms of a hit may cost together, by the severity of its term; costs: `matching.readings.COSTS`."""


def compile_base(document: BaseDocument, *, version: int, digest: str) -> Base:
    """Raises Invalid with everything that is wrong with rules, policy or aliases."""
    if not document.policy:
        raise Invalid(["policy: there is none; write policy.yaml, which says what happens at each severity"])
    book = _rulebook(msgspec.json.encode(document.fraud))
    plain = [
        *(Meaning(entry.term, entry) for entry in _entries(document.lexicons, BUILTIN_LEXICON)),
        *(Meaning(term, bits) for term, bits in book.terms.items()),
    ]
    beside = [Meaning(term, bits) for term, bits in book.beside.items()]
    meanings = list(dict.fromkeys([*plain, *_aliases(document.aliases, [*plain, *beside])]))
    return Base(
        version=version,
        digest=digest,
        matcher=_matcher(meanings),
        meanings=meanings,
        beside=_matcher(beside),
        beside_bits=list(book.beside.values()),
        book=book,
        policy=parse(document.policy),
        policy_document=document.policy,
        templates=msgspec.to_builtins(document.reminders),
    )


def compile_overlay(document: OverlayDocument, *, version: int, digest: str) -> Overlay:
    """What a tenant's document comes to. Its policy is checked against a base, when `Rules` brings them together."""
    meanings = [
        *(Meaning(entry.term, entry) for entry in _entries(document.lexicons, document.tenant)),
        *(Meaning(term, Allow(term)) for term in document.allow),
    ]
    return Overlay(
        tenant=document.tenant,
        version=version,
        digest=digest,
        matcher=_matcher(meanings),
        meanings=meanings,
        regraded_terms={identity(regrade.term): regrade.severity for regrade in document.regrade if regrade.term},
        regraded_categories={regrade.category: regrade.severity for regrade in document.regrade if regrade.category},
        off_terms=frozenset(map(identity, document.off.terms)),
        off_categories=frozenset(document.off.categories),
        off_rules=frozenset(document.off.rules),
        policy_document=document.policy,
    )


def _matcher(meanings: Sequence[Meaning]) -> Matcher:
    return Matcher([meaning.spelling for meaning in meanings], ceilings=[_ceiling(meaning) for meaning in meanings])


def _ceiling(meaning: Meaning) -> int | None:
    """Words of fraud rules and allowed phrases are taken as they are written; they are not told for themselves."""
    return CEILINGS[meaning.what.severity] if isinstance(meaning.what, Entry) else None


@lru_cache(maxsize=2)
def _rulebook(fraud: bytes) -> Rulebook:
    """The fraud rules of a document; most publications change a lexicon and leave them as they were."""
    document = msgspec.json.decode(fraud, type=FraudDocument)
    return compile_rules(document.groups, document.rules, document.scorecards, document.brands)


def _entries(lexicons: Mapping[str, list[Written]], lexicon: str) -> Iterable[Entry]:
    for written in lexicons.values():
        yield from (Entry(entry.term, entry.category, entry.severity, lexicon) for entry in written)


def _aliases(aliases: Mapping[str, str], plain: Iterable[Meaning]) -> list[Meaning]:
    """An alias means whatever its term means, to the lexicons and to the fraud rules."""
    known: dict[str, list[Meaning]] = {}
    for meaning in plain:
        known.setdefault(identity(meaning.spelling), []).append(meaning)
    strangers = [spelling for spelling, term in aliases.items() if identity(term) not in known]
    if strangers:
        raise Invalid(
            [f"alias {spelling}={aliases[spelling]}: no lexicon or rule has the term" for spelling in strangers]
        )
    return [Meaning(spelling, meaning.what) for spelling, term in aliases.items() for meaning in known[identity(term)]]
