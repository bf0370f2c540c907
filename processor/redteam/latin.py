"""Latin letters written otherwise: homoglyphs, leet, letters in frames, stretched words."""

import unicodedata
from collections.abc import Mapping
from random import Random

HOMOGLYPHS = {
    "a": "аɑαàáâäãåāą", "b": "ЬƄḅḃ", "c": "сϲⅽçćč", "d": "ԁⅾḍđ", "e": "еҽéèêëēę", "f": "ƒḟք", "g": "ɡցğġ",
    "h": "һհḥĥ", "i": "іıίïíìî", "j": "јʝĵ", "k": "κкķḳ", "l": "ӏⅼłḷ", "m": "мⅿṁ",
    "n": "ոпñńņ", "o": "оοօσöóòôõøō", "p": "рρṗ", "q": "ԛզ", "r": "гŗṛř", "s": "ѕśşš", "t": "тτţṭ",
    "u": "υսùúûüū", "v": "νѵⅴṿ", "w": "ԝѡωŵẁ", "x": "хχⅹẋ", "y": "уγýÿ", "z": "ᴢźżž",
}  # fmt: skip
SMALL_CAPITALS = dict(zip("abcdefghijklmnopqrstuvwxyz", "ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘǫʀꜱᴛᴜᴠᴡxʏᴢ", strict=True))
LEET = {
    "a": "4@", "b": "8", "c": "(", "e": "3", "g": "9", "i": "1!", "l": "1|", "o": "0", "s": "5$", "t": "7+", "z": "2",
}  # fmt: skip
MATHEMATICAL = (0x1D400, 0x1D434, 0x1D468, 0x1D4D0, 0x1D56C, 0x1D5A0, 0x1D5D4, 0x1D608, 0x1D63C, 0x1D670)
"""Where alphabets without gaps begin: bold, italic, script, Gothic, sans serif, monospace."""
SQUARED = (0x1F130, 0x1F150, 0x1F170)  # squared; circled and squared in black
REGIONAL = 0x1F1E6
CIRCLED = (0x24B6, 0x24D0)
PARENTHESISED = 0x249C
MARKS = "\u0335\u0336\u0337\u0338\u0332\u0333\u0305\u20e0\u0353\u0489"
ZALGO = [chr(code) for code in range(0x300, 0x370) if code not in (0x345, 0x34F) and unicodedata.combining(chr(code))]


def is_latin(char: str) -> bool:
    """Whether a character is a letter from a to z."""
    return "a" <= char.lower() <= "z"


def case(term: str, dice: Random) -> str | None:
    """Capitals here and there."""
    ways = {term.upper(), term.title(), "".join(dice.choice((c.upper(), c)) for c in term)} - {term}
    return dice.choice(sorted(ways)) if ways and any(map(is_latin, term)) else None


def width(term: str, _dice: Random) -> str | None:
    """Full-width letters, digits and signs."""
    wide = "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in term)
    return wide if wide != term else None


def homoglyphs(term: str, dice: Random) -> str | None:
    """Letters of other alphabets, or with marks, that look the same: one, some or all; or small capitals."""
    if dice.random() < 0.2 and any(char in SMALL_CAPITALS for char in term):  # noqa: PLR2004
        return "".join(SMALL_CAPITALS.get(char, char) for char in term)
    return _some(term, HOMOGLYPHS, dice)


def leet(term: str, dice: Random) -> str | None:
    """Digits and signs that look like letters; some letters are left."""
    letters = [char for char in term if is_latin(char)]
    if not letters or all(char in LEET for char in letters):
        return None
    return _some(term, LEET, dice)


def _some(term: str, table: Mapping[str, str], dice: Random) -> str | None:
    places = [place for place, char in enumerate(term) if char in table]
    if not places:
        return None
    chosen = dice.sample(places, dice.choice((1, (len(places) + 1) // 2, len(places))))
    return "".join(dice.choice(table[char]) if place in chosen else char for place, char in enumerate(term))


def circled(term: str, dice: Random) -> str | None:
    """Letters in circles or parentheses, small or capital."""
    first = dice.choice((*CIRCLED, PARENTHESISED))
    return _alphabet(term, first)


def squared(term: str, dice: Random) -> str | None:
    """Letters in squares, or white on black."""
    return _alphabet(term, dice.choice(SQUARED))


def mathematical(term: str, dice: Random) -> str | None:
    """Bold, italic, script, Gothic and other letters of mathematics."""
    return _alphabet(term, dice.choice(MATHEMATICAL))


def regional(term: str, _dice: Random) -> str | None:
    """Letters of which flags are made."""
    return _alphabet(term, REGIONAL)


def _alphabet(term: str, first: int) -> str | None:
    """The term in the alphabet of 26 that begins at `first`."""
    if not any(map(is_latin, term)):
        return None
    return "".join(chr(first + ord(char.lower()) - ord("a")) if is_latin(char) else char for char in term)


def stretched(term: str, dice: Random) -> str | None:
    """One letter drawn out, or all of them."""
    places = [place for place, char in enumerate(term) if is_latin(char)]
    if not places:
        return None
    chosen = [dice.choice(places)] if dice.random() < 0.7 else places  # noqa: PLR2004
    times = dice.randint(3, 6)
    return "".join(char * times if place in chosen else char for place, char in enumerate(term))


def struck(term: str, dice: Random) -> str:
    """A line through every character, or under it."""
    mark = dice.choice(MARKS)
    return "".join(char + mark if char != " " else char for char in term)


def zalgo(term: str, dice: Random) -> str:
    """Heaps of marks over and under every character."""
    return "".join(char + "".join(dice.choices(ZALGO, k=dice.randint(2, 8))) if char != " " else char for char in term)
