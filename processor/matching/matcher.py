"""Terms in, their places in a batch of texts out.

A text has many readings, and a term is looked for in all that its ceiling pays for. In every reading:
- A term is found wherever its folded form stands in the squeezed text, overlapping finds included.
- An end of a term that is a letter or digit of a spaced script must be the end of a word; next to it hanzi are fine,
  and so are letters of another script.
- Separators and invisible characters between a term's characters are skipped, but no clause break is. Between two
  Latin letters white space is skipped only where the term itself has a space, or where every letter stands alone
  (c o c a i n e); other separators are skipped there too (co-caine).

A term with a ceiling is also held against the words of the text: where hanzi read better as ordinary words that only
touch the term (时代|孕育 and not 代孕), or as the words that are written there (带宽 and not 贷款), it is rejected.
The dearer a reading, the better the term must explain the text.
"""

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import IntEnum
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import NamedTuple

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from processor.matching import readings, shape, sound, words
from processor.matching.engine import Daachorse, Engine
from processor.matching.folding import (
    IGNORED,
    JOINT,
    SPELLED,
    Batch,
    fold,
    is_break,
    is_hanzi,
    is_letter,
    squeeze,
    string,
)
from processor.matching.nearly import Halves
from processor.matching.readings import COSTS, Reading

_WIDEST_GAP = 16  # separators between two characters of a term
_BEYOND_LATIN = "\u0250"  # Latin letters and digits come before it
_FRAMES = frozenset({"Ps", "Pe", "Pi", "Pf"})  # brackets and quotes
_SIGNS = {IGNORED: "invisible", SPELLED: "spelled"}
_AS_WRITTEN = 1.0  # nats by which ordinary words must read better than the term that stands there as written
_ACROSS = -1.5  # … if one of them reaches over an end of the term
_GAIN = 1.0  # nats by which a text must read better with the hanzi of the term than with those that look like them
_DOUBTS = {"sound": (3.0, 7.0), "shape": (0.0, 4.0)}  # … by which a term must read better: one hanzi replaced, or more
_DOUBT = {"split": 2.0, "repeated": 3.0, "emoji": -12.0}
_LATIN_RUN = 12.0  # nats that Latin letters among hanzi are worth
_COMMON = 20.0  # how many times as frequent a word of the same pinyin must be to hide a term of two hanzi
_EVERYDAY = 12.0  # the cost in nats of a word that everybody uses
_DEAR = 2  # the least cost of what is not a plain reading
_SURE_SYLLABLES = 3  # pinyin among words of another language


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


class _How(IntEnum):
    """What a pattern is to its term."""

    PLAIN = 0
    PINYIN = 1
    DIGITS = 2
    COLLAPSED = 3  # without its double letters: what is left of it once a stretched text is drawn together
    LEET = 4  # with letters for its digits: what is left of it where every digit is read as a letter
    PARTS = 5  # two parts of a hanzi: no find, but a reason to put them together


_HOW_VIA = {
    _How.PLAIN: (),
    _How.PINYIN: ("pinyin",),
    _How.DIGITS: ("digits",),
    _How.COLLAPSED: ("stretched-",),
    _How.LEET: ("leet-",),
}


_ONLY_WITHIN = {"stretched-": "stretched", "leet-": "leet"}  # forms that stand for a term only in such a reading


class _Owner(NamedTuple):
    term: int
    how: _How


class _Pattern(NamedTuple):
    owners: tuple[_Owner, ...]
    spaces: frozenset[int]  # places in the pattern before which white space is skipped
    composed: str  # for parts: the hanzi


