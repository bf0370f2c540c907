"""Texts that are made to cost a matcher time; of any wanted length, and the same for the same seed.

What they have in common is that a careless reader goes back over what it has read: near-hits that break off, marks
that pile up, codes within codes, spans that overlap, runs without an end.
"""

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import cycle
from random import Random

from processor.redteam import hanzi, latin
from processor.redteam.hanzi import is_hanzi
from processor.redteam.tables import readings, tables, toneless

Nasty = Callable[[Sequence[str], Random], Iterable[str]]
"""From some terms and chance, pieces of text without an end."""

_SYLLABLES = 400
_SEPARATORS = " -*._/|~+·\u3000\u200b"
_ASTRAL = ((0x20000, 0x2A6D6), (0x1F300, 0x1F64F), (0x1D400, 0x1D7FF), (0x10400, 0x1044F), (0xE0100, 0xE01EF))


def _near_hits(terms: Sequence[str], dice: Random) -> Iterator[str]:
    """Beginnings of terms that break off before the last character."""
    while True:
        yield dice.choice(terms)[:-1]


def _near_hits_of_one(terms: Sequence[str], _dice: Random) -> Iterator[str]:
    """The longest term without its end, on and on."""
    return cycle([max(terms, key=len)[:-1]])


def _hits(terms: Sequence[str], _dice: Random) -> Iterator[str]:
    """A hit every few characters: the shortest terms, one after the other."""
    return cycle(sorted(terms, key=len)[:5])


def _hits_in_hits(terms: Sequence[str], _dice: Random) -> Iterator[str]:
    """Each second character of one term twice: every reading that drops repeats finds many."""
    term = min(terms, key=len)
    return cycle([char * 2 for char in term])


def _spread_hits(terms: Sequence[str], dice: Random) -> Iterator[str]:
    """Terms with a separator in every gap."""
    for char in _chars(terms, dice):
        yield char
        yield dice.choice(_SEPARATORS)


def _separators(_terms: Sequence[str], dice: Random) -> Iterator[str]:
    """Nothing but separators."""
    while True:
        yield dice.choice(_SEPARATORS)


def _far_apart(terms: Sequence[str], _dice: Random) -> Iterator[str]:
    """The characters of a term, a hundred separators between each two."""
    return cycle(char + " " * 100 for char in max(terms, key=len))


def _emoji(_terms: Sequence[str], dice: Random) -> Iterator[str]:
    """Nothing but emoji that may stand for hanzi or separate them."""
    pictures = sorted(set(hanzi.EMOJI.values()))
    while True:
        yield dice.choice(pictures)


def _families(_terms: Sequence[str], _dice: Random) -> Iterator[str]:
    """One emoji of many, joined without an end."""
    return cycle(["👨", "\u200d", "👩", "\u200d", "👧", "\ufe0f", "🏽"])


def _marks(_terms: Sequence[str], dice: Random) -> Iterator[str]:
    """One letter and combining marks without an end, in an order that normal forms must sort."""
    marks = [chr(code) for code in range(0x300, 0x36F) if unicodedata.combining(chr(code))]
    yield "a"
    while True:
        yield dice.choice(marks)


def _zalgo(terms: Sequence[str], dice: Random) -> Iterator[str]:
    """Terms under heaps of marks."""
    while True:
        yield latin.zalgo(dice.choice(terms), dice)


def _invisible(terms: Sequence[str], dice: Random) -> Iterator[str]:
    """Terms with a dozen invisible characters in every gap."""
    for char in _chars(terms, dice):
        yield char + "".join(dice.choices("\u200b\u200c\u200d\u2060\ufeff\u00ad", k=12))


def _entities(terms: Sequence[str], dice: Random) -> Iterator[str]:
    """Terms as HTML's numbers."""
    for char in _chars(terms, dice):
        yield f"&#{ord(char)};"


def _nested_entities(_terms: Sequence[str], _dice: Random) -> Iterator[str]:
    """An ampersand, escaped without an end."""
    yield "&"
    yield from cycle(["amp;"])


def _broken_entities(_terms: Sequence[str], _dice: Random) -> Iterator[str]:
    """What begins like a code and never ends."""
    return cycle(["&#", "&#x", "&", "&#99999999999999999999", "&lt", "&ampamp"])


def _nested_percents(_terms: Sequence[str], _dice: Random) -> Iterator[str]:
    """A percent sign, encoded without an end."""
    yield "%"
    yield from cycle(["25"])


def _percents(terms: Sequence[str], dice: Random) -> Iterator[str]:
    """Terms in percent-encoding, and bytes that are no UTF-8 between them."""
    for char in _chars(terms, dice):
        yield "".join(f"%{byte:02X}" for byte in char.encode())
        if dice.random() < 0.2:  # noqa: PLR2004
            yield dice.choice(("%E8%B4", "%FF", "%C0%80", "%ED%A0%80", "%", "%G1"))


def _overrides(terms: Sequence[str], dice: Random) -> Iterator[str]:
    """Overrides within overrides that nothing closes."""
    while True:
        yield "\u202e" + dice.choice(terms)[::-1]


def _opened_and_closed(_terms: Sequence[str], _dice: Random) -> Iterator[str]:
    """Overrides and isolates opened and closed in the wrong order."""
    return cycle(["\u202e", "\u2067", "a", "\u202c", "\u202d", "\u2066", "贷", "\u2069", "\u202c"])


def _pinyin_run(_terms: Sequence[str], dice: Random) -> Iterator[str]:
    """Syllables without a space: each prefix may be cut in many ways."""
    syllables = sorted(tables().sounds)[:_SYLLABLES]
    while True:
        yield dice.choice(syllables)


