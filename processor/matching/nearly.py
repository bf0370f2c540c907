"""Terms of three characters and more in which one hanzi has been replaced by one that looks like it.

Whatever hanzi it is, one half of the term still stands there as it is. So the halves are what is searched for, and
beside each find the other half is looked up with any one of its characters left out.
"""

from collections.abc import Iterator
from typing import NamedTuple

from processor.matching import shape
from processor.matching.engine import Engine

_LEAST = 3  # characters of a term
_Rest = tuple[int, str]  # which character is left out, and the others


class Near(NamedTuple):
    """A term that stands in a text but for one character."""

    start: int
    end: int
    term: int


class Halves:
    """The halves of terms, and what must stand beside each."""

    def __init__(self) -> None:
        # half → (it comes first, size of the other half) → the other half without one character → terms, characters
        self._beside: dict[str, dict[tuple[bool, int], dict[_Rest, list[tuple[int, str]]]]] = {}

    def add(self, form: str, term: int) -> None:
        """Add the folded and squeezed form of a term."""
        size = len(form)
        if size < _LEAST:
            return
        middle = (size + 1) // 2
        self._add(form[:middle], form[middle:], term, first=True)
        middle = size // 2
        self._add(form[middle:], form[:middle], term, first=False)

    def _add(self, half: str, other: str, term: int, *, first: bool) -> None:
        rests = self._beside.setdefault(half, {}).setdefault((first, len(other)), {})
        for place, char in enumerate(other):
            if shape.is_drawn(char):
                rests.setdefault((place, other[:place] + other[place + 1 :]), []).append((term, char))

    def build(self, engine: type[Engine]) -> None:
        """Make the automaton; nothing can be added any more."""
        self._halves = list(self._beside)
        self._table = [list(beside.items()) for beside in self._beside.values()]
        self._engine = engine(self._halves) if self._halves else None
        self._beside = {}

    def find(self, text: str) -> Iterator[Near]:
        """All of them in a squeezed text."""
        for start, end, number in self._engine.find(text) if self._engine else ():
            for (first, size), rests in self._table[number]:
                begin = end if first else start - size
                other = text[begin : begin + size] if begin >= 0 else ""
                for place, written in enumerate(other):
                    for term, char in rests.get((place, other[:place] + other[place + 1 :]), ()):
                        if char != written and len(other) == size and shape.alike(char, written):
                            yield Near(min(begin, start), max(begin + size, end), term)
