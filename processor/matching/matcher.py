"""Terms in, their places in a batch of texts out.

A text has many readings, and a term is looked for in all that its ceiling pays for. In every reading:
- A term is found wherever its folded form stands in the squeezed text, overlapping finds included.
- An end of a term that is a letter or digit of a spaced script must be the end of a word; next to it hanzi are fine,
  and so are letters of another script.
- Separators and invisible characters between a term's characters are skipped, but no clause break is. Between two
  Latin letters white space is skipped only where the term itself has a space or sign, or where every letter stands
  alone (c o c a i n e); other separators are skipped there too (co-caine).

What is found of a term with a ceiling is then weighed (`weighing`).
"""

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from processor.matching import shape, words
from processor.matching.automaton import Automaton, how_of, term_of
from processor.matching.boundary import KINDS, joins, one_word, word_ends, word_starts
from processor.matching.engine import Daachorse, Engine, Stretches
from processor.matching.folding import IGNORED, JOINT, Batch, is_hanzi
from processor.matching.nearly import Halves
from processor.matching.readings import COSTS, Reading
from processor.matching.rereading import Parts, Read, Rereadings, decoded, spoken
from processor.matching.sieve import EVERYTHING, Grams, Member, Sieve
from processor.matching.signs import shapes, sounds
from processor.matching.term import identity
from processor.matching.ways import How, ways
from processor.matching.weighing import Find, Found, Rejected, Scales, is_hopeless

_EVERYDAY = 12.0  # the cost in nats of a word that everybody uses
_HOW_VIA: Mapping[int, tuple[str, ...]] = {
    How.PLAIN: (),
    How.PINYIN: ("pinyin",),
    How.DIGITS: ("digits",),
    How.COLLAPSED: ("stretched-",),
    How.LEET: ("leet-",),
}
_LETTERS = re.compile(r"[a-z]+")
_Lines = Sequence[int] | None  # numbers of texts in order; None: all of the batch
_Parts = defaultdict[int, list[tuple[int, int, str]]]  # by text: where parts of a hanzi stand, and the hanzi


