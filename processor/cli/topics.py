"""`chatguard topics`: what the topics should be, what they are, and the missing ones created."""

import asyncio
import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from processor.cli.options import Config
from processor.ops.settings import load as load_settings
from processor.stream import asyncapi, contract
from processor.stream import topics as edge
from processor.stream.topics import Plan, Wanted

app = typer.Typer(no_args_is_help=True, help="Compare the topics with their contracts; create what is missing.")

Partitions = Annotated[
    int | None,
    typer.Option(min=1, help="Partitions of each topic; by default as many as raw has, or 12 while there is no raw."),
]
Replication = Annotated[
    int | None,
    typer.Option("--replication-factor", min=1, max=32_767, help="Replicas of each partition; by default 3."),
]


@app.command()
def plan(
    partitions: Partitions = None,
    replication: Replication = None,
    check: Annotated[bool, typer.Option("--check", help="Exit with 1 if anything is missing or differs.")] = False,
    config: Config = None,
) -> None:
    """Show which topics are missing, which differ and in what, and which are as they should be.

    Changes nothing. Exits with 0 even when something is missing or differs, unless --check is given.
    """
    settings = load_settings(config)
    prefix = settings.topics.prefix
    cluster = asyncio.run(edge.inspect(settings.kafka.client(), edge.names(prefix).values()))
    found = edge.plan(contract.load(), cluster, prefix=prefix, partitions=partitions, replication=replication)
    _show(found, missing="missing", differs="differs")
    raise typer.Exit(1 if check and not found.done else 0)


@app.command()
def apply(partitions: Partitions = None, replication: Replication = None, config: Config = None) -> None:
    """Create the missing topics. Never deletes or alters one: what differs is shown, and left to you."""
    settings = load_settings(config)
    client, prefix = settings.kafka.client(), settings.topics.prefix
    followed = asyncio.run(edge.apply(client, prefix, partitions=partitions, replication=replication))
    _show(followed, missing="created", differs="differs, left alone")


@app.command("asyncapi")
def print_asyncapi() -> None:
    """Print the contracts as an AsyncAPI 3.0 document. Needs no Kafka."""
    sys.stdout.write(asyncapi.text())


def _show(plan: Plan, *, missing: str, differs: str) -> None:
    rows = [
        *((missing, topic.name, _described(topic)) for topic in plan.missing),
        *((differs, point.name, f"{point.what} is {point.actual}, wanted {point.wanted}") for point in plan.differing),
        *(("as it should be", name, "") for name in plan.fine),
    ]
    console = Console(highlight=False)
    if not console.is_terminal:
        for state, name, detail in rows:
            print(f"{name}: {state}{detail and f': {detail}'}")
        return
    table = Table("topic", "state", "detail", box=None, pad_edge=False)
    for state, name, detail in rows:
        table.add_row(name, state, detail, style="" if not detail else "yellow" if state == differs else "green")
    console.print(table)


def _described(topic: Wanted) -> str:
    return f"{topic.partitions} partitions, {topic.replication} replicas"
