"""Terms in, their places in a batch of texts out.

Rules, all of which hold for every reading:
- A term is found wherever its folded form stands in the folded text, overlapping finds included.
- An end of a term that is a letter or digit of a spaced script must be the end of a word; next to it hanzi are fine,
  and so are letters of another script.
- Separators and invisible characters between a term's characters are skipped, but no clause break is. Between two
  Latin letters white space is skipped only where the term itself has a space, or where every letter stands alone
  (c o c a i n e); other separators are skipped there too (co-caine).
"""

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from msgspec import Struct

from processor.matching.engine import Daachorse, Engine
from processor.matching.folding import (
    FOLD,
    IGNORED,
    JOINT,
    SPELLED,
    Batch,
    fold,
    is_break,
    is_hanzi,
    is_letter,
    origins,
    squeeze,
)

_WIDEST_GAP = 16  # separators between two characters of a term
_BEYOND_LATIN = "\u0250"  # Latin letters and digits come before it
_FRAMES = frozenset({"Ps", "Pe", "Pi", "Pf"})  # brackets and quotes
_SIGNS = {IGNORED: "invisible", SPELLED: "spelled"}


class Found(Struct, frozen=True, order=True, gc=False):
    """One occurrence of a term; `start` and `end` are offsets in the original text."""

    start: int
    end: int
    term: int  # the term's place in the sequence the matcher was made of
    joined: bool  # whether characters were skipped inside


class _Pattern(NamedTuple):
    terms: tuple[int, ...]
    left: bool  # must begin where a word begins
    right: bool
    spaces: frozenset[int]  # places in the squeezed pattern before which the term has a space
    written: int  # the number of the pattern that finds the same term as it is written


class Matcher:
    """Finds `terms` in batches of texts."""

    def __init__(self, terms: Sequence[str], engine: type[Engine] = Daachorse) -> None:
        owners: defaultdict[str, list[int]] = defaultdict(list)
        spaces: dict[str, frozenset[int]] = {}
        written: dict[str, str] = {}
        for number, term in enumerate(terms):
            for form in (both := forms(term)):
                owners[form].append(number)
                spaces[form] = spaces.get(form, frozenset()) | _spaces(term, form)
                if written.setdefault(form, both[0]) != both[0]:
                    written[form] = form  # two terms, written differently: neither counts for the other
        numbers = {form: number for number, form in enumerate(owners)}
        self._patterns = [
            _Pattern(tuple(owned), is_letter(form[0]), is_letter(form[-1]), spaces[form], numbers[written[form]])
            for form, owned in owners.items()
        ]
        self._engine = engine(list(owners))

    def find(self, batch: Batch) -> dict[int, list[Found]]:
        """Finds per number of text, in order of place; a text without any is not in the answer."""
        found: defaultdict[int, list[Found]] = defaultdict(list)
        written = self._find_folded(batch, found)
        if batch.spelled or len(batch.squeezed) != len(batch.folded):
            self._find_squeezed(batch, written, found)
        for line, finds in found.items():
            if len(finds) > 1:
                # A term found by both readings counts as written: False sorts, and so stays, before True.
                unique = {(find.start, find.end, find.term): find for find in sorted(finds, reverse=True)}
                found[line] = list(unique.values())[::-1]
        return found

    def _find_folded(self, batch: Batch, found: defaultdict[int, list[Found]]) -> Counter[tuple[int, int]]:
        """Add the finds; gives how often each (text, pattern) stands there as written, inside words too."""
        written: Counter[tuple[int, int]] = Counter()
        text, patterns = batch.folded, self._patterns
        for start, end, number in self._engine.find(text):
            line = batch.locate(start)
            written[line, number] += 1
            pattern = patterns[number]
            if (pattern.left and not _word_starts(text, start)) or (pattern.right and not _word_ends(text, end)):
                continue
            offset = batch.starts[line]
            for term in pattern.terms:
                found[line].append(Found(start - offset, end - offset, term, False))  # noqa: FBT003  hot
        return written

    def _find_squeezed(
        self, batch: Batch, written: Counter[tuple[int, int]], found: defaultdict[int, list[Found]]
    ) -> None:
        """Add the finds with something skipped; a text's map is made only for more than what is written."""
        places = [
            (batch.locate_squeezed(start), start, end, self._patterns[number])
            for start, end, number in self._engine.find(batch.squeezed)
        ]
        squeezed = Counter((line, pattern.written) for line, _, _, pattern in places)
        readings: dict[int, tuple[str, list[int]]] = {}
        for line, start, end, pattern in places:
            if squeezed[line, pattern.written] <= written[line, pattern.written]:
                continue
            if line not in readings:
                readings[line] = (batch.reading(line), origins(batch.texts[line]))
            folded, origin = readings[line]
            offset = batch.squeezed_starts[line]
            span = origin[start - offset : end - offset]
            if _as_written(span) or not _joins(folded, span, pattern):
                continue
            found[line].extend(Found(span[0], span[-1] + 1, term, joined=True) for term in pattern.terms)


