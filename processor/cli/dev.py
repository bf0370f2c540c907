"""`chatguard dev`: a Kafka and a Redis to work against, from pip packages alone."""

import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from types import FrameType
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.progress import Progress as Bar

from processor.embedded import Handle, Progress, Say, run_kafka, run_redis
from processor.errors import EmbeddedFailed

LOOK_EVERY_S = 0.5

app = typer.Typer(no_args_is_help=True, help="A Kafka and a Redis to work against, from pip packages alone.")


@app.callback()
def dev() -> None:
    """Keeps `up` a command of its own while it is the only one."""


@app.command()
def up(
    redis: Annotated[bool, typer.Option(help="Start a Redis too.")] = True,
) -> None:
    """Start Kafka and Redis on free ports, print the settings that point at them, and stay.

    The settings come as export lines on standard output, all else on standard error. Ctrl-C ends both services and
    forgets their data; so does the end of this process in any other way.
    """
    signal.signal(signal.SIGTERM, interrupt)
    ready = False
    try:
        with ExitStack() as stack:
            with told() as (say, progress):
                server = stack.enter_context(run_redis(say=say)) if redis else None
                broker = stack.enter_context(run_kafka(say=say, progress=progress))
                say("Ready. Use these settings in another shell; Ctrl-C here ends it all and forgets the data.")
            if server:
                print(f"export CHATGUARD_REDIS__URL={server.url}")
            print(f"export CHATGUARD_KAFKA__BOOTSTRAP_SERVERS={broker.bootstrap_servers}", flush=True)
            ready = True
            stay({"Kafka": broker} | ({"Redis": server} if server else {}))
    except KeyboardInterrupt:
        raise typer.Exit(0 if ready else 1) from None


def interrupt(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def stay(services: Mapping[str, Handle]) -> NoReturn:
    """Stay until interrupted; EmbeddedFailed when a service ends by itself."""
    while True:
        time.sleep(LOOK_EVERY_S)
        for name, service in services.items():
            if not service.runs():
                raise EmbeddedFailed(f"{name} has ended by itself. Its last words:\n{service.last_words()}")


@contextmanager
def told() -> Iterator[tuple[Say, Progress]]:
    """Where embedded services say what they do: lines on standard error, and on a terminal a bar while they fetch."""
    console = Console(stderr=True, highlight=False)
    if not console.is_interactive:
        yield (lambda line: print(line, file=sys.stderr, flush=True)), (lambda _done, _total: None)
        return
    columns = (TextColumn("Kafka"), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    bar = Bar(*columns, console=console, transient=True)
    task = bar.add_task("")

    def progress(done: int, total: int) -> None:
        bar.update(task, completed=done, total=total)
        bar.start()
        if done == total:
            bar.stop()

    try:
        yield (lambda line: bar.console.print(line, soft_wrap=True, markup=False)), progress
    finally:
        bar.stop()
