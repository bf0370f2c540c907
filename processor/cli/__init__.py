"""The `chatguard` command. Exit codes: 0 done, 1 failed, 2 wrong use or settings."""

import sys

import typer

from processor.cli import (
    config,
    demo,
    dev,
    explain,
    lexicon,
    reconcile,
    redteam,
    rejudge,
    rules,
    screen,
    topics,
    worker,
)
from processor.errors import ChatguardError, Misconfigured

app = typer.Typer(
    name="chatguard",
    help="Chat moderation and anti-fraud on Kafka and Redis: exactly once, with the reason for every verdict.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(dev.app, name="dev")
app.add_typer(topics.app, name="topics")
app.add_typer(lexicon.app, name="lexicon")
app.add_typer(rules.app, name="rules")
app.add_typer(config.app, name="config")
app.command("demo")(demo.demo)
app.command("worker")(worker.worker)
app.command("screen")(screen.screen)
app.command("explain")(explain.explain)
app.command("reconcile")(reconcile.reconcile)
app.command("replay")(rejudge.replay)
app.command("redteam")(redteam.redteam)


def main() -> None:
    """Run the command; errors of ours become one clear message and an exit code."""
    try:
        app()
    except Misconfigured as error:
        print("\n".join(f"Error: {problem}" for problem in error.problems), file=sys.stderr)
        raise SystemExit(2) from None
    except ChatguardError as error:
        print(f"Error: {error}", file=sys.stderr)
        raise SystemExit(1) from None
