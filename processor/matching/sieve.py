"""A first look at a batch for many matchers at once: which texts may hold anything for the one that they belong to.

Thousands of tenants have their own terms, and of each tenant a batch has a text or two, in which nothing is found
nearly always. To ask each tenant's automata about them costs more than all else. So every pattern of a matcher leaves
a *gram* here, its first characters, as a few bits in a small table of the matcher (a Bloom filter); a batch is
searched for the grams of all matchers by the same few operations on arrays, each text in its own matcher's table.
A text with a gram is only a suspect: its matcher looks at it in full. One without has none of the patterns.

Tables of different matchers share nothing, so a tenant with very many everyday terms makes suspects of its own texts
only.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from processor.matching.boundary import KINDS, one_word
from processor.matching.codes import Codes, codes
from processor.matching.folding import JOINT, Batch, is_break, is_letter
from processor.matching.rereading import Rereadings, decoded, spoken
from processor.matching.signs import shapes, sounds

Hashes = NDArray[np.uint64]
Numbers = NDArray[np.intp]

_BITS = 20  # of a table, for each gram
_PROBES = 6  # bits that one gram sets; of other grams three in ten thousand find all of theirs set


class _Where(IntEnum):
    """In which reading a gram is looked for, and where in it."""

    WORD = 1  # squeezed, where a word of letters begins
    WRITTEN = 2  # squeezed
    SOUND = 3  # the signs of sounds
    SHAPE = 4  # … of looks
    HEAD = 5  # none: the two first characters of a short message


_SIZES: Mapping[_Where, Sequence[int]] = {
    _Where.WORD: (6, 4, 3, 2, 1),
    _Where.WRITTEN: (3, 2, 1),
    _Where.SOUND: (3, 2),
    _Where.SHAPE: (3, 2),
}
_LONGEST = 6
_BEFORE = 2  # characters of a gram before the place where it is looked for
_LAST_LATIN = 0x7F
_NOWHERE: Numbers = np.empty(0, np.intp)
_ONE = np.array([1 << bit for bit in range(8)], np.uint8)


class _Gram(NamedTuple):
    """A kind of gram: where it is looked for, and which characters it has, counted from where it is looked for."""

    where: _Where
    offsets: tuple[int, ...]
    is_gate: bool = False


_HEAD = _Gram(_Where.HEAD, (0, 1))
# Grams of hanzi are looked for only where some gram of their kind begins: of all that is looked up, most is a miss in
# memory too. The gate has the two characters with which each begins, 0 and 1 of its offsets.
_GATES = {where: _Gram(where, (0, 1), is_gate=True) for where in (_Where.WRITTEN, _Where.SOUND, _Where.SHAPE)}


class Grams:
    """The grams of one matcher's patterns, as they come; see `Sieve`."""

    def __init__(self) -> None:
        self._each: dict[_Gram, set[str]] = {}
        self._everything = False

    def add_written(self, form: str) -> None:
        """A pattern of the squeezed or of the folded reading, with its signs."""
        shown = form if form.isalnum() else "".join(char for char in form if char.isalnum() or is_break(char))
        if shown and (shown[0].isalnum() or not shown[0].isascii()):
            self._add(_Where.WORD if is_letter(shown[0]) else _Where.WRITTEN, shown)
        else:  # mere signs leave nothing in the squeezed reading, or nothing but the end of a clause
            self._everything = True

    def add_sound(self, signs: str) -> None:
        """A pattern of the signs of sounds."""
        self._add(_Where.SOUND, signs)

    def add_shape(self, signs: str) -> None:
        """A pattern of the signs of looks."""
        self._add(_Where.SHAPE, signs)

    def add_half(self, half: str, other: str, *, first: bool) -> None:
        """Half of a term, beside which the `other` half stands but for one character; in the squeezed reading."""
        if len(half) != 2 or len(other) != 2:  # noqa: PLR2004
            self._add(_Where.WRITTEN, half)
        elif first:
            self._put(_Gram(_Where.WRITTEN, (0, 1, 2)), half + other[0])
            self._put(_Gram(_Where.WRITTEN, (0, 1, 3)), half + other[1])
        else:
            self._put(_Gram(_Where.WRITTEN, (0, 1, 2)), other[1] + half)
            self._put(_Gram(_Where.WRITTEN, (-2, 0, 1)), other[0] + half)

    def _add(self, where: _Where, form: str) -> None:
        size = next((size for size in _SIZES[where] if size <= len(form)), 0)
        if size:
            self._put(_Gram(where, tuple(range(size))), form[:size])
        else:
            self._everything = True

    def _put(self, gram: _Gram, chars: str) -> None:
        self._each.setdefault(gram, set()).add(chars)
        if gram.where in _GATES and len(chars) > 1:
            first = gram.offsets.index(0)
            self._each.setdefault(_GATES[gram.where], set()).add(chars[first : first + 2])

    def sieve(self) -> "Sieve":
        """The sieve for them."""
        return _sieve(self._each, everything=self._everything)


