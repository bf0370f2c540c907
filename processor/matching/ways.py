"""In which ways a term may stand in the readings of a text: the patterns that are searched for."""

from collections.abc import Iterator
from enum import IntEnum
from functools import lru_cache
from typing import Literal, NamedTuple

from processor.matching import readings, shape, sound
from processor.matching.folding import is_hanzi, squeeze
from processor.matching.readings import COSTS
from processor.matching.term import identity, spaces

_NOWHERE: frozenset[int] = frozenset()
_MOST_KEPT = 1 << 17  # terms; a new ruleset has nearly the same


class How(IntEnum):
    """What a pattern is to its term."""

    PLAIN = 0
    PINYIN = 1
    DIGITS = 2
    COLLAPSED = 3  # without its double letters: what is left of it once a stretched text is drawn together
    LEET = 4  # with letters for its digits: what is left of it where every digit is read as a letter
    PARTS = 5  # two parts of a hanzi: no find, but a reason to put them together


class Way(NamedTuple):
    """One pattern, and the reading it is searched for in."""

    reading: Literal["squeezed", "signed", "sound", "shape"]
    pattern: str
    how: How = How.PLAIN
    spaces: frozenset[int] = _NOWHERE  # the places in it before which white space is skipped


@lru_cache(maxsize=_MOST_KEPT)
def ways(term: str, ceiling: int | None) -> tuple[Way, ...]:
    """All ways that `ceiling` pays for, the first of them plain; None pays for no other. Nothing for an empty term."""
    form = identity(term)
    if not form:
        return ()
    skipped = spaces(term, form)
    plain = Way("squeezed" if form.isalnum() or squeeze(form) == form else "signed", form, How.PLAIN, skipped)
    if ceiling is None:
        return (plain,)
    return (plain, *_respelled(form, ceiling, skipped), *_alike(form, ceiling))


def _respelled(form: str, ceiling: int, skipped: frozenset[int]) -> Iterator[Way]:
    if ceiling >= COSTS["digits"] and (digits := readings.in_digits(form)) != form:
        yield Way("squeezed", digits, How.DIGITS, skipped)
        if (number := readings.in_numbers(form)) != digits:
            yield Way("squeezed", number, How.DIGITS)
    if ceiling >= COSTS["stretched"] and (once := readings.drawn_together(form)) != form:
        places = frozenset(len(readings.drawn_together(form[:place])) for place in skipped)
        yield Way("squeezed", once, How.COLLAPSED, places)
    if ceiling >= COSTS["leet"] and not form.isdigit() and (spelled := readings.spelled_out(form)) != form:
        yield Way("squeezed", spelled, How.LEET, skipped)


def _alike(form: str, ceiling: int) -> Iterator[Way]:
    """Ways to write what sounds or looks like the term; one hanzi says nothing by its sound or look."""
    if len(form) == 1 or not any(map(is_hanzi, form)):
        return
    if ceiling >= COSTS["pinyin"]:
        for spelling, starts in sound.spellings(form):
            if spelling.isascii() and spelling.isalnum():
                yield Way("squeezed", spelling, How.PINYIN, frozenset(starts))
    if ceiling >= COSTS["sound"]:
        for heard in sound.signs(form):
            yield Way("sound", heard)
    if ceiling >= COSTS["shape"]:
        yield Way("shape", "".join(map(shape.sign, form)))
