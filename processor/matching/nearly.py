"""Terms of three characters and more in which one hanzi has been replaced by one that looks like it.

Whatever hanzi it is, one half of the term still stands there as it is. So the halves are what is searched for, and
beside each find the other half is looked up with any one of its characters left out.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

from processor.matching import shape
from processor.matching.engine import Engine, Stretches, found_in

_LEAST = 3  # characters of a term


class Near(NamedTuple):
    """A term that stands in a text but for one character."""

    start: int
    end: int
    term: int


class Halves:
    """The halves of terms, and what must stand beside each; `forms` are the terms, folded and squeezed."""

    def __init__(self, forms: Mapping[int, str]) -> None:
        self._forms = forms
        self._added: list[int] = []
        self._numbers: dict[str, int] = {}  # half → its number
        self._sizes: list[tuple[tuple[bool, int], ...]] = []  # of the other halves: whether they come after, and size
        # A hash of half, side, and the other half without one character → the terms; kept flat, since there are many.
        self._beside: dict[int, int | tuple[int, ...]] = {}

    def add(self, term: int) -> None:
        """Add a term."""
        self._added.append(term)
        for half, other, first in _halves(self._forms[term]):
            self._add(half, other, term, first=first)

    def _add(self, half: str, other: str, term: int, *, first: bool) -> None:
        number = self._numbers.setdefault(half, len(self._sizes))
        kind = (first, len(other))
        if number == len(self._sizes):
            self._sizes.append(_same(kind))
        elif kind not in self._sizes[number]:
            self._sizes[number] = _same(*self._sizes[number], kind)
        for place, char in enumerate(other):
            if shape.is_drawn(char):
                key = _key(number, place, other, first=first)
                known = self._beside.get(key)
                self._beside[key] = term if known is None else (*_each(known), term)

    @property
    def each(self) -> Iterator[tuple[str, str, bool]]:
        """Each half, the other one, and whether that comes after it; until the automaton is built."""
        return (half for term in self._added for half in _halves(self._forms[term]))

    def build(self, engine: type[Engine]) -> None:
        """Make the automaton; nothing can be added any more."""
        self._engine = engine(list(self._numbers)) if self._numbers else None
        self._numbers, self._added = {}, []

    def find(self, text: str, stretches: Stretches | None = None) -> Iterator[Near]:
        """All of them in a squeezed text; `stretches` as in `found_in`."""
        for start, end, number in found_in(self._engine, text, stretches) if self._engine else ():
            for first, size in self._sizes[number]:
                begin = end if first else start - size
                other = text[begin : begin + size] if begin >= 0 else ""
                if len(other) < size:
                    continue
                for place, written in enumerate(other):
                    known = self._beside.get(_key(number, place, other, first=first))
                    if known is None:
                        continue
                    at = end - start + place if first else place
                    for term in _each(known):
                        char = self._forms[term][at]
                        if char != written and shape.alike(char, written):
                            yield Near(min(begin, start), max(begin + size, end), term)


@lru_cache(maxsize=1 << 12)
def _same(*kinds: tuple[bool, int]) -> tuple[tuple[bool, int], ...]:
    """One object for all that are equal: there are few kinds."""
    return kinds


def _halves(form: str) -> Iterator[tuple[str, str, bool]]:
    """The halves of a term, each with the other one, and whether that comes after it."""
    size = len(form)
    if size >= _LEAST:
        yield form[: (size + 1) // 2], form[(size + 1) // 2 :], True
        yield form[size // 2 :], form[: size // 2], False


def _each(known: int | tuple[int, ...]) -> tuple[int, ...]:
    return known if isinstance(known, tuple) else (known,)


def _key(half: int, place: int, other: str, *, first: bool) -> int:
    return hash((half, first, place, other[:place], other[place + 1 :]))
