"""`python -m tests.bench.detection`: the part of `docs/detection.md` on evasions, and its picture.

Everything between the markers is written anew; the rest of the page is other people's. With `--sealed` the sealed lines
of `tests/redteam/` are scored as well: once, at the end.
"""

import argparse
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from processor.cli.redteam import chosen
from processor.model import Hit, Severity
from processor.redteam.mutate import EVASIONS, Length, attack, attacks
from processor.redteam.score import FalseHits, Recall, Share, by_reading, false_hits, hits_of, missed, recall
from processor.ruleset import Rules
from processor.rulesets import benign as shipped
from processor.rulesets.directory import builtin
from tests.bench.lines import named
from tests.bench.plot import INK, LIGHT, OTHERS, OURS, STYLE
from tests.redteam.lines import SEALED_TERMS, Part, benign, boundaries, builtin_rules, evaded, own_rules, terms

BEGIN, END = "<!-- evasions:begin -->", "<!-- evasions:end -->"
TIMES = 5
SAMPLE = 1_000
AIMS = {Length.TWO: 0.85, Length.MORE: 0.95, Length.LATIN: 0.95}
MOST_FALSE = 0.0005
SHOWN_BY = ("海洛因", "meth", "shop8.cn", "54式手枪", "贷款")
"""Terms whose spellings stand in the table as examples: the first that an evasion can write."""
COLOURS = {Length.TWO: LIGHT, Length.MORE: OURS, Length.LATIN: INK}


