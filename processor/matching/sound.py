"""How hanzi sound: characters that sound alike have the same sign, and pinyin spells the signs.

Readings come from pypinyin, without tones. Endings and beginnings that many speakers do not tell apart (in/ing,
en/eng, z/zh, c/ch, s/sh) count as the same sound.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, lru_cache
from itertools import accumulate

from pypinyin import Style, lazy_pinyin
from pypinyin.constants import PHRASES_DICT, PINYIN_DICT
from pypinyin.contrib.tone_convert import to_normal

_FIRST_SIGN = 0xE000  # signs are private characters
_MARKS = {"\u0304": "1", "\u0301": "2", "\u030c": "3", "\u0300": "4"} | {number: number for number in "1234"}
_LONGEST_RUN = 24  # Latin letters that are tried as pinyin
_LATIN = re.compile(f"[a-z]{{1,{_LONGEST_RUN}}}")


@cache
def _syllables() -> dict[str, str]:
    """Syllable → sign."""
    known = sorted({_plain(reading) for readings in PINYIN_DICT.values() for reading in readings.split(",")})
    spoken = [syllable for syllable in known if re.fullmatch("[a-z]+", syllable) and re.search("[aeiouv]", syllable)]
    signs = {heard: chr(_FIRST_SIGN + n) for n, heard in enumerate(sorted({_heard(each) for each in spoken}))}
    return {each: signs[_heard(each)] for each in spoken}


@cache
def _plain(reading: str) -> str:
    return to_normal(reading, v_to_u=False).replace("ü", "v")


def _heard(syllable: str) -> str:
    syllable = re.sub(r"^([zcs])h", r"\1", syllable)
    return re.sub(r"(?<=[ie])ng$", "n", syllable)


@cache
def sign(char: str) -> str:
    """The sign of a hanzi's most common reading; any other character stands for itself."""
    readings = PINYIN_DICT.get(ord(char))
    return _syllables().get(_plain(readings.split(",")[0]), char) if readings else char


def is_sign(char: str) -> bool:
    """Whether `char` is the sign of a sound."""
    return _FIRST_SIGN <= ord(char) < _FIRST_SIGN + len(_syllables())


def signs(term: str) -> set[str]:
    """How `term` sounds: by its characters, and by how they sound in this very word."""
    table = _syllables()
    spoken = "".join(table.get(syllable, syllable) for syllable in _spoken(term))
    return {"".join(map(sign, term)), *([spoken] if len(spoken) == len(term) else [])}


@lru_cache(maxsize=1 << 17)  # a new ruleset has nearly the same terms
def _spoken(term: str) -> list[str]:
    """The syllables of a term; pypinyin is asked only where a phrase it knows may change them, since it is slow."""
    pairs = ((start, end) for start in range(len(term)) for end in range(start + 2, len(term) + 1))
    if all(ord(char) in PINYIN_DICT for char in term) and not any(term[i:j] in PHRASES_DICT for i, j in pairs):
        return [_first(char) for char in term]
    spoken: list[str] = lazy_pinyin(term, style=Style.NORMAL, v_to_u=False)
    return spoken


@cache
def _first(char: str) -> str:
    """The syllable of a hanzi by itself; any other character stands for itself."""
    readings = PINYIN_DICT.get(ord(char))
    return _plain(readings.split(",")[0]) if readings else char


def spellings(term: str) -> Iterator[tuple[str, Iterator[int]]]:
    """The pinyin of a term of hanzi, with the places where its later syllables begin."""
    phrase, alone = _spoken(term), [_first(char) for char in term]
    for syllables in (alone, phrase) if phrase != alone and len(phrase) == len(term) else (alone,):
        written = "".join(syllables)
        yield written, accumulate(map(len, syllables[:-1]))
        if "v" in written:
            yield written.replace("v", "u"), accumulate(map(len, syllables[:-1]))


def tones(text: str) -> str:
    """The tone marks and numbers of written pinyin, as numbers; a syllable without one gives nothing."""
    marks = (_MARKS.get(char, "") for char in unicodedata.normalize("NFD", text))
    return "".join(marks)


@lru_cache(maxsize=1 << 12)
def tones_of(term: str) -> str:
    """The tones of a term, as numbers; a neutral one gives nothing."""
    spoken = lazy_pinyin(term, style=Style.TONE3)
    return "".join(syllable[-1] for syllable in spoken if syllable[-1] in "1234")


def heard(runs: Iterable[re.Match[str]]) -> Iterator[tuple[int, int, str]]:
    """The runs of Latin letters that are pinyin: start and end of each syllable, and its sign."""
    table = _syllables()
    for run in runs:
        if len(run[0]) <= _LONGEST_RUN:
            for start, end, syllable in _split(run[0]):
                yield run.start() + start, run.start() + end, table[syllable]


def is_pinyin(run: str) -> bool:
    """Whether Latin letters, with or without tone numbers, can be cut into syllables."""
    return len(run) <= _LONGEST_RUN and bool(_split(run))


def heard_as(term: str) -> str:
    """A term as the signs of its syllables, also of those written in pinyin (冰du); all else stands as it is."""
    table = _syllables()
    spoken = _LATIN.sub(lambda run: "".join(table[each] for *_, each in _split(run[0])) or run[0], term)
    return "".join(map(sign, spoken))


@lru_cache(maxsize=1 << 14)  # people use the same words again and again
def _split(run: str) -> Sequence[tuple[int, int, str]]:
    """One way to cut a run into syllables, the longest first; nothing if there is none.

    Tone numbers go with the syllable before them. An expression that tries all syllables takes exponential time.
    """
    table = _syllables()
    ways: list[list[tuple[int, int, str]] | None] = [None] * len(run) + [[]]
    for start in range(len(run) - 1, -1, -1):
        for size in range(min(6, len(run) - start), 0, -1):
            if (syllable := run[start : start + size]) in table:
                end = start + size + (run[start + size : start + size + 1] in {"1", "2", "3", "4", "5"})
                if (rest := ways[end]) is not None:
                    ways[start] = [(start, end, syllable), *rest]
                    break
    return ways[0] or []
