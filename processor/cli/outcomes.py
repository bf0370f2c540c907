"""Reminders, flagged messages and feedback, read from their topics for commands that count what became of them."""

import asyncio
from pathlib import Path

from processor.cli.reconcile import watched
from processor.feedback import Ledger
from processor.ops.settings import load as load_settings
from processor.stream.outcomes import read_outcomes


def enter_topics(ledger: Ledger, config: Path | None) -> None:
    """Enter all that the topics hold now; commits nothing. Raises: Misconfigured, Unavailable."""
    settings = load_settings(config)
    with watched() as progress:
        asyncio.run(read_outcomes(settings.kafka.client(), settings.topics.prefix, ledger.add, progress))