class _Patterns:
    """One automaton, and what its patterns stand for."""

    def __init__(self, engine: type[Engine]) -> None:
        self._make = engine
        self._owners: defaultdict[str, dict[_Owner, None]] = defaultdict(dict)
        self._spaces: dict[str, frozenset[int]] = {}
        self._composed: dict[str, str] = {}
        self.table: list[_Pattern] = []

    def add(self, form: str, owner: _Owner, spaces: Iterable[int] = (), composed: str = "") -> None:
        self._owners[form][owner] = None
        self._spaces[form] = self._spaces.get(form, frozenset()) | frozenset(spaces)
        if composed:
            self._composed[form] = composed

    def build(self) -> None:
        forms = list(self._owners)
        self.table = [_Pattern(tuple(self._owners[f]), self._spaces[f], self._composed.get(f, "")) for f in forms]
        self.left = np.array([is_letter(form[0]) for form in forms], bool)
        self.right = np.array([is_letter(form[-1]) for form in forms], bool)
        self._engine = self._make(forms) if forms else None
        del self._owners, self._spaces, self._composed

    def find(self, text: str) -> NDArray[np.intp]:
        """Rows of start, end, pattern."""
        found = self._engine.find(text) if self._engine else []
        return np.array(found, np.intp).reshape(-1, 3)


class _Find(NamedTuple):
    """A term in some reading, before it has been weighed; offsets in the original text."""

    start: int
    end: int
    term: int
    via: tuple[str, ...]


