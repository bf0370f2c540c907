"""Which finds count: what a reading costs, and whether the words of the text explain it better.

A term is held against the words of the text: where hanzi read better as ordinary words that only touch the term
(时代|孕育 and not 代孕), or as the words that are written there (带宽 and not 贷款), it is rejected. The dearer a
reading, the better the term must explain the text. All thresholds are nats of `words`; they were set on ordinary chat
and on attacks of our own (docs/detection.md).
"""

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from math import exp
from typing import NamedTuple

from msgspec import Struct

from processor.matching import shape, sound, words
from processor.matching.folding import Batch, is_hanzi
from processor.matching.readings import COSTS
from processor.matching.term import transforms

_AS_WRITTEN = 1.0  # nats by which ordinary words must read better than the term that stands there as written
_ASTRIDE = 1.75  # nats by which words that reach over an end of the term must read worse than the term
_ASTRIDE_LONG = 2.25  # … if the term is longer than two hanzi
_ASTRIDE_SURE = 3.5  # … if it is of two, and none of the words is a single hanzi
_ASTRIDE_ALIKE = 4.0  # … if the term only sounds or looks like what is written
_GAIN = 1.0  # nats by which a text must read better with the hanzi of the term than with those that look like them
_GAIN_AS_TERM = 4.0  # … with the term as one word, if the main part of each hanzi is the same
_DOUBTS = {  # … by which a term must read better: one hanzi replaced, or more
    "sound": (1.5, 5.0),
    "shape": (0.0, 4.0),
    "split": (2.0, 2.0),
    "repeated": (3.0, 3.0),
    "emoji": (-12.0, -12.0),
}
_LATIN_RUN = 12.0  # nats that Latin letters among hanzi are worth
_FIGURE = 6.0  # … and a figure in place of a hanzi; about what the hanzi would cost
_WORD = 8.0  # nats by which a word must be rarer than a term that sounds or looks like it, to be that term
_ODD_WORD = 2.5  # … a word that hardly anybody writes
_EVERYWHERE = 6.0  # nats that hanzi cost which stand in every text (的, 到), and so for no other
_ODD = 16.0  # the least cost in nats of such a word
_COMMON = 20.0  # how many times as frequent a word of the same pinyin must be to hide a term of two hanzi
_DEAR = 2  # the least cost of what is not a plain reading
_SURE_SYLLABLES = 3  # pinyin among words of another language
_SIGN_READERS = frozenset({"leet", "emoji", "url", "bidi"})  # take signs for letters; to them they are no separators
_ONLY_WITHIN = {"stretched-": "stretched", "leet-": "leet"}  # forms that stand for a term only in such a reading


class Found(Struct, frozen=True, order=True, gc=False):
    """One occurrence of a term; `start` and `end` are offsets in the original text."""

    start: int
    end: int
    term: int  # the term's place in the sequence the matcher was made of
    cost: int = 0
    via: tuple[str, ...] = ()  # what was done to read it, for a term with a ceiling; nothing if it stands as written


class Rejected(NamedTuple):
    """An occurrence that does not count, and why."""

    line: int
    found: Found
    why: str


class Find(NamedTuple):
    """A term in some reading, before it has been weighed; offsets in the original text."""

    start: int
    end: int
    term: int
    via: tuple[str, ...]


