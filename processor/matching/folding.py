"""How a text is read: two readings of a whole batch, both by table look-up over all its characters at once.

*Folded* is one character for one character, so offsets in it are offsets in the original: compatibility forms
(NFKC), lower case, simplified hanzi, Latin letters without accents, strokes and frames.
*Squeezed* is folded without what an evader puts between the characters of a term (separators, invisible
characters) and with ligatures spelled out; `kept` tells the place in *folded* that each of its characters has.
A clause break (，。！？； line end …) is kept by both readings: nothing is joined across it.

Facts: Unicode Standard Annex 15 (NFKC), general categories and character names, from `unicodedata`; hanzi from
OpenCC `t2s`.
"""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, TypeVar, cast

import numpy as np
import opencc
from numpy.typing import NDArray

from processor.matching.codes import Codes, CodeTable, Places, codes, string

IGNORED = "\ufdd0"  # stands in the folded reading for a character that shows nothing
SPELLED = "\ufdd1"  # … for a character that only the squeezed reading spells out
JOINT = "\x00"  # between the texts of a batch

_Made = TypeVar("_Made")

_BREAKS = frozenset("\x00\n\v\f\r\x1c\x1d\x1e\x85\u2028\u2029,!?;。，！？；｡﹐﹗﹖﹔…‥")
_INVISIBLE = frozenset("\u115f\u1160\u3164\uffa0\u17b4\u17b5\ufdd0\ufdd1")
_UNSEEN = frozenset({"Cc", "Cf", "Cn", "Cs", "Mn", "Me"})
_STYLED = re.compile(
    r"(?:NEGATIVE |CIRCLED |SQUARED |CROSSED |PARENTHESIZED )*LATIN (?:SMALL |CAPITAL )?LETTER "
    r"(?:SMALL CAPITAL |TURNED |REVERSED |SCRIPT |DOTLESS |LONG |INSULAR )?([A-Z])(?: WITH [A-Z ]+)?"
)
_FRAMED = re.compile(r"\((\w+)\)|(?<=\d)\.")  # ⒜ ⑴ ⒈
_ALPHA = {"ɑ": "a", "ꞵ": "b", "ɩ": "i", "ʋ": "u", "ɣ": "y"}  # Latin letters with Greek names
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
    return char in _INVISIBLE or (unicodedata.category(char) in _UNSEEN and char not in "\t\n")


def spell(char: str) -> str:
    """`char` in full: compatibility form, lower case, simplified, no accents on Latin letters; may be several."""
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", char).lower()).lower()
    if len(plain) > 1:
        plain = _FRAMED.sub(r"\1", plain)
    return "".join(_simplify(_bare(c)) for c in plain.replace("ς", "σ") if not _is_ignored(c))


def _bare(char: str) -> str:
    if char.isascii() or is_hanzi(char):
        return char
    if (digit := unicodedata.digit(char, -1)) >= 0:
        return str(digit)
    base = unicodedata.normalize("NFKD", char)[0]
    if base.isascii() and base.isalpha():
        return base
    styled = _STYLED.fullmatch(unicodedata.name(char, ""))
    return styled[1].lower() if styled else _ALPHA.get(char, char)


def _fold(char: str) -> str:
    if char == "丶":  # a stroke that is no word today, but a favourite separator
        return "·"
    if is_break(char):
        plain = unicodedata.normalize("NFKC", char)
        return plain if plain in {",", "!", "?", JOINT} else ";"
    if _is_ignored(char):
        return IGNORED
    full = spell(char)
    if full == " " and unicodedata.category(char) == "Sk":  # an accent by itself: no space, but a separator
        return "'"
    return full if len(full) == 1 else (SPELLED if full and full.isalnum() else full[:1] or IGNORED)


def _squeeze(char: str) -> str:
    folded = _fold(char)
    if folded == SPELLED:
        return spell(char)
    return folded if folded.isalnum() or is_break(folded) else ""


class _Table(dict[int, str]):
    """From code points to what they read as; fills itself. Quicker than the arrays below for a text of a few words."""

    def __init__(self, read: Callable[[str], str]) -> None:
        self._read = read

    def __missing__(self, code: int) -> str:
        self[code] = read = self._read(chr(code))
        return read


_FOLD, _SQUEEZE = _Table(_fold), _Table(_squeeze)
_SHORT = 200
_FOLDED = CodeTable(lambda char: ord(_fold(char)), np.uint32)
_SIZES = CodeTable(lambda char: len(_squeeze(char)), np.uint8)  # how many characters it has in the squeezed reading


def fold(text: str) -> str:
    """The folded reading of one text; as long as the text."""
    if len(text) < _SHORT:
        return text.translate(_FOLD)
    return string(_FOLDED.of(codes(text)))


