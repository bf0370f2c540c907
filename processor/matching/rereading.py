"""The texts of a batch read again, where they show the signs of tricks: each reading made once, whoever asks for it.

Many rulesets may look for their terms in one batch, the base and the overlays of many tenants. What a reading is
depends on their terms in one way only: a doubled hanzi, and an emoji in place of one, are no trick unless a term has
that hanzi. So nearly all readings that a tenant asks for have been made for the base already.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import NamedTuple

import numpy as np

from processor.matching import readings
from processor.matching.folding import Batch
from processor.matching.readings import Reading, calls, faces

_FIRST_HANZI, _LAST_HANZI = 0x3400, 0x9FFF
_NO_HANZI: frozenset[str] = frozenset()


class Read(NamedTuple):
    """Texts that were read again, as a batch of their own."""

    readings: Sequence[Reading]
    batch: Batch


def read(made: Iterable[Reading]) -> Read:
    """Readings as a batch."""
    each = list(made)
    return Read(each, Batch([reading.text for reading in each]))


def decoded(batch: Batch) -> Read:
    """The texts in which something was encoded."""
    each = (readings.decoded(line, batch.texts[line]) for line in readings.coded_lines(batch))
    return read(reading for reading in each if reading)


def spoken(batch: Batch) -> Mapping[int, Reading]:
    """The texts in which pinyin stands beside hanzi, by their sounds."""
    chars = batch.squeezed_codes
    latin = (chars >= ord("a")) & (chars <= ord("z"))
    hanzi = (chars >= _FIRST_HANZI) & (chars <= _LAST_HANZI)
    near = np.flatnonzero((latin[1:] & hanzi[:-1]) | (latin[:-1] & hanzi[1:]))
    lines = dict.fromkeys(batch.lines(batch.kept[near + 1]))
    made = ((line, readings.in_sounds(line, batch.reading(line))) for line in lines)
    return {line: reading for line, reading in made if reading}


class _Asked(NamedTuple):
    """What makes up the readings of a text that undo its tricks."""

    line: int
    tricks: frozenset[str]
    wanted: frozenset[str]  # the hanzi that the text's emoji may stand for


class Rereadings:
    """The readings of a batch's texts that undo tricks, made as they are asked for."""

    def __init__(self, batch: Batch) -> None:
        self._batch = batch
        self._calls = calls(batch)
        self._named: dict[int, frozenset[str]] = {}  # by text: the hanzi that its emoji have names with
        self._numbers: dict[_Asked, tuple[int, range]] = {}  # where the readings are: in which of these, and there
        self._reads: list[Read] = []

    @property
    def lines(self) -> Iterable[int]:
        """The texts that may have readings of this kind."""
        return self._calls.keys()

    def of(self, each: Iterable[tuple[int, AbstractSet[str]]]) -> list[tuple[Read, list[int]]]:
        """The readings of texts, for terms that have these hanzi: batches, and which readings in each.

        `each` names a text once.
        """
        asked = [key for line, wanted in each if (key := self._asked(line, wanted))]
        self._make([key for key in asked if key not in self._numbers])
        chosen: defaultdict[int, list[int]] = defaultdict(list)
        for key in asked:
            place, numbers = self._numbers[key]
            if numbers:
                chosen[place] += numbers
        return [(self._reads[place], numbers) for place, numbers in chosen.items()]

    def _make(self, asked: Iterable[_Asked]) -> None:
        made: list[Reading] = []
        for key in asked:
            begin = len(made)
            made += readings.tricks(key.line, self._batch.reading(key.line), key.tricks, key.wanted)
            self._numbers[key] = (len(self._reads), range(begin, len(made)))
        if made:
            self._reads.append(read(made))

    def _asked(self, line: int, wanted: AbstractSet[str]) -> _Asked | None:
        called = self._calls.get(line)
        if called is None:
            return None
        names = set(called.names)
        if not wanted.isdisjoint(called.doubled):
            names.add("repeated")
        if any(not wanted.isdisjoint(faces()[face]) for face in called.faces):
            names.add("emoji")
        if not names:
            return None
        shown = self._hanzi(line) & wanted if "emoji" in names or "homoglyph" in names else _NO_HANZI
        return _Asked(line, frozenset(names), shown)

    def _hanzi(self, line: int) -> frozenset[str]:
        if line not in self._named:
            named = (faces().get(char, "") for char in self._batch.reading(line))
            self._named[line] = frozenset("".join(named))
        return self._named[line]
