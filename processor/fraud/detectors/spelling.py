"""Characters that stand for others: full-width forms, circled and styled digits, dashes, odd spaces.

Folding is one to one, so that an offset in the folded text is an offset in the original.
"""

import unicodedata
from typing import NamedTuple

INVISIBLE = "\u00ad\u200b-\u200f\u2060-\u2064\ufeff"  # for a character class
SEPARATOR = rf"[ \-._·{INVISIBLE}]"  # between the groups of a number
HAN = "\u3400-\u4dbf\u4e00-\u9fff"  # for a character class
HAN_DIGITS = "零〇一二三四五六七八九幺壹贰叁肆伍陆柒捌玖"
_HAN_VALUES = "001234567891123456789"

_STYLED = (
    (0x00B2, 0x00B4),  # superscripts
    (0x00B9, 0x00BA),
    (0x2070, 0x208A),
    (0x2460, 0x249C),  # circled, in parentheses, with a full stop
    (0x24EA, 0x2500),
    (0x2776, 0x2794),
    (0x1D7CE, 0x1D800),  # mathematical
)


class Found(NamedTuple):
    """An entity: where it stands, and its canonical value."""

    start: int
    end: int
    value: str


def _styled_digits() -> dict[int, str]:
    codes = (code for start, stop in _STYLED for code in range(start, stop))
    digits = {code: unicodedata.digit(chr(code), -1) for code in codes}
    return {code: str(digit) for code, digit in digits.items() if digit >= 0}


STYLED_DIGITS = _styled_digits()
_WIDE = {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
_MARKS = {"\u3000": " ", "\u00a0": " ", "￥": "¥", **dict.fromkeys("‐‑‒–—―−﹣", "-"), "﹕": ":", "﹒": ".", "﹢": "+"}
_FOLD = str.maketrans({**_WIDE, **STYLED_DIGITS, **{ord(mark): plain for mark, plain in _MARKS.items()}})
_LOWER = str.maketrans({letter: letter.lower() for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"})
_HAN_FOLD = str.maketrans(HAN_DIGITS, _HAN_VALUES)


def fold(text: str) -> str:
    """The text with look-alikes replaced, of the same length."""
    return text.translate(_FOLD)


def lower(text: str) -> str:
    """The text with Latin letters in lower case, of the same length (unlike `str.lower`)."""
    return text.translate(_LOWER)


def fold_han_digits(text: str) -> str:
    """The text with Chinese digits replaced by Arabic ones, of the same length."""
    return text.translate(_HAN_FOLD)


def digits_only(text: str) -> str:
    """Its ASCII digits."""
    return "".join(char for char in text if "0" <= char <= "9")
