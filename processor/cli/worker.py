"""`chatguard worker`: judge messages until told to stop."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from processor.app import work
from processor.ops.logging import configure
from processor.ops.settings import load


def worker(
    config: Annotated[Path | None, typer.Option(help="A TOML file with settings; the environment wins.")] = None,
) -> None:
    """Judge the messages of `raw` until SIGTERM: exactly once, whatever dies.

    Settings come from CHATGUARD_… variables; `chatguard config show` lists them all.
    """
    settings = load(config)
    configure(settings.log.level, settings.log.format)
    asyncio.run(work(settings))
