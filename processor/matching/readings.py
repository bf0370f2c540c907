"""Readings of single texts that call for them: what an evader did to letters and signs, undone.

Each reading is a text of its own with a map back: character n of it stands for the stretch `starts[n]` to `ends[n]`
of the original. They are made only of texts that show the sign of such a trick, and found in bulk by a look at all
characters of a batch (`calls`), since most chat needs none of them.

Sources: confusable letters from Unicode's list (confusable_homoglyphs), names of emoji from Unicode's CLDR (emoji).
"""

import html
import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Set as AbstractSet
from functools import cache
from importlib.resources import files
from itertools import groupby
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

import numpy as np
from confusable_homoglyphs.confusables import confusables_data
from emoji import EMOJI_DATA, config
from numpy.typing import NDArray

from processor.matching import sound
from processor.matching.folding import IGNORED, Batch, fold, is_hanzi

WRITTEN = "written"
COSTS: Mapping[str, int] = {  # what each transform adds to the cost of a hit
    "case": 0,
    "variant": 0,
    "width": 1,
    "accent": 1,
    "spelled": 1,
    "invisible": 1,
    "separator": 1,
    "entity": 1,
    "percent": 1,
    "escape": 1,
    "bidi": 1,
    "homoglyph": 2,
    "leet": 2,
    "stretched": 2,
    "repeated": 2,
    "digits": 2,
    "url": 2,
    "emoji": 3,
    "split": 3,
    "pinyin": 3,
    "sound": 3,
    "shape": 3,
}

_HOMOGLYPHS_BY_HAND = dict(
    zip("εητκβωηпияггмтвнйёзμσφζχρυνιοαшщьыэ", "enktbwnnurrrmtbhuezuofzxpuvioawwbbe", strict=True)
)
_LEET = dict(zip("0134578@$!|€£+¡", "oieastbasilelti", strict=True))
_LEET_L = _LEET | {"1": "l", "!": "l", "3": "e", "9": "g", "6": "b", "(": "c", "2": "z"}
_HAN_DIGITS = dict(zip("零〇一二三四五六七八九壹贰叁肆伍陆柒捌玖两幺", "0012345678912345678921", strict=True))
_FORMAL_DIGITS = frozenset("壹贰叁肆伍陆柒捌玖")
_DOT_WORDS = re.compile(
    r"(?<=[a-z0-9\-])\s*(?:[(\[{<（【]\s*(?:dot|点|\.)\s*[)\]}>）】]|\bdot\b|点|;|、|·|•)\s*(?=[a-z0-9\-])"
)
_SLASH_WORDS = re.compile(r"\s*(?:\bslash\b|斜杠)\s*")
_ENTITY = re.compile(r"&(?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z][a-z0-9]{1,31});?", re.IGNORECASE)
_TAIL = "%[89ab][0-9a-f]"
_PERCENT = re.compile(  # one character of UTF-8 at a time, so that each has its own place; else a run in GB 18030
    rf"%[0-7][0-9a-f]|%[cd][0-9a-f]{_TAIL}|%e[0-9a-f](?:{_TAIL}){{2}}|%f[0-7](?:{_TAIL}){{3}}|(?:%[0-9a-f]{{2}})+",
    re.IGNORECASE,
)
_ESCAPE = re.compile(r"(?:\\u[0-9a-f]{4})+|\\u\{[0-9a-f]{1,6}\}|\\x[0-9a-f]{2}", re.IGNORECASE)
_OVERRIDE = re.compile("[\u202e\u202d\u2067]([^\u202c\u2069\n]*)[\u202c\u2069]?")
_TURNS = frozenset("\u202e\u202d\u2067")
_DEEPEST = 3  # entities of entities


class Reading(NamedTuple):
    """Another way to read one text of a batch."""

    line: int
    text: str
    starts: list[int]
    ends: list[int]
    via: tuple[str, ...]


class _Text(NamedTuple):
    """A text that is being rewritten, with its map."""

    text: str
    starts: list[int]
    ends: list[int]

    def __len__(self) -> int:
        return len(self.text)


def _as_it_is(text: str) -> _Text:
    return _Text(text, list(range(len(text))), list(range(1, len(text) + 1)))


