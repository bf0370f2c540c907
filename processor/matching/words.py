"""How likely a stretch of Chinese is, read as ordinary words: what tells 代孕 in 时代孕育了他 from the real thing.

A text is a chain of words; each costs what its rarity says (nats, -ln of its share in running text), and the
cheapest chain is how the text is read. A term stands there if a chain that goes through it costs no more than the
cheapest one that does not have to. Shortest paths from both ends answer that for every place of a text at once, in
linear time.

Source of the words and their frequencies: docs/matching.md.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from functools import cache, cached_property, lru_cache
from importlib.resources import files
from itertools import pairwise

LONGEST = 6  # characters of a word
UNKNOWN = 14.0  # the cost of a term that is in no dictionary, about that of a rare word
_STRANGE = 17.0  # … of a character that no word has


@cache
def words() -> Mapping[str, float]:
    """Each word of the dictionary with its cost in nats; single hanzi are words too."""
    costs: dict[str, float] = {}
    for name in ("words.txt", "words-today.txt"):
        text = (files("processor.matching") / "data" / name).read_text(encoding="utf-8")
        for line in text.splitlines():
            if not line.startswith("#"):
                quarters, _, same = line.partition("\t")
                costs.update(dict.fromkeys(same.split(" "), int(quarters) / 4))
    return costs


@lru_cache(maxsize=1 << 16)
def cost(term: str) -> float:
    """What `term` costs as one word; one that no dictionary has is a rare word, or else what its own words cost."""
    return min(words().get(term, UNKNOWN), chain(term).to[-1])


class Chain:
    """Shortest paths through a text: `to[i]` the cost of its first i characters, `onward[i]` of what follows.

    `last[i]` is where the last word of the cheapest chain to i begins.
    """

    def __init__(self, text: str, to: Sequence[float], onward: Sequence[float], last: Sequence[int]) -> None:
        self.text, self.to, self.onward, self.last = text, to, onward, last

    def through(self, start: int, end: int, term: float) -> float:
        """How much more the text costs if one word of cost `term` stands from `start` to `end`; negative: less."""
        return self.to[start] + term + self.onward[end] - self.to[-1]

    @cached_property
    def ends(self) -> Sequence[int]:
        """Where the words of the cheapest chain end, in order."""
        place, ends = len(self.text), []
        while place:
            ends.append(place)
            place = self.last[place]
        return ends[::-1]

    def reading(self, start: int, end: int) -> list[str]:
        """The words of the cheapest chain that reach into the stretch from `start` to `end`."""
        first = bisect_right(self.ends, start)
        last = bisect_left(self.ends, end, first)
        bounds = [self.ends[first - 1] if first else 0, *self.ends[first : last + 1]]
        return [self.text[begin:stop] for begin, stop in pairwise(bounds)]

    def astride(self, place: int, start: int, end: int) -> tuple[float, int, int]:
        """The word over `place` that costs the text least, but none over all from `start` to `end`.

        What the text costs with it, and where it begins and ends; infinity if there is none.
        """
        text, known, size = self.text, words(), len(self.text)
        found = (
            (self.to[begin] + price + self.onward[stop], begin, stop)
            for begin in range(max(0, place - LONGEST + 1), place)
            for stop in range(place + 1, min(size, begin + LONGEST) + 1)
            if (begin > start or stop < end) and (price := known.get(text[begin:stop])) is not None
        )
        return min(found, default=(float("inf"), place, place))

    def reading_with(self, begin: int, stop: int, start: int, end: int) -> list[str]:
        """As `reading`, if one word stands from `begin` to `stop`."""
        before, place = [], begin
        while place > start:
            before.append(self.text[self.last[place] : place])
            place = self.last[place]
        after = chain(self.text[stop : end + LONGEST]).reading(0, end - stop) if stop < end else []
        return [*before[::-1], self.text[begin:stop], *after]

    def gain(self, start: int, other: str) -> float:
        """How much less the text costs with `other` in place of as many characters from `start` on."""
        begin, end = max(0, start - LONGEST), start + len(other)
        before, after = self.text[begin:start], self.text[end : end + LONGEST]
        return chain(before + self.text[start:end] + after).to[-1] - chain(before + other + after).to[-1]


def chain(text: str) -> Chain:
    """The chain of words of a text in folded characters without separators; linear in its length."""
    known, size = words(), len(text)
    arcs: list[list[tuple[int, float]]] = []
    for start in range(size):
        char = text[start]
        if char < "\u3400":  # letters, digits and signs say nothing here
            arcs.append([(start + 1, 0.0)])
            continue
        here = [(start + 1, known.get(char, _STRANGE))]
        ends = range(start + 2, min(size, start + LONGEST) + 1)
        here += [(end, price) for end in ends if (price := known.get(text[start:end])) is not None]
        arcs.append(here)
    to = [0.0] + [float("inf")] * size
    last = [0] * (size + 1)
    for start, here in enumerate(arcs):
        so_far = to[start]
        for end, price in here:
            if so_far + price < to[end]:
                to[end], last[end] = so_far + price, start
    onward = [0.0] * (size + 1)
    for start in range(size - 1, -1, -1):
        onward[start] = min([price + onward[end] for end, price in arcs[start]])
    return Chain(text, to, onward, last)
