"""`chatguard lexicon rollout`: try a ruleset out beside the one in force; and `history`: who did what, when and why."""

import asyncio
import getpass
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import reduce
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import typer

from processor.cli.options import AsJson, By, Config, Message, Source, Tenant
from processor.cli.sources import Found, check, connected, in_force, scope_named, wanted
from processor.cli.table import print_table
from processor.errors import Misconfigured
from processor.rulesets import rollout, store
from processor.rulesets.document import Document, Scope, canonical, digest, name
from processor.rulesets.guard import Guard, percent
from processor.rulesets.rollout import PROBATION_MS, Candidate, Plan, Totals, Unit
from processor.rulesets.store import Author, Client, Published

app = typer.Typer(no_args_is_help=True, help="Try a ruleset out beside the one in force, on a share of the traffic.")

Shadow = Annotated[
    bool, typer.Option("--shadow", help="Let it judge beside the one in force, to see what it would decide.")
]
Canary = Annotated[
    str | None, typer.Option(help="Let it alone judge this share of the traffic, e.g. 5%.", metavar="SHARE")
]
Of = Annotated[
    Literal["conversations", "tenants"], typer.Option("--of", help="What is in the share as a whole, by its hash.")
]
Band = Annotated[
    str,
    typer.Option(
        "--guard",
        metavar="BAND",
        help="Share of the messages that it may flag, e.g. 20% or 0.1%..5%; out of it, the workers take it back. "
        "Or: off.",
    ),
]
Window = Annotated[int, typer.Option("--window", min=1, help="Messages over which each worker looks at that share.")]

GUARD, WINDOW = percent(Guard().high), Guard().window
SHOWN = 40  # lines of history


@app.command()
def start(
    source: Source,
    tenant: Tenant = None,
    shadow: Shadow = False,
    canary: Canary = None,
    of: Of = "conversations",
    guard: Band = GUARD,
    window: Window = WINDOW,
    message: Message = "",
    by: By = "",
    config: Config = None,
) -> None:
    """Publish a ruleset as the candidate: --shadow (the default) or --canary 5%; as `push` with one of them."""
    chosen = plan(canary, of, band(guard, window), shadow=shadow) or Plan(guard=band(guard, window))
    asyncio.run(_start(source, scope_named(tenant), chosen, author(by, message or f"try {source} out"), config))


async def _start(source: str, scope: Scope, chosen: Plan, who: Author, config: Path | None) -> None:
    async with connected(config) as redis:
        now = await in_force(redis, scope)
        new = await wanted(redis, source, scope, now.document)
        await check(redis, new, config)
        await begin(redis, scope, new, now, chosen, who)


async def begin(redis: Client, scope: Scope, new: Document, now: Found, chosen: Plan, who: Author) -> None:
    """Begin a rollout of what has been checked, and say so."""
    content = canonical(new)
    if now.pointer and now.pointer.digest == digest(content):
        print(f"{scope}: {name(now.pointer.version, now.pointer.digest)} is in force already, nothing to try out")
        return
    found = await rollout.begin(redis, scope, content, chosen, author=who, expect=now.version)
    print(_headline(scope, found))


@app.command("set")
def set_plan(
    tenant: Tenant = None,
    shadow: Shadow = False,
    canary: Canary = None,
    message: Message = "",
    by: By = "",
    config: Config = None,
) -> None:
    """Change the share, or go from shadow to canary and back: what was in a smaller share stays in a larger one."""
    chosen = plan(canary, "conversations", None, shadow=shadow)
    if chosen is None:
        raise Misconfigured(["say what it is to be: --canary 25%, or --shadow"])
    who = author(by, message or "set")
    asyncio.run(_set(scope_named(tenant), chosen, who, config))


async def _set(scope: Scope, chosen: Plan, who: Author, config: Path | None) -> None:
    async with connected(config) as redis:
        found = await rollout.change(redis, scope, author=who, mode=chosen.mode, share=chosen.share)
        print(_headline(scope, found))


@app.command()
def status(tenant: Tenant = None, as_json: AsJson = False, config: Config = None) -> None:
    """Show what is tried out, on how much, and what the workers have seen of it so far."""
    asyncio.run(_status(scope_named(tenant), config, as_json=as_json))


async def _status(scope: Scope, config: Path | None, *, as_json: bool) -> None:
    async with connected(config) as redis:
        found = (await rollout.sights(redis, [scope]))[scope]
        version = found.candidate.version if found.candidate else found.probation.version if found.probation else None
        seen = await rollout.totals(redis, scope, version) if version else []
    total = reduce(Totals.plus, seen, Totals())
    if as_json:
        facts = {"scope": scope, "candidate": found.candidate, "probation": found.probation, "workers": len(seen)}
        print(msgspec.json.encode({**facts, "seen": _shown(total)}).decode())
        return
    if found.candidate:
        print(_headline(scope, found.candidate))
        print(f"  begun {when(found.candidate.at)} by {found.candidate.by}: {found.candidate.why}")
        print(f"  guard: {found.candidate.plan.guard or 'off'}")
    elif found.probation and found.probation.until > _now():
        print(f"{scope}: {name(found.probation.version, found.probation.digest)} is in force, on probation")
        print(f"  until {when(found.probation.until)}; guard: {found.probation.guard}")
    else:
        print(f"{scope}: nothing is tried out")
        return
    print("\n".join(_report(total, len(seen))))


@app.command()
def promote(tenant: Tenant = None, message: Message = "", by: By = "", config: Config = None) -> None:
    """Put the candidate in force for all; its guard goes on for an hour."""
    asyncio.run(_promote(scope_named(tenant), author(by, message or "promote"), config))