class Scales:
    """Weighs the finds of terms with ceilings."""

    def __init__(self, terms: Mapping[int, str], forms: Mapping[int, str], ceilings: Mapping[int, int]) -> None:
        self._terms, self._forms, self._ceilings = terms, forms, ceilings
        self._twins = _common_twins(forms.values())

    def weigh(self, batch: Batch, line: int, finds: Sequence[Find], trace: list[Rejected] | None) -> list[Found]:
        """What of the finds of one text holds, once each, the cheapest way to find it; in no order."""
        text = batch.texts[line]
        best: dict[tuple[int, int, int], Found] = {}
        chain: words.Chain | None = None
        places: list[int] = []
        for start, end, term, more in finds:
            ceiling = self._ceilings[term]
            if more and more[-1] in _ONLY_WITHIN:
                if _ONLY_WITHIN[more[-1]] not in more:
                    continue
                more = more[:-1]  # noqa: PLW2901
            via = _via(text[start:end], self._terms[term], more)
            found = Found(start, end, term, sum(COSTS[each] for each in via), via)
            known = best.get((start, end, term))
            if known is not None and known.cost <= found.cost:
                continue
            if found.cost > ceiling:
                why = f"costs {found.cost}, more than the {ceiling} allowed"
            else:
                if chain is None:
                    chain, places = words.chain(batch.squeezed_texts[line]), batch.places(line)
                why = self._doubt(found, more, chain, places)
                if why and "pinyin" in more and sound.tones(text[start:end]) == sound.tones_of(self._forms[term]):
                    why = ""  # the tones say which word it is
            if not why:
                best[start, end, term] = found
            elif trace is not None:
                trace.append(Rejected(line, found, why))
        return _cheapest(list(best.values()))

    def _doubt(self, found: Found, more: Sequence[str], chain: words.Chain, places: Sequence[int]) -> str:
        """Why a find is rejected, or nothing."""
        term = self._forms[found.term]
        start, end = _within(places, found.start, found.end)
        written = chain.text[start:end]
        if not written or not _HANZI.search(term):
            return ""
        if "pinyin" in more and not _HANZI.search(written):
            return self._doubt_pinyin(term, written, chain.text)
        excess = chain.through(start, end, words.cost(term))
        if (not more or len(term) == len(written)) and (
            astride := _astride(chain, places, (start, end), words.cost(term), as_written=not more)
        ):
            return f"reads as {'|'.join(astride)}"
        if not more:
            margin = _AS_WRITTEN
        else:
            replaced = _replaced(term, written)
            margin = -sum(_doubts(each, len(term), replaced) for each in more)
            if "pinyin" in more:
                margin += _LATIN_RUN * len(_LETTERS.findall(written))
            if "digits" in more:
                margin += _FIGURE * len(_FIGURES.findall(written))
        if excess > margin:
            return f"reads as {'|'.join(chain.reading(start, end))}"
        if "shape" in more and len(term) == len(written) and not _likelier(term, chain, start, excess):
            return f"reads no worse as {'|'.join(chain.reading(start, end))}"
        return ""

    def _doubt_pinyin(self, term: str, written: str, text: str) -> str:
        if self._twins.get(term, 0.0) > _COMMON:
            return f"{written} spells more common words too"
        if len(sound.heard_as(term)) < _SURE_SYLLABLES and len(text) > len(written) and not _has_hanzi(text):
            return f"{written} stands among words of another language"
        return ""


def _cheapest(found: list[Found]) -> list[Found]:
    """Without the finds that overlap a find of the same term that was easier to read, or longer."""
    if len(found) < 2 or all(each.cost < _DEAR for each in found):  # noqa: PLR2004  nothing to overlap
        return found
    easy: list[Found] = []
    covered: defaultdict[int, set[int]] = defaultdict(set)  # by term: the places of its finds
    for each in sorted(found, key=lambda find: (find.cost, find.start - find.end, find)):
        places = range(each.start, each.end)
        if each.cost < _DEAR or covered[each.term].isdisjoint(places):
            covered[each.term].update(places)
            easy.append(each)
    return easy


_HANZI = re.compile("[\u3400-\u9fff]")
_HALF_PINYIN = re.compile("[\u3400-\u9fff][a-z]{1,6}|[a-z]{1,6}[\u3400-\u9fff]")
_has_hanzi = lru_cache(maxsize=16)(_HANZI.search)  # of the text that is being weighed, for each of its finds
_LETTERS = re.compile(r"[a-z]+")
_FIGURES = re.compile(r"[0-9]")


def _via(text: str, term: str, more: Sequence[str]) -> tuple[str, ...]:
    if not more:
        return tuple(transforms(text, term))
    hidden = {"invisible"} if _SIGN_READERS.intersection(more) else {"invisible", "separator"}
    plain = [each for each in transforms(text, term) if each in hidden] if len(text) < 2 * len(term) else []
    return tuple(dict.fromkeys([*plain, *more]))


def _within(places: Sequence[int], start: int, end: int) -> tuple[int, int]:
    """The stretch of the squeezed reading that came from `start` to `end` of the text."""
    return bisect_left(places, start), bisect_left(places, end)


