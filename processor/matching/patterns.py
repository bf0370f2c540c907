r"""Regular expressions in, their places in a batch of texts out; in time linear in the texts, whatever the expression.

The engine is RE2, which has no backtracking and so no backreferences and no lookaround. All expressions run at once
(`re2.Set`) over the joined batch, and only those that match somewhere in it are run alone for their places.

Rules:
- An expression runs over the *folded* reading (see `folding`), without invisible characters: lower case, half width,
  simplified hanzi, no accents. Letters, hanzi and marks in the expression are folded likewise. Separators stay: they
  are the expression's own matter. A full stop of hanzi, a semicolon or a line's end is `;`.
- It never matches across the end of a text. `^` and `$` are the ends of a text. Case does not count.
- Of each expression at most 20 places are told per text, so that no expression can make the work grow with the square
  of a text's length.
"""

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import lru_cache

import re2

from processor.matching.folding import IGNORED, JOINT, SPELLED, Batch, fold
from processor.matching.weighing import Found

MOST_PATTERNS = 200
"""Expressions of one ruleset."""

MOST_STEPS = 2_000
"""How large one expression may be, in RE2's instructions: a literal has about three per hanzi."""

MOST_STEPS_TOGETHER = 20_000

_MOST_PLACES = 20  # of one expression in one text
_MEMORY = 64 << 20
_TOKEN = re.compile(r"\\.|[^\x00-\x7f]", re.DOTALL)
_SEPARATE = "\n"  # between the texts; a line's end inside a text is folded to ;
_CANARY = "\ufdd2"  # no text can hold it; that it is found proves that the set did not run out of memory
_WORDS = (
    (r"invalid perl operator: \(\?<?[=!]", "lookahead and lookbehind are not supported"),
    (r"invalid escape sequence: \\[1-9]", "backreferences are not supported"),
    (r"invalid perl operator: \(\?>|bad repetition operator: .\+", "possessive and atomic groups are not supported"),
    (r"pattern too large", "it is too large"),
)


class Patterns:
    """Finds `expressions` in batches of texts."""

    def __init__(self, expressions: Sequence[str]) -> None:
        """Compiles expressions that have no `pattern_flaw`. Raises: ValueError if they are too many or too large."""
        self._expressions = expressions
        self._alone = [_compiled(expression) for expression in expressions]
        if len(expressions) > MOST_PATTERNS:
            raise ValueError(f"{len(expressions)} patterns: at most {MOST_PATTERNS} may stand in one ruleset")
        steps = sum(each.programsize for each in self._alone)
        if steps > MOST_STEPS_TOGETHER:
            raise ValueError(f"the patterns are too large together ({steps} steps of {MOST_STEPS_TOGETHER})")
        self._all = re2.Set.SearchSet(_options())
        for expression in (*map(_folded, expressions), _CANARY):
            self._all.Add(expression)
        self._all.Compile()

    def __len__(self) -> int:
        return len(self._alone)

    def __reduce__(self) -> tuple[type["Patterns"], tuple[Sequence[str]]]:
        return Patterns, (self._expressions,)

    def find(self, batch: Batch, lines: Sequence[int] | None = None) -> dict[int, list[Found]]:
        """Finds per number of text, in order of place; `term` is the expression's place in the sequence.

        `lines`: the texts to look at; all of them by default.
        """
        folded = batch.folded if lines is None else JOINT.join(["", *map(batch.reading, lines), ""])
        text = folded.replace(JOINT, _SEPARATE)
        kept: Sequence[int] | None = None
        if IGNORED in text:
            kept = [place for place, char in enumerate(text) if char != IGNORED]
            text = text.replace(IGNORED, "")
        data = text.encode("utf-8", "replace")
        numbers = self._matching(data)
        found: defaultdict[int, list[Found]] = defaultdict(list)
        if not numbers:
            return found
        places = [(start, end, number) for number in numbers for start, end in _places(self._alone[number], data)]
        starts = [place + 1 for place, char in enumerate(folded) if char == JOINT] if lines else batch.starts
        char_at = _characters(data, {edge for start, end, _ in places for edge in (start, end)})
        for begin, finish, number in places:
            start, end = char_at[begin], char_at[finish]
            if kept:
                start, end = kept[start], kept[end - 1] + 1
            place = bisect_right(starts, start) - 1
            line = lines[place] if lines else place
            found[line].append(Found(start - starts[place], end - starts[place], number))
        for finds in found.values():
            finds.sort()
        return found

    def _matching(self, data: bytes) -> list[int]:
        """The expressions that match somewhere; all of them if the set cannot tell."""
        canary = len(self._alone)
        matching: list[int] = self._all.Match(data + (_SEPARATE + _CANARY).encode()) or []
        return sorted(set(matching) - {canary}) if canary in matching else [*range(canary)]


def pattern_flaw(expression: str) -> str | None:
    """Why the expression cannot be used, or None."""
    if re.search(r"(?<!\\)(?:\\\\)*\\[ACzZ]", expression):
        return r"the pattern uses \A, \z or \C: use ^ and $, and . for a character"
    try:
        compiled = _compiled(expression)
    except re2.error as error:
        said = error.args[0].decode("utf-8", "replace") if isinstance(error.args[0], bytes) else str(error)
        words = next((words for sign, words in _WORDS if re.search(sign, said)), said.replace("(?m)", ""))
        return f"the pattern is refused: {words}"
    if compiled.programsize > MOST_STEPS:
        return f"the pattern is too large ({compiled.programsize} steps of {MOST_STEPS})"
    if compiled.search("") is not None:
        return "the pattern matches the empty text, and so every message"
    return None


@lru_cache(maxsize=1 << 12)
def _compiled(expression: str) -> "re2._Regexp":
    return re2.compile(_folded(expression), _options())


def _options() -> "re2.Options":
    options = re2.Options()
    options.never_nl = True
    options.never_capture = True
    options.case_sensitive = False
    options.log_errors = False
    options.max_mem = _MEMORY
    return options


def _folded(expression: str) -> str:
    return "(?m)" + _TOKEN.sub(lambda token: _fold_token(token[0]), expression)


def _fold_token(token: str) -> str:
    char = token[-1]
    folded = char if char.isascii() else fold(char)
    if char.isascii() or folded in {IGNORED, SPELLED}:
        return token
    escaped: str = re2.escape(folded)
    return escaped


def _places(expression: "re2._Regexp", data: bytes) -> Iterator[tuple[int, int]]:
    """Where it matches, in bytes."""
    place, told, line_end = 0, 0, -1
    while place <= len(data) and (match := expression.search(data, place)):
        start, end = match.span()
        if start > line_end:
            line_end = data.find(b"\n", start)
            line_end = len(data) if line_end < 0 else line_end
            told = 0
        if end > start:
            yield start, end
            told += 1
        place = line_end + 1 if told == _MOST_PLACES else max(end, start + 1)


def _characters(data: bytes, places: set[int]) -> dict[int, int]:
    """The number of characters before each of the places in the bytes of a text; in one pass."""
    counted, last, answer = 0, 0, {}
    for place in sorted(places):
        counted += len(data[last:place].decode())
        answer[place] = counted
        last = place
    return answer
