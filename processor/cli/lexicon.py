"""`chatguard lexicon`: look at rulesets, check them, and put them in force in all workers at once."""

import asyncio
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from processor.cli import replay, rollout
from processor.cli.exchange import export, import_words
from processor.cli.lint import lint
from processor.cli.options import AsJson, By, Config, Message, Source, Tenant
from processor.cli.sources import (
    Found,
    check,
    connected,
    in_force,
    is_lexicon,
    nothing_published,
    numbered,
    read_alone,
    scope_named,
    wanted,
    with_lexicon,
)
from processor.cli.stats import stats
from processor.cli.table import print_table
from processor.errors import Invalid
from processor.rulesets import store
from processor.rulesets.changes import Change, compare
from processor.rulesets.document import (
    BASE,
    BaseDocument,
    Document,
    OverlayDocument,
    Scope,
    canonical,
    digest,
    name,
    parse,
    tenant_scope,
)
from processor.rulesets.guard import Guard
from processor.rulesets.rollout import Plan
from processor.rulesets.store import Author, Client, Pointer, Published

app = typer.Typer(no_args_is_help=True, help="Look at lexicons and rules, check them, put them in force.")
app.command()(lint)
app.command("import")(import_words)
app.command()(export)
app.command()(stats)
app.add_typer(rollout.app, name="rollout")
app.command("history")(rollout.history)

SHOWN = 40  # changes or lines of history


@app.command()
def push(
    source: Source,
    tenant: Tenant = None,
    message: Message = "",
    by: By = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change and publish nothing.")] = False,
    shadow: rollout.Shadow = False,
    canary: rollout.Canary = None,
    of: rollout.Of = "conversations",
    guard: rollout.Band = rollout.GUARD,
    window: rollout.Window = rollout.WINDOW,
    config: Config = None,
) -> None:
    """Check a ruleset and put it in force in all workers.

    A directory replaces the whole ruleset. A .txt or .yaml lexicon is added to what is in force, or replaces the
    lexicon of the same name there. Nothing is published that does not compile, nor over a version that somebody else
    has published meanwhile.

    With --shadow or --canary it is only tried out beside what is in force: see `rollout`. Pushed without them it is on
    probation for an hour: if it flags more of the traffic than its guard allows, the workers take it back.
    """
    author = rollout.author(by, message or f"push {source}")
    band = rollout.band(guard, window)
    plan = rollout.plan(canary, of, band, shadow=shadow)
    asyncio.run(_push(source, scope_named(tenant), author, config, publish=not dry_run, band=band, plan=plan))


async def _push(
    source: str,
    scope: Scope,
    author: Author,
    config: Path | None,
    *,
    publish: bool,
    band: Guard | None,
    plan: Plan | None,
) -> None:
    async with connected(config) as redis:
        now = await _in_force_or_warn(redis, scope, needed=is_lexicon(source))
        new = await wanted(redis, source, scope, now.document)
        await check(redis, new, config)
        content = canonical(new)
        if now.pointer and now.pointer.digest == digest(content):
            print(f"{scope}: {name(now.pointer.version, now.pointer.digest)} is in force already, nothing to do")
            return
        _print_changes(compare(now.document, new))
        if not publish:
            print(f"{scope}: nothing published (--dry-run)")
            return
        if plan:
            await rollout.begin(redis, scope, new, now, plan, author)
            return
        pointer = await store.publish(
            redis, scope, content, author=author, expect=now.version, probation=rollout.probation(band)
        )
        print(f"{scope}: {name(pointer.version, pointer.digest)} is in force")


async def _in_force_or_warn(redis: Client, scope: Scope, *, needed: bool) -> Found:
    """What is in force; where that is damaged and not needed, nothing, so that a push can mend it."""
    try:
        return await in_force(redis, scope)
    except Invalid as error:
        if needed:
            raise
        print(f"warning: what is in force cannot be read and will be replaced: {error}", file=sys.stderr)
        return Found(pointer=None, document=nothing_published(scope), damaged=True)


@app.command()
def rollback(
    tenant: Tenant = None,
    to: Annotated[int | None, typer.Option(min=1, help="The version to return to; by default the one before.")] = None,
    message: Message = "",
    by: By = "",
    config: Config = None,
) -> None:
    """Put an older version in force again; it gets a new version number, since versions only grow."""
    asyncio.run(_rollback(scope_named(tenant), to, by, message, config))


async def _rollback(scope: Scope, to: int | None, by: str, message: str, config: Path | None) -> None:
    async with connected(config) as redis:
        now = await store.current(redis, scope)
        target = to or _version_before(now, await store.history(redis, scope))
        if target is None:
            raise Invalid([f"{scope} has no earlier version to return to"])
        old = parse((await store.retained(redis, scope, target)).content)
        await check(redis, old, config)
        author = rollout.author(by, message or f"rollback to {target}")
        pointer = await store.rollback(redis, scope, to=target, author=author, expect=now.version if now else 0)
        print(f"{scope}: {name(pointer.version, pointer.digest)} is in force, with the content of version {target}")