def _likelier(term: str, chain: words.Chain, start: int, excess: float) -> bool:
    """Whether the text reads better with the hanzi of the term than with those that look like them."""
    if chain.gain(start, term) >= _GAIN:
        return True
    written = chain.text[start : start + len(term)]
    return -excess >= _GAIN_AS_TERM and all(map(shape.same_main_part, term, written))


def _astride(
    chain: words.Chain, places: Sequence[int], span: tuple[int, int], term: float, *, as_written: bool
) -> Sequence[str]:
    """How the text reads with a word over an end of a term of that cost, if that is likely too.

    No word goes over a wider gap than there is inside the term: 大 麻 袋 has 麻袋 in it, 大麻 袋 has not.
    """
    start, end = span
    widest = max((places[place] - places[place - 1] for place in range(start + 1, end)), default=1)
    ends = [place for place in span if 0 < place < len(places) and places[place] - places[place - 1] <= widest]
    if not ends:
        return ()
    cost, begin, stop = min(chain.astride(place, start, end) for place in ends)
    dearer = cost - chain.to[-1] - chain.through(start, end, term)
    if dearer >= _ASTRIDE_ALIKE:
        return ()
    reading = chain.reading_with(begin, stop, start, end)
    if not as_written:
        return reading
    margin = _ASTRIDE_LONG if end - start > 2 else _ASTRIDE if min(map(len, reading)) < 2 else _ASTRIDE_SURE  # noqa: PLR2004
    return reading if dearer < margin else ()


def _replaced(term: str, written: str) -> int:
    return sum(one != other for one, other in zip(term, written, strict=True)) if len(term) == len(written) else 1


def _doubts(via: str, size: int, replaced: int) -> float:
    few, many = _DOUBTS.get(via, (0.0, 0.0))
    return few if replaced < 2 or size > 3 else many  # noqa: PLR2004


@lru_cache(maxsize=1 << 16)
def is_hopeless(written: str, term: str, via: str) -> bool:
    """Whether hanzi that sound or look like a term cannot mean it, wherever they stand.

    They are the term itself, or an ordinary word, or by themselves no dearer than the term: no text around them makes
    up for that.
    """
    if written == term:
        return True
    price = words.words().get(written)
    if price is not None and price < words.cost(term) + (_WORD if price < _ODD else _ODD_WORD):
        return True
    replaced = _replaced(term, written)
    if via == "shape" and replaced == len(term):  # nothing of it is left
        return True
    if any(one != other and words.words().get(other, _EVERYWHERE) < _EVERYWHERE for one, other in zip(term, written)):  # noqa: B905
        return True
    doubt = _doubts(via, len(term), replaced)
    return words.cost(term) - words.chain(written).to[-1] > -doubt


def _common_twins(forms: Iterable[str]) -> dict[str, float]:
    """For terms of two syllables: how many times as frequent all other words of the same pinyin are."""
    pairs: defaultdict[str, set[str]] = defaultdict(set)
    for form in forms:
        pair = _pair(form)
        if pair:
            pairs[pair].add(form)
    if not pairs:
        return {}
    rivals: defaultdict[str, float] = defaultdict(float)
    for word, price in words.words().items():
        if len(word) == 2:  # noqa: PLR2004
            pair = sound.sign(word[0]) + sound.sign(word[1])
            if pair in pairs and word not in pairs[pair]:
                rivals[pair] += exp(-price)
    return {form: rivals[pair] / exp(-_price(form)) for pair, group in pairs.items() for form in group}


def _pair(form: str) -> str:
    """The signs of a term of two syllables, one of which may be written in pinyin; nothing for other terms."""
    if len(form) == 2:  # noqa: PLR2004
        return sound.sign(form[0]) + sound.sign(form[1]) if all(map(is_hanzi, form)) else ""
    if not _HALF_PINYIN.fullmatch(form):
        return ""
    pair = sound.heard_as(form)
    return pair if len(pair) == 2 else ""  # noqa: PLR2004


def _price(form: str) -> float:
    """What a term of two syllables costs; the letters of one that is half pinyin would cost nothing."""
    return words.cost(form) if len(form) == 2 else words.UNKNOWN  # noqa: PLR2004