async def _promote(scope: Scope, who: Author, config: Path | None) -> None:
    async with connected(config) as redis:
        pointer = await rollout.promote(redis, scope, author=who)
        print(f"{scope}: {name(pointer.version, pointer.digest)} is in force")


@app.command()
def abort(tenant: Tenant = None, message: Message = "", by: By = "", config: Config = None) -> None:
    """Withdraw the candidate; what is in force stays, and judges everything again."""
    asyncio.run(_abort(scope_named(tenant), author(by, message or "abort"), config))


async def _abort(scope: Scope, who: Author, config: Path | None) -> None:
    async with connected(config) as redis:
        found = await rollout.withdraw(redis, scope, author=who)
        what = name(found.version, found.digest) if found else "a candidate that cannot be read"
        print(f"{scope}: {what} is withdrawn")


def history(
    tenant: Tenant = None,
    as_json: AsJson = False,
    most: Annotated[int, typer.Option("--max", min=1, help="Lines, the newest first.")] = SHOWN,
    config: Config = None,
) -> None:
    """Show who published, tried out, promoted or took back what, when, why, and over which version."""

    async def read() -> list[Published]:
        async with connected(config) as redis:
            return (await store.history(redis, scope_named(tenant)))[:most]

    lines = asyncio.run(read())
    if as_json:
        print(msgspec.json.encode(lines).decode())
        return
    print_table(("version", "what", "over", "digest", "when", "who", "why"), [_history_row(line) for line in lines])


def plan(canary: str | None, of: str, guard: Guard | None, *, shadow: bool) -> Plan | None:
    """What the options ask for; None if they ask for no trial. Raises: Misconfigured."""
    if canary is None:
        return Plan(mode="shadow", guard=guard) if shadow else None
    if shadow:
        raise Misconfigured(["--shadow and --canary exclude each other"])
    unit: Unit = "tenant" if of == "tenants" else "conversation"
    return Plan(mode="canary", share=share(canary), unit=unit, guard=guard)


def band(text: str, window: int) -> Guard | None:
    """The guard of `--guard` and `--window`. Raises: Misconfigured."""
    if text == "off":
        return None
    low, dots, high = text.rpartition("..")
    bounds = (share(low, least=0.0) if dots else 0.0, share(high))
    if bounds[0] >= bounds[1]:
        raise Misconfigured([f"--guard {text}: the lower bound must be less than the upper one"])
    return Guard(low=bounds[0], high=bounds[1], window=window)


def share(text: str, *, least: float = 1e-9) -> float:
    """A percentage as a number from 0 to 1. Raises: Misconfigured."""
    try:
        value = float(text.removesuffix("%")) / 100
    except ValueError:
        value = -1.0
    if not text.endswith("%") or not least <= value <= 1:
        raise Misconfigured([f"{text} is no share: write a percentage, e.g. 5%"])
    return value


def author(by: str, why: str) -> Author:
    """Who does it now: whoever is named, else the user of this process."""
    return Author(by=by or _user(), why=why, at=_now())


def probation(guard: Guard | None) -> tuple[Guard, int] | None:
    """What `store.publish` is told of a guard."""
    return (guard, _now() + PROBATION_MS) if guard else None


def when(at: int) -> str:
    """A time of the history, in milliseconds since the epoch, as people read it."""
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container's user may have no name
        return "unknown"


def _headline(scope: Scope, found: Candidate) -> str:
    chosen = found.plan
    over = f"version {found.over}" if found.over else "what is built in"
    what = "watches in a shadow" if chosen.mode == "shadow" else "judges, as a canary,"
    much = f"{percent(chosen.share)} of the {chosen.unit}s"
    return f"{scope}: {name(found.version, found.digest)} {what} {much}, over {over}"


def _steps(total: Totals) -> list[tuple[str, str, int]]:
    """The verdicts that change: before, after, messages; the most frequent first."""
    steps = sorted(total.changes.items(), key=lambda each: -each[1])
    parted = [(*step.partition(">")[::2], number) for step, number in steps]
    return [(before, after, number) for before, after, number in parted if before != after]


def _shown(total: Totals) -> dict[str, Any]:
    changes = [{"before": before, "after": after, "messages": number} for before, after, number in _steps(total)]
    return {"candidate": total.verdicts, "in_force": total.in_force, "changes": changes}


def _report(total: Totals, workers: int) -> list[str]:
    if not total.verdicts:
        return ["  no worker has told anything yet; they do every few seconds"]
    lines = [
        f"  {workers} workers have seen {sum(total.verdicts.values()):,} messages with it: {_tally(total.verdicts)}"
    ]
    if total.in_force:
        lines.append(f"  what is in force, beside it: {_tally(total.in_force)}")
    return [*lines, *(f"  {before} → {after}: {number:,}" for before, after, number in _steps(total))]


def _tally(verdicts: Mapping[str, int]) -> str:
    flagged, messages = verdicts.get("review", 0) + verdicts.get("block", 0), sum(verdicts.values())
    each = ", ".join(f"{verdict} {number:,}" for verdict, number in verdicts.items())
    return f"{each} ({flagged / messages:.2%} flagged)"


def _history_row(line: Published) -> tuple[str, ...]:
    kind = f"{line.kind} of {line.content_of}" if line.content_of else line.kind
    over = "" if line.before is None else str(line.before)
    return (str(line.version), kind, over, line.digest[:12] or "(dropped)", when(line.at), line.by, line.why)


def _now() -> int:
    return time.time_ns() // 1_000_000