class Sieve(NamedTuple):
    """The grams of one matcher's patterns as bits."""

    bits: NDArray[np.uint8]
    grams: frozenset[_Gram]
    everything: bool  # whether every text is a suspect


def _sieve(grams: Mapping[_Gram, AbstractSet[str]], *, everything: bool) -> Sieve:
    size = -(-max(1, sum(map(len, grams.values()))) * _BITS // 8) * 8
    bits = np.zeros(size, bool)
    for gram, each in grams.items():
        columns = codes("".join(each)).reshape(-1, len(gram.offsets))
        hashes = _hashed(gram, [columns[:, n] for n in range(len(gram.offsets))])
        for probe in range(_PROBES):
            bits[_place(hashes, probe, np.uint64(size))] = True
    return Sieve(np.packbits(bits, bitorder="little"), frozenset(grams), everything=everything)


def sieve_of_heads(heads: Iterable[str]) -> Sieve:
    """How terms begin that may be cut over messages: one or two characters each; see `Sieves.heads`."""
    return _sieve({_HEAD: {head.ljust(2, JOINT) for head in heads}}, everything=False)


EVERYTHING = Sieve(np.zeros(1, np.uint8), frozenset(), everything=True)
"""Lets every text through."""


class Member(NamedTuple):
    """A matcher's part in a `Sieves`."""

    sieve: Sieve
    wanted: AbstractSet[str]  # the hanzi of its terms that are looked for in other readings


class Sieves:
    """The sieves of many matchers, numbered by their places in `members`."""

    def __init__(self, members: Sequence[Member]) -> None:
        self._wanted = [member.wanted for member in members]
        self._everything = np.array([member.sieve.everything for member in members], bool)
        grams = sorted(frozenset[_Gram]().union(*(member.sieve.grams for member in members)))
        self._grams = {where: [one for one in grams if one.where == where and not one.is_gate] for where in _Where}
        sizes = np.array([len(member.sieve.bits) for member in members], np.intp)
        self._bits = np.concatenate([np.empty(0, np.uint8), *(member.sieve.bits for member in members)])
        self._starts = (np.cumsum(sizes) - sizes) * 8  # in bits
        self._sizes = (sizes * 8).astype(np.uint64)

    def suspects(self, batch: Batch, owners: Sequence[int]) -> list[int]:
        """The texts that may hold something for their matchers; `owners`: its number for each text, or -1 for none."""
        whose = np.array(owners, np.intp)
        if not (whose >= 0).any():
            return []
        found = self._in_all_readings(batch, whose)
        each, deeper = batch.once(decoded)
        if each:
            lines = np.array([reading.line for reading in each])
            found.update(lines[list(self._in_all_readings(deeper, whose[lines]))].tolist())
        return sorted(found)

    def heads(self, texts: Sequence[str], owners: Sequence[int]) -> list[bool]:
        """Whether each text may be how a term begins of its owner, -1 for none; the sieves are those of heads."""
        found = np.zeros(len(texts), bool)
        whose = np.array(owners, np.intp)
        asked = np.flatnonzero(whose >= 0)
        if len(asked) and self._grams[_Where.HEAD]:
            columns = codes("".join(text[:2].ljust(2, JOINT) for text in texts)).reshape(-1, 2)[asked]
            hashes = _hashed(_HEAD, [columns[:, 0], columns[:, 1]])
            found[asked[self._probe(hashes, self._starts[whose[asked]], self._sizes[whose[asked]])]] = True
        found[asked] |= self._everything[whose[asked]]
        answer: list[bool] = found.tolist()
        return answer

    def _in_all_readings(self, batch: Batch, whose: Numbers) -> set[int]:
        """The texts with a gram in some reading, those of single texts included."""
        own = np.where(whose >= 0, np.arange(len(whose)), -1)
        found = set(np.flatnonzero((whose >= 0) & self._everything[whose]).tolist())
        found.update(self._in_plain([_plain(batch, own), *self._tricks(batch, whose)], whose))
        found.update(self._in_signs(_Where.SOUND, [_sounding(batch, own), _spoken(batch, own)], whose))
        found.update(self._in_signs(_Where.SHAPE, [_looking(batch, own)], whose))
        return found

    def _tricks(self, batch: Batch, whose: Numbers) -> Iterator["_Plain"]:
        """The readings that undo tricks."""
        again = batch.once(Rereadings)
        numbers = ((line, int(whose[line])) for line in again.lines)
        asked = ((line, self._wanted[number]) for line, number in numbers if number >= 0)
        for (each, deeper), chosen in again.of(batch, asked, {}):
            own = np.full(len(each), -1, np.intp)
            own[chosen] = [each[number].line for number in chosen]
            yield _plain(deeper, own)

    def _in_plain(self, each: Sequence["_Plain"], whose: Numbers) -> list[int]:
        lines, squeezed, begins = (np.concatenate(column) for column in zip(*each, strict=True))
        mine = np.flatnonzero(lines >= 0)
        lines, squeezed, begins = lines[mine], squeezed[mine], np.flatnonzero(begins[mine])
        words = lines[self._search(_Where.WORD, squeezed, whose[lines], begins)]
        foreign = _foreign(lines, squeezed, len(whose))
        lines, squeezed = lines[foreign], squeezed[foreign]
        written = self._search(_Where.WRITTEN, squeezed, whose[lines])
        found: list[int] = np.concatenate([words, lines[written]]).tolist()
        return found

    def _in_signs(self, where: _Where, each: Sequence["_Stream"], whose: Numbers) -> list[int]:
        lines, signs = (np.concatenate(column) for column in zip(*each, strict=True))
        mine = np.flatnonzero(lines >= 0)
        mine = mine[_foreign(lines[mine], signs[mine], len(whose))]
        lines = lines[mine]
        found: list[int] = lines[self._search(where, signs[mine], whose[lines])].tolist()
        return found

    def _search(self, where: _Where, stream: Codes, owners: Numbers, places: Numbers | None = None) -> Numbers:
        """The places in the stream, or of these places, where a gram is that the owner of the place has."""
        grams = self._grams[where]
        if not (grams and len(stream)):
            return _NOWHERE
        padded = np.concatenate([np.zeros(_BEFORE, np.uint32), stream, np.zeros(_LONGEST, np.uint32)])
        single = [gram for gram in grams if gram.offsets == (0,)] if where in _GATES else []
        found = [self._look(gram, padded, owners, None) for gram in single]
        if where in _GATES:
            places = self._look(_GATES[where], padded, owners, None)
        found += [self._look(gram, padded, owners, places) for gram in grams if gram not in single]
        return np.concatenate(found)

    def _look(self, gram: _Gram, padded: Codes, owners: Numbers, places: Numbers | None) -> Numbers:
        """The places, of these or of all, where such a gram is."""
        if places is None:
            end = _BEFORE + len(owners)
            columns = [padded[_BEFORE + offset : end + offset] for offset in gram.offsets]
            return self._probe(_hashed(gram, columns), self._starts[owners], self._sizes[owners])
        if not len(places):
            return _NOWHERE
        columns, owners = [padded[places + (_BEFORE + offset)] for offset in gram.offsets], owners[places]
        return places[self._probe(_hashed(gram, columns), self._starts[owners], self._sizes[owners])]

    def _probe(self, hashes: Hashes, starts: Numbers, sizes: Hashes) -> Numbers:
        """Which of these have all their bits set."""
        alive: Numbers | None = None
        for probe in range(_PROBES):
            bits = starts + _place(hashes, probe, sizes).view(np.intp)
            left = np.flatnonzero(self._bits[bits >> 3] & _ONE[bits & 7])
            alive = left if alive is None else alive[left]
            if not len(left):
                break
            hashes, starts, sizes = hashes[left], starts[left], sizes[left]
        return _NOWHERE if alive is None else alive


class _Stream(NamedTuple):
    """Readings, joined: of each character the text that it is read in, or -1 if that does not matter, and its code."""

    lines: Numbers
    codes: Codes


class _Plain(NamedTuple):
    """The squeezed reading of texts, as a stream."""

    lines: Numbers
    codes: Codes
    begins: NDArray[np.bool_]  # whether a word of letters begins there


def _plain(batch: Batch, own: Numbers) -> _Plain:
    """A batch of texts or of their readings; `own`: whose reading each is, -1 for those that do not matter."""
    return _Plain(own[batch.owners], batch.squeezed_codes, _begins_word(batch))


def _sounding(batch: Batch, own: Numbers) -> _Stream:
    return _Stream(own[batch.owners], batch.once(sounds).codes)


def _looking(batch: Batch, own: Numbers) -> _Stream:
    return _Stream(own[batch.owners], batch.once(shapes).codes)


def _spoken(batch: Batch, own: Numbers) -> _Stream:
    made = batch.once(spoken).values()
    texts = [reading.text + JOINT for reading in made]
    lines = own[[reading.line for reading in made]] if made else _NOWHERE
    return _Stream(np.repeat(lines, list(map(len, texts))), codes("".join(texts)))


def _foreign(lines: Numbers, stream: Codes, count: int) -> Numbers:
    """The places in texts that are not in Latin letters alone: elsewhere there is nothing to find but words."""
    foreign = np.zeros(count, bool)
    foreign[lines[stream > _LAST_LATIN]] = True
    return np.flatnonzero(foreign[lines])


def _begins_word(batch: Batch) -> NDArray[np.bool_]:
    """Whether each character of the squeezed reading is a letter with which a word begins."""
    kinds, kept = batch.of(KINDS), batch.kept
    begins: NDArray[np.bool_] = (kinds[kept] != 0) & ~one_word(kinds, kept - 1, kept)
    return begins


_MIX = [np.uint64(factor) for factor in (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9)]
_MIX += [np.uint64(factor) for factor in (0xD6E8FEB86659FD93, 0xA0761D6478BD642F, 0xE7037ED1A0B428DB)]
_LAST = np.uint64(0xFF51AFD7ED558CCD)
_HALF = np.uint64(32)
_LOW = np.uint64(0xFFFFFFFF)


def _hashed(gram: _Gram, columns: Sequence[Codes]) -> Hashes:
    """The hashes of grams of one kind, given the columns of their characters."""
    kind = sum(1 << offset + _BEFORE for offset in gram.offsets) << 8 | gram.where << 1 | gram.is_gate
    mixed = np.full(len(columns[0]), kind * 0x9E3779B97F4A7C15 % 2**64, np.uint64)
    for column, factor in zip(columns, _MIX, strict=False):
        mixed += column * factor
    mixed ^= mixed >> _HALF
    mixed *= _LAST
    mixed ^= mixed >> _HALF
    return mixed


def _place(hashes: Hashes, probe: int, sizes: "Hashes | np.uint64") -> Hashes:
    """Which bit of a table of this size a hash sets at this probe."""
    spread = hashes & _LOW
    if probe:
        spread += (hashes >> _HALF) * np.uint64(probe)
        spread &= _LOW
    spread *= sizes
    spread >>= _HALF
    return spread
