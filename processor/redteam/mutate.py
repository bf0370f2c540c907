"""Every evasion that the matching claims to see through, and terms written so in the middle of harmless talk."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import StrEnum
from random import Random
from typing import NamedTuple

from processor.redteam import carriers, hanzi, latin
from processor.redteam.hanzi import is_hanzi

Mutation = Callable[[str, Random], str | None]
"""A term written otherwise; None if this evasion has no way to write it."""


class Length(StrEnum):
    """What recall is counted by: shorter terms say less, and a reading that costs much may not look at them."""

    TWO = "2 hanzi"
    MORE = "3+ hanzi"
    LATIN = "latin"
    AMBIGUOUS = "ambiguous"  # two syllables that many words share: nobody can claim to know which was meant


class Case(NamedTuple):
    """One attack: `term`, written as `evasion` does, stands in `text` from `start` to `end`."""

    term: str
    evasion: str
    length: Length
    text: str
    start: int
    end: int


def _as_written(term: str, _dice: Random) -> str:
    return term


_FIRST: Sequence[Mutation] = (latin.case, latin.width, hanzi.traditional)
_THEN: Sequence[Mutation] = (
    carriers.invisible, carriers.spaces, carriers.dashes, carriers.stars, latin.struck, carriers.entity_decimal,
)  # fmt: skip


def _pair(term: str, dice: Random) -> str | None:
    """Two cheap evasions, one upon the other."""
    spellings = {first(term, dice) for first in _FIRST} - {term, None}
    first = dice.choice(sorted(filter(None, spellings))) if spellings else carriers.emoji(term, dice)
    return dice.choice(_THEN)(first, dice) if first else None


EVASIONS: dict[str, Mutation] = {
    "as-written": _as_written,
    "case": latin.case,
    "width": latin.width,
    "traditional": hanzi.traditional,
    "compatible": hanzi.compatible,
    "invisible": carriers.invisible,
    "separator-space": carriers.spaces,
    "separator-dash": carriers.dashes,
    "separator-star": carriers.stars,
    "separator-dot": carriers.dots,
    "separator-emoji": carriers.emoji,
    "separator-mixed": carriers.mixed,
    "separator-several": carriers.several,
    "pinyin": hanzi.pinyin,
    "pinyin-marks": hanzi.pinyin_marked,
    "pinyin-digits": hanzi.pinyin_numbered,
    "pinyin-spaced": hanzi.pinyin_spaced,
    "pinyin-mixed": hanzi.pinyin_mixed,
    "same-sound": hanzi.same_sound,
    "look-alike": hanzi.look_alike,
    "split-across": hanzi.split_across,
    "split-down": hanzi.split_down,
    "homoglyph": latin.homoglyphs,
    "leet": latin.leet,
    "circled": latin.circled,
    "squared": latin.squared,
    "mathematical": latin.mathematical,
    "regional": latin.regional,
    "struck": latin.struck,
    "zalgo": latin.zalgo,
    "stretched": latin.stretched,
    "repeated": hanzi.repeated,
    "emoji": hanzi.emoji,
    "entity-named": carriers.entity_named,
    "entity-decimal": carriers.entity_decimal,
    "entity-hex": carriers.entity_hex,
    "percent": carriers.percent,
    "bidi": carriers.bidi,
    "digits": hanzi.digits,
    "url-words": carriers.spelled_url,
    "pair": _pair,
}
"""By the name that reports use; the first one is no evasion: what it misses is not worth hiding."""

_AMBIGUOUS = frozenset({"pinyin", "pinyin-spaced"})
_UNDER_HANZI = (
    "{} 有人懂这个的说一下", "{}，你觉得呢", "“{}”是什么梗", "昨天他们在群里提到{}的事情", "楼上说的{}靠谱吗",
    "快看（{}）这里写着", "ok{}ok", "see {} here", "【{}】了解一下", "他一直问我{}", "图上写的就是{}",
    "今天的话题：{}！", "hi，{}?",
)  # fmt: skip
_UNDER_LATIN = (
    "{} anyone around", "{}, what do you think", '"{}" was all he wrote', "so he wrote me {} yesterday",
    "they said: {}", "look at this ({}) please", "昨天他说{}的时候", "群里有人发{}", "{}是什么意思", "看这个：{}！",
    "did you mean {}?",
)  # fmt: skip


def length_of(term: str, evasion: str = "") -> Length:
    """What a term's recall is counted under."""
    if not any(map(is_hanzi, term)):
        return Length.LATIN
    if len(term) > hanzi.FEW:
        return Length.MORE
    return Length.AMBIGUOUS if evasion in _AMBIGUOUS else Length.TWO


def attack(term: str, evasion: str, *, seed: int = 0, number: int = 0) -> Case | None:
    """The term under one evasion, in harmless talk. The same arguments always give the same text."""
    dice = Random(f"{seed}/{number}/{evasion}/{term}")  # noqa: S311  no secret depends on it
    written = EVASIONS[evasion](term, dice)
    if not written or (written == term and evasion != "as-written"):
        return None
    talk = dice.choice(_UNDER_HANZI if any(map(is_hanzi, term)) else _UNDER_LATIN)
    before, _, after = talk.partition("{}")
    if _joins(before[-1:], written[:1]):
        before += " "
    if _joins(written[-1:], after[:1]):
        after = f" {after}"
    return Case(
        term=term,
        evasion=evasion,
        length=length_of(term, evasion),
        text=before + written + after,
        start=len(before),
        end=len(before) + len(written),
    )


def attacks(terms: Iterable[str], evasions: Sequence[str] = (), *, seed: int = 0, times: int = 1) -> Iterator[Case]:
    """All terms under all these evasions (under every one if none is named), `times` times each."""
    for term in terms:
        for evasion in evasions or EVASIONS:
            for number in range(times):
                case = attack(term, evasion, seed=seed, number=number)
                if case:
                    yield case


def _joins(left: str, right: str) -> bool:
    """Whether two characters would run together to one Latin word."""
    return all((char.isascii() and char.isalnum()) or (char.isalpha() and not is_hanzi(char)) for char in (left, right))
