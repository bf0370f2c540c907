"""What an entry needs besides its own find: a field, a date, the words beside it.

A find counts only if all of it holds. The words are looked for only where the entry was found, so whoever lists slang
that needs company pays for the messages with that slang alone.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

from processor.matching.cover import Cover
from processor.matching.folding import fold, is_hanzi
from processor.matching.matcher import Matcher
from processor.matching.weighing import Found
from processor.matching.words import LONGEST, words

Reach = Mapping[int, int]  # number of a word → how many characters away from the find it may stand

Why = Literal["field", "expired", "inside a word", "no company", "bad company"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Needs:
    """What must hold for a find to count."""

    fields: frozenset[str] = frozenset()  # "content", "texts"; anywhere if empty
    until: int | None = None  # ms since the epoch; from then on it does not count
    own: bool = False  # must be no mere part of a longer ordinary word
    near: tuple[Reach, ...] = ()  # of each, a word must stand beside the find
    never: Reach | None = None  # of these none may


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """What finds the words that the entries of a ruleset need beside them."""

    matcher: Matcher
    innocent: int  # its first terms are everyday phrases: what they cover makes no company


class Beside:
    """The words that stand in one text and that entries need beside them."""

    def __init__(self, text: str, finds: Sequence[Found], company: Company | None) -> None:
        """The text, and what was found of the company in it, in order of place."""
        self.folded = fold(text)
        self._text, self._all, self._company = text, finds, company
        self._of: dict[int, _Places] = {}

    @cached_property
    def _finds(self) -> Sequence[Found]:
        """Those that are words of their own, in order of place."""
        first = self._company.innocent if self._company else 0
        cover = Cover(self._text, [find for find in self._all if find.term < first])
        return [
            find
            for find in self._all
            if find.term >= first and not _is_stray(self.folded, find) and not cover.holds(find)
        ]

    def has(self, reach: Reach, find: Found) -> bool:
        """Whether one of the words stands near enough to the find, and not inside it."""
        places = self._of.get(id(reach))
        if places is None:
            places = self._of[id(reach)] = _places(self._finds, reach)
        for number in range(bisect_left(places.starts, find.start - places.back), len(places.starts)):
            start, end, within = places.each[number]
            if start > find.end + places.ahead:
                return False
            apart = max(start - find.end, find.start - end)  # characters between them; negative if they overlap
            if apart <= within and not (find.start <= start and end <= find.end):
                return True
        return False


class _Places(NamedTuple):
    """Where the words of one reach stand, and how far from a find it makes sense to look for them."""

    each: Sequence[tuple[int, int, int]]  # start, end, how far it reaches
    starts: Sequence[int]
    back: int
    ahead: int


def _places(finds: Iterable[Found], reach: Reach) -> _Places:
    each = [(find.start, find.end, reach[find.term]) for find in finds if find.term in reach]
    back = max((end - start + within for start, end, within in each), default=0)
    ahead = max((within for _, _, within in each), default=0)
    return _Places(each, [start for start, _, _ in each], back, ahead)


def unmet(needs: Needs, find: Found, *, field: str, at: int, beside: Beside) -> Why | None:
    """Why the find in the `field` of a message from the time `at` (ms) does not count; None if it does."""
    if needs.until is not None and at >= needs.until:
        return "expired"
    if needs.fields and field.partition("[")[0] not in needs.fields:
        return "field"
    if needs.own and _is_part(beside.folded, find.start, find.end):
        return "inside a word"
    if not all(beside.has(reach, find) for reach in needs.near):
        return "no company"
    if needs.never is not None and beside.has(needs.never, find):
        return "bad company"
    return None


def _is_stray(folded: str, find: Found) -> bool:
    """Whether a word of one hanzi is only a part of another word: 卖 in 外卖, 克 in 巧克力."""
    return find.end - find.start == 1 and is_hanzi(folded[find.start]) and _is_part(folded, find.start, find.end)


def _is_part(folded: str, start: int, end: int) -> bool:
    """Whether a longer ordinary word holds the whole stretch."""
    known = words()
    for left in range(max(0, end - LONGEST), start + 1):
        for right in range(end, min(len(folded), left + LONGEST) + 1):
            if right - left > end - start and folded[left:right] in known:
                return True
    return False
