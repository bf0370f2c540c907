"""`chatguard lexicon stats`: which terms earn their place."""

import asyncio
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from processor.cli.options import AsJson, Config, Tenant
from processor.cli.sources import connected, in_force, scope_named
from processor.cli.table import print_table
from processor.rulesets import usage
from processor.rulesets.document import Scope
from processor.rulesets.usage import UsageReport, Used


def stats(
    tenant: Tenant = None,
    days: Annotated[int, typer.Option(min=1, max=3_650, help="How many days back, today included (UTC).")] = 7,
    top: Annotated[int, typer.Option(min=0, help="How many terms to show of each kind.")] = 20,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Show how often the terms in force have hit and were rejected, and which never did.

    All workers count, every half a minute by default; what a worker counted since then is lost if it is killed.
    """
    report = asyncio.run(_report(scope_named(tenant), days, config))
    if as_json:
        print(msgspec.json.encode(report).decode())
    else:
        _print(report, days, top)


async def _report(scope: Scope, days: int, config: Path | None) -> UsageReport:
    async with connected(config) as redis:
        document = (await in_force(redis, scope)).document
        return usage.report(document, scope, await usage.read(redis, scope, days=days))


def _print(report: UsageReport, days: int, top: int) -> None:
    shown = report.used[:top]
    if shown:
        titles = ("term", "category", "severity", "hits", "share", "rejected")
        print_table(titles, [_row(used) for used in shown])
    if len(report.used) > len(shown):
        print(f"… and {len(report.used) - len(shown):,} more")
    never = ", ".join(used.term for used in report.never[:top])
    more = f", … and {len(report.never) - top:,} more" if len(report.never) > top else ""
    print(f"never: {len(report.never):,} terms{never and f': {never}'}{more}")
    counted = f"{len(report.days)} of the last {days} days"
    print(f"{report.scope}: {report.hits:,} hits, {report.rejected:,} rejected on {counted}")


def _row(used: Used) -> tuple[str, str, str, str, str, str]:
    category = used.category or "(not in force)"
    return (used.term, category, used.severity, f"{used.hits:,}", f"{used.share:.1%}", f"{used.rejected:,}")
