"""Terms in, their places in a batch of texts out.

A text has many readings, and a term is looked for in all that its ceiling pays for. In every reading:
- A term is found wherever its folded form stands in the squeezed text, overlapping finds included.
- An end of a term that is a letter or digit of a spaced script must be the end of a word; next to it hanzi are fine,
  and so are letters of another script.
- Separators and invisible characters between a term's characters are skipped, but no clause break is. Between two
  Latin letters white space is skipped only where the term itself has a space, or where every letter stands alone
  (c o c a i n e); other separators are skipped there too (co-caine).

A term with a ceiling is also held against the words of the text: where hanzi read better as ordinary words that
only touch the term (时代|孕育 and not 代孕), or as the words that are written there (带宽 and not 贷款), it is rejected.
The dearer a reading, the better the term must explain the text.
"""

import re
import unicodedata
from bisect import bisect_right
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
    codes,
    fold,
    is_break,
    is_hanzi,
    is_letter,
    squeeze,
    string,
)
from processor.matching.readings import COSTS, Reading

_WIDEST_GAP = 16  # separators between two characters of a term
_BEYOND_LATIN = "\u0250"  # Latin letters and digits come before it
_FRAMES = frozenset({"Ps", "Pe", "Pi", "Pf"})  # brackets and quotes
_SIGNS = {IGNORED: "invisible", SPELLED: "spelled"}
_AS_WRITTEN = 1.0  # nats by which ordinary words must read better than the term that stands there as written
_DOUBT = {"separator": 0.0, "sound": 8.0, "shape": 8.0, "split": 2.0, "repeated": 3.0, "emoji": 0.0, "pinyin": 2.0}
_COMMON = 20.0  # how many times as frequent a word of the same pinyin must be to hide a term of two hanzi
_DEAR = 2  # the least cost of what is not a plain reading
_SURE_LETTERS = 7  # pinyin among words of another language


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
    PARTS = 3  # two parts of a hanzi: no find, but a reason to put them together


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
        self._deep = bool(self._terms)
        self._hanzi = {char for term in self._terms.values() for char in squeeze(term) if is_hanzi(char)}
        self._wanted = codes("".join(sorted(self._hanzi)))
        self._squeezed, self._signed, self._sound, self._shape = (_Patterns(engine) for _ in range(4))
        for number, term in enumerate(terms):
            self._add(number, term)
        self._twins = _common_twins(self._terms.values())
        for patterns in (self._squeezed, self._signed, self._sound, self._shape):
            patterns.build()
        self._sound_signs, self._shape_signs = _Signs(sound.sign), _Signs(shape.sign)

    def _add(self, number: int, term: str) -> None:
        both = forms(term)
        owner = _Owner(number, _How.PLAIN)
        last = both[-1]
        if last.isalnum() or squeeze(last) == last:
            self._squeezed.add(last, owner, _spaces(term, last))
        else:
            self._signed.add(last, owner)
        ceiling = self._ceilings[number]
        if ceiling is None:
            return
        if ceiling >= COSTS["digits"] and (digits := readings.in_digits(last)) != last:
            self._squeezed.add(digits, _Owner(number, _How.DIGITS))
        hanzi = sum(map(is_hanzi, last))
        if hanzi >= 1 and ceiling >= COSTS["split"]:
            for parts, char in shape.written_apart(filter(is_hanzi, last)):
                self._squeezed.add(squeeze(parts) or parts, _Owner(-1, _How.PARTS), composed=char)
        if hanzi < 2:  # noqa: PLR2004  one hanzi says nothing by its sound or look
            return
        if hanzi == len(last) and ceiling >= COSTS["pinyin"]:
            for spelling, places in sound.spellings(last):
                if spelling.isascii() and spelling.isalpha():
                    self._squeezed.add(spelling, _Owner(number, _How.PINYIN), places)
        if ceiling >= COSTS["sound"]:
            for form in sound.signs(last):
                self._sound.add(form, owner)
        if ceiling >= COSTS["shape"]:
            self._shape.add("".join(map(shape.sign, last)), owner)

    def find(self, batch: Batch, trace: list[Rejected] | None = None) -> dict[int, list[Found]]:
        """Finds per number of text, in order of place; a text without any is not in the answer.

        What was rejected is added to `trace`.
        """
        parts: defaultdict[int, list[tuple[int, int, str]]] = defaultdict(list)
        finds = self._as_it_reads(batch, parts)
        if self._deep:
            for line, more in self._otherwise(batch, parts):
                finds[line].extend(more)
        answer: dict[int, list[Found]] = {}
        for line, each in finds.items():
            if found := self._weigh(batch, line, each, trace):
                answer[line] = found
        return answer

    def readings(self, text: str) -> list[Reading]:
        """The readings of one text that are made for it alone."""
        batch = Batch([text])
        parts: defaultdict[int, list[tuple[int, int, str]]] = defaultdict(list)
        self._as_it_reads(batch, parts)
        return [*self._decoded(batch, readings.flags(batch)), *self._tricks(batch, readings.flags(batch), parts)]

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

    def _place(  # noqa: PLR0913
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
                    begin = batch.squeezed_starts[line]
                    parts[line].append((row[0] - begin, row[1] - begin, pattern.composed))
                else:
                    via = () if owner.how is _How.PLAIN else ("pinyin",) if owner.how is _How.PINYIN else ("digits",)
                    finds[line].append(_Find(start - offset, end - offset, owner.term, via))

    def _stands(  # noqa: PLR0913
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
        marks = readings.flags(batch)
        yield from self._in(self._spoken(batch), deep="sound")
        yield from self._in(self._tricks(batch, marks, parts))
        yield from self._in(self._decoded(batch, marks), deep="all")

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
                    if not _is_ordinary(written, forms(self._terms[owner.term])[-1])
                ]
                if found:
                    yield line, found

    def _in(self, made: Iterable[Reading], deep: str = "") -> Iterator[tuple[int, list[_Find]]]:
        """Finds in readings of single texts."""
        each = list(made)
        if not each:
            return
        if deep == "sound":
            found = self._sounding([reading.text for reading in each])
        else:
            batch = Batch([reading.text for reading in each])
            parts: defaultdict[int, list[tuple[int, int, str]]] = defaultdict(list)
            found = self._as_it_reads(batch, parts)
            if deep:
                for line, more in self._otherwise_once(batch, parts):
                    found[line].extend(more)
        for number, finds in found.items():
            line, _, starts, ends, via = each[number]
            yield line, [_back(find, starts, ends, via) for find in finds]

    def _otherwise_once(
        self, batch: Batch, parts: Mapping[int, list[tuple[int, int, str]]]
    ) -> Iterator[tuple[int, list[_Find]]]:
        yield from self._alike(batch, self._sound, self._sound_signs, "sound")
        yield from self._in(self._spoken(batch), deep="sound")
        yield from self._in(self._tricks(batch, readings.flags(batch), parts))

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

    def _decoded(self, batch: Batch, marks: NDArray[np.uint16]) -> Iterator[Reading]:
        for line in readings.coded_lines(batch, marks):
            if reading := readings.decoded(line, batch.texts[line]):
                yield reading

    def _tricks(
        self, batch: Batch, marks: NDArray[np.uint16], parts: Mapping[int, list[tuple[int, int, str]]]
    ) -> Iterator[Reading]:
        for line in readings.calls(batch, marks, self._wanted):
            yield from readings.tricks(line, batch.reading(line), self._hanzi)
        for line, each in parts.items():
            yield readings.composed(line, batch.squeezed_reading(line), batch.places(line), each)

    def _spoken(self, batch: Batch) -> Iterator[Reading]:
        """Texts in which pinyin stands beside hanzi, by their sounds."""
        chars = batch.squeezed_codes
        latin = (chars >= ord("a")) & (chars <= ord("z"))
        hanzi = (chars >= 0x3400) & (chars <= 0x9FFF)  # noqa: PLR2004
        near = np.flatnonzero((latin[1:] & hanzi[:-1]) | (latin[:-1] & hanzi[1:]))
        for line in dict.fromkeys(batch.lines(batch.kept[near + 1])):
            text, places = batch.squeezed_reading(line), batch.places(line)
            heard = list(sound.heard(text, _RUN.finditer(text)))
            if heard:
                made = readings.composed(line, text, places, heard)
                signs = "".join(map(sound.sign, made.text))
                yield made._replace(text=signs, via=("pinyin",))

    # Weighing.

    def _weigh(self, batch: Batch, line: int, finds: Sequence[_Find], trace: list[Rejected] | None) -> list[Found]:
        """What of the finds of one text holds, once each, the cheapest way to find it."""
        text = batch.texts[line]
        best: dict[tuple[int, int, int], Found] = {}
        chain: words.Chain | None = None
        places: list[int] = []
        for start, end, term, more in finds:
            ceiling = self._ceilings[term]
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
        term = forms(self._terms[found.term])[-1]
        start, end = _within(places, found.start, found.end)
        written = chain.text[start:end]
        if not any(map(is_hanzi, term)) or not written:
            return ""
        if "pinyin" in more and not any(map(is_hanzi, written)):
            return self._doubt_pinyin(term, written, chain.text)
        excess = chain.through(start, end, words.cost(term))
        margin = _AS_WRITTEN - sum(_DOUBT.get(each, 0.0) for each in more)
        if "separator" in found.via and not more:
            margin = 0.0
        if excess <= margin:
            return ""
        return f"reads as {'|'.join(chain.reading(start, end))}"

    def _doubt_pinyin(self, term: str, written: str, text: str) -> str:
        if len(term) == 2 and self._twins.get(term, 0.0) > _COMMON:  # noqa: PLR2004  a pair of syllables
            return f"{written} spells more common words too"
        alone = not any(map(is_hanzi, text)) and len(text) > len(written)
        if alone and len(written) < _SURE_LETTERS:
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
    by_term: defaultdict[int, list[Found]] = defaultdict(list)
    for each in sorted(kept, key=lambda find: (find.cost, find.start - find.end)):
        others = by_term[each.term]
        if each.cost < _DEAR or not any(each.start < one.end and one.start < each.end for one in others):
            others.append(each)
    return [each for others in by_term.values() for each in others]


_RUN = re.compile(r"[a-z]+(?:[1-5][a-z]+)*[1-5]?")


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
    inside = [n for n, place in enumerate(places) if start <= place < end]
    return (inside[0], inside[-1] + 1) if inside else (0, 0)


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
    return (kinds[near] & kinds[edge]) != 0


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
    if len(gap) > _WIDEST_GAP or (blank and "." in gap):  # a full stop and a space end a sentence
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
    if len(term.split()) < 2:  # noqa: PLR2004  words
        return frozenset()
    parts = [squeeze(word) for word in term.split()]
    if "".join(parts) != form:
        return frozenset()
    place, places = 0, set()
    for word in parts[:-1]:
        place += len(word)
        places.add(place)
    return frozenset(places)


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
