"""The lines that people wrote, and which of them one may look at."""

from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec import Struct

from processor.cli.screen import rules_for
from processor.ruleset import Rules

FOLDER = Path(__file__).parent
TERMS = FOLDER / "terms.txt"
SEALED_TERMS = FOLDER / "terms-sealed.txt"
Line = TypeVar("Line")


class Part(StrEnum):
    """Some lines are for building, others are scored once, at the end, before anybody reads them."""

    BUILDING = "building"
    SEALED = "sealed"

    @property
    def folder(self) -> Path:
        """Where its files are."""
        return FOLDER if self is Part.BUILDING else FOLDER / "sealed"

    @property
    def terms(self) -> Path:
        """The terms that its lines hide."""
        return self.folder / "terms.txt"


class Evaded(Struct, frozen=True):
    """A term as somebody would write it past a filter."""

    text: str
    term: str
    evasion: str


class Boundary(Struct, frozen=True):
    """A text in which a term's characters stand; whether the term is meant."""

    text: str
    term: str
    meant: bool


def evaded(part: Part) -> list[Evaded]:
    return _json_lines(part.folder / "evaded.jsonl", Evaded)


def boundaries(part: Part) -> list[Boundary]:
    return _json_lines(part.folder / "boundaries.jsonl", Boundary)


def straddles() -> list[Boundary]:
    """Texts by whoever built the matching, of terms of their own; none of them is sealed."""
    return _json_lines(FOLDER / "straddles.jsonl", Boundary)


def benign(part: Part) -> list[str]:
    return [
        line
        for file in sorted(part.folder.glob("benign*.txt"))
        for line in file.read_text(encoding="utf-8").splitlines()
    ]


def _json_lines(file: Path, kind: type[Line]) -> list[Line]:
    return [msgspec.json.decode(line, type=kind) for line in file.read_bytes().splitlines()]


def terms(file: Path = TERMS) -> list[str]:
    return [line for line in file.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]


@cache
def own_rules(file: Path = TERMS) -> Rules:
    """A small lexicon alone, each term graded high."""
    return rules_for(None, [file], None, no_builtin=True)


@cache
def builtin_rules() -> Rules:
    """What everybody gets."""
    return rules_for(None, [], None, no_builtin=False)
