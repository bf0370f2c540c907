"""What is allowed in a ruleset but was hardly meant: terms that come twice or can never matter."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from processor.matching.folding import Batch
from processor.matching.matcher import Matcher, forms
from processor.rulesets.document import Document, Entry


class Placed(NamedTuple):
    """An entry and the lexicon it stands in."""

    lexicon: str
    entry: Entry


def warnings(document: Document) -> list[str]:
    """One sentence for each term that comes twice, is contained in a shorter one, or looks mistyped."""
    placed = [Placed(lexicon, entry) for lexicon, entries in document.lexicons.items() for entry in entries]
    return [*_mistyped(placed), *_repeated(placed), *_subsumed(placed)]


def _mistyped(placed: Sequence[Placed]) -> Iterator[str]:
    for lexicon, entry in placed:
        if "，" in entry.term:
            yield f"{lexicon}: {entry.term!r} has a full-width comma: category and severity follow an ASCII comma"


def _repeated(placed: Sequence[Placed]) -> Iterator[str]:
    first: dict[str, Placed] = {}
    for each in placed:
        key = _folded(each.entry.term)
        known = first.setdefault(key, each)
        if known is not each:
            yield f"{each.lexicon}: {_graded(each)} is read the same as {_graded(known)} in {known.lexicon}"


def _subsumed(placed: Sequence[Placed]) -> Iterator[str]:
    """A term in which another one of the same category and severity is found anyway; the matcher itself is asked."""
    found = Matcher([each.entry.term for each in placed]).find(Batch([each.entry.term for each in placed]))
    for number, finds in sorted(found.items()):
        each = placed[number]
        for find in finds:
            inner = placed[find.term]
            if _grade(inner) == _grade(each) and _folded(inner.entry.term) != _folded(each.entry.term):
                yield f"{each.lexicon}: {each.entry.term!r} is found anyway, by {inner.entry.term!r} in {inner.lexicon}"
                break


def _folded(term: str) -> str:
    return next(iter(forms(term)), term)


def _grade(each: Placed) -> tuple[str, str]:
    return each.entry.category, each.entry.severity


def _graded(each: Placed) -> str:
    return f"{each.entry.term!r} ({each.entry.category}, {each.entry.severity})"