class Matcher:
    """Finds `terms` in batches of texts.

    `ceilings` holds for each term what the transforms of a hit may cost together (`readings.COSTS`); a term without
    one, or with None, is found in the folded and squeezed readings only, and wherever it stands.
    """

    def __init__(
        self, terms: Sequence[str], engine: type[Engine] = Daachorse, ceilings: Sequence[int | None] | None = None
    ) -> None:
        self._ceilings = [None] * len(terms) if ceilings is None else list(ceilings)
        self._terms = {n: term for n, term in enumerate(terms) if self._ceilings[n] is not None}
        self._forms = {number: "".join(forms(term)[-1:]) for number, term in self._terms.items()}
        self._hanzi = {char for term in self._terms.values() for char in squeeze(term) if is_hanzi(char)}
        self._squeezed, self._signed, self._sound, self._shape = (_Patterns(engine) for _ in range(4))
        self._halves = Halves()
        self._apart: set[str] = set()  # hanzi that may be written as their parts
        for number, term in enumerate(terms):
            self._add(number, term)
        self._add_parts(sorted(self._apart))
        self._halves.build(engine)
        self._twins = _common_twins(self._terms.values())
        for patterns in (self._squeezed, self._signed, self._sound, self._shape):
            patterns.build()
        self._sound_signs, self._shape_signs = _Signs(sound.sign), _Signs(shape.sign)

    def _add(self, number: int, term: str) -> None:
        last = "".join(forms(term)[-1:])
        if not last:  # nothing to look for
            return
        spaces = _spaces(term, last)
        plain = last.isalnum() or squeeze(last) == last
        (self._squeezed if plain else self._signed).add(last, _Owner(number, _How.PLAIN), spaces)
        ceiling = self._ceilings[number]
        if ceiling is None:
            return
        if ceiling >= COSTS["digits"] and (digits := readings.in_digits(last)) != last:
            self._squeezed.add(digits, _Owner(number, _How.DIGITS), spaces)
        if ceiling >= COSTS["stretched"] and (once := readings.drawn_together(last)) != last:
            places = {len(readings.drawn_together(last[:place])) for place in spaces}
            self._squeezed.add(once, _Owner(number, _How.COLLAPSED), places)
        if ceiling >= COSTS["leet"] and not last.isdigit() and (spelled := readings.spelled_out(last)) != last:
            self._squeezed.add(spelled, _Owner(number, _How.LEET), spaces)
        if any(map(is_hanzi, last)):
            self._add_hanzi(number, last, ceiling)

    def _add_parts(self, hanzi: Iterable[str]) -> None:
        for parts, char in shape.written_apart(hanzi):
            if words.cost(parts) > _EVERYDAY:  # 女子 is itself, and not 好
                self._squeezed.add(parts, _Owner(-1, _How.PARTS), composed=char)

    def _add_hanzi(self, number: int, form: str, ceiling: int) -> None:
        if ceiling >= COSTS["split"]:
            self._apart.update(filter(is_hanzi, form))
        if len(form) == 1:  # says nothing by its sound or look
            return
        if ceiling >= COSTS["pinyin"]:
            for spelling, places in sound.spellings(form):
                if spelling.isascii() and spelling.isalnum():
                    self._squeezed.add(spelling, _Owner(number, _How.PINYIN), places)
        if ceiling >= COSTS["sound"]:
            for heard in sound.signs(form):
                self._sound.add(heard, _Owner(number, _How.PLAIN))
        if ceiling >= COSTS["shape"]:
            self._shape.add("".join(map(shape.sign, form)), _Owner(number, _How.PLAIN))
            self._halves.add(form, number)

    def find(self, batch: Batch, trace: list[Rejected] | None = None) -> dict[int, list[Found]]:
        """Finds per number of text, in order of place; a text without any is not in the answer.

        What was rejected is added to `trace`.
        """
        answer = self._find(batch, trace)
        if self._terms:
            self._add_decoded(batch, answer, trace)
        return answer

    def _find(self, batch: Batch, trace: list[Rejected] | None) -> dict[int, list[Found]]:
        parts: defaultdict[int, list[tuple[int, int, str]]] = defaultdict(list)
        finds = self._as_it_reads(batch, parts)
        if self._terms:
            for line, more in self._otherwise(batch, parts):
                finds[line].extend(more)
        answer: dict[int, list[Found]] = {}
        for line, each in finds.items():
            if found := self._weigh(batch, line, each, trace):
                answer[line] = found
        return answer

    def _add_decoded(self, batch: Batch, answer: dict[int, list[Found]], trace: list[Rejected] | None) -> None:
        """Add what is found once escapes are resolved; the words of the text are then those that they spell."""
        each = list(self._decoded(batch))
        if not each:
            return
        rejected: list[Rejected] | None = None if trace is None else []
        for number, found in self._find(Batch([reading.text for reading in each]), rejected).items():
            line = each[number].line
            more = (self._spanned(find, each[number], batch.texts[line]) for find in found)
            known = {(find.start, find.end, find.term) for find in answer.get(line, ())}
            new = [find for find in more if find and (find.start, find.end, find.term) not in known]
            if new:
                answer[line] = sorted([*answer.get(line, ()), *new])
        if trace is not None and rejected:
            trace += [Rejected(each[one.line].line, _across(one.found, each[one.line]), one.why) for one in rejected]

    def _spanned(self, find: Found, reading: Reading, text: str) -> Found | None:
        """A find of a decoded text as one of the original, if it was decoded at all and its ceiling pays for that."""
        across, ceiling = _across(find, reading), self._ceilings[find.term]
        untouched = text[across.start : across.end] == reading.text[find.start : find.end]
        return None if untouched or ceiling is None or across.cost > ceiling else across

    def readings(self, text: str) -> list[Reading]:
        """The readings of one text that are made for it alone."""
        batch = Batch([text])
        parts: defaultdict[int, list[tuple[int, int, str]]] = defaultdict(list)
        self._as_it_reads(batch, parts)
        return [*self._decoded(batch), *self._tricks(batch, parts)]

    # Finds.

    def _as_it_reads(
        self, batch: Batch, parts: defaultdict[int, list[tuple[int, int, str]]]
    ) -> defaultdict[int, list[_Find]]:
        """The finds in the folded and squeezed readings, and the parts of hanzi, by places in the squeezed text."""
        finds: defaultdict[int, list[_Find]] = defaultdict(list)
        rows = self._signed.find(batch.folded)
        self._place(batch, rows[:, 0], rows[:, 1], rows[:, 2], self._signed, finds, parts)
        rows = self._squeezed.find(batch.squeezed)
        if len(rows):
            self._place(
                batch,
                batch.kept[rows[:, 0]],
                batch.kept[rows[:, 1] - 1] + 1,
                rows[:, 2],
                self._squeezed,
                finds,
                parts,
                rows,
            )
        return finds

    def _place(
        self,
        batch: Batch,
        starts: NDArray[np.intp],
        ends: NDArray[np.intp],
        numbers: NDArray[np.intp],
        patterns: _Patterns,
        finds: defaultdict[int, list[_Find]],
        parts: defaultdict[int, list[tuple[int, int, str]]],
        rows: NDArray[np.intp] | None = None,
    ) -> None:
        """Add what stands in the folded reading from `starts` to `ends`, if words end there and nothing divides it."""
        if not len(starts):
            return
        kinds = _kinds(batch)
        inside = (patterns.left[numbers] & _one_word(kinds, starts - 1, starts)) | (
            patterns.right[numbers] & _one_word(kinds, ends, ends - 1)
        )
        keep = np.flatnonzero(~inside)
        starts, ends, numbers = starts[keep], ends[keep], numbers[keep]
        squeezed = rows[keep].tolist() if rows is not None else [None] * len(keep)
        lines = batch.lines(starts)
        offsets = batch.starts
        table = patterns.table
        for start, end, number, line, row in zip(
            starts.tolist(), ends.tolist(), numbers.tolist(), lines, squeezed, strict=True
        ):
            pattern = table[number]
            if not self._stands(batch, start, end, pattern, patterns, number, row):
                continue
            offset = offsets[line]
            for owner in pattern.owners:
                if owner.how is _How.PARTS:
                    parts[line].append((start - offset, end - offset, pattern.composed))
                else:
                    finds[line].append(_Find(start - offset, end - offset, owner.term, _HOW_VIA[owner.how]))

    def _stands(
        self,
        batch: Batch,
        start: int,
        end: int,
        pattern: _Pattern,
        patterns: _Patterns,
        number: int,
        row: list[int] | None,
    ) -> bool:
        """Whether words end where the pattern does, and what is skipped inside may be skipped."""
        folded = batch.folded
        if patterns.left[number] and folded[start - 1] == IGNORED and not _word_starts(folded, start):
            return False
        if patterns.right[number] and folded[end] == IGNORED and not _word_ends(folded, end):
            return False
        if row is None or end - start == row[1] - row[0]:
            return True
        span = batch.kept[row[0] : row[1]].tolist()
        if len(set(span)) < len(span) and not _whole(batch, row):
            return False
        return all(
            _skips(folded, before, after, spaced=place in pattern.spaces)
            for place, (before, after) in enumerate(pairwise(span), start=1)
            if after - before > 1
        )

    def _otherwise(
        self, batch: Batch, parts: Mapping[int, list[tuple[int, int, str]]]
    ) -> Iterator[tuple[int, list[_Find]]]:
        """Finds in dearer readings, by number of text."""
        yield from self._alike(batch, self._sound, self._sound_signs, "sound")
        yield from self._alike(batch, self._shape, self._shape_signs, "shape")
        yield from self._nearly(batch)
        yield from self._in_sounds(batch, self._spoken(batch))
        yield from self._in(batch, self._tricks(batch, parts))

    def _alike(self, batch: Batch, patterns: _Patterns, signs: "_Signs", via: str) -> Iterator[tuple[int, list[_Find]]]:
        """Terms that sound or look like what is written."""
        rows = patterns.find(string(signs.of(batch.squeezed_codes)))
        if not len(rows):
            return
        starts, ends = batch.kept[rows[:, 0]], batch.kept[rows[:, 1] - 1] + 1
        offsets, squeezed = batch.starts, batch.squeezed
        for (begin, stop, number), start, end, line in zip(
            rows.tolist(), starts.tolist(), ends.tolist(), batch.lines(starts), strict=True
        ):
            written = squeezed[begin:stop]
            if end - start == stop - begin or self._stands(
                batch, start, end, patterns.table[number], patterns, number, [begin, stop]
            ):
                found = [
                    _Find(start - offsets[line], end - offsets[line], owner.term, (via,))
                    for owner in patterns.table[number].owners
                    if not _is_ordinary(written, self._forms[owner.term])
                ]
                if found:
                    yield line, found

    def _nearly(self, batch: Batch) -> Iterator[tuple[int, list[_Find]]]:
        """Terms with one hanzi in place of another that looks like it."""
        offsets = batch.starts
        for begin, stop, term in self._halves.find(batch.squeezed):
            start, end = int(batch.kept[begin]), int(batch.kept[stop - 1]) + 1
            line = batch.locate(start)
            yield line, [_Find(start - offsets[line], end - offsets[line], term, ("shape",))]

    def _in(self, batch: Batch, made: Iterable[Reading]) -> Iterator[tuple[int, list[_Find]]]:
        """Finds in readings of single texts."""
        each = list(made)
        if not each:
            return
        for number, finds in self._as_it_reads(Batch([reading.text for reading in each]), defaultdict(list)).items():
            line, text, starts, ends, via = each[number]
            back = [(_back(find, starts, ends, via), text[find.start : find.end]) for find in finds]
            folded = batch.reading(line)
            yield line, [find for find, read in back if folded[find.start : find.end] != read]  # else it is known

    def _in_sounds(self, batch: Batch, made: Iterable[Reading]) -> Iterator[tuple[int, list[_Find]]]:
        each = list(made)
        for number, finds in self._sounding([reading.text for reading in each]).items():
            line, _, starts, ends, via = each[number]
            found = [_back(find, starts, ends, via) for find in finds]
            text = batch.reading(line)
            yield line, [find for find in found if _LETTERS.search(text, find.start, find.end)]

    def _sounding(self, texts: Sequence[str]) -> dict[int, list[_Find]]:
        """Terms in texts whose hanzi are signs of their sounds."""
        finds: defaultdict[int, list[_Find]] = defaultdict(list)
        starts = list(accumulate((len(text) + 1 for text in texts), initial=0))
        for start, end, number in self._sound.find(JOINT.join(texts)).tolist():
            line = bisect_right(starts, start) - 1
            finds[line].extend(
                _Find(start - starts[line], end - starts[line], owner.term, ())
                for owner in self._sound.table[number].owners
            )
        return finds

    def _decoded(self, batch: Batch) -> Iterator[Reading]:
        for line in readings.coded_lines(batch):
            if reading := readings.decoded(line, batch.texts[line]):
                yield reading

    def _tricks(self, batch: Batch, parts: Mapping[int, list[tuple[int, int, str]]]) -> Iterator[Reading]:
        for line, names in readings.calls(batch, self._hanzi).items():
            yield from readings.tricks(line, batch.reading(line), names, self._hanzi)
        for line, each in parts.items():
            yield from readings.composed(line, batch.reading(line), each)

    def _spoken(self, batch: Batch) -> Iterator[Reading]:
        """Texts in which pinyin stands beside hanzi, by their sounds."""
        chars = batch.squeezed_codes
        latin = (chars >= ord("a")) & (chars <= ord("z"))
        hanzi = (chars >= 0x3400) & (chars <= 0x9FFF)  # noqa: PLR2004
        near = np.flatnonzero((latin[1:] & hanzi[:-1]) | (latin[:-1] & hanzi[1:]))
        for line in dict.fromkeys(batch.lines(batch.kept[near + 1])):
            if made := readings.in_sounds(line, batch.reading(line)):
                yield made

    # Weighing.

    def _weigh(self, batch: Batch, line: int, finds: Sequence[_Find], trace: list[Rejected] | None) -> list[Found]:
        """What of the finds of one text holds, once each, the cheapest way to find it."""
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
            if ceiling is None:
                best[start, end, term] = Found(start, end, term)
                continue
            via = _via(text[start:end], self._terms[term], more)
            found = Found(start, end, term, sum(COSTS[each] for each in via), via)
            known = best.get((start, end, term))
            if known is not None and known.cost <= found.cost:
                continue
            if found.cost > ceiling:
                why = f"costs {found.cost}, more than the {ceiling} allowed"
            else:
                if chain is None:
                    chain, places = words.chain(batch.squeezed_reading(line)), batch.places(line)
                why = self._doubt(found, more, chain, places)
            if not why:
                best[start, end, term] = found
            elif trace is not None:
                trace.append(Rejected(line, found, why))
        return sorted(_cheapest(best.values()))

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
        if not more:
            margin = _ACROSS if chain.crosses(start, end) else _AS_WRITTEN
        else:
            replaced = _replaced(term, written)
            margin = -sum(_doubts(each, len(term), replaced) for each in more)
            if "pinyin" in more:
                margin += _LATIN_RUN * len(_LETTERS.findall(written))
        if excess > margin:
            return f"reads as {'|'.join(chain.reading(start, end))}"
        if "shape" in more and len(term) == len(written) and chain.gain(start, term) < _GAIN:
            return f"reads no worse as {'|'.join(chain.reading(start, end))}"
        return ""

    def _doubt_pinyin(self, term: str, written: str, text: str) -> str:
        if len(term) == 2 and self._twins.get(term, 0.0) > _COMMON:  # noqa: PLR2004  a pair of syllables
            return f"{written} spells more common words too"
        if len(term) < _SURE_SYLLABLES and len(text) > len(written) and not _has_hanzi(text):
            return f"{written} stands among words of another language"
        return ""


