"""How hanzi sound: characters that sound alike have the same sign, and pinyin spells the signs.

Readings come from pypinyin, without tones. Endings and beginnings that many speakers do not tell apart (in/ing,
en/eng, z/zh, c/ch, s/sh) count as the same sound.
"""

import re
from collections.abc import Iterable, Iterator
from functools import cache

from pypinyin import Style, lazy_pinyin
from pypinyin.constants import PINYIN_DICT
from pypinyin.contrib.tone_convert import to_normal

_FIRST_SIGN = 0xE000  # signs are private characters
_LONGEST_RUN = 24  # Latin letters that are tried as pinyin


@cache
def _syllables() -> tuple[dict[str, str], re.Pattern[str]]:
    """Syllable → sign, and what a run of syllables looks like."""
    known = sorted({_plain(reading) for readings in PINYIN_DICT.values() for reading in readings.split(",")})
    spoken = [syllable for syllable in known if re.fullmatch("[a-z]+", syllable) and re.search("[aeiouv]", syllable)]
    signs = {heard: chr(_FIRST_SIGN + n) for n, heard in enumerate(sorted({_heard(each) for each in spoken}))}
    longest_first = "|".join(sorted(spoken, key=len, reverse=True))
    return {each: signs[_heard(each)] for each in spoken}, re.compile(f"(?:(?:{longest_first})[1-5]?)+")


def _plain(reading: str) -> str:
    return to_normal(reading, v_to_u=False).replace("ü", "v")


def _heard(syllable: str) -> str:
    syllable = re.sub(r"^([zcs])h", r"\1", syllable)
    return re.sub(r"(?<=[ie])ng$", "n", syllable)


@cache
def sign(char: str) -> str:
    """The sign of a hanzi's most common reading; any other character stands for itself."""
    readings = PINYIN_DICT.get(ord(char))
    return _syllables()[0].get(_plain(readings.split(",")[0]), char) if readings else char


def signs(term: str) -> set[str]:
    """How `term` sounds: by its characters, and by how they sound in this very word."""
    table = _syllables()[0]
    spoken = [table.get(syllable, syllable) for syllable in lazy_pinyin(term, style=Style.NORMAL, v_to_u=False)]
    return {"".join(map(sign, term)), *(["".join(spoken)] if len(spoken) == len(term) else [])}


def spellings(term: str) -> Iterator[tuple[str, list[int]]]:
    """The pinyin of a term of hanzi, with the places where its later syllables begin."""
    phrase = lazy_pinyin(term, style=Style.NORMAL, v_to_u=False)
    alone = [_plain(PINYIN_DICT[ord(char)].split(",")[0]) for char in term]
    for syllables in {tuple(phrase), tuple(alone)}:
        for one in {syllables, tuple(each.replace("v", "u") for each in syllables)}:
            yield "".join(one), [sum(map(len, one[:n])) for n in range(1, len(one))]


def heard(text: str, runs: Iterable[re.Match[str]]) -> Iterator[tuple[int, int, str]]:
    """The runs of Latin letters in `text` that are pinyin: start, end, and the signs they spell."""
    table, pinyin = _syllables()
    for run in runs:
        if len(run[0]) <= _LONGEST_RUN and pinyin.fullmatch(run[0]):
            for syllable in _split(run[0], table):
                yield (run.start() + syllable[0], run.start() + syllable[1], table[syllable[2]])


def _split(run: str, table: dict[str, str]) -> list[tuple[int, int, str]]:
    """One way to cut a run into syllables, the longest first; tone numbers go with the syllable before them."""
    ways: list[list[tuple[int, int, str]] | None] = [None] * len(run) + [[]]
    for start in range(len(run) - 1, -1, -1):
        for size in range(min(6, len(run) - start), 0, -1):
            if (syllable := run[start : start + size]) in table:
                end = start + size + (run[start + size : start + size + 1] in {"1", "2", "3", "4", "5"})
                if (rest := ways[end]) is not None:
                    ways[start] = [(start, end, syllable), *rest]
                    break
    return ways[0] or []
