"""`chatguard lexicon stats`: which terms earn their place."""

import asyncio
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from processor.cli.options import AsJson, Config, Tenant
from processor.cli.outcomes import enter_topics
from processor.cli.sources import connected, in_force, scope_named
from processor.cli.table import print_table
from processor.feedback import Ledger
from processor.rulesets import usage
from processor.rulesets.document import Scope, tenant_of
from processor.rulesets.usage import Counts, UsageReport, Used

_TITLES = ("term", "category", "severity", "hits", "share", "rejected")


def stats(
    tenant: Tenant = None,
    days: Annotated[int, typer.Option(min=1, max=3_650, help="How many days back, today included (UTC).")] = 7,
    overturned: Annotated[
        bool, typer.Option("--overturned", help="Count too what reviewers let go: reads Kafka, beside Redis.")
    ] = False,
    top: Annotated[int, typer.Option(min=0, help="How many terms to show of each kind.")] = 20,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Show how often the terms in force have hit and were rejected, and which never did.

    All workers count, every half a minute by default; what a worker counted since then is lost if it is killed. With
    --overturned: in how many flagged messages each term was, of which a reviewer has said since that they are harmless.
    """
    scope = scope_named(tenant)
    let_go = _overturned(scope, days, config) if overturned else None
    report = asyncio.run(_report(scope, days, config, let_go))
    if as_json:
        print(msgspec.json.encode(report).decode())
    else:
        _print(report, days, top)


def _overturned(scope: Scope, days: int, config: Path | None) -> Counts:
    """By what reviewers have said in these days. Raises: Misconfigured, Unavailable."""
    ledger = Ledger(tenant=tenant_of(scope))
    enter_topics(ledger, config)
    return ledger.overturned(usage.since(days))


async def _report(scope: Scope, days: int, config: Path | None, overturned: Counts | None) -> UsageReport:
    async with connected(config) as redis:
        document = (await in_force(redis, scope)).document
        return usage.report(document, scope, await usage.read(redis, scope, days=days), overturned)


def _print(report: UsageReport, days: int, top: int) -> None:
    shown = report.used[:top]
    if shown:
        print_table(_TITLES if report.overturned is None else (*_TITLES, "overturned"), [_row(used) for used in shown])
    if len(report.used) > len(shown):
        print(f"… and {len(report.used) - len(shown):,} more")
    never = ", ".join(used.term for used in report.never[:top])
    more = f", … and {len(report.never) - top:,} more" if len(report.never) > top else ""
    print(f"never: {len(report.never):,} terms{never and f': {never}'}{more}")
    counted = f"{len(report.days)} of the last {days} days"
    let_go = "" if report.overturned is None else f", {report.overturned:,} overturned"
    print(f"{report.scope}: {report.hits:,} hits, {report.rejected:,} rejected{let_go} on {counted}")


def _row(used: Used) -> tuple[str, ...]:
    category = used.category or "(not in force)"
    row = (used.term, category, used.severity, f"{used.hits:,}", f"{used.share:.1%}", f"{used.rejected:,}")
    return row if used.overturned is None else (*row, f"{used.overturned:,}")
