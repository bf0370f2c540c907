"""Bytes of a file that somebody else's program wrote, to text.

A byte-order mark decides; then whatever is UTF-8 is UTF-8, since text in another encoding hardly ever is by chance.
GB18030 and Big5 both accept nearly every pair of bytes, so the text itself has to tell: read in the wrong one of the
two, its hanzi are rare ones. What is left is refused, not guessed.
"""

import codecs
from typing import NamedTuple

from processor.errors import Invalid

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16: its mark begins with that one's
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_FIRST_LEVEL = {"gb2312": range(0xB0, 0xD8), "big5": range(0xA4, 0xC7)}  # lead bytes of each standard's common hanzi
_LIKELY = 0.6  # of a text's hanzi; ordinary text has nine in ten common ones, a misread one half of that
_SAMPLE = 20_000  # characters are enough to tell


class Decoded(NamedTuple):
    """A text and the encoding it was in."""

    text: str
    encoding: str


def decode(content: bytes, *, source: str, encoding: str | None = None) -> Decoded:
    """The text in `content`, in `encoding` or in the one it shows by itself; line ends become line feeds.

    Raises: Invalid, naming `source`, if it is not in that encoding, or if nobody can tell in which.
    """
    text, used = _given(content, source, encoding) if encoding else _shown(content, source)
    return Decoded(text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n"), used)


def _given(content: bytes, source: str, encoding: str) -> tuple[str, str]:
    try:
        return content.decode(encoding), codecs.lookup(encoding).name
    except LookupError:
        raise Invalid([f"{source}: there is no encoding {encoding!r}"]) from None
    except UnicodeDecodeError as error:
        raise Invalid([f"{source}: not in {encoding} (byte {error.start})"]) from None


def _shown(content: bytes, source: str) -> tuple[str, str]:
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return _given(content, source, encoding)
    try:
        return content.decode("utf-8"), "utf-8"
    except UnicodeDecodeError as error:
        place = error.start
    found = max((_likelihood(content, name), name) for name in ("big5hkscs", "gb18030"))
    if found[0] < _LIKELY:
        raise Invalid([f"{source}: neither UTF-8 (byte {place}) nor GB18030 nor Big5: say which with --encoding"])
    return content.decode(found[1]), found[1]


def _likelihood(content: bytes, encoding: str) -> float:
    """The share of common hanzi among what is no ASCII, 0 if the bytes are not in that encoding at all."""
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        return 0.0
    foreign = [char for char in text if not char.isascii()][:_SAMPLE]
    return sum(map(_is_common, foreign)) / len(foreign) if foreign else 0.0


def _is_common(char: str) -> bool:
    return any(_lead(char, standard) in leads for standard, leads in _FIRST_LEVEL.items())


def _lead(char: str, standard: str) -> int:
    try:
        return char.encode(standard)[0]
    except UnicodeEncodeError:
        return 0
