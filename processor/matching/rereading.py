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


Parts = Mapping[int, Sequence[tuple[int, int, str]]]  # by text: where parts of a hanzi stand, and the hanzi
# A text, whether these are tricks: doubled hanzi, emoji; for which hanzi.
_Asked = tuple[int, bool, bool, frozenset[str]]
_Put = tuple[int, tuple[tuple[int, int, str], ...]]  # a text, and the parts to be put together


class Rereadings:
    """The readings of a batch's texts that undo tricks, made as they are asked for.

    It does not hold the batch, which holds it: so both go when the batch does.
    """

    def __init__(self, batch: Batch) -> None:
        self._calls = calls(batch)
        self._named: dict[int, frozenset[str]] = {}  # by text: the hanzi that its emoji have names with
        self._reads: list[Read] = []
        self._numbers: dict[_Asked | _Put, tuple[int, range]] = {}  # the readings: in which of these, and where there

    @property
    def lines(self) -> Iterable[int]:
        """The texts that may have readings of this kind."""
        return self._calls.keys()

    def of(
        self, batch: Batch, each: Iterable[tuple[int, AbstractSet[str]]], parts: Parts
    ) -> list[tuple[Read, list[int]]]:
        """The readings of texts, for terms that have these hanzi: batches, and which readings in each.

        `each` names a text once.
        """
        asked: list[_Asked | _Put] = [one for line, wanted in each if (one := self._asked(batch, line, wanted))]
        asked += [(line, tuple(put)) for line, put in parts.items()]
        made: list[Reading] = []
        for key in asked:
            if key not in self._numbers:
                begin = len(made)
                made += self._made(batch, key)
                self._numbers[key] = (len(self._reads), range(begin, len(made)))
        if made:
            self._reads.append(read(made))
        chosen: defaultdict[int, list[int]] = defaultdict(list)
        for key in asked:
            place, numbers = self._numbers[key]
            if numbers:
                chosen[place] += numbers
        return [(self._reads[place], numbers) for place, numbers in chosen.items()]

    def _made(self, batch: Batch, key: _Asked | _Put) -> Iterable[Reading]:
        folded = batch.reading(key[0])
        if len(key) == 2:  # noqa: PLR2004
            return readings.composed(key[0], folded, key[1])
        line, repeated, emoji, shown = key
        names = [*self._calls[line].names, *(["repeated"] if repeated else []), *(["emoji"] if emoji else [])]
        return readings.tricks(line, folded, names, shown)

    def _asked(self, batch: Batch, line: int, wanted: AbstractSet[str]) -> _Asked | None:
        called = self._calls.get(line)
        if called is None:
            return None
        names, doubled, others = called
        repeated = bool(doubled) and not wanted.isdisjoint(doubled)
        emoji = bool(others) and any(not wanted.isdisjoint(faces()[face]) for face in others)
        if not (names or repeated or emoji):
            return None
        shown = self._hanzi(batch, line) & wanted if emoji or "homoglyph" in names else _NO_HANZI
        return line, repeated, emoji, shown

    def _hanzi(self, batch: Batch, line: int) -> frozenset[str]:
        if line not in self._named:
            named = (faces().get(char, "") for char in batch.reading(line))
            self._named[line] = frozenset("".join(named))
        return self._named[line]
