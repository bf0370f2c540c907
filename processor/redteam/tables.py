"""What the mutations know of hanzi: readings, look-alikes, parts, ordinary words. Made by `tests/redteam/tables.py`."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

_LONGEST = 4
_MARKS = {"a": "āáǎà", "e": "ēéěè", "i": "īíǐì", "o": "ōóǒò", "u": "ūúǔù", "v": "ǖǘǚǜ"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Hanzi:
    """One hanzi of GB 2312."""

    rank: int | None  # how common among the common ones, 0 first; None for a rare one
    reading: str  # when it stands alone, with the tone as a digit: dai4
    looks: str  # common hanzi that look like it
    across: Sequence[str]  # its parts from left to right; empty if it is not made so
    down: Sequence[str]  # its parts from top to bottom


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """All that is known of hanzi."""

    hanzi: Mapping[str, Hanzi]
    sounds: Mapping[str, str]  # syllable without tone → common hanzi that are read so, most common first
    words: frozenset[str]  # ordinary words of two hanzi
    unusual: Mapping[str, Sequence[str]]  # words in which a hanzi is not read as it is alone


@cache
def tables() -> Tables:
    """The tables that come with the package."""
    hanzi = {}
    sounds: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)
    for line in _lines("hanzi.tsv"):
        char, rank, reading, looks, way, parts = line.split("\t")
        pieces = parts.split()
        hanzi[char] = Hanzi(
            rank=int(rank) if rank else None,
            reading=reading,
            looks=looks,
            across=pieces if way == "a" else (),
            down=pieces if way == "d" else (),
        )
        if rank:
            sounds[toneless(reading)].append((int(rank), char))
    return Tables(
        hanzi=hanzi,
        sounds={syllable: "".join(char for _, char in sorted(chars)) for syllable, chars in sounds.items()},
        words=frozenset(_lines("words.txt")),
        unusual={word: said.split() for word, said in (line.split("\t") for line in _lines("unusual.tsv"))},
    )


def _lines(name: str) -> list[str]:
    return files(__package__).joinpath("data", name).read_text(encoding="utf-8").splitlines()


def readings(text: str) -> list[str]:
    """How each character is read, with the tone as a digit; what is no hanzi stays as it is."""
    known = tables()
    said: list[str] = []
    while len(said) < len(text):
        place = len(said)
        longest = next(
            (known.unusual[word] for n in range(_LONGEST, 1, -1) if (word := text[place : place + n]) in known.unusual),
            None,
        )
        char = text[place]
        said += longest or [known.hanzi[char].reading if char in known.hanzi else char]
    return said


def toneless(syllable: str) -> str:
    """A syllable without its tone: dai4 → dai."""
    return syllable.rstrip("12345")


def marked(syllable: str) -> str:
    """A syllable with its tone as a mark over the vowel: dai4 → dài."""
    bare, tone = toneless(syllable), syllable[-1]
    if tone not in "1234":
        return bare.replace("v", "ü")
    vowel = next((v for v in ("a", "e", "ou") if v in bare), None)
    place = bare.index(vowel) if vowel else max(bare.rfind(v) for v in "iouv")
    if place < 0:
        return bare
    return (bare[:place] + _MARKS[bare[place]][int(tone) - 1] + bare[place + 1 :]).replace("v", "ü")
