"""Words that make company: sets of words of a trade, beside which slang means what the trade means by it.

They come with the package (`builtin/company.yaml`), as the tables of readings do, and are no part of a ruleset.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import cache
from importlib.resources import files

import msgspec
from msgspec import Struct

from processor.errors import Invalid
from processor.matching.folding import squeeze
from processor.matching.matcher import Matcher
from processor.matching.words import words
from processor.needs import Company, Needs, Reach
from processor.rulesets.document import NEAR, Entry

MOST_WORDS = 20_000  # that the entries of one ruleset need beside them
SET = "@"  # before the name of a set where words may stand
_EPOCH = date(1970, 1, 1).toordinal()
INNOCENT = "innocent"  # the set of phrases whose parts make no company


class CompanySet(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A set of words, and how far from a term each of them still makes company, in characters."""

    within: int
    words: tuple[str, ...]
    also: tuple[str, ...] = ()  # sets whose words, with their own distances, belong to this one


@cache
def company_sets() -> Mapping[str, CompanySet]:
    """The sets by their names."""
    text = (files("processor") / "builtin" / "company.yaml").read_text(encoding="utf-8")
    return msgspec.yaml.decode(text, type=dict[str, CompanySet])


def is_ordinary(spelling: str) -> bool:
    """Whether a spelling is a word, Chinese or English, that people use every day and for other things."""
    folded = squeeze(spelling)
    return folded in words() or folded in _english()


@cache
def _english() -> frozenset[str]:
    text = (files("processor.matching") / "data" / "english.txt").read_text(encoding="utf-8")
    return frozenset(word for line in text.splitlines() if not line.startswith("#") for word in line.split())


class NeededWords:
    """The words that the entries of one ruleset need beside them, numbered as they turn up, and the entries' needs."""

    def __init__(self) -> None:
        self._innocent = company_sets()[INNOCENT].words
        self._numbers: dict[str, int] = {}
        self._known: dict[object, Needs] = {}  # so that equal needs are one object
        self._reaches: dict[object, Reach] = {}

    def company(self) -> Company | None:
        """What finds the words; None if no entry needs any. Raises: Invalid if they are too many."""
        if not self._numbers:
            return None
        if len(self._numbers) > MOST_WORDS:
            raise Invalid([f"entries need {len(self._numbers)} different words beside them: at most {MOST_WORDS} may"])
        return Company(matcher=Matcher([*self._innocent, *self._numbers]), innocent=len(self._innocent))

    def by(self, entry: Entry) -> Needs | None:
        """What an entry without flaws needs; None for nothing."""
        groups = [entry.company] if entry.company else []
        groups += [(word,) for word in entry.all]
        return self._needs(
            fields=frozenset(entry.fields),
            until=_end_of(entry.expires) if entry.expires else None,
            own=bool(entry.company),
            near=tuple(self._reach(group, entry.within) for group in groups),
            never=self._reach(entry.without, entry.within) if entry.without else None,
        )

    def trade(self, category: str, more: Needs | None) -> Needs:
        """What an ordinary word needs to mean a term of `category`: a word of the trade; and whatever `more` says."""
        own = (category,) if category in company_sets() else tuple(name for name in company_sets() if name != INNOCENT)
        near = self._reach(tuple(SET + name for name in own), None)
        more = more or Needs()
        needs = self._needs(fields=more.fields, until=more.until, own=True, near=(*more.near, near), never=more.never)
        assert needs is not None
        return needs

    def _needs(
        self,
        *,
        fields: frozenset[str],
        until: int | None,
        own: bool,
        near: tuple[Reach, ...],
        never: Reach | None,
    ) -> Needs | None:
        key = (fields, until, own, tuple(map(id, near)), id(never))
        if not (fields or until or own or near or never):
            return None
        return self._known.setdefault(key, Needs(fields=fields, until=until, own=own, near=near, never=never))

    def _reach(self, group: Sequence[str], within: int | None) -> Reach:
        key = (tuple(group), within)
        if key not in self._reaches:
            reach: dict[int, int] = {}
            for word, distance in _spread(group, within):
                number = self._numbers.setdefault(word, len(self._innocent) + len(self._numbers))
                reach[number] = max(distance, reach.get(number, 0))
            self._reaches[key] = reach
        return self._reaches[key]


def _spread(group: Iterable[str], within: int | None) -> Iterator[tuple[str, int]]:
    """The words of a group and how far each reaches, those of its sets included."""
    for word in group:
        if word.startswith(SET):
            company = company_sets()[word[1:]]
            yield from ((each, company.within if within is None else within) for each in company.words)
            yield from _spread((SET + name for name in company.also), within)
        else:
            yield word, NEAR if within is None else within


def _end_of(day: str) -> int:
    """The first millisecond after the day, in UTC."""
    return (date.fromisoformat(day).toordinal() + 1 - _EPOCH) * 86_400_000
