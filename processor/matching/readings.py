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
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import cache
from importlib.resources import files
from itertools import count, pairwise
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

import numpy as np
from confusable_homoglyphs.confusables import confusables_data
from emoji import EMOJI_DATA, config
from numpy.typing import NDArray

from processor.matching import sound, words
from processor.matching.codes import Codes, CodeTable, string
from processor.matching.folding import IGNORED, Batch, fold, is_break, is_hanzi

COSTS: Mapping[str, int] = {  # what each transform adds to the cost of a hit
    "case": 0,
    "variant": 0,
    "width": 1,
    "accent": 1,
    "tones": 0,
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
_LEET = {"0": "o", "1": "il", "2": "z", "3": "e", "4": "a", "5": "s", "6": "bg", "7": "t", "8": "b", "9": "g"} | {
    "@": "a",
    "$": "s",
    "!": "il",
    "|": "li",
    "€": "e",
    "£": "l",
    "+": "t",
    "¡": "i",
    "(": "c",
    "¢": "c",
    "¥": "y",
}
_HAN_DIGITS = dict(zip("零〇一二三四五六七八九壹贰叁肆伍陆柒捌玖两幺", "0012345678912345678921", strict=True))
_IN_DIGITS = str.maketrans(_HAN_DIGITS)
_SPELLED_OUT = str.maketrans({sign: letters[0] for sign, letters in _LEET.items()})
_FORMAL_DIGITS = frozenset("壹贰叁肆伍陆柒捌玖幺")
_DOT_WORDS = re.compile(
    r"(?<=[a-z0-9\-])[\s_]*(?:[(\[{<（【]\s*(?:dot|点|丶|\.)\s*[)\]}>）】]|(?<![a-z0-9])d[o0]t(?![a-z0-9])"
    r"|小数点|英?文?句号|句点|小?圆点|点|丶|;|、|·|•)"
    r"[\s_]*(?=[a-z0-9\-])"
)
_SLASH_WORDS = re.compile(r"(?:(?<!\s)\s+)?(?:\bslash\b|斜杠)\s*")  # a run of white space is tried once
_ENTITY = re.compile(r"&(?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z][a-z0-9]{1,31});?", re.IGNORECASE)
_TAIL = "%[89ab][0-9a-f]"
_PERCENT = re.compile(  # one character of UTF-8 at a time, so that each has its own place; else a run in GB 18030
    rf"%[0-7][0-9a-f]|%[cd][0-9a-f]{_TAIL}|%e[0-9a-f](?:{_TAIL}){{2}}|%f[0-7](?:{_TAIL}){{3}}|(?:%[0-9a-f]{{2}})+",
    re.IGNORECASE,
)
_ESCAPE = re.compile(r"(?:[\\%]u[0-9a-f]{4})+|\\u\{[0-9a-f]{1,6}\}|\\x[0-9a-f]{2}", re.IGNORECASE)
_OVERRIDE = re.compile("[\u202e\u202d\u2067]([^\u202c\u2069\n]*)[\u202c\u2069]?")
_TURNS = frozenset("\u202e\u202d\u2067")
_SAID_DOTS = frozenset(map(ord, "点号"))  # how words for a dot end
_WIDEST_DOT = 5  # hanzi that say a dot, and a space
_MOST_PARTS = 4
_MOST_LAYERS = 6
_MOST_FACES = 3  # hanzi that an emoji may stand for, in a long text
_LONG = 500  # characters; longer texts are not read in every mixture
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


def _as_it_is(text: str) -> _Text:
    return _Text(text, list(range(len(text))), list(range(1, len(text) + 1)))


def _shown(folded: str) -> _Text:
    """A folded text without what shows nothing."""
    if IGNORED not in folded:
        return _as_it_is(folded)
    places = [n for n, char in enumerate(folded) if char != IGNORED]
    return _Text("".join(folded[n] for n in places), places, [n + 1 for n in places])


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
        written = match[0].lower().replace("%u", "\\u")
        return str(json.loads(f'"{written}"')).encode("utf-16", "surrogatepass").decode("utf-16")
    except (ValueError, OverflowError):
        return match[0]


_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,60}>")