def _cheapest(found: Iterable[Found]) -> list[Found]:
    """Without the finds that overlap a find of the same term that was easier to read, or longer."""
    kept: list[Found] = []
    dear = False
    for each in found:
        kept.append(each)
        dear = dear or each.cost >= _DEAR
    if not dear or len(kept) < 2:  # noqa: PLR2004  nothing to overlap
        return kept
    easy: list[Found] = []
    covered: defaultdict[int, set[int]] = defaultdict(set)  # by term: the places of its finds
    for each in sorted(kept, key=lambda find: (find.cost, find.start - find.end)):
        places = range(each.start, each.end)
        if each.cost < _DEAR or covered[each.term].isdisjoint(places):
            covered[each.term].update(places)
            easy.append(each)
    return easy


_HANZI = re.compile("[\u3400-\u9fff]")
_has_hanzi = lru_cache(maxsize=16)(_HANZI.search)  # of the text that is being weighed, for each of its finds
_LETTERS = re.compile(r"[a-z]+")


class _Signs:
    """A table from folded code points to the signs of their sound or look; fills itself."""

    def __init__(self, sign: Callable[[str], str]) -> None:
        self._sign = sign
        self._table, self._known = _TABLES.setdefault(
            sign.__module__, (np.arange(0x110000, dtype=np.uint32), np.zeros(0x110000, bool))
        )
        self._known[:0x3400] = True

    def of(self, chars: NDArray[np.uint32]) -> NDArray[np.uint32]:
        fresh = chars[~self._known[chars]]
        for code in np.unique(fresh).tolist():
            self._table[code] = ord(self._sign(chr(code)))
            self._known[code] = True
        return self._table[chars]