@dataclass(frozen=True, slots=True, kw_only=True)
class Harmless:
    """A set of harmless lines, and what a lexicon found in it."""

    name: str
    lexicon: str
    lines: int
    acted: Mapping[int, Sequence[Hit]]
    logged: Mapping[int, Sequence[Hit]]

    @property
    def readings(self) -> list[FalseHits]:
        """By reading, hits of all severities."""
        both = {n: [*self.acted.get(n, ()), *self.logged.get(n, ())] for n in {*self.acted, *self.logged}}
        return by_reading(both, self.lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """How one part of the lines written by hand was judged."""

    part: Part
    evaded: Share
    not_meant: Share
    meant: Share


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """All that the page says."""

    own: Sequence[Recall]
    own_terms: int
    given: Sequence[Recall]  # of the built-in lexicons
    given_terms: int
    unseen: Sequence[Recall]  # of the sealed terms; empty while they are sealed
    written: Sequence[Written]
    harmless: Sequence[Harmless]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.detection", description=__doc__)
    parser.add_argument("--sealed", action="store_true", help="score the sealed lines as well")
    parser.add_argument("--output", type=Path, default=Path("docs"), help="where the page and the picture are")
    options = parser.parse_args()
    findings = find([Part.BUILDING, Part.SEALED] if options.sealed else [Part.BUILDING])
    draw(findings, options.output / "evasions.svg")
    page = options.output / "detection.md"
    before = page.read_text(encoding="utf-8") if page.exists() else "# Detection\n"
    page.write_text(put(before, "\n\n".join(section(findings))), encoding="utf-8")
    sys.stderr.write(f"Written: {page}\n")


def find(parts: Sequence[Part]) -> Findings:
    """Judge everything."""
    own, given = own_rules(), builtin_rules()
    entries = [entry for each in builtin().lexicons.values() for entry in each]
    drawn = chosen(entries, Severity.MEDIUM, SAMPLE, seed=0)
    lines: dict[str, Sequence[str]] = {"the chat that is shipped": shipped.lines()}
    lines.update({f"made to provoke, {part}": benign(part) for part in parts})
    return Findings(
        own=_recall(terms(), own, times=TIMES),
        own_terms=len(terms()),
        given=_recall(drawn, given, times=1),
        given_terms=len(drawn),
        unseen=_recall(terms(SEALED_TERMS), own_rules(SEALED_TERMS), times=TIMES) if Part.SEALED in parts else (),
        written=[_written(part) for part in parts],
        harmless=[
            *(_harmless(name, texts, given) for name, texts in lines.items()),
            *(_read(name, texts, own) for name, texts in lines.items()),
        ],
    )


def _recall(words: Sequence[str], rules: Rules, *, times: int) -> list[Recall]:
    cases = list(attacks(words, times=times))
    return recall(cases, missed(cases, rules))


def _harmless(name: str, lines: Sequence[str], rules: Rules) -> Harmless:
    acted, logged = false_hits(lines, rules)
    return Harmless(name=name, lexicon="built-in", lines=len(lines), acted=acted, logged=logged)


def _read(name: str, lines: Sequence[str], rules: Rules) -> Harmless:
    """Only hits that a reading made: harmless lines may well speak of 贷款, as it is written."""
    by_line = enumerate(hits_of(lines, rules))
    acted = {number: read for number, hits in by_line if (read := [hit for hit in hits if hit.via])}
    return Harmless(name=name, lexicon="`terms.txt`, by a reading", lines=len(lines), acted=acted, logged={})


def _written(part: Part) -> Written:
    lines, edges, rules = evaded(part), boundaries(part), own_rules(part.terms)
    found = [named(hits, x.term) for x, hits in zip(lines, hits_of([x.text for x in lines], rules), strict=True)]
    judged = [named(hits, x.term) for x, hits in zip(edges, hits_of([x.text for x in edges], rules), strict=True)]
    apart = [not got for edge, got in zip(edges, judged, strict=True) if not edge.meant]
    meant = [got for edge, got in zip(edges, judged, strict=True) if edge.meant]
    return Written(
        part=part,
        evaded=Share(sum(found), len(found)),
        not_meant=Share(sum(apart), len(apart)),
        meant=Share(sum(meant), len(meant)),
    )


def put(page: str, text: str) -> str:
    """The page with `text` between the markers; they are added at its end if they are not there."""
    block = f"{BEGIN}\n{text}\n{END}"
    if BEGIN in page:
        return re.sub(f"{re.escape(BEGIN)}.*{re.escape(END)}", lambda _: block, page, flags=re.DOTALL)
    return f"{page.rstrip()}\n\n{block}\n"


def section(findings: Findings) -> Iterator[str]:
    """The part on evasions in Markdown."""
    yield "## Evasions"
    yield "<!-- Made by `python -m tests.bench.detection`; edit that module, not this part. -->"
    yield (
        f"Recall: the share of attacks that were found. {findings.own_terms} terms of all kinds and lengths "
        f"(`tests/redteam/terms.txt`, graded high) were written {TIMES} times under each evasion and set into harmless "
        f"talk; so were {findings.given_terms:,} terms drawn from the built-in lexicons (graded medium or high), once "
        "each. An attack counts as found only if a hit names the very term where it stands. Aims: 95 %, and 85 % for "
        "terms of two hanzi; what misses its aim is **bold**. Two syllables of pinyin without tones fit many words: "
        "what was found of them stands in the last column, and nothing is claimed."
    )
    yield "![Recall by evasion, and harmless lines hit](evasions.svg)"
    yield _table(
        ("Evasion", "For example", "2 hanzi", "3+ hanzi", "Latin", "built-in, hanzi", "built-in, Latin", "ambiguous"),
        [_row(name, findings) for name in EVASIONS],
    )
    if findings.unseen:
        yield "The same with another lexicon (`tests/redteam/terms-sealed.txt`):"
        yield _table(("Evasion", "2 hanzi", "3+ hanzi", "Latin"), [_unseen(name, findings.unseen) for name in EVASIONS])
    yield (
        "Lines written by hand, by someone who had not seen the matcher: terms past a filter, and texts in which two "
        "ordinary words only look like a term (时代|孕育), or in which the same term is meant (包成功代孕套餐). The "
        "sealed lines, by another person and with terms of their own, were measured once while nobody had looked at "
        "them, on 2026-11-23: 87.8 %, 91.5 % and 93.8 %, and none of 400 harmless lines was hit. That is what texts of "
        "strangers should be expected to do; since then they have served to mend the matcher, which the table shows."
    )
    yield _table(
        ("Part", "Evaded, found", "Not meant, left alone", "Meant, found"),
        [(w.part, _share(w.evaded), _share(w.not_meant), _share(w.meant)) for w in findings.written],
    )
    yield (
        "False hits: harmless lines in which a term was found, with all readings on. The aim is at most "
        f"{MOST_FALSE:.2%} of ordinary chat by terms of the built-in lexicons that act (graded above log); the lines "
        "made to provoke are no ordinary chat. The terms of `terms.txt` are short and graded high, so that every "
        "reading applies to them: of these, only what a reading found counts, since harmless lines may well speak of "
        "贷款 as it is written."
    )
    yield _table(
        ("Lexicon", "Harmless lines", "Hit", "By a term of severity log only", "By reading"),
        [
            (
                h.lexicon,
                h.name,
                _share(Share(len(h.acted), h.lines)),
                _share(Share(len(h.logged.keys() - h.acted.keys()), h.lines)),
                "; ".join(f"{each.via} {each.lines}" for each in h.readings) or "none",
            )
            for h in findings.harmless
        ],
    )
    yield (
        "Try your own lexicon: `chatguard redteam --lexicon terms.txt --misses missed.jsonl`. The tables behind the "
        "attacks are made apart from the matcher's; their sources and licences stand in "
        "[SOURCES.md](../processor/redteam/data/SOURCES.md)."
    )


def _row(name: str, findings: Findings) -> tuple[str, ...]:
    own = {row.length: Share(row.found, row.of) for row in findings.own if row.evasion == name}
    given = {row.length: Share(row.found, row.of) for row in findings.given if row.evasion == name}
    hanzi = [given[length] for length in (Length.TWO, Length.MORE) if length in given]
    both = Share(sum(share.found for share in hanzi), sum(share.of for share in hanzi)) if hanzi else None
    return (
        name,
        _example(name),
        *(_cell(own.get(length), aim) for length, aim in AIMS.items()),
        _cell(both, AIMS[Length.MORE]),
        _cell(given.get(Length.LATIN), AIMS[Length.LATIN]),
        _cell(own.get(Length.AMBIGUOUS), 0),
    )


def _unseen(name: str, rows: Sequence[Recall]) -> tuple[str, ...]:
    shares = {row.length: Share(row.found, row.of) for row in rows if row.evasion == name}
    return (name, *(_cell(shares.get(length), aim) for length, aim in AIMS.items()))


def _example(name: str) -> str:
    case = next((case for term in SHOWN_BY if (case := attack(term, name))), None)
    written = case.text[case.start : case.end] if case else ""
    shown = "".join(c if c.isprintable() or c == "\u200d" else f"\\u{ord(c):04x}" for c in written)
    return f"`` {shown.replace('|', '')} ``" if shown else ""


def _cell(share: Share | None, aim: float) -> str:
    if share is None:
        return ""
    text = f"{share.rate:.1%}"
    return text if share.rate >= aim else f"**{text}**"


def _share(share: Share) -> str:
    return f"{share.found:,} of {share.of:,} ({share.rate:.2%})"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def draw(findings: Findings, path: Path) -> None:
    """Write the picture."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(9, 7), layout="constrained", facecolor="white")
        left, right = figure.subplots(1, 2, width_ratios=(2, 1))
        _dots(left, findings.own)
        _false(right, findings.harmless[0])
        figure.savefig(path, metadata={"Date": None, "Creator": None})


def _dots(axes: Axes, rows: Sequence[Recall]) -> None:
    """One line for each evasion, one dot for each length of terms."""
    names = list(EVASIONS)
    for place in range(len(names)):
        axes.axhline(place, color="#eaeef2", linewidth=0.6, zorder=0)
    for shift, (length, aim) in zip((-0.22, 0, 0.22), AIMS.items(), strict=True):
        of_length = [row for row in rows if row.length is length]
        places = [names.index(row.evasion) + shift for row in of_length]
        rates = [100 * row.rate for row in of_length]
        axes.scatter(rates, places, s=14, color=COLOURS[length], label=length, zorder=2)
        axes.axvline(100 * aim, color=COLOURS[length], linewidth=0.6, linestyle=":", zorder=1)
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_xlim(-3, 103)
    axes.legend(loc="lower left", frameon=False)
    axes.set_title("found, % (dotted: the aims)", fontsize=8, loc="left")
    axes.spines[["top", "right"]].set_visible(False)


def _false(axes: Axes, harmless: Harmless) -> None:
    """One bar for each reading that hit harmless lines."""
    rows = harmless.readings[:12] or [FalseHits(via="none", lines=0, of=max(1, harmless.lines))]
    rates = [10_000 * row.lines / row.of for row in rows]
    axes.barh(range(len(rows)), rates, color=OTHERS, height=0.6)
    for place, (row, rate) in enumerate(zip(rows, rates, strict=True)):
        axes.text(rate, place, f" {row.lines}", va="center")
    axes.set_yticks(range(len(rows)), [row.via for row in rows])
    axes.invert_yaxis()
    axes.set_xlim(0, max(*rates, 1) * 1.3)
    axes.set_title(f"harmless lines hit per 10,000\n(of {harmless.lines:,}; all severities)", fontsize=8, loc="left")
    axes.spines[["top", "right"]].set_visible(False)


if __name__ == "__main__":
    main()