_DECODERS: tuple[tuple[str, re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    ("entity", _ENTITY, lambda match: html.unescape(match[0] if match[0].endswith(";") else match[0] + ";")),
    ("entity", _TAG, lambda _: ""),
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
    order += range(done, len(text.text))
    return _Text("".join(text.text[n] for n in order), [text.starts[n] for n in order], [text.ends[n] for n in order])


# What calls for a reading.

_HANZI, _LATIN, _LEETS, _TWIN, _FACE, _DIGIT, _FORMAL, _CODED, _DOT, _EDGE = (1 << n for n in range(10))


def _flag(char: str) -> int:
    flags = 0
    if "a" <= char <= "z":
        flags |= _LATIN
    elif is_hanzi(char):
        flags |= _HANZI
    elif char in homoglyphs():
        flags |= _TWIN
    if char in _LEET:
        flags |= _LEETS
    if char in faces():
        flags |= _FACE
    if char in _HAN_DIGITS:
        flags |= _FORMAL if char in _FORMAL_DIGITS else _DIGIT
    if char in "&%\\<":
        flags |= _CODED
    if char in "$@€£+(|":
        flags |= _EDGE
    if char in "点号丶;([、·•":
        flags |= _DOT
    return flags


_FLAGS = CodeTable(_flag, np.uint16)  # what each character of a folded reading is to the readings below


def coded_lines(batch: Batch) -> list[int]:
    """The texts in which something may be encoded, or turned round."""
    marks = batch.of(_FLAGS)
    lines = dict.fromkeys(batch.lines(np.flatnonzero(marks & _CODED)))
    unseen = dict.fromkeys(batch.lines(np.flatnonzero(batch.codes == ord(IGNORED))))
    lines.update(dict.fromkeys(line for line in unseen if not _TURNS.isdisjoint(batch.texts[line])))
    return list(lines)


class Called(NamedTuple):
    """The signs of tricks that one text shows: the tricks, and what is a trick only if a term has the hanzi."""

    names: list[str]
    doubled: list[str]
    faces: list[str]


def calls(batch: Batch) -> dict[int, Called]:
    """The texts that show the signs of tricks."""
    codes, marks = batch.codes, batch.of(_FLAGS)
    latin, hanzi, leet, edge = (marks & flag != 0 for flag in (_LATIN, _HANZI, _LEETS, _EDGE))
    number = (codes >= ord("0")) & (codes <= ord("9"))
    digit = marks & _DIGIT != 0
    figure, sign = leet & number, digit | latin | number
    signed = _next(figure, latin) | _next(latin, figure) | _next(edge, latin) | _next(latin, edge)
    signed[1:-1] |= leet[1:-1] & ((latin[:-2] & (latin | leet)[2:]) | ((latin | leet)[:-2] & latin[2:]))
    again = latin.copy()
    again[1:] &= codes[1:] == codes[:-1]
    drawn = again.copy()
    drawn[1:] &= again[:-1]
    drawn[4:] |= again[4:] & again[2:-2] & again[:-4]  # hheerr
    dotted = _dotted(codes, marks & _DOT != 0, sign, latin)
    dotted |= (_spells(codes, "dot") | _spells(codes, "d0t")) & _within_two(sign, before=True)
    twice = np.flatnonzero(hanzi[1:] & (codes[1:] == codes[:-1]))
    face = np.flatnonzero(marks & _FACE)
    face = face[_beside(hanzi | (marks & _FACE != 0), face)]
    called: defaultdict[int, Called] = defaultdict(lambda: Called([], [], []))
    for name, places in (
        ("homoglyph", np.flatnonzero(marks & _TWIN)),
        ("tones", (signs := np.flatnonzero(signed))),
        ("leet", signs),
        ("stretched", np.flatnonzero(drawn)),
        ("digits", np.flatnonzero((marks & _FORMAL != 0) | _next(digit, sign) | _next(sign, digit))),
        ("url", np.flatnonzero(dotted)),
    ):
        for line in dict.fromkeys(batch.lines(places)):
            called[line].names.append(name)
    for line, char in zip(batch.lines(twice), string(codes[twice]), strict=True):
        called[line].doubled.append(char)
    for line, char in zip(batch.lines(face), string(codes[face]), strict=True):
        called[line].faces.append(char)
    return dict(called)


def _next(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Where one of this kind is followed by one of the other."""
    return np.append(one[:-1] & other[1:], False)


def _spells(codes: Codes, word: str) -> NDArray[np.bool_]:
    """Where `word` begins."""
    found = np.ones(len(codes), bool)
    for place, char in enumerate(word):
        found[: len(codes) - place] &= codes[place:] == ord(char)
    found[max(0, len(codes) - len(word) + 1) :] = False
    return found


def _dotted(
    codes: Codes, dots: NDArray[np.bool_], sign: NDArray[np.bool_], latin: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Where something that may be said for a dot stands near a sign before it and a letter after it."""
    dotted = np.zeros(len(dots), bool)
    for place in np.flatnonzero(dots & _within_two(latin, before=False)).tolist():
        widest = _WIDEST_DOT if codes[place] in _SAID_DOTS else 2
        dotted[place] = sign[max(0, place - widest) : place].any()
    return dotted


def _within_two(kind: NDArray[np.bool_], *, before: bool) -> NDArray[np.bool_]:
    """Where one of this kind stands next, or next but one, on that side."""
    padded = np.pad(kind, 2)
    near: NDArray[np.bool_] = padded[:-4] | padded[1:-3] if before else padded[3:-1] | padded[4:]
    return near


def _beside(wanted: NDArray[np.bool_], places: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Which places have something wanted next to them, or one further on."""
    padded = np.pad(wanted, 2)
    found: NDArray[np.bool_] = padded[places] | padded[places + 1] | padded[places + 3] | padded[places + 4]
    return found


# What stands for what.


@cache
def homoglyphs() -> Mapping[str, str]:
    """Letters and signs of other scripts, as folded → the Latin letters that they look like."""
    twins: dict[str, str] = {}
    for letter in "abcdefghijklmnopqrstuvwxyz":
        for similar in (*confusables_data.get(letter, ()), *confusables_data.get(letter.upper(), ())):
            char = similar["c"]
            folded = fold(char) if len(char) == 1 else ""
            if (
                folded.isalpha()
                and not folded.isascii()
                and not is_hanzi(folded)
                and letter not in twins.get(folded, "")
            ):
                twins[folded] = twins.get(folded, "") + letter
    for char, letter in _HOMOGLYPHS_BY_HAND.items():
        twins[char] = letter + twins.get(char, "").replace(letter, "")
    for code in (*range(0x370, 0x530), *range(0x1F00, 0x2000)):  # Greek and Cyrillic letters with accents
        char = fold(chr(code))
        base = unicodedata.normalize("NFD", char)[0]
        if char not in twins and base in twins:
            twins[char] = twins[base]
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


_RUN = re.compile(r"([a-z])\1+")
_LONG_RUN = re.compile(r"([a-z])\1{2,}")
_PAIRS = re.compile(r"(?:([a-z])\1){3}")
_TWICE = re.compile(r"([\u3400-\u9fff])\1+")
_SPOKEN = re.compile(r"[a-z]+(?:[1-5][a-z]+)*[1-5]?")
_TOKEN = re.compile(r"[a-z0-9@$!|€£+¡(¢¥]+")
_TONED = re.compile(r"(?:[a-z]{1,6}[1-5])+[a-z]{0,6}")
_SIGNS_ONLY = frozenset("@$|€")
_SAID_TWICE = 11.0  # nats; more common doubled hanzi are words: 妈妈
_MOST_CHOICES = 4  # signs that may stand for either of two letters
_HIDDEN = {char: chr(0xF8A0 + n) for n, char in enumerate(_LEET)}  # signs that are to stay
_SHOWN = {ord(hidden): char for char, hidden in _HIDDEN.items()}


def tricks(line: int, folded: str, names: Collection[str], wanted: AbstractSet[str]) -> Iterator[Reading]:
    """The readings of a text that undo these tricks, one by one and all; `wanted`: the hanzi of terms."""
    plain, via = _shown(folded), []
    steps = [step for step in _STEPS if step[0] in names]
    if "homoglyph" in names:
        via = ["homoglyph"]
        for text in _chosen(plain, homoglyphs()):
            yield Reading(line, *text, ("homoglyph",))
        plain = next(_chosen(plain, homoglyphs()))
        steps = list(_STEPS)  # what the letters were may show more
    made = [(name, after) for name, step in steps for after in step(plain, wanted) if after.text != plain.text]
    for name, text in made:
        yield Reading(line, *text, (*via, name))
    if len({name for name, _ in made}) > 1:
        text, used = plain, list(via)
        for name, step in steps:
            if (after := next(step(text, wanted), text)).text != text.text:
                text = after
                used.append(name)
        yield Reading(line, *text, tuple(used))


def _chosen(text: _Text, table: Mapping[str, str]) -> Iterator[_Text]:
    """The text with each sign replaced by a letter it may stand for; some mixtures, where there is a choice."""
    unsure = sum(len(table.get(char, "")) > 1 for char in text.text) if len(text.text) < _LONG else 0
    for choice in range(1 << min(unsure, _MOST_CHOICES)):
        turn = count()
        yield text._replace(
            text="".join(_pick(table[char], choice, turn) if char in table else char for char in text.text)
        )


def _pick(options: str, choice: int, turn: Iterator[int]) -> str:
    if len(options) == 1:
        return options
    return options[choice >> min(next(turn), _MOST_CHOICES - 1) & 1]


def _faces(text: _Text, wanted: AbstractSet[str]) -> Iterator[_Text]:
    table = faces()
    meant = {char: [each for each in table[char] if each in wanted] for char in set(text.text) if char in table}
    most = max(map(len, meant.values()), default=0)
    if len(text.text) >= _LONG:
        most = min(most, _MOST_FACES)
    for n in range(most):
        yield text._replace(text="".join(meant[c][min(n, len(meant[c]) - 1)] if meant.get(c) else c for c in text.text))


def _leet(text: _Text, _: AbstractSet[str]) -> Iterator[_Text]:
    opened = text.text.count("(") > text.text.count(")")
    each = [(token, list(_signs(token, opened=opened))) for token in _TOKEN.finditer(text.text)]
    if not any(signs and _is_long(token) for token, signs in each):  # w8 alone is no trick
        return
    signs = {place for _, places in each for place in places}
    bracket = {min((place for place in signs if _opens(text.text, place)), default=-1)}  # that may be no letter
    figures = set(_figures(each))
    choices = [
        signs,
        *([signs - bracket] if bracket <= signs else []),
        *([signs - bracket | figures] if figures else []),
    ]
    for meant in choices:
        shown = "".join(c if n in meant else _HIDDEN.get(c, c) for n, c in enumerate(text.text))
        for choice in _chosen(text._replace(text=shown), _LEET):
            yield choice._replace(text=choice.text.translate(_SHOWN))


def _opens(text: str, place: int) -> bool:
    """Whether a bracket opens before a word there, and is no letter of it."""
    return text[place] == "(" and not (place and (text[place - 1] in _LEET or "." <= text[place - 1] <= "z"))


def _is_long(token: re.Match[str]) -> bool:
    """Whether a word is of three characters and more, 4k-47 too, or has other signs than digits."""
    beside = token.string[max(0, token.start() - 1) : token.start()] + token.string[token.end() : token.end() + 1]
    return len(token[0]) > 2 or "-" in beside or not token[0].isalnum()  # noqa: PLR2004


def _figures(each: Sequence[tuple[re.Match[str], Sequence[int]]]) -> Iterator[int]:
    """The places of numbers next to a word that has signs for letters: 5413 in f0r 5413."""
    for (one, signs), (other, more) in pairwise(each):
        if other.start() - one.end() == 1 and bool(signs) != bool(more):
            number = other if signs else one
            core = number[0].rstrip("!(")
            yield from (number.start() + n for n, char in enumerate(core) if char in _LEET)


def _tones(text: _Text, _: AbstractSet[str]) -> Iterator[_Text]:
    yield _rewrite(text, _TONED, _without_tones)


def _without_tones(match: re.Match[str]) -> str:
    plain = re.sub("[1-5]", "", match[0])
    return plain if sound.is_pinyin(match[0]) else match[0]


def _signs(token: re.Match[str], *, opened: bool) -> Iterator[int]:
    """The places of digits and signs that may be letters; what stands at the end of a word or in a number may not.

    An opening bracket is a c only in a text that has one `opened` and not closed.
    """
    begin = 0 if opened else len(token[0]) - len(token[0].lstrip("("))
    core = token[0][begin:].rstrip("!" if opened else "!(")
    if any("a" <= char <= "z" for char in core) or not _SIGNS_ONLY.isdisjoint(core):
        yield from (token.start() + begin + n for n, char in enumerate(core) if char in _LEET)


def spelled_out(term: str) -> str:
    """A term as a reading shows it that takes every digit for a letter."""
    return term.translate(_SPELLED_OUT)


def _once(run: re.Match[str]) -> str:
    return run[1]


def drawn_together(text: str) -> str:
    """`text` with each letter that stands several times in a row only once."""
    return _RUN.sub(_once, text) if _RUN.search(text) else text


def _stretched(text: _Text, _: AbstractSet[str]) -> Iterator[_Text]:
    if _LONG_RUN.search(text.text) or _PAIRS.search(text.text):
        yield (few := _rewrite(text, _LONG_RUN, _once))
        yield _rewrite(few, _RUN, _once)


def _repeated(text: _Text, _: AbstractSet[str]) -> Iterator[_Text]:
    yield _rewrite(text, _TWICE, lambda run: run[0] if _is_said_twice(run) else run[1])


def _is_said_twice(run: re.Match[str]) -> bool:
    """Whether a hanzi stands twice because that is a word, and not because all about it are doubled."""
    if run[0] not in _said_twice():
        return False
    before, after = run.string[max(0, run.start() - 2) : run.start()], run.string[run.end() : run.end() + 2]
    return not (_TWICE.fullmatch(before) or _TWICE.fullmatch(after))


@cache
def _said_twice() -> frozenset[str]:
    return frozenset(word for word, cost in words.words().items() if cost < _SAID_TWICE and _TWICE.fullmatch(word))


def _digits(text: _Text, _: AbstractSet[str]) -> Iterator[_Text]:
    yield text._replace(text=in_digits(text.text))


def _url(text: _Text, _: AbstractSet[str]) -> Iterator[_Text]:
    dotted = _rewrite(text, _DOT_WORDS, lambda _: ".")
    if dotted is not text:
        yield _rewrite(dotted, _SLASH_WORDS, lambda _: "/")


_STEPS: tuple[tuple[str, Callable[[_Text, AbstractSet[str]], Iterator[_Text]]], ...] = (
    ("emoji", _faces),
    ("tones", _tones),
    ("leet", _leet),
    ("stretched", _stretched),
    ("repeated", _repeated),
    ("digits", _digits),
    ("url", _url),
)


def in_digits(term: str) -> str:
    """A term with every digit in one style."""
    return term.translate(_IN_DIGITS)


_TEENS = re.compile("([一二三四五六七八九])?十([一二三四五六七八九])?")


def in_numbers(term: str) -> str:
    """A term with figures in place of its hanzi, read as numbers: 十三水 as 13水."""
    return in_digits(_TEENS.sub(lambda ten: (ten[1] or "一") + (ten[2] or "〇"), term))


def composed(line: int, folded: str, parts: Sequence[tuple[int, int, str]]) -> Iterator[Reading]:
    """Readings with characters in place of their parts; `parts` are places in the folded text, in order of their ends.

    All of them together, those that are no ordinary word, those that overlap one of these, and the first few one by
    one.
    """
    text = _as_it_is(folded)
    strange = [part for part in parts if folded[part[0] : part[1]] not in words.words()]
    single = ([part] for part in parts[:_MOST_PARTS] if len(folded) < _LONG)
    choices = [parts, strange, *_layers(parts), *single]
    made = {each.text: each for each in (_put_together(text, choice) for choice in choices if choice)}
    yield from (Reading(line, *each, ("split",)) for each in made.values())


def _layers(parts: Iterable[tuple[int, int, str]]) -> Iterator[Sequence[tuple[int, int, str]]]:
    """The parts in layers, in each of which no two overlap; the first few, so that each part counts somewhere."""
    layers: list[list[tuple[int, int, str]]] = []
    for part in sorted(set(parts)):
        layer = next((each for each in layers if each[-1][1] <= part[0]), None)
        if layer is not None:
            layer.append(part)
        elif len(layers) < _MOST_LAYERS:
            layers.append([part])
    return iter(layers)


def _put_together(text: _Text, parts: Iterable[tuple[int, int, str]]) -> _Text:
    """A text with one character in place of each stretch of `parts`; of two that overlap, the first."""
    at: dict[int, tuple[int, str]] = {}
    for start, end, char in parts:
        if end > at.get(start, (0, ""))[0]:
            at[start] = (end, char)
    chars: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    place = 0
    while place < len(text.text):
        end, char = at.get(place, (place + 1, text.text[place]))
        chars.append(char)
        starts.append(text.starts[place])
        ends.append(text.ends[end - 1])
        place = end
    return _Text("".join(chars), starts, ends)


def in_sounds(line: int, folded: str) -> Reading | None:
    """A text in which pinyin stands beside hanzi as the signs of its sounds, without separators."""
    text = _shown(folded)
    heard = list(sound.heard(_SPOKEN.finditer(text.text)))
    if not heard:
        return None
    made = _put_together(text, heard)
    kept = [n for n, char in enumerate(made.text) if char.isalnum() or is_break(char) or sound.is_sign(char)]
    signs = "".join(sound.sign(made.text[n]) for n in kept)
    return Reading(line, signs, [made.starts[n] for n in kept], [made.ends[n] for n in kept], ("pinyin",))