_TABLES: dict[str, tuple[NDArray[np.uint32], NDArray[np.bool_]]] = {}


def _across(find: Found, reading: Reading) -> Found:
    back = _back(_Find(find.start, find.end, find.term, find.via), reading.starts, reading.ends, reading.via)
    return Found(back.start, back.end, back.term, sum(COSTS[each] for each in back.via), back.via)


def _back(find: _Find, starts: Sequence[int], ends: Sequence[int], via: tuple[str, ...]) -> _Find:
    begin = min(starts[find.start : find.end])
    return _Find(begin, max(ends[find.start : find.end]), find.term, (*via, *find.via))


def _via(text: str, term: str, more: Sequence[str]) -> tuple[str, ...]:
    if not more:
        return tuple(transforms(text, term))
    plain = (
        [each for each in transforms(text, term) if each in {"invisible", "separator"}]
        if len(text) < 2 * len(term)
        else []
    )
    return tuple(dict.fromkeys([*plain, *more]))


def _within(places: Sequence[int], start: int, end: int) -> tuple[int, int]:
    """The stretch of the squeezed reading that came from `start` to `end` of the text."""
    return bisect_left(places, start), bisect_left(places, end)


def _replaced(term: str, written: str) -> int:
    return sum(one != other for one, other in zip(term, written, strict=True)) if len(term) == len(written) else 1


