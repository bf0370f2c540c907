"""The lines that people wrote, and which half of them one may look at."""

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


class Half(StrEnum):
    """Odd lines are for building, even ones are scored once, at the end."""

    BUILDING = "building"
    SEALED = "sealed"

    def of(self, lines: list[Line]) -> list[Line]:
        """This half of a file's lines."""
        return lines[0 if self is Half.BUILDING else 1 :: 2]


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


def evaded(half: Half) -> list[Evaded]:
    return half.of(_json_lines("evaded.jsonl", Evaded))


def boundaries(half: Half) -> list[Boundary]:
    return half.of(_json_lines("boundaries.jsonl", Boundary))


def straddles() -> list[Boundary]:
    """Texts by whoever built the matching, of terms of their own; none of them is sealed."""
    return _json_lines("straddles.jsonl", Boundary)


def benign(half: Half) -> list[str]:
    return [
        line
        for name in ("benign-zh.txt", "benign-en.txt")
        for line in half.of((FOLDER / name).read_text(encoding="utf-8").splitlines())
    ]


def _json_lines(name: str, kind: type[Line]) -> list[Line]:
    return [msgspec.json.decode(line, type=kind) for line in (FOLDER / name).read_bytes().splitlines()]


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
