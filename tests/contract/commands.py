"""Calling `chatguard lexicon`, and the files it is given."""

from pathlib import Path

from typer.testing import CliRunner, Result

from processor.cli.lexicon import app

POLICY = """
actions: {default: {high: block, medium: review, low: mask, log: pass}}
fraud: {review_at: 60, remind_at: 30}
reminder: {locale: auto, cooldown_s: 60, expires_s: 60, max_recipients: 9}
"""


def call(*words: str) -> Result:
    return CliRunner().invoke(app, [*words])


def said(*words: str) -> str:
    """What the command prints when it is content."""
    result = call(*words)
    assert result.exit_code == 0, (result.output, result.exception)
    return result.stdout


def refusal(*words: str) -> BaseException | None:
    return call(*words).exception


def lexicon(name: str, *lines: str) -> str:
    Path(name).write_text("\n".join(lines), encoding="utf-8")
    return name
