"""Sentences by the thousand out of patterns with slots: "{when}吃{food}吗"."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import product
from typing import Literal, NamedTuple

Pools = Mapping[str, Sequence[str]]
"""What may stand in a slot; a word may have slots itself."""

Language = Literal["zh", "en"]

Draw = Callable[[], float]
"""Gives numbers from 0 up to but not including 1."""

_SLOT = re.compile(r"\{(\w+)\}")


def words(block: str) -> tuple[str, ...]:
    """The words of a block of text."""
    return tuple(block.split())


def lines(block: str) -> tuple[str, ...]:
    """The entries of a block of text: one a line, or several with | between them; a line with # in front is none."""
    return tuple(
        entry.strip() for line in block.strip().splitlines() if not line.startswith("#") for entry in line.split("|")
    )


class Pattern(NamedTuple):
    """A sentence with holes, and for each hole what may stand there."""

    frame: str  # with %s for each hole
    choices: tuple[Sequence[str], ...]

    def say(self, draw: Draw) -> str:
        """One of its sentences; about a microsecond."""
        return self.frame % tuple([words[int(draw() * len(words))] for words in self.choices])


def patterns(lines: Iterable[str], pools: Pools) -> tuple[Pattern, ...]:
    """The patterns of lines whose slots are names of pools."""
    plain = {name: tuple(_spelled_out(words, pools)) for name, words in pools.items()}
    return tuple(
        Pattern(_SLOT.sub("%s", line.replace("%", "%%")), tuple(plain[name] for name in _SLOT.findall(line)))
        for line in lines
    )


def _spelled_out(words: Iterable[str], pools: Pools) -> Iterable[str]:
    for word in words:
        fillings = [pools[name] for name in _SLOT.findall(word)]
        frame = _SLOT.sub("%s", word.replace("%", "%%"))
        yield from (frame % filling for filling in product(*fillings))