def _rewrite(text: _Text, pattern: re.Pattern[str], new: Callable[[re.Match[str]], str]) -> _Text:
    """Each match replaced by new text, which stands for the whole match."""
    chars: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    done = 0
    for match in pattern.finditer(text.text):
        fresh = new(match)
        if fresh == match[0]:
            continue
        begin, end = match.span()
        chars += [text.text[done:begin], fresh]
        starts += [*text.starts[done:begin], *[text.starts[begin]] * len(fresh)]
        ends += [*text.ends[done:begin], *[text.ends[end - 1]] * len(fresh)]
        done = end
    if not done:
        return text
    return _Text("".join([*chars, text.text[done:]]), starts + text.starts[done:], ends + text.ends[done:])


# What has been encoded.


def decoded(line: int, written: str) -> Reading | None:
    """The text with entities, percent and other escapes resolved, and what is shown backwards turned round."""
    text, via = _as_it_is(written), []
    for _ in range(_DEEPEST):
        before = text
        for name, pattern, new in _DECODERS:
            if (after := _rewrite(text, pattern, new)) is not text:
                via.append(name)
                text = after
        if text is before:
            break
    if not _TURNS.isdisjoint(text.text):
        text = _turned(text)
        via.append("bidi")
    return Reading(line, *text, tuple(dict.fromkeys(via))) if via else None


def _percent(match: re.Match[str]) -> str:
    raw = unquote_to_bytes(match[0])
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return match[0]


def _escape(match: re.Match[str]) -> str:
    digits = match[0].replace("\\u{", "").replace("}", "").replace("\\x", "")
    try:
        if match[0].startswith(("\\u{", "\\x", "\\U{", "\\X")):
            return chr(int(digits, 16))
        return str(json.loads(f'"{match[0].lower()}"')).encode("utf-16", "surrogatepass").decode("utf-16")
    except (ValueError, OverflowError):
        return match[0]


