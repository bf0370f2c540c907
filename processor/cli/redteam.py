"""`chatguard redteam`: the lexicon's own terms, written as evaders write them, against the judge."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Annotated

import msgspec
import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from processor.cli.screen import rules_for
from processor.cli.sources import text_of
from processor.errors import Misconfigured
from processor.model import Hit, Severity
from processor.redteam.mutate import EVASIONS, Case, Length, attacks
from processor.redteam.score import Report, Share, report
from processor.rulesets import benign as shipped
from processor.rulesets.directory import builtin, parse_terms
from processor.rulesets.document import Entry

BUILTIN = "builtin"


def redteam(
    lexicon: Annotated[
        str, typer.Option(help="Whose terms: a lexicon file, judged without the built-in rules; or the built-in ones.")
    ] = BUILTIN,
    evasion: Annotated[
        list[str] | None, typer.Option(help=f"Only this one; may be repeated. One of: {', '.join(EVASIONS)}.")
    ] = None,
    sample: Annotated[int, typer.Option(min=0, help="Attack so many terms, drawn by chance; 0 is all.")] = 300,
    severity: Annotated[Severity, typer.Option(help="Leave out terms that are graded milder.")] = Severity.LOG,
    times: Annotated[int, typer.Option(min=1, help="How many spellings of each term under each evasion.")] = 1,
    seed: Annotated[int, typer.Option(help="The same seed gives the same attacks.")] = 0,
    benign: Annotated[
        list[Path] | None, typer.Option(help="Harmless lines, in place of those that come with chatguard.")
    ] = None,
    misses: Annotated[
        Path | None, typer.Option(help="Write what got through here, and false hits, as JSON lines.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The report as JSON.")] = False,
) -> None:
    """Attack the lexicon with every known evasion; report recall, and false hits in harmless lines.

    A term counts as found if a hit names it where it stands. "ambiguous" are two syllables of pinyin that many words
    share: they are counted, but nobody claims them.
    """
    if unknown := sorted(set(evasion or ()) - EVASIONS.keys()):
        raise Misconfigured([f"There is no evasion {name}: choose of {', '.join(EVASIONS)}." for name in unknown])
    own = None if lexicon == BUILTIN else Path(lexicon)
    rules = rules_for(None, [own] if own else [], None, no_builtin=own is not None)
    terms = chosen(_entries(own), severity, sample, seed)
    cases = list(attacks(terms, evasion or (), seed=seed, times=times))
    lines = harmless(benign or ())
    result, through, hits = report(terms, cases, lines, rules, seed=seed)
    if misses:
        _write_misses(misses, through, lines, hits)
    if as_json:
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(result)) + b"\n")
    else:
        show(result)


def _entries(file: Path | None) -> list[Entry]:
    if file:
        return parse_terms(text_of(file), source=file.name, least=1)
    return [entry for entries in builtin().lexicons.values() for entry in entries]


def chosen(entries: Sequence[Entry], severity: Severity, sample: int, seed: int) -> list[str]:
    """The terms to attack: grave enough, each once, as many as wanted."""
    terms = sorted({entry.term for entry in entries if Severity(entry.severity).rank >= severity.rank})
    if sample and sample < len(terms):
        return Random(seed).sample(terms, sample)  # noqa: S311  no secret depends on it
    return terms


def harmless(files: Sequence[Path]) -> Sequence[str]:
    """The lines of the files, in which `#` begins a comment; without files, the chat that comes with chatguard."""
    lines = [line for file in files for line in text_of(file).splitlines()]
    return [line for line in lines if line.strip() and not line.startswith("# ")] if files else shipped.lines()


def _write_misses(file: Path, through: Sequence[Case], lines: Sequence[str], hits: Mapping[int, Sequence[Hit]]) -> None:
    rows: list[dict[str, object]] = [{"kind": "missed", **case._asdict()} for case in through]
    rows += [
        {"kind": "false", "line": lines[n], **msgspec.to_builtins(hit)} for n, found in hits.items() for hit in found
    ]
    try:
        file.write_bytes(msgspec.json.Encoder().encode_lines(rows))
    except OSError as error:
        raise Misconfigured([f"{file} cannot be written: {error.strerror}."]) from error


def show(result: Report) -> None:
    """Two tables for a person."""
    console = Console()
    table = Table(title=f"Found of the attacks with {result.terms:,} terms (seed {result.seed})", box=SIMPLE)
    table.add_column("evasion", no_wrap=True)
    for heading in (*Length, "attacks"):
        table.add_column(str(heading), justify="right")
    for name in EVASIONS:
        shares = {row.length: Share(row.found, row.of) for row in result.recall if row.evasion == name}
        if shares:
            rates = [f"{shares[length].rate:.1%}" if length in shares else "" for length in Length]
            table.add_row(name, *rates, f"{sum(share.of for share in shares.values()):,}")
    console.print(table)
    table = Table(title=f"Hit of {result.benign_lines:,} harmless lines", box=SIMPLE)
    table.add_column("by")
    table.add_column("lines", justify="right")
    table.add_column("of all", justify="right")
    lines = [("a term that acts", result.benign_hit), ("a term of severity log only", result.benign_logged)]
    lines += [(f"reading: {row.via}", row.lines) for row in result.false_hits]
    for name, count in lines:
        table.add_row(name, f"{count:,}", f"{Share(count, result.benign_lines).rate:.2%}" if count else "0")
    console.print(table)