def _doubts(via: str, size: int, replaced: int) -> float:
    few, many = _DOUBTS.get(via, (_DOUBT.get(via, 0.0),) * 2)
    return few if replaced < 2 or size > 3 else many  # noqa: PLR2004


@lru_cache(maxsize=1 << 15)
def _is_ordinary(written: str, term: str) -> bool:
    """Whether the term stands there as written, or an ordinary word that is the more likely of the two."""
    if written == term:
        return True
    price = words.words().get(written)
    return price is not None and price < words.cost(term) + 8.0


def _common_twins(terms: Iterable[str]) -> dict[str, float]:
    """For terms of two hanzi: how many times as frequent all other words of the same pinyin are."""
    pairs: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for term in terms:
        form = forms(term)[-1]
        if len(form) == 2 and all(map(is_hanzi, form)):  # noqa: PLR2004
            pairs[sound.sign(form[0]), sound.sign(form[1])].add(form)
    if not pairs:
        return {}
    rivals: defaultdict[tuple[str, str], float] = defaultdict(float)
    for word, price in words.words().items():
        if len(word) == 2:  # noqa: PLR2004
            pair = (sound.sign(word[0]), sound.sign(word[1]))
            if pair in pairs and word not in pairs[pair]:
                rivals[pair] += float(np.exp(-price))
    return {form: rivals[pair] / float(np.exp(-words.cost(form))) for pair, group in pairs.items() for form in group}