def forms(term: str) -> tuple[str, ...]:
    """The patterns that stand for `term`: folded, and without its separators if both differ.

    A sign at an end of a term is no separator but part of it, brackets and quotes aside: c++, .onion, 100%.
    """
    term = term.replace(JOINT, IGNORED)
    folded = " ".join(fold(term).replace(IGNORED, "").split())
    if folded.isalnum():  # nothing to skip
        return (folded,)
    squeezed = squeeze(term)
    if SPELLED in folded:
        return (squeezed,)
    bare = len(squeezed) > 1 and not (_is_sign(folded[0]) or _is_sign(folded[-1]))
    return tuple(form for form in dict.fromkeys((folded, squeezed if bare else "")) if form)


@lru_cache(maxsize=1 << 16)
def identity(term: str) -> str:
    """What all spellings of one term have in common."""
    return "".join(forms(term)[-1:])


def _is_sign(char: str) -> bool:
    return not (char.isalnum() or is_break(char) or char in "'\"" or unicodedata.category(char) in _FRAMES)


def _as_written(span: list[int]) -> bool:
    """Whether the places follow each other: then the folded reading has found it too."""
    return span[-1] - span[0] + 1 == len(span) == len(set(span))


def _spaces(term: str, form: str) -> frozenset[int]:
    if len(term.split()) < 2:  # noqa: PLR2004  words
        return frozenset()
    words = [squeeze(word) for word in term.split()]
    if "".join(words) != form:
        return frozenset()
    place, places = 0, set()
    for word in words[:-1]:
        place += len(word)
        places.add(place)
    return frozenset(places)


def _word_starts(text: str, start: int) -> bool:
    place = start - 1
    while place >= 0 and text[place] == IGNORED:
        place -= 1
    return place < 0 or not _same_word(text[place], text[start])


def _word_ends(text: str, end: int) -> bool:
    place = end
    while place < len(text) and text[place] == IGNORED:
        place += 1
    return place == len(text) or not _same_word(text[place], text[end - 1])


def _same_word(near: str, edge: str) -> bool:
    """Whether `near`, which stands next to a term's `edge`, goes on with its word; another script begins another."""
    if near < _BEYOND_LATIN:
        return edge < _BEYOND_LATIN and near.isalnum()
    return near == SPELLED or (edge >= _BEYOND_LATIN and is_letter(near))


def _joins(folded: str, span: list[int], pattern: _Pattern) -> bool:
    """Whether the characters at the places `span` of a folded text may be read as one term."""
    if (pattern.left and not _word_starts(folded, span[0])) or (pattern.right and not _word_ends(folded, span[-1] + 1)):
        return False
    return all(
        _skips(folded, before, after, spaced=place in pattern.spaces)
        for place, (before, after) in enumerate(pairwise(span), start=1)
        if after - before > 1
    )


def _skips(folded: str, before: int, after: int, *, spaced: bool) -> bool:
    """Whether what stands between the places `before` and `after` may be skipped."""
    gap = folded[before + 1 : after].replace(IGNORED, "")
    if not gap:
        return True
    blank = any(char.isspace() for char in gap)
    if len(gap) > _WIDEST_GAP or (blank and "." in gap):  # a full stop and a space end a sentence
        return False
    if spaced or not blank or is_hanzi(folded[before]) or is_hanzi(folded[after]):
        return True
    return _word_starts(folded, before) and _word_ends(folded, after + 1)


def transforms(text: str, term: str) -> list[str]:
    """What was done to the original span `text` to read it as `term`; nothing if they are equal.

    Names: case, width (any compatibility form), accent, variant (traditional hanzi), spelled (one sign for several
    characters), invisible, separator.
    """
    if text == term:
        return []
    via = {_transform(char) for char in text if char not in term}
    return sorted(via | {"separator"} if _separators(text) > _separators(term) else via)


def _separators(text: str) -> int:
    return sum(not char.isalnum() and char not in _SIGNS for char in text.translate(FOLD))


def _transform(char: str) -> str:
    folded = FOLD[ord(char)]
    if folded in _SIGNS:
        return _SIGNS[folded]
    if not folded.isalnum():
        return "separator"
    if folded == char.lower():
        return "variant" if is_hanzi(folded) else "case"
    if folded == unicodedata.normalize("NFKC", char).lower():
        return "width"
    return "variant" if is_hanzi(folded) else "accent"