def _ambiguous_pinyin(_terms: Sequence[str], _dice: Random) -> Iterator[str]:
    """Letters that can be cut into syllables anywhere."""
    return cycle(["xian", "ganga", "an", "en", "e", "a", "ge", "nan", "ger"])


def _pinyin_of_terms(terms: Sequence[str], dice: Random) -> Iterator[str]:
    """Terms in pinyin, one after the other."""
    while True:
        yield "".join(map(toneless, readings(dice.choice(terms))))


def _mixed_pinyin(terms: Sequence[str], dice: Random) -> Iterator[str]:
    """Terms, every second hanzi in pinyin."""
    for number, char in enumerate(_chars(terms, dice)):
        yield toneless(readings(char)[0]) if number % 2 else char


def _same_sounds(terms: Sequence[str], dice: Random) -> Iterator[str]:
    """Hanzi that sound like those of terms and are others."""
    known = tables()
    for char in _chars(terms, dice):
        yield dice.choice(known.sounds.get(toneless(readings(char)[0])) or char) if is_hanzi(char) else char


def _parts(terms: Sequence[str], dice: Random) -> Iterator[str]:
    """The parts of which the hanzi of terms are made."""
    known = tables().hanzi
    for char in _chars(terms, dice):
        entry = known.get(char)
        yield "".join(entry.across or entry.down or char) if entry else char


def _one_hanzi(terms: Sequence[str], _dice: Random) -> Iterator[str]:
    """The first character of a term, on and on."""
    return cycle([max(terms, key=len)[0]])


def _long_word(_terms: Sequence[str], dice: Random) -> Iterator[str]:
    """One Latin word without an end."""
    while True:
        yield dice.choice("abcdefghijklmnopqrstuvwxyz")


def _one_letter(_terms: Sequence[str], _dice: Random) -> Iterator[str]:
    """One letter, drawn out."""
    return cycle(["a"])


def _leet(_terms: Sequence[str], dice: Random) -> Iterator[str]:
    """Digits and signs of which each may be a letter."""
    while True:
        yield dice.choice("431057!$@|+()8926")


def _homoglyphs(_terms: Sequence[str], dice: Random) -> Iterator[str]:
    """Letters that look like others, from many scripts."""
    letters = "".join(latin.HOMOGLYPHS.values())
    while True:
        yield dice.choice(letters)


def _letters_in_frames(terms: Sequence[str], dice: Random) -> Iterator[str]:
    """Terms in letters of flags, circles and squares."""
    framed = (latin.regional, latin.circled, latin.squared, latin.mathematical)
    while True:
        term = dice.choice(terms)
        yield dice.choice(framed)(term, dice) or term


def _dots(_terms: Sequence[str], _dice: Random) -> Iterator[str]:
    """A domain with labels without an end, its dots in words."""
    return cycle(["a 点 ", "b dot ", "c.", "cn"])


def _digits(_terms: Sequence[str], dice: Random) -> Iterator[str]:
    """One number without an end, in all digit styles."""
    digits = "0123456789" + "".join(way for ways in hanzi.DIGITS.values() for way in ways)
    while True:
        yield dice.choice(digits)


def _astral(_terms: Sequence[str], dice: Random) -> Iterator[str]:
    """Characters beyond the first plane."""
    while True:
        yield chr(dice.randint(*dice.choice(_ASTRAL)))


def _ligatures(_terms: Sequence[str], _dice: Random) -> Iterator[str]:
    """Characters that folding makes many times longer."""
    return cycle(["ﷺ", "ﬃ", "㍿", "㌖", "½", "ẞ", "ŉ", "㋿"])


def _controls(_terms: Sequence[str], _dice: Random) -> Iterator[str]:
    """Line ends, zeros and other controls."""
    return cycle(["\n", "\r\n", "\x00", "\u2028", "\x85", "\x1b[31m", "\t", "\ue000", "\uffff", "\ufffd"])


def _everything(_terms: Sequence[str], dice: Random) -> Iterator[str]:
    """Any character that is one."""
    while True:
        code = dice.randrange(0x110000)
        if not 0xD800 <= code < 0xE000:  # noqa: PLR2004  surrogates are no characters
            yield chr(code)


def _chars(terms: Sequence[str], dice: Random) -> Iterator[str]:
    while True:
        yield from dice.choice(terms)


NASTY: dict[str, Nasty] = {
    function.__name__.removeprefix("_").replace("_", "-"): function
    for function in (
        _near_hits, _near_hits_of_one, _hits, _hits_in_hits, _spread_hits, _separators, _far_apart, _emoji, _families,
        _marks, _zalgo, _invisible, _entities, _nested_entities, _broken_entities, _nested_percents, _percents,
        _overrides, _opened_and_closed, _pinyin_run, _ambiguous_pinyin, _pinyin_of_terms, _mixed_pinyin, _same_sounds,
        _parts, _one_hanzi, _long_word, _one_letter, _leet, _homoglyphs, _letters_in_frames, _dots, _digits, _astral,
        _ligatures, _controls, _everything,
    )
}  # fmt: skip


def nasty_text(name: str, terms: Sequence[str], size: int, *, seed: int = 0) -> str:
    """A text of at most `size` bytes of UTF-8, and of nearly so many; `terms` must hold a term of two characters."""
    pieces: list[str] = []
    left = size
    for piece in NASTY[name](terms, Random(f"{seed}/{name}")):  # noqa: S311  no secret depends on it
        left -= len(piece.encode())
        if left < 0:
            return "".join(pieces)
        pieces.append(piece)
    return "".join(pieces)
