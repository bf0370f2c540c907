"""`chatguard worker`: judge messages until told to stop."""

import asyncio

from processor.app import work
from processor.cli.options import Config
from processor.ops.logging import configure
from processor.ops.settings import load


def worker(config: Config = None) -> None:
    """Judge the messages of `raw` until SIGTERM: exactly once, whatever dies.

    Settings come from CHATGUARD_… variables; `chatguard config show` lists them all.
    """
    settings = load(config)
    configure(settings.log.level, settings.log.format)
    asyncio.run(work(settings))
