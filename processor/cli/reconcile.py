"""`chatguard reconcile`: the proof that every message came out exactly once."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from processor.cli.options import Config
from processor.ops.settings import load as load_settings
from processor.stream import reconcile as edge
from processor.stream.ledger import Report
from processor.stream.reconcile import Progress


def reconcile(
    wait: Annotated[
        float, typer.Option(min=0, help="Seconds to go on reading while messages are still without an output.")
    ] = 0.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as one JSON object.")] = False,
    config: Config = None,
) -> None:
    """Compare raw with delivered, flagged and dead-letter, record by record, from the headers.

    Takes every message that raw holds now. Exits with 0 if each has exactly one output, in order and unaltered, with 1
    otherwise. It may run beside the workers: give it --wait to let them catch up. It commits nothing, and shows
    topic/partition/offset only, never contents.
    """
    settings = load_settings(config)
    with watched() as progress:
        report = asyncio.run(
            edge.reconcile(settings.kafka.client(), settings.topics.prefix, wait=wait, progress=progress)
        )
    print(json.dumps(summary(report), indent=2) if as_json else text(report))
    raise typer.Exit(0 if report.clean else 1)


def summary(report: Report) -> dict[str, object]:
    """The report as JSON."""
    return {
        "clean": report.clean,
        "in": report.messages,
        "delivered": report.delivered,
        "flagged": report.flagged,
        "dead": report.dead,
        "reminders": report.reminders,
        **report.faults,
        "examples": report.examples,
        "notes": report.notes,
    }


def text(report: Report) -> str:
    """The report for people: the counts, then where to look."""
    counts = {name: count for name, count in summary(report).items() if isinstance(count, int) and name != "clean"}
    lines = [f"{name.replace('_', ' '):<12} {count:>12,}" for name, count in counts.items()]
    for fault, places in report.examples.items():
        lines += ["", f"{fault.replace('_', ' ')}, for example:", *(f"  {place}" for place in places)]
    lines += ["", *report.notes] if report.notes else []
    return "\n".join([*lines, "", _conclusion(report)])


def _conclusion(report: Report) -> str:
    if not report.clean:
        return "Not every message came out exactly once, in order and unaltered."
    return "Every message came out exactly once." if report.messages else "There is no message in raw to compare."


@contextmanager
def watched() -> Iterator[Progress | None]:
    """A progress bar on a terminal, nothing in a pipe."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield None
        return
    columns = (TextColumn("Reading"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bar(*columns, console=console, transient=True) as bar:
        task = bar.add_task("read")
        yield lambda done, total: bar.update(task, completed=done, total=total)