# Boundaries.

_KINDS = np.full(
    0x110000, 255, np.uint8
)  # 0: no letter, 1: Latin letter or digit, 2: of another spaced script, 3: both


def _kind(char: str) -> int:
    if char == SPELLED:
        return 3
    if char < _BEYOND_LATIN:
        return int(char.isalnum())
    return 2 * is_letter(char)


def _kinds(batch: Batch) -> NDArray[np.uint8]:
    kinds = _KINDS[batch.codes]
    if (kinds == 255).any():  # noqa: PLR2004  not known yet
        for code in np.unique(batch.codes[kinds == 255]).tolist():  # noqa: PLR2004
            _KINDS[code] = _kind(chr(code))
        kinds = _KINDS[batch.codes]
    return kinds


def _one_word(kinds: NDArray[np.uint8], near: NDArray[np.intp], edge: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Whether what stands at `near`, next to a term's `edge`, goes on with its word; another script begins another."""
    same: NDArray[np.bool_] = (kinds[near] & kinds[edge]) != 0
    return same


def _word_starts(text: str, start: int) -> bool:
    place = start - 1
    while place >= 0 and text[place] == IGNORED:
        place -= 1
    return place < 0 or not _kind(text[place]) & _kind(text[start])


def _word_ends(text: str, end: int) -> bool:
    place = end
    while place < len(text) and text[place] == IGNORED:
        place += 1
    return place == len(text) or not _kind(text[place]) & _kind(text[end - 1])


def _whole(batch: Batch, row: Sequence[int]) -> bool:
    """Whether no character that spells several is cut at an end of the stretch."""
    kept = batch.kept
    begin, stop = row[0], row[1]
    return (begin == 0 or kept[begin - 1] != kept[begin]) and (stop == len(kept) or kept[stop - 1] != kept[stop])


def _skips(folded: str, before: int, after: int, *, spaced: bool) -> bool:
    """Whether what stands between the places `before` and `after` may be skipped."""
    gap = folded[before + 1 : after].replace(IGNORED, "")
    if not gap:
        return True
    blank = any(char.isspace() for char in gap)
    if len(gap) > _WIDEST_GAP or (blank and gap[0] == "."):  # a full stop and a space end a sentence
        return False
    if spaced or not blank or is_hanzi(folded[before]) or is_hanzi(folded[after]):
        return True
    return _word_starts(folded, before) and _word_ends(folded, after + 1)


# Terms.


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


def _spaces(term: str, form: str) -> frozenset[int]:
    """Where in the form of a term white space may be skipped: where the term itself has some, or another sign."""
    if len(term) == len(form):
        return frozenset()
    places = frozenset(len(squeeze(term[:place])) for place, char in enumerate(term) if not squeeze(char))
    return places - {0, len(form)}


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
    return sum(not char.isalnum() and char not in _SIGNS for char in fold(text))


def _transform(char: str) -> str:
    folded = fold(char)
    if folded in _SIGNS:
        return _SIGNS[folded]
    if not folded.isalnum():
        return "separator"
    if folded == char.lower():
        return "variant" if is_hanzi(folded) else "case"
    if folded == unicodedata.normalize("NFKC", char).lower():
        return "width"
    return "variant" if is_hanzi(folded) else "accent"
