"""Ordinary chat that comes with the package: what a lexicon should leave alone.

`processor/builtin/benign/{zh,en}.txt`: one message a line, no line twice, made up for this purpose: no real people and
nobody's private words. Lines that only look like trouble (时代孕育, Scunthorpe) are there on purpose.
"""

from importlib.resources import files

LANGUAGES = ("zh", "en")


def lines(*languages: str) -> tuple[str, ...]:
    """The lines in `languages`, by default in all of them."""
    folder = files("processor") / "builtin" / "benign"
    texts = [(folder / f"{language}.txt").read_text(encoding="utf-8") for language in languages or LANGUAGES]
    return tuple(line for text in texts for line in text.split("\n") if line)
