"""How a text is read: two readings of a whole batch, each one `str.translate`.

*Folded* is one character for one character, so offsets in it are offsets in the original: compatibility forms
(NFKC), lower case, simplified hanzi, Latin letters without accents.
*Squeezed* is folded without what an evader puts between the characters of a term (separators, invisible
characters) and with ligatures spelled out; its offsets need a map, which is built for a single text and only when
something was found in it. A clause break (，。！？； line end …) is kept by both readings: nothing is joined across it.

Both tables fill themselves as characters turn up, so importing this costs nothing and every script is covered.
Facts: Unicode Standard Annex 15 (NFKC) and the general categories, from `unicodedata`; hanzi from OpenCC `t2s`.
"""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Sequence
from functools import cache, cached_property
from itertools import accumulate

import opencc

IGNORED = "\ufdd0"  # stands in the folded reading for a character that shows nothing
SPELLED = "\ufdd1"  # … for a character that only the squeezed reading spells out
JOINT = "\x00"  # between the texts of a batch

_BREAKS = frozenset("\x00\n\v\f\r\x1c\x1d\x1e\x85\u2028\u2029,!?;。，！？；｡﹐﹗﹖﹔…‥")
_INVISIBLE = frozenset("\u115f\u1160\u3164\uffa0\u17b4\u17b5\ufdd0\ufdd1")
_SKIPPED = re.compile(r"[^\w\x00,!?;]+|_+")
_simplify: Callable[[str], str] = opencc.OpenCC("t2s").convert


def is_hanzi(char: str) -> bool:
    """Whether `char` belongs to a script written without spaces (hanzi, kana)."""
    return "\u3005" <= char <= "\u3007" or "\u3040" <= char <= "\u9fff" or "\U00020000" <= char <= "\U0003ffff"


def is_letter(char: str) -> bool:
    """Whether `char` is a letter or digit of a script written with spaces: there a term ends where a word ends."""
    return char.isalnum() and not is_hanzi(char)


def is_break(char: str) -> bool:
    """Whether a clause ends at `char`."""
    return char in _BREAKS


def _is_ignored(char: str) -> bool:
    return char in _INVISIBLE or (unicodedata.category(char) in {"Cc", "Cf", "Cn", "Mn", "Me"} and char not in "\t\n")


def spell(char: str) -> str:
    """`char` in full: compatibility form, lower case, simplified, no accents on Latin letters; may be several."""
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", char).lower()).lower()
    return "".join(_simplify(_bare(c)) for c in plain.replace("ς", "σ") if not _is_ignored(c))


def _bare(char: str) -> str:
    base = unicodedata.normalize("NFKD", char)[0]
    return base if base.isascii() and base.isalpha() else char


class _FoldTable(dict[int, str]):
    def __missing__(self, code: int) -> str:
        self[code] = folded = _fold(chr(code))
        return folded


def _fold(char: str) -> str:
    if is_break(char):
        plain = unicodedata.normalize("NFKC", char)
        return plain if plain in {",", "!", "?", JOINT} else ";"
    if _is_ignored(char):
        return IGNORED
    full = spell(char)
    return full if len(full) == 1 else (SPELLED if full and full.isalnum() else full[:1] or IGNORED)


class _SqueezeTable(dict[int, str]):
    def __missing__(self, code: int) -> str:
        self[code] = squeezed = _squeeze(chr(code))
        return squeezed


def _squeeze(char: str) -> str:
    folded = FOLD[ord(char)]
    if folded == SPELLED:
        return spell(char)
    return folded if folded.isalnum() or is_break(folded) else ""


FOLD = _FoldTable()
SQUEEZE = _SqueezeTable()


def fold(text: str) -> str:
    """The folded reading of one text; as long as the text."""
    return text.translate(FOLD)


@cache
def _changing() -> re.Pattern[str]:
    """Finds every character that folding may change once a text is in lower case."""
    basic = (code for code in range(0x10000) if not 0xD800 <= code < 0xE000)  # noqa: PLR2004  no surrogates
    changed = "".join(re.escape(chr(code)) for code in basic if FOLD[code] != chr(code))
    return re.compile(f"[{changed}\U00010000-\U0010ffff]")


def _fold_fast(text: str) -> str:
    """The same as `fold`, four times faster on chat, where most characters stay as they are."""
    lowered = text if "İ" in text else text.lower()  # the one character whose lower case is two
    return _changing().sub(lambda match: FOLD[ord(match[0])], lowered)


def squeeze(text: str) -> str:
    """The squeezed reading of one text."""
    return text.translate(SQUEEZE)


def origins(text: str) -> list[int]:
    """For each character of the squeezed reading of `text` the place in `text` it came from."""
    return [place for place, char in enumerate(text) for _ in SQUEEZE[ord(char)]]


class Batch:
    """The texts of one batch, joined, in both readings."""

    def __init__(self, texts: Sequence[str]) -> None:
        joined = JOINT.join(texts)
        if joined.count(JOINT) >= max(len(texts), 1):
            texts = [text.replace(JOINT, "\x01") for text in texts]
            joined = JOINT.join(texts)
        self.texts = texts
        self.folded = _fold_fast(joined)

    @cached_property
    def squeezed(self) -> str:
        """The squeezed readings, joined: the same as `squeeze` of each text, four times faster."""
        squeezed = _SKIPPED.sub("", self.folded)
        if not self.spelled:
            return squeezed
        lines = squeezed.split(JOINT)
        for line in self.spelled:
            lines[line] = squeeze(self.texts[line])
        return JOINT.join(lines)

    @cached_property
    def spelled(self) -> frozenset[int]:
        """The texts with a character that stands for several."""
        return frozenset(self.locate(sign.start()) for sign in re.finditer(SPELLED, self.folded))

    @cached_property
    def starts(self) -> list[int]:
        """Where each text begins in `folded`, and where one more would."""
        return _starts(self.texts)

    @cached_property
    def squeezed_starts(self) -> list[int]:
        """Where each text begins in `squeezed`, and where one more would."""
        return _starts(self.squeezed.split(JOINT))

    def reading(self, line: int) -> str:
        """The folded reading of one text."""
        return self.folded[self.starts[line] : self.starts[line + 1] - 1]

    def locate(self, place: int) -> int:
        """The number of the text which holds `place` of `folded`."""
        return bisect_right(self.starts, place) - 1

    def locate_squeezed(self, place: int) -> int:
        """The number of the text which holds `place` of `squeezed`."""
        return bisect_right(self.squeezed_starts, place) - 1


def _starts(texts: Sequence[str]) -> list[int]:
    return list(accumulate((len(text) + 1 for text in texts), initial=0))