class Matcher:
    """Finds `terms` in batches of texts.

    `ceilings` holds for each term what the transforms of a hit may cost together (`readings.COSTS`); a term without
    one, or with None, is found in the folded and squeezed readings only, and wherever it stands. The terms are
    numbered from `first` on. `sifted`: whether it is one of many, each with its own texts in a batch, for which
    `Sieves` take a first look.
    """

    def __init__(
        self,
        terms: Sequence[str],
        ceilings: Sequence[int | None] = (),
        *,
        engine: type[Engine] = Daachorse,
        first: int = 0,
        sifted: bool = False,
    ) -> None:
        given = enumerate(ceilings, start=first)
        self._ceilings = {number: ceiling for number, ceiling in given if ceiling is not None}
        deep = {number: terms[number - first] for number in self._ceilings}
        forms = ((number, term, identity(term)) for number, term in deep.items())
        self._forms = {number: term if form == term else form for number, term, form in forms}  # one object, not two
        self._hanzi = set(filter(is_hanzi, set().union(*self._forms.values())))
        self._squeezed, self._signed, self._sound, self._shape = Automaton(), Automaton(), Automaton(), Automaton()
        self._halves = Halves(self._forms)
        self._add(terms, first)
        self._add_parts()
        self._sieve = self._sifted() if sifted else None
        for patterns in (self._squeezed, self._signed, self._sound, self._shape, self._halves):
            patterns.build(engine)
        self._scales = Scales(deep, self._forms, self._ceilings)

    def _sifted(self) -> Sieve:
        grams = Grams()
        for form in (*self._squeezed.forms, *self._signed.forms):
            grams.add_written(form)
        for signs in self._sound.forms:
            grams.add_sound(signs)
        for signs in self._shape.forms:
            grams.add_shape(signs)
        for half, other, first in self._halves.each:
            grams.add_half(half, other, first=first)
        return grams.sieve()

    @property
    def member(self) -> Member:
        """Its part in a first look at a batch for many matchers."""
        return Member(self._sieve or EVERYTHING, self._hanzi)

    def _add(self, terms: Sequence[str], first: int) -> None:
        into = {"squeezed": self._squeezed, "signed": self._signed, "sound": self._sound, "shape": self._shape}
        for number, term in enumerate(terms, start=first):
            for reading, pattern, how, places in ways(term, self._ceilings.get(number)):
                into[reading].add(pattern, number, how, places)
                if reading == "shape":
                    self._halves.add(number)

    def _add_parts(self) -> None:
        """Make the hanzi known that may be written as their parts."""
        paid = (form for number, form in self._forms.items() if self._ceilings[number] >= COSTS["split"])
        for parts, char in shape.written_apart(sorted(filter(is_hanzi, set().union(*paid)))):
            if words.cost(parts) > _EVERYDAY:  # 女子 is itself, and not 好
                self._squeezed.add(parts, ord(char), How.PARTS)

    def find(
        self, batch: Batch, trace: list[Rejected] | None = None, lines: Sequence[int] | None = None
    ) -> dict[int, list[Found]]:
        """Finds per number of text, in order of place; a text without any is not in the answer.

        What was rejected is added to `trace`. `lines`: the texts to look at, in order; all of them by default.
        """
        answer = self._find(batch, trace, lines)
        if self._ceilings:
            self._add_decoded(batch, answer, trace, lines)
        return answer

    def readings(self, text: str) -> list[Reading]:
        """The readings of one text that are made for it alone."""
        batch = Batch([text])
        parts: _Parts = defaultdict(list)
        self._as_it_reads(batch, None, defaultdict(list), parts)
        tricks = [made.readings[number] for made, numbers in self._tricks(batch, None, parts) for number in numbers]
        return [*batch.once(decoded).readings, *tricks]

    def _find(self, batch: Batch, trace: list[Rejected] | None, lines: _Lines) -> dict[int, list[Found]]:
        parts: _Parts = defaultdict(list)
        answer: defaultdict[int, list[Found]] = defaultdict(list)
        finds = self._as_it_reads(batch, lines, answer, parts)
        if self._ceilings:
            for line, more in self._otherwise(batch, lines, parts):
                finds[line].extend(more)
        for line, each in finds.items():
            if found := self._scales.weigh(batch, line, each, trace):
                answer[line].extend(found)
        for found in answer.values():
            if len(found) > 1:
                found.sort()
        return dict(answer)

    def _add_decoded(
        self, batch: Batch, answer: dict[int, list[Found]], trace: list[Rejected] | None, lines: _Lines
    ) -> None:
        """Add what is found once escapes are resolved; the words of the text are then those that they spell."""
        each, deeper = batch.once(decoded)
        own = None if lines is None else set(lines)
        chosen = None if own is None else [number for number, reading in enumerate(each) if reading.line in own]
        if not each or chosen == []:
            return
        rejected: list[Rejected] | None = None if trace is None else []
        for number, found in self._find(deeper, rejected, chosen).items():
            line = each[number].line
            more = (self._spanned(find, each[number], batch.texts[line]) for find in found)
            known = {(find.start, find.end, find.term) for find in answer.get(line, ())}
            new: dict[tuple[int, int, int], Found] = {}  # several characters may come from one code
            for find in more:
                if find and (place := (find.start, find.end, find.term)) not in known:
                    cheaper = new.get(place)
                    new[place] = find if cheaper is None or find.cost < cheaper.cost else cheaper
            if new:
                answer[line] = sorted([*answer.get(line, ()), *new.values()])
        if trace is not None and rejected:
            trace += [Rejected(each[one.line].line, _across(one.found, each[one.line]), one.why) for one in rejected]

    def _spanned(self, find: Found, reading: Reading, text: str) -> Found | None:
        """A find of a decoded text as one of the original, if it was decoded at all and its ceiling pays for that."""
        across, ceiling = _across(find, reading), self._ceilings.get(find.term)
        untouched = text[across.start : across.end] == reading.text[find.start : find.end]
        return None if untouched or ceiling is None or across.cost > ceiling else across

    # Finds.

    def _as_it_reads(
        self, batch: Batch, lines: _Lines, answer: defaultdict[int, list[Found]], parts: _Parts
    ) -> defaultdict[int, list[Find]]:
        """The finds in the folded and squeezed readings that are to be weighed; the others are added to `answer`."""
        finds: defaultdict[int, list[Find]] = defaultdict(list)
        signed = self._signed.find(batch.folded, None if lines is None else batch.stretches(lines))
        if len(signed):
            places = self._bounded(batch, signed, signed[:, 0], signed[:, 1], self._signed)
            self._place(places, self._signed, answer, finds, parts)
        rows = self._squeezed.find(batch.squeezed, _squeezed(batch, lines))
        if len(rows):
            kept = batch.kept
            places = self._bounded(batch, rows, kept[rows[:, 0]], kept[rows[:, 1] - 1] + 1, self._squeezed)
            self._place(places, self._squeezed, answer, finds, parts)
        return finds

    def _bounded(
        self,
        batch: Batch,
        rows: NDArray[np.intp],
        starts: NDArray[np.intp],
        ends: NDArray[np.intp],
        patterns: Automaton,
    ) -> list[tuple[int, int, int, int, int]]:
        """What stands in the folded text from `starts` to `ends` between ends of words, and with nothing inside.

        Start, end, pattern number, text number, and the offset of the text, each.
        """
        kinds, numbers = batch.of(KINDS), rows[:, 2]
        inside = patterns.left[numbers] & one_word(kinds, starts - 1, starts)
        inside |= patterns.right[numbers] & one_word(kinds, ends, ends - 1)
        whole = np.flatnonzero(~inside)
        starts, ends, numbers, rows = starts[whole], ends[whole], numbers[whole], rows[whole]
        lines = np.searchsorted(batch.bounds, starts, "right") - 1
        columns = (starts, ends, numbers, lines, batch.bounds[lines] + 1)
        each = list(zip(*(column.tolist() for column in columns), strict=True))
        unsure = np.flatnonzero(
            (ends - starts != rows[:, 1] - rows[:, 0])
            | (batch.codes[starts - 1] == ord(IGNORED))
            | (batch.codes[ends] == ord(IGNORED))
        )
        bad = set()
        for place, span in zip(unsure.tolist(), rows[unsure].tolist(), strict=True):
            start, end, number, *_ = each[place]
            if not self._stands(batch, start, end, number, span, patterns):
                bad.add(place)
        return [one for place, one in enumerate(each) if place not in bad] if bad else each

    def _place(
        self,
        places: Iterable[tuple[int, int, int, int, int]],
        patterns: Automaton,
        answer: defaultdict[int, list[Found]],
        finds: defaultdict[int, list[Find]],
        parts: _Parts,
    ) -> None:
        ceilings = self._ceilings
        for start, end, number, line, offset in places:
            for owner in patterns.owners(number):
                term, how = term_of(owner), how_of(owner)
                if how == How.PARTS:
                    parts[line].append((start - offset, end - offset, chr(term)))
                elif term in ceilings:
                    finds[line].append(Find(start - offset, end - offset, term, _HOW_VIA[how]))
                else:
                    answer[line].append(Found(start - offset, end - offset, term))

    def _stands(
        self, batch: Batch, start: int, end: int, number: int, span: Sequence[int], patterns: Automaton
    ) -> bool:
        """Whether words end where the pattern does, and what is skipped inside may be skipped."""
        if patterns.left[number] and not word_starts(batch.folded, start):
            return False
        if patterns.right[number] and not word_ends(batch.folded, end):
            return False
        return end - start == span[1] - span[0] or joins(batch, span[0], span[1], patterns.spaces(number))

    def _otherwise(self, batch: Batch, lines: _Lines, parts: _Parts) -> Iterator[tuple[int, list[Find]]]:
        """Finds in dearer readings, by number of text."""
        yield from self._alike(batch, lines, self._sound, "sound")
        yield from self._alike(batch, lines, self._shape, "shape")
        yield from self._nearly(batch, lines)
        yield from self._in_sounds(batch, lines)
        for made, numbers in self._tricks(batch, lines, parts):
            yield from self._in(batch, made, None if len(numbers) == len(made.readings) else numbers)

    def _alike(
        self, batch: Batch, lines: _Lines, patterns: Automaton, via: Literal["sound", "shape"]
    ) -> Iterator[tuple[int, list[Find]]]:
        """Terms that sound or look like what is written."""
        rows = patterns.find(batch.once(sounds if via == "sound" else shapes).text, _squeezed(batch, lines))
        if not len(rows):
            return
        starts, ends = batch.kept[rows[:, 0]], batch.kept[rows[:, 1] - 1] + 1
        offsets, squeezed = batch.starts, batch.squeezed
        numbers = batch.lines(starts)
        for span, start, end, line in zip(rows.tolist(), starts.tolist(), ends.tolist(), numbers, strict=True):
            begin, stop, number = span
            written, offset = squeezed[begin:stop], offsets[line]
            terms = [term_of(owner) for owner in patterns.owners(number)]
            terms = [term for term in terms if not is_hopeless(written, self._forms[term], via)]
            if terms and (end - start == stop - begin or self._stands(batch, start, end, number, span, patterns)):
                yield line, [Find(start - offset, end - offset, term, (via,)) for term in terms]

    def _nearly(self, batch: Batch, lines: _Lines) -> Iterator[tuple[int, list[Find]]]:
        """Terms with one hanzi in place of another that looks like it."""
        offsets = batch.starts
        for begin, stop, term in self._halves.find(batch.squeezed, _squeezed(batch, lines)):
            if is_hopeless(batch.squeezed[begin:stop], self._forms[term], "shape"):
                continue
            start, end = int(batch.kept[begin]), int(batch.kept[stop - 1]) + 1
            line = batch.locate(start)
            yield line, [Find(start - offsets[line], end - offsets[line], term, ("shape",))]

    def _in(self, batch: Batch, made: Read, numbers: _Lines) -> Iterator[tuple[int, list[Find]]]:
        """Finds in readings of single texts, or in those of them that have these numbers."""
        for number, finds in self._as_it_reads(made.batch, numbers, defaultdict(list), defaultdict(list)).items():
            line, text, starts, ends, via = made.readings[number]
            back = [(_back(find, starts, ends, via), text[find.start : find.end]) for find in finds]
            folded = batch.reading(line)
            yield line, [find for find, shown in back if folded[find.start : find.end] != shown]  # else it is known

    def _in_sounds(self, batch: Batch, lines: _Lines) -> Iterator[tuple[int, list[Find]]]:
        made = batch.once(spoken)
        each = list(made.values()) if lines is None else [made[line] for line in lines if line in made]
        for number, finds in self._sounding([reading.text for reading in each]).items():
            line, _, starts, ends, via = each[number]
            found = [_back(find, starts, ends, via) for find in finds]
            text = batch.reading(line)
            yield line, [find for find in found if _LETTERS.search(text, find.start, find.end)]

    def _sounding(self, texts: Sequence[str]) -> dict[int, list[Find]]:
        """Terms in texts whose hanzi are signs of their sounds."""
        finds: defaultdict[int, list[Find]] = defaultdict(list)
        starts = list(accumulate((len(text) + 1 for text in texts), initial=0))
        for start, end, number in self._sound.find(JOINT.join(texts)).tolist():
            line = bisect_right(starts, start) - 1
            for owner in self._sound.owners(number):
                finds[line].append(Find(start - starts[line], end - starts[line], term_of(owner), ()))
        return finds

    def _tricks(self, batch: Batch, lines: _Lines, parts: Parts) -> list[tuple[Read, list[int]]]:
        """Readings that undo tricks: batches of them, and which of each are meant."""
        again = batch.once(Rereadings)
        asked = again.lines if lines is None else lines
        return again.of(batch, ((line, self._hanzi) for line in asked), parts)


def _squeezed(batch: Batch, lines: _Lines) -> Stretches | None:
    """Where the texts begin and end in the squeezed reading."""
    return None if lines is None else batch.squeezed_stretches(lines)


def _across(find: Found, reading: Reading) -> Found:
    back = _back(Find(find.start, find.end, find.term, find.via), reading.starts, reading.ends, reading.via)
    return Found(back.start, back.end, back.term, sum(COSTS[each] for each in back.via), back.via)


def _back(find: Find, starts: Sequence[int], ends: Sequence[int], via: tuple[str, ...]) -> Find:
    begin = min(starts[find.start : find.end])
    return Find(begin, max(ends[find.start : find.end]), find.term, (*via, *find.via))
