"""How likely a stretch of Chinese is, read as ordinary words: what tells 代孕 in 时代孕育了他 from the real thing.

A text is a chain of words; each costs what its rarity says (nats, -ln of its share in running text), and the
cheapest chain is how the text is read. A term stands there if a chain that goes through it costs no more than the
cheapest one that does not have to. Shortest paths from both ends answer that for every place of a text at once, in
linear time.

Source of the words and their frequencies: docs/sources.md.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import NamedTuple

LONGEST = 6  # characters of a word
UNKNOWN = 14.0  # the cost of a term that is in no dictionary, about that of a rare word
_STRANGE = 17.0  # … of a character that no word has
_PLAIN = 7.0  # … of a Latin word, a number


@cache
def words() -> Mapping[str, float]:
    """Each word of the dictionary with its cost in nats; single hanzi are words too."""
    costs: dict[str, float] = {}
    text = (files("processor.matching") / "data" / "words.txt").read_text(encoding="utf-8")
    for line in text.splitlines():
        if not line.startswith("#"):
            quarters, _, same = line.partition("\t")
            costs.update(dict.fromkeys(same.split(" "), int(quarters) / 4))
    return costs


def cost(term: str) -> float:
    """What `term` costs as one word; one that no dictionary has is a rare word."""
    return min(words().get(term, UNKNOWN), UNKNOWN)


class Chain(NamedTuple):
    """Shortest paths through a text: `to[i]` the cost of its first i characters, `onward[i]` of what follows."""

    text: str
    to: Sequence[float]
    onward: Sequence[float]

    def through(self, start: int, end: int, term: float) -> float:
        """How much more the text costs if one word of cost `term` stands from `start` to `end`; negative: less."""
        return self.to[start] + term + self.onward[end] - self.to[-1]

    def reading(self, start: int, end: int) -> list[str]:
        """The words of the cheapest chain that reach into the stretch from `start` to `end`."""
        known, place, found = words(), len(self.text), []
        while place > start:
            step = min(
                range(1, min(place, LONGEST) + 1),
                key=lambda n: self.to[place - n] + _cost(known, self.text[place - n : place]),
            )
            if place - step < end:
                found.append(self.text[place - step : place])
            place -= step
        return found[::-1]


def chain(text: str) -> Chain:
    """The chain of words of a text in folded characters without separators; linear in its length."""
    known, size = words(), len(text)
    arcs: list[list[tuple[int, float]]] = []
    for start in range(size):
        char = text[start]
        if char < "\u3400":
            arcs.append(
                [
                    (
                        start + 1,
                        0.0
                        if start and text[start - 1].isalnum() and text[start - 1] < "\u3400" and char.isalnum()
                        else _PLAIN
                        if char.isalnum()
                        else 0.0,
                    )
                ]
            )
            continue
        here = [(start + 1, known.get(char, _STRANGE))]
        for end in range(start + 2, min(size, start + LONGEST) + 1):
            if (price := known.get(text[start:end])) is not None:
                here.append((end, price))
        arcs.append(here)
    to = [0.0] + [float("inf")] * size
    for start, here in enumerate(arcs):
        so_far = to[start]
        for end, price in here:
            if so_far + price < to[end]:
                to[end] = so_far + price
    onward = [0.0] * (size + 1)
    for start in range(size - 1, -1, -1):
        onward[start] = min([price + onward[end] for end, price in arcs[start]])
    return Chain(text, to, onward)


def _cost(known: Mapping[str, float], word: str) -> float:
    if len(word) == 1 and word not in known:
        return _STRANGE if word >= "\u3400" else 0.0
    return known.get(word, float("inf"))
