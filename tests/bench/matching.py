"""`python -m tests.bench.matching`: what readings and large lexicons cost the matcher, beside other libraries.

Writes the part of `docs/matching.md` between the markers. Every figure is processor time per message, the least of
several runs over the same lines in batches of 1,000; only the ratios mean anything on another machine.
"""

import gc
import random
import re
import resource
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import ahocorasick
import ahocorasick_rs
from flashtext import KeywordProcessor

from processor.matching.folding import Batch, is_hanzi
from processor.matching.matcher import Matcher
from processor.matching.words import words
from processor.rulesets import benign
from processor.rulesets.compile import CHEAP, MOST_DEAR, MOST_SHORT, SHORT

PAGE = Path("docs/matching.md")
BEGIN, END = "<!-- speed:begin -->", "<!-- speed:end -->"
RUNS = 5
BATCH = 1_000
COMMON = 13.0  # nats: hanzi that lexicons are made of


class Row(NamedTuple):
    """One matcher over the lines."""

    what: str
    terms: int
    us: float  # microseconds of processor time per message
    build_s: float
    mib: int  # by which the process grew


def main(large: int) -> None:
    lines = list(benign.lines())
    random.Random(1).shuffle(lines)
    rows = [row for size in (1_000, 10_000, 100_000, large) if size for row in _ours(lines, size)]
    rows += list(_others(lines, made_up(10_000)))
    text = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    part = "\n".join([BEGIN, "", *_table(rows, len(lines)), "", END])
    PAGE.write_text(re.sub(f"{BEGIN}.*{END}", lambda _: part, text, flags=re.DOTALL), encoding="utf-8")
    print(part)


def made_up(size: int) -> list[str]:
    """So many random terms of two to five common hanzi."""
    dice = random.Random(size)
    hanzi = [word for word, cost in words().items() if len(word) == 1 and is_hanzi(word) and cost < COMMON]
    terms: dict[str, None] = {}
    while len(terms) < size:
        terms["".join(dice.choices(hanzi, k=dice.choice((2, 3, 4, 4, 5))))] = None
    return list(terms)


def _ours(lines: Sequence[str], size: int) -> Iterator[Row]:
    terms = made_up(size)
    yield _measured("folded and without separators", lines, terms, lambda: _finder(Matcher(terms)))
    short = sum(len(term) <= SHORT for term in terms) > MOST_SHORT
    ceilings = [CHEAP if size > MOST_DEAR or (short and len(term) <= SHORT) else 6 for term in terms]
    yield _measured("all readings", lines, terms, lambda: _finder(Matcher(terms, ceilings=ceilings)))


def _finder(matcher: Matcher) -> Callable[[Sequence[str]], object]:
    return lambda batch: matcher.find(Batch(batch))


def _others(lines: Sequence[str], terms: Sequence[str]) -> Iterator[Row]:
    def pyahocorasick() -> Callable[[Sequence[str]], object]:
        automaton = ahocorasick.Automaton()
        for number, term in enumerate(terms):
            automaton.add_word(term, number)
        automaton.make_automaton()
        return lambda batch: [list(automaton.iter(line)) for line in batch]

    def rust() -> Callable[[Sequence[str]], object]:
        automaton = ahocorasick_rs.AhoCorasick(terms)
        return lambda batch: [automaton.find_matches_as_indexes(line, overlapping=True) for line in batch]

    def flashtext() -> Callable[[Sequence[str]], object]:
        processor = KeywordProcessor()
        processor.add_keywords_from_list(list(terms))
        return lambda batch: [processor.extract_keywords(line, span_info=True) for line in batch]

    yield _measured("pyahocorasick, as written", lines, terms, pyahocorasick)
    yield _measured("ahocorasick-rs, as written", lines, terms, rust)
    yield _measured("flashtext, as written", lines, terms, flashtext)


def _measured(
    what: str, lines: Sequence[str], terms: Sequence[str], build: Callable[[], Callable[[Sequence[str]], object]]
) -> Row:
    gc.collect()
    before, begun = _peak(), time.process_time()
    gc.disable()
    find = build()
    gc.enable()
    build_s, grown = time.process_time() - begun, _peak() - before
    batches = [lines[start : start + BATCH] for start in range(0, len(lines), BATCH)]
    us = min(_once(find, batches) for _ in range(RUNS)) / len(lines) * 1e6
    print(f"{what}, {len(terms):,} terms: {us:.2f} µs", file=sys.stderr)
    return Row(what, len(terms), us, build_s, grown)


def _once(find: Callable[[Sequence[str]], object], batches: Sequence[Sequence[str]]) -> float:
    begun = time.process_time()
    for batch in batches:
        find(batch)
    return time.process_time() - begun


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _table(rows: Sequence[Row], lines: int) -> Iterator[str]:
    yield f"{lines:,} lines of ordinary chat, made-up terms of two to five hanzi. Made by"
    yield "`python -m tests.bench.matching`."
    yield ""
    yield "| matcher | terms | µs per message | built in, s | memory, MiB more |"
    yield "|---|---:|---:|---:|---:|"
    for row in rows:
        yield f"| {row.what} | {row.terms:,} | {row.us:.2f} | {row.build_s:.2f} | {max(row.mib, 0)} |"


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
