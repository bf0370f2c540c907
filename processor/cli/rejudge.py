"""`chatguard replay`: recorded traffic judged by other rules beside the ones in use, and what changes per rule."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import msgspec
import typer

from processor.cli.options import AsJson, Config
from processor.cli.replay import Replay, read_traffic
from processor.cli.rules import rules_named
from processor.cli.table import print_table
from processor.errors import Misconfigured
from processor.judge import Item
from processor.rulechanges import RuleChange, RuleChanges, RuleReport

_Rules = typer.Option(help="The rules to try: a ruleset's directory or .json document.")


def replay(
    traffic: Annotated[str, typer.Argument(help="A file of raw messages, one JSON object per line; - ; or a topic.")],
    rules: Annotated[str, _Rules],
    against: Annotated[
        str, typer.Option(help="The rules beside them: a directory, a .json document, builtin, redis or redis:N.")
    ] = "builtin",
    from_: Annotated[
        str | None, typer.Option("--from", help="Only messages from this time on: 2026-11-23T08:00 (UTC), or ms.")
    ] = None,
    to: Annotated[str | None, typer.Option("--to", help="Only messages before this time.")] = None,
    last: Annotated[int | None, typer.Option(min=1, help="Of a topic, about the last so many messages.")] = None,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Judge recorded traffic by two rulesets; report which verdicts and reminders change, per rule.

    Writes nothing anywhere and commits nothing. Conversations begin anew with the first message that is read.
    """
    begin, end = _time(from_, "--from"), _time(to, "--to")
    changes = RuleChanges()
    sides = Replay(rules_named(against, config), rules_named(rules, config), changes)

    def take(items: Sequence[Item], times: Sequence[int]) -> None:
        own = [n for n, at in enumerate(times) if (begin is None or at >= begin) and (end is None or at < end)]
        if own:
            sides.judge([items[n] for n in own], [times[n] for n in own])

    read_traffic(take, traffic, most=last, config=config, since=begin)
    report = changes.report()
    if as_json:
        print(msgspec.json.encode(report).decode())
    else:
        _print(report)


def _time(text: str | None, option: str) -> int | None:
    """Milliseconds since the epoch."""
    if text is None:
        return None
    if text.isdecimal() and len(text) > len("20260101"):
        return int(text)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise Misconfigured([f"{option} {text} is no time: write 2026-11-23T08:00, or milliseconds."]) from None
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)


def _print(report: RuleReport) -> None:
    dead = f" ({report.dead:,} lines are no messages)" if report.dead else ""
    print(f"{report.messages:,} messages{dead}")
    print(f"verdicts changed: {sum(report.verdicts.values()):,}{_listed(report.verdicts)}")
    print(f"reminders: {report.reminders_before:,} → {report.reminders_after:,}")
    changed = [each for each in report.rules if each.changes]
    if changed:
        titles = ("rule", "fired", "lost", "gained", "verdicts", "reminders lost", "gained")
        print_table(titles, [_row(each) for each in changed])
    if same := len(report.rules) - len(changed):
        print(f"{same:,} rules fired as before")


def _row(each: RuleChange) -> list[str]:
    verdicts = ", ".join(f"{step}: {count:,}" for step, count in each.verdicts.items())
    fired = f"{each.before:,} → {each.after:,}"
    counts = [f"{count:,}" for count in (each.lost, each.gained)]
    return [each.rule, fired, *counts, verdicts, f"{each.reminders_lost:,}", f"{each.reminders_gained:,}"]


def _listed(steps: dict[str, int]) -> str:
    return "".join(f", {step}: {count:,}" for step, count in steps.items())