_DECODERS: tuple[tuple[str, re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    ("entity", _ENTITY, lambda match: html.unescape(match[0] if match[0].endswith(";") else match[0] + ";")),
    ("percent", _PERCENT, _percent),
    ("escape", _ESCAPE, _escape),
)


def _turned(text: _Text) -> _Text:
    order: list[int] = []
    done = 0
    for match in _OVERRIDE.finditer(text.text):
        order += range(done, match.start())
        inside = range(match.start(1), match.end(1))
        order += inside if match[0][0] == "\u202d" else reversed(inside)
        done = match.end()
    order += range(done, len(text))
    return _Text("".join(text.text[n] for n in order), [text.starts[n] for n in order], [text.ends[n] for n in order])


# What calls for a reading.

_FLAGS = np.zeros(0x110000, np.uint16)  # by folded code point
_HANZI, _LATIN, _LEETS, _TWIN, _FACE, _DIGIT, _FORMAL, _CODED, _DOT, _REGION, _SEEN = (1 << n for n in range(11))


def _flag(char: str) -> int:
    flags = _SEEN
    if "a" <= char <= "z":
        flags |= _LATIN
    elif is_hanzi(char):
        flags |= _HANZI
    elif char in homoglyphs():
        flags |= _TWIN
    if char in _LEET_L:
        flags |= _LEETS
    if char in faces():
        flags |= _FACE
    if char in _HAN_DIGITS:
        flags |= _FORMAL if char in _FORMAL_DIGITS else _DIGIT
    if char in "&%\\":
        flags |= _CODED
    if char in "点;([" or char in "、·•":
        flags |= _DOT
    return flags


def flags(batch: Batch) -> NDArray[np.uint16]:
    """What each character of a batch's folded reading is to the readings below."""
    found = _FLAGS[batch.codes]
    if not found.all():
        for code in np.unique(batch.codes[found == 0]).tolist():
            _FLAGS[code] = _flag(chr(code))
        found = _FLAGS[batch.codes]
    return found


def coded_lines(batch: Batch, marks: NDArray[np.uint16]) -> list[int]:
    """The texts in which something may be encoded, or turned round."""
    lines = dict.fromkeys(batch.lines(np.flatnonzero(marks & _CODED)))
    unseen = dict.fromkeys(batch.lines(np.flatnonzero(batch.codes == ord(IGNORED))))
    lines.update(dict.fromkeys(line for line in unseen if not _TURNS.isdisjoint(batch.texts[line])))
    return list(lines)


def calls(batch: Batch, marks: NDArray[np.uint16], wanted: NDArray[np.uint32]) -> list[int]:
    """The texts that show the sign of some trick; `wanted` holds the hanzi of the terms that are looked for."""
    codes = batch.codes
    latin, hanzi, leet = marks & _LATIN != 0, marks & _HANZI != 0, marks & _LEETS != 0
    letters = latin | leet
    near = marks & (_TWIN | _FORMAL) != 0
    near[1:-1] |= leet[1:-1] & ((latin[:-2] & letters[2:]) | (letters[:-2] & latin[2:]))
    near[1:-1] |= latin[1:-1] & (codes[1:-1] == codes[:-2]) & (codes[1:-1] == codes[2:])
    digit = marks & _DIGIT != 0
    sign = digit | latin | ((codes >= ord("0")) & (codes <= ord("9")))
    near[1:] |= (digit[1:] & sign[:-1]) | (sign[1:] & digit[:-1])
    dot = marks & _DOT != 0
    space = codes == ord(" ")
    near[1:-1] |= dot[1:-1] & (((sign | space)[:-2] & latin[2:]) | (sign[:-2] & space[2:] & ~(marks & _HANZI != 0)[1:-1]))
    twice = np.flatnonzero(hanzi[1:] & (codes[1:] == codes[:-1]))
    face = np.flatnonzero(marks & _FACE)
    face = face[_beside(hanzi | (marks & _FACE != 0), face)]
    places = [np.flatnonzero(near), twice[np.isin(codes[twice], wanted)], face[_meant(codes[face], wanted)]]
    return list(dict.fromkeys(batch.lines(np.concatenate(places))))


def _beside(wanted: NDArray[np.bool_], places: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Which places have something wanted next to them, or one further on."""
    padded = np.pad(wanted, 2)
    found: NDArray[np.bool_] = padded[places] | padded[places + 1] | padded[places + 3] | padded[places + 4]
    return found


def _meant(found: NDArray[np.uint32], wanted: NDArray[np.uint32]) -> NDArray[np.bool_]:
    """Which of these emoji stand for a hanzi that is wanted."""
    if not len(found):
        return np.zeros(0, bool)
    hanzi = frozenset(map(chr, wanted.tolist()))
    each, places = np.unique(found, return_inverse=True)
    return np.array([not hanzi.isdisjoint(faces()[chr(code)]) for code in each.tolist()], bool)[places]


# What stands for what.


@cache
def homoglyphs() -> Mapping[str, str]:
    """Letters and signs of other scripts that look like a Latin letter, as folded → that letter."""
    twins: dict[str, str] = {}
    for letter in "abcdefghijklmnopqrstuvwxyz":
        for similar in (*confusables_data.get(letter, ()), *confusables_data.get(letter.upper(), ())):
            char = similar["c"]
            folded = fold(char) if len(char) == 1 else ""
            if folded.isalpha() and not folded.isascii() and not is_hanzi(folded):
                twins.setdefault(folded, letter)
    twins |= _HOMOGLYPHS_BY_HAND
    for n in range(26):
        twins[chr(0x1F1E6 + n)] = chr(ord("a") + n)  # regional indicators
    return twins


@cache
def faces() -> Mapping[str, str]:
    """Emoji of one character → the hanzi of their Chinese name."""
    config.load_language("zh")
    named = {
        char[0]: "".join(filter(is_hanzi, data.get("zh", "")))
        for char, data in EMOJI_DATA.items()
        if len(char.rstrip("\ufe0f")) == 1
    }
    own = {char: name for char, name in named.items() if name and fold(char) == char and not is_hanzi(char)}
    return own | _more_faces()


def _more_faces() -> dict[str, str]:
    more: dict[str, str] = {}
    for line in (files("processor.matching") / "data" / "emoji.txt").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            char, _, names = line.partition(" ")
            more[char] = names
    return more


_RUN = re.compile(r"([a-z])\1{2,}")
_TWICE = re.compile(r"([\u3400-\u9fff])\1+")
_TOKEN = re.compile(r"[a-z0-9@$!|€£+¡(]+")
_TONED = re.compile(r"(?:[a-z]{1,6}[1-5])+[a-z]{0,6}")
_MANY_RUNS = 3


def tricks(line: int, folded: str, wanted: AbstractSet[str]) -> Iterator[Reading]:
    """The readings that a text calls for; `wanted` holds the hanzi of the terms that are looked for."""
    plain, via = _as_it_is(folded), []
    twins = homoglyphs()
    if any(char in twins for char in folded):
        plain, via = _Text("".join(twins.get(char, char) for char in folded), plain.starts, plain.ends), ["homoglyph"]
        yield Reading(line, *plain, ("homoglyph",))
    steps = [*_each(plain, wanted)]
    for name, text in steps:
        yield Reading(line, *text, (*via, name))
    kinds = {name for name, _ in steps}
    if len(kinds) > 1:
        text, used = plain, list(via)
        for name, step in _STEPS:
            if name in kinds and (after := next(iter(step(text, wanted)), text)) is not text:
                text = after
                used.append(name)
        yield Reading(line, *text, tuple(used))


def _each(text: _Text, wanted: AbstractSet[str]) -> Iterator[tuple[str, _Text]]:
    for name, step in _STEPS:
        for after in step(text, wanted):
            if after.text != text.text:
                yield name, after


def _faces(text: _Text, wanted: AbstractSet[str]) -> Iterator[_Text]:
    table = faces()
    meant = {char: [each for each in table[char] if each in wanted] for char in set(text.text) if char in table}
    most = min(max(map(len, meant.values()), default=0), 3)
    for n in range(most):
        yield _Text(
            "".join(meant[c][min(n, len(meant[c]) - 1)] if meant.get(c) else c for c in text.text),
            text.starts,
            text.ends,
        )


def _leet(text: _Text, _: AbstractSet[str]) -> Iterator[_Text]:
    if (plain := _rewrite(text, _TONED, _without_tones)) is not text:
        yield plain
    for table in (_LEET, _LEET_L):
        yield _rewrite(text, _TOKEN, lambda match, table=table: _letters(match[0], table))  # type: ignore[misc]


def _without_tones(match: re.Match[str]) -> str:
    plain = re.sub("[1-5]", "", match[0])
    return plain if next(iter(sound.heard(match[0], [match.re.fullmatch(match[0]) or match])), None) else match[0]


def _letters(token: str, table: Mapping[str, str]) -> str:
    """A word with digits and signs for letters; what is only a number, or only ends in a sign, stays."""
    core = token.rstrip("!+(|")
    if sum("a" <= char <= "z" for char in core) * 3 < len(core) or len(core) < 3:  # noqa: PLR2004  a third letters, at least
        return token
    return "".join(table.get(char, char) for char in core) + token[len(core) :]


def _stretched(text: _Text, _: AbstractSet[str]) -> Iterator[_Text]:
    runs = len(_RUN.findall(text.text))
    if not runs:
        return
    for sizes in range(1 << min(runs, _MANY_RUNS)):
        turn = iter(range(runs))
        yield _rewrite(
            text, _RUN, lambda m, turn=turn, sizes=sizes: m[1] * (1 + (sizes >> min(next(turn), _MANY_RUNS - 1) & 1))
        )  # type: ignore[misc]


def _repeated(text: _Text, _: AbstractSet[str]) -> Iterator[_Text]:
    yield _rewrite(text, _TWICE, lambda match: match[1])


def _digits(text: _Text, _: AbstractSet[str]) -> Iterator[_Text]:
    yield _Text("".join(_HAN_DIGITS.get(char, char) for char in text.text), text.starts, text.ends)


def _url(text: _Text, _: AbstractSet[str]) -> Iterator[_Text]:
    dotted = _rewrite(text, _DOT_WORDS, lambda _: ".")
    if dotted is not text:
        yield _rewrite(dotted, _SLASH_WORDS, lambda _: "/")


_STEPS: tuple[tuple[str, Callable[[_Text, AbstractSet[str]], Iterator[_Text]]], ...] = (
    ("emoji", _faces),
    ("leet", _leet),
    ("stretched", _stretched),
    ("repeated", _repeated),
    ("digits", _digits),
    ("url", _url),
)


def in_digits(term: str) -> str:
    """A term with every digit in one style."""
    return "".join(_HAN_DIGITS.get(char, char) for char in term)


def composed(line: int, squeezed: str, places: list[int], parts: Iterable[tuple[int, int, str]]) -> Reading:
    """A squeezed reading with characters in place of their parts; `parts` are places in it, in order of their ends."""
    at: dict[int, tuple[int, str]] = {}
    for start, end, char in parts:
        if end > at.get(start, (0, ""))[0]:
            at[start] = (end, char)
    chars: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    place = 0
    while place < len(squeezed):
        end, char = at.get(place, (place + 1, squeezed[place]))
        chars.append(char)
        starts.append(places[place])
        ends.append(places[end - 1] + 1)
        place = end
    return Reading(line, "".join(chars), starts, ends, ("split",))
