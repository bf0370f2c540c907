"""Where words end, and what may be skipped inside of a term."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from processor.matching.codes import CodeTable
from processor.matching.folding import IGNORED, SPELLED, Batch, is_hanzi, is_letter

_WIDEST_GAP = 16  # separators between two characters of a term
_BEYOND_LATIN = "\u0250"  # Latin letters and digits come before it


def _kind(char: str) -> int:
    """0: no letter, 1: a Latin letter or digit, 2: one of another spaced script, 3: perhaps of both."""
    if char == SPELLED:
        return 3
    if char < _BEYOND_LATIN:
        return int(char.isalnum())
    return 2 * is_letter(char)


KINDS = CodeTable(_kind, np.uint8)
"""The scripts of folded characters; see `one_word`."""


def one_word(kinds: NDArray[np.uint8], near: NDArray[np.intp], edge: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Whether what stands at `near`, next to a term's `edge`, goes on with its word; another script begins another.

    `kinds`: of the characters of the folded reading, by `KINDS`.
    """
    same: NDArray[np.bool_] = (kinds[near] & kinds[edge]) != 0
    return same


def word_starts(text: str, start: int) -> bool:
    """Whether no word of the folded `text` goes on over the place `start`."""
    place = start - 1
    while place >= 0 and text[place] == IGNORED:
        place -= 1
    return place < 0 or not _kind(text[place]) & _kind(text[start])


def word_ends(text: str, end: int) -> bool:
    """Whether no word of the folded `text` goes on over the place `end`."""
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
    return word_starts(folded, before) and word_ends(folded, after + 1)


def joins(batch: Batch, begin: int, stop: int, spaces: frozenset[int]) -> bool:
    """Whether the stretch of the squeezed reading from `begin` to `stop` may be read as one term.

    `spaces` holds the places in the term before which white space is skipped.
    """
    span = batch.kept[begin:stop].tolist()
    if len(set(span)) < len(span) and not _whole(batch, (begin, stop)):
        return False
    return all(
        _skips(batch.folded, before, after, spaced=place in spaces)
        for place, (before, after) in enumerate(pairwise(span), start=1)
        if after - before > 1
    )