def _version_before(now: Pointer | None, past: Sequence[Published]) -> int | None:
    """The newest older version with another content than the one in force; of a dropped overlay, its last."""
    older = (line for line in past if line.came_into_force and (now is None or line.version < now.version))
    return next((line.version for line in older if now is None or line.digest != now.digest), None)


@app.command()
def drop(
    tenant: Annotated[str, typer.Option(help="The tenant whose overlay goes.")],
    message: Message = "",
    by: By = "",
    config: Config = None,
) -> None:
    """Take a tenant's overlay out of force; `rollback` brings it back."""
    asyncio.run(_drop(tenant_scope(tenant), rollout.author(by, message or "drop"), config))


async def _drop(scope: Scope, author: Author, config: Path | None) -> None:
    async with connected(config) as redis:
        pointer = await store.current(redis, scope)
        if pointer is None:
            raise Invalid([f"{scope} has nothing in force"])
        await store.remove(redis, scope, author=author, expect=pointer.version)
        print(f"{scope}: {name(pointer.version, pointer.digest)} is out of force")


@app.command()
def show(
    tenant: Tenant = None,
    version: Annotated[int | None, typer.Option(min=0, help="Not the one in force; 0 is the built-in one.")] = None,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Show what is in force: version, contents, and who published what, when and why."""
    asyncio.run(_show(scope_named(tenant), version, config, as_json=as_json))


async def _show(scope: Scope, version: int | None, config: Path | None, *, as_json: bool) -> None:
    async with connected(config) as redis:
        found = await (in_force(redis, scope) if version is None else numbered(redis, scope, version))
        past = await store.history(redis, scope)
    content = canonical(found.document)
    version, sha = (found.pointer.version, found.pointer.digest) if found.pointer else (0, digest(content))
    if as_json:
        facts = {"scope": scope, "version": version, "digest": sha, "history": past}
        print(msgspec.json.encode({**facts, "document": msgspec.Raw(content)}).decode())
        return
    origin = "" if found.pointer else " (built in)" if scope == BASE else " (no overlay)"
    print(f"{scope}: {name(version, sha)}{origin}")
    print_table(("lexicon", "terms", "categories"), _lexicon_rows(found.document))
    if isinstance(found.document, BaseDocument):
        print(f"{len(found.document.aliases)} aliases, {len(found.document.fraud.rules)} fraud rules")
    if past:
        print_table(("version", "digest", "when", "who", "why"), [_history_row(line) for line in past[:SHOWN]])


@app.command()
def diff(
    old: Source,
    new: Source,
    tenant: Tenant = None,
    traffic: Annotated[
        str | None, typer.Option(help="Recorded messages: a file as for `screen`, - for standard input, or a topic.")
    ] = None,
    most: Annotated[int, typer.Option("--max", min=1, help="Messages of the topic, the last ones.")] = 100_000,
    examples: Annotated[
        int, typer.Option(min=0, help="Changed messages to show for each term and rule: they hold people's words.")
    ] = 0,
    base: Annotated[str, typer.Option(help="For overlays: the base they stand over.")] = "builtin",
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Show what changes from one ruleset to another: terms added, removed, re-graded; rules and policy changed.

    With --traffic: which verdicts change, over messages that were recorded, and by which terms and rules. A .txt
    or .yaml lexicon is then added to the old ruleset, as `push` does.
    """
    before, after = asyncio.run(_read_both(old, new, tenant, config, over=traffic is not None))
    if traffic is not None:
        below = asyncio.run(read_alone(base, None, config)) if isinstance(before, OverlayDocument) else before
        found = replay.compare(before, after, below, traffic=traffic, most=most, examples=examples, config=config)
        if as_json:
            print(replay.as_json(found).decode())
        else:
            replay.show(found)
        return
    changes = compare(before, after)
    if as_json:
        print(msgspec.json.encode(changes).decode())
    else:
        _print_changes(changes, most=len(changes))


async def _read_both(
    old: str, new: str, tenant: str | None, config: Path | None, *, over: bool
) -> tuple[Document, Document]:
    """Both rulesets; with `over`, a single lexicon is put over the old one."""
    before = await read_alone(old, tenant, config)
    if over and is_lexicon(new):
        return before, with_lexicon(before, new)
    return before, await read_alone(new, tenant, config)


def _print_changes(changes: Sequence[Change], *, most: int = SHOWN) -> None:
    for change in changes[:most]:
        sign = {"added": "+", "removed": "-"}.get(change.kind, "~")
        value = " → ".join(dict.fromkeys(each for each in (change.before, change.after) if each))
        print(f"{sign} {change.part} {change.what}{value and f': {value}'}")
    if len(changes) > most:
        print(f"… and {len(changes) - most} more")
    counts = Counter((change.part, change.kind) for change in changes)
    print(", ".join(f"{part} {kind}: {count}" for (part, kind), count in counts.items()) or "no difference")


def _lexicon_rows(document: Document) -> list[tuple[str, str, str]]:
    return [
        (stem, str(len(entries)), ", ".join(sorted({entry.category for entry in entries})))
        for stem, entries in sorted(document.lexicons.items())
    ]


def _history_row(line: Published) -> tuple[str, str, str, str, str]:
    return (str(line.version), line.digest[:12] or "(dropped)", rollout.when(line.at), line.by, line.why)
