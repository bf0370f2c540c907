"""The corpus as it is read: conversations for building, and sealed ones."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

CORPUS = Path(__file__).parents[1] / "corpus"
SEALED = CORPUS / "sealed"


class Line(Struct, frozen=True, kw_only=True):
    """One message; `stage` and `ask` stand on a swindler's lines only."""

    speaker: str = msgspec.field(name="from")
    text: str
    stage: str | None = None
    ask: bool = False


class Talk(Struct, frozen=True, kw_only=True):
    """One conversation."""

    id: str
    kind: str
    type: str | None = None
    lang: str
    group: bool = False
    messages: list[Line]

    @property
    def first_ask(self) -> int | None:
        """The place of the line in which the victim is first asked for something."""
        return next((place for place, line in enumerate(self.messages) if line.ask), None)


_line = msgspec.json.Decoder(Talk)


def read(folders: Sequence[Path]) -> list[Talk]:
    """All conversations of these folders, in the order of their files."""
    return [
        _line.decode(line)
        for folder in folders
        for file in sorted(folder.glob("*.jsonl"))
        for line in file.read_bytes().splitlines()
        if line.strip()
    ]
