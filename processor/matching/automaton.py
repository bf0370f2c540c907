"""One automaton with what its patterns stand for, kept small: there may be a million of them."""

from array import array
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from processor.matching.engine import Engine, Stretches, found_in
from processor.matching.folding import is_letter
from processor.matching.ways import How

_SHIFT = 3  # bits of a How
_NO_SPACES: frozenset[int] = frozenset()
_NONE: NDArray[np.intp] = np.empty((0, 3), np.intp)


class Automaton:
    """Patterns with their owners: how each stands for which term."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._owners = array("q")  # the first of each; most have one
        self._more: dict[int, tuple[int, ...]] = {}  # all of those that have several
        self._spaces: dict[int, int] = {}  # the places as bits

    def add(self, form: str, term: int, how: How = How.PLAIN, spaces: frozenset[int] = _NO_SPACES) -> None:
        """Add a pattern; `spaces` are the places in it before which white space is skipped."""
        owner = term << _SHIFT | how
        number = self._numbers.setdefault(form, len(self._owners))
        if number == len(self._owners):
            self._owners.append(owner)
        elif owner not in (before := self.owners(number)):
            self._more[number] = (*before, owner)
        if spaces:
            self._spaces[number] = self._spaces.get(number, 0) | sum(1 << place for place in spaces)

    @property
    def forms(self) -> Iterable[str]:
        """The patterns, until the automaton is built."""
        return self._numbers

    def build(self, engine: type[Engine]) -> None:
        """Make the automaton; nothing can be added any more."""
        forms = list(self._numbers)
        letters = {char: is_letter(char) for char in {char for form in forms for char in (form[0], form[-1])}}
        self.left = np.array([letters[form[0]] for form in forms], bool)  # must begin where a word begins
        self.right = np.array([letters[form[-1]] for form in forms], bool)
        self._engine = engine(forms) if forms else None
        self._numbers = {}

    def find(self, text: str, stretches: Stretches | None = None) -> NDArray[np.intp]:
        """Rows of start, end, pattern number; `stretches` as in `found_in`."""
        found = found_in(self._engine, text, stretches) if self._engine else ()
        return np.array(found, np.intp).reshape(-1, 3) if found else _NONE

    def spaces(self, number: int) -> frozenset[int]:
        """The places in a pattern before which white space is skipped."""
        bits = self._spaces.get(number)
        return frozenset(place for place in range(bits.bit_length()) if bits >> place & 1) if bits else _NO_SPACES

    def owners(self, number: int) -> tuple[int, ...]:
        """Who a pattern stands for: see `term_of` and `how_of`."""
        return self._more.get(number) or (self._owners[number],)


def term_of(owner: int) -> int:
    """The number of the owner's term."""
    return owner >> _SHIFT


def how_of(owner: int) -> int:
    """What the pattern is to the owner's term, as a `How`."""
    return owner & (1 << _SHIFT) - 1