def squeeze(text: str) -> str:
    """The squeezed reading of one text."""
    return text.translate(_SQUEEZE) if len(text) < _SHORT else _squeezed(codes(text), _FOLDED.of(codes(text)))[0]


def origins(text: str) -> list[int]:
    """For each character of the squeezed reading of `text` the place in `text` it came from."""
    kept: list[int] = _squeezed(codes(text), _FOLDED.of(codes(text)))[1].tolist()
    return kept


def _squeezed(written: Codes, folded: Codes) -> tuple[str, Places]:
    sizes = _SIZES.of(written)
    if sizes.max(initial=0) <= 1:
        kept = np.flatnonzero(sizes)
        return string(folded[kept]), kept
    kept = np.repeat(np.arange(len(written)), sizes)
    squeezed = folded[kept]
    begins = np.cumsum(sizes, dtype=np.intp) - sizes
    for place in np.flatnonzero(sizes > 1).tolist():
        begin = begins[place]
        squeezed[begin : begin + sizes[place]] = codes(spell(chr(written[place])))
    return string(squeezed), kept


class Batch:
    """The texts of one batch, joined, in both readings; a joint stands before the first and after each."""

    def __init__(self, texts: Sequence[str]) -> None:
        joined = JOINT.join(["", *texts, ""])
        if joined.count(JOINT) > len(texts) + 1:
            texts = [text.replace(JOINT, "\x01") for text in texts]
            joined = JOINT.join(["", *texts, ""])
        self.texts = texts
        written = codes(joined)
        self.codes: Codes = _FOLDED.of(written)
        self.squeezed, self.kept = _squeezed(written, self.codes)
        self._looked_up: dict[CodeTable, NDArray[Any]] = {}
        self._made: dict[Callable[[Batch], Any], Any] = {}

    def once(self, make: Callable[["Batch"], _Made]) -> _Made:
        """What `make` makes of this batch; made for the first who asks."""
        if make not in self._made:
            self._made[make] = make(self)
        return cast("_Made", self._made[make])

    def of(self, table: CodeTable) -> NDArray[Any]:
        """What each character of `folded` is by `table`; looked up once."""
        if table not in self._looked_up:
            self._looked_up[table] = table.of(self.codes)
        return self._looked_up[table]

    @cached_property
    def folded(self) -> str:
        """The folded readings, joined."""
        return string(self.codes)

    @cached_property
    def bounds(self) -> Places:
        """Where the joints stand in `folded`: text n lies between the joints n and n + 1."""
        return np.flatnonzero(self.codes == 0)

    @cached_property
    def starts(self) -> list[int]:
        """Where each text begins in `folded`, and where one more would."""
        starts: list[int] = (self.bounds + 1).tolist()
        return starts

    @cached_property
    def squeezed_codes(self) -> Codes:
        """The code points of `squeezed`."""
        return codes(self.squeezed)

    @cached_property
    def owners(self) -> Places:
        """For each character of `squeezed` the number of its text; a joint belongs to the text before it."""
        joints = np.flatnonzero(self.squeezed_codes == 0)
        return np.repeat(np.arange(-1, len(joints) - 1), np.diff(joints, prepend=-1))

    @cached_property
    def squeezed_texts(self) -> list[str]:
        """The squeezed reading of each text."""
        return self.squeezed.split(JOINT)[1:-1]

    @cached_property
    def squeezed_starts(self) -> list[int]:
        """Where each text begins in `squeezed`, and where one more would."""
        starts: list[int] = (np.flatnonzero(self.squeezed_codes == 0) + 1).tolist()
        return starts

    def reading(self, line: int) -> str:
        """The folded reading of one text."""
        return self.folded[self.starts[line] : self.starts[line + 1] - 1]

    def stretches(self, lines: Sequence[int]) -> list[tuple[int, int]]:
        """Where these texts begin and end in `folded`."""
        starts = self.starts
        return [(starts[line], starts[line + 1] - 1) for line in lines]

    def squeezed_stretches(self, lines: Sequence[int]) -> list[tuple[int, int]]:
        """Where these texts begin and end in `squeezed`."""
        starts = self.squeezed_starts
        return [(starts[line], starts[line + 1] - 1) for line in lines]

    def places(self, line: int) -> list[int]:
        """For each character of the squeezed reading of a text its place in the text."""
        kept = self.kept[self.squeezed_starts[line] : self.squeezed_starts[line + 1] - 1] - self.starts[line]
        places: list[int] = kept.tolist()
        return places

    def lines(self, places: Places) -> list[int]:
        """The numbers of the texts that hold these places of `folded`."""
        lines: list[int] = (np.searchsorted(self.bounds, places, "right") - 1).tolist()
        return lines

    def locate(self, place: int) -> int:
        """The number of the text which holds `place` of `folded`."""
        return bisect_right(self.starts, place) - 1
