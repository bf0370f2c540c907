"""Spellings that change not the characters but what stands between or around them, or how they are stored."""

from collections.abc import Callable
from html.entities import html5
from random import Random

from processor.redteam.hanzi import is_hanzi

INVISIBLE = (
    "\u200b", "\u200c", "\u200d", "\u2060", "\u00ad", "\ufeff", "\u180e", "\u2061", "\u2063", "\u034f", "\u200e",
    "\u200f", "\u202c", "\u2069", "\ufe0f", "\u3164", "\uffa0", "\u115f", "\U000e0061", "\U000e0100",
)  # fmt: skip
EMOJI = ("😀", "🔥", "💰", "❤️", "👍", "🌸", "⭐", "✨", "👉", "💎", "🍀", "😂", "👨‍👩‍👧", "🇨🇳", "👍🏽", "☀️")
SPACES = (" ", " ", "\u3000", "\u00a0", "\u2009", "\t")
DASHES = ("-", "-", "_", "—", "–", "~", "－", "=")
STARS = ("*", "*", "＊", "×", "#", "^", "※", "★")
DOTS = (".", ".", "·", "•", "・", "．")
MANY = (" ", "-", "*", "_", "/", "|", "+", "~", "#", "^", "\\", "·", "`", "'", '"', "(", ")", "[", "]")
NAMED = (
    "&nbsp;",
    "&shy;",
    "&ZeroWidthSpace;",
    "&zwnj;",
    "&zwj;",
    "&ensp;",
    "&thinsp;",
    "&hyphen;",
    "&lowbar;",
    "&ast;",
)
HEAD, TAIL = "\u202e", "\u202c"
POINTS = ("点", " 点 ", " dot ", "(dot)", "[.]", "。", " . ", "[点]", " 小数点 ", "．", "丶", "・", "_dot_", "（点）")


def invisible(term: str, dice: Random) -> str | None:
    """Characters that nobody sees, in one place or between all."""
    return _in_gaps(term, lambda: dice.choice(INVISIBLE), dice, one=True)


def spaces(term: str, dice: Random) -> str | None:
    """Spaces between all characters; between words of Latin letters a wider one."""
    space = dice.choice(SPACES)
    words = term.split(" ")
    if len(term) < 2:  # noqa: PLR2004
        return None
    return (space * 3).join(space.join(word) for word in words)


def dashes(term: str, dice: Random) -> str | None:
    """Dashes and the like, in one place or between all."""
    return _alike(term, DASHES, dice)


def stars(term: str, dice: Random) -> str | None:
    """Stars and the like, in one place or between all."""
    return _alike(term, STARS, dice)


def dots(term: str, dice: Random) -> str | None:
    """Dots without a space after them, in one place or between all."""
    return _alike(term, DOTS, dice)


def emoji(term: str, dice: Random) -> str | None:
    """Emoji between the characters."""
    return _alike(term, EMOJI, dice)


def mixed(term: str, dice: Random) -> str | None:
    """Another separator in each place."""
    return _between(term, lambda: dice.choice(MANY), dice, one=False)


def several(term: str, dice: Random) -> str | None:
    """More than one separator in each place."""
    return _between(term, lambda: "".join(dice.choices(MANY, k=dice.randint(2, 4))), dice, one=False)


def _alike(term: str, separators: tuple[str, ...], dice: Random) -> str | None:
    separator = dice.choice(separators)
    return _between(term, lambda: separator, dice, one=True)


def _between(term: str, separator: Callable[[], str], dice: Random, *, one: bool) -> str | None:
    """The term with separators in its gaps, or in one of them; gaps beside a space of the term are none.

    None for a domain: nobody could tell which signs to leave out.
    """
    return None if is_domain(term) else _in_gaps(term, separator, dice, one=one)


def _in_gaps(term: str, separator: Callable[[], str], dice: Random, *, one: bool) -> str | None:
    gaps = [place for place in range(1, len(term)) if " " not in term[place - 1 : place + 1]]
    if not gaps:
        return None
    chosen = {dice.choice(gaps)} if one and dice.random() < 0.5 else set(gaps)  # noqa: PLR2004
    return "".join((separator() if place in chosen else "") + char for place, char in enumerate(term))


def entity_named(term: str, dice: Random) -> str | None:
    """HTML's names: for Latin letters those of mathematics, between hanzi those of spaces and signs."""
    if any(map(is_hanzi, term)):
        return _between(term, lambda: dice.choice(NAMED), dice, one=True)
    alphabet = dice.choice(("opf", "fr", "scr"))
    return "".join(f"&{c}{alphabet};" if f"{c}{alphabet};" in html5 and c.isalpha() else c for c in term)


def entity_decimal(term: str, dice: Random) -> str:
    """HTML's decimal numbers for all characters, or for one; sometimes with zeros before them."""
    zeros = "0" * dice.choice((0, 0, 0, 2))
    return _entity(term, lambda char: f"&#{zeros}{ord(char)}", dice)


def entity_hex(term: str, dice: Random) -> str:
    """HTML's hexadecimal numbers for all characters, or for one."""
    return _entity(term, lambda char: f"&#{dice.choice('xX')}{ord(char):{dice.choice('xX')}}", dice)


def _entity(term: str, code: Callable[[str], str], dice: Random) -> str:
    """Browsers do not want the semicolon; where all characters are coded, some people leave it out."""
    if dice.random() < 0.2:  # noqa: PLR2004
        return "".join(map(code, term)) + ";"
    return _coded(term, lambda char: f"{code(char)};", dice)


def percent(term: str, dice: Random) -> str:
    """UTF-8 bytes as in an address, all characters or one."""
    return _coded(term, lambda char: "".join(f"%{byte:02{dice.choice('xX')}}" for byte in char.encode()), dice)


def _coded(term: str, code: Callable[[str], str], dice: Random) -> str:
    chosen = dice.choice((range(len(term)), range(len(term)), [dice.randrange(len(term))]))
    return "".join(code(char) if place in chosen else char for place, char in enumerate(term))


def bidi(term: str, _dice: Random) -> str | None:
    """Stored back to front between marks that turn it round on the screen."""
    return f"{HEAD}{term[::-1]}{TAIL}" if len(term) > 1 else None


def spelled_url(term: str, dice: Random) -> str | None:
    """A domain whose dots are words."""
    return term.replace(".", dice.choice(POINTS)) if is_domain(term) else None


def is_domain(term: str) -> bool:
    """Whether a term is a domain, such as shop8.cn."""
    name, _, rest = term.rpartition(".")
    return bool(name) and rest.isascii() and rest.isalpha() and " " not in term
