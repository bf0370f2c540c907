"""Where in a ruleset's files its terms stand, so that a remark can say file and line.

Reading is tolerant: what is wrong with a file is told by `rulesets.directory`, and here merely has no place.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import NamedTuple

import yaml

from processor.rulesets.directory import numbered
from processor.rulesets.entries import read_short


class Place(NamedTuple):
    """A line of a file, counted from 1."""

    file: str
    line: int


Places = Mapping[tuple[str, str], Sequence[Place]]
"""(lexicon, or "aliases", or "overlay"; term as written) → the lines it stands in, in order."""

ALIASES = "aliases"
OVERLAY = "overlay"


def places(source: str) -> Places:
    """The places of what `source` (a directory, a `.txt` lexicon, `builtin`) holds; nothing for other sources."""
    found: defaultdict[tuple[str, str], list[Place]] = defaultdict(list)
    for part, term, place in _scan(source):
        found[part, term].append(place)
    return found


def located(source: str) -> Traversable:
    """The file or directory that `source` names; it need not be there."""
    return files("processor") / "builtin" if source == "builtin" else Path(source)


def _scan(source: str) -> Iterator[tuple[str, str, Place]]:
    path = located(source)
    if source.endswith(".txt") and path.is_file():
        yield from _terms(Path(source).stem, path, source)
    if source.endswith(".yaml") and path.is_file():
        yield from _entries(Path(source).stem, path, source)
    if not path.is_dir():
        return
    lexicons = path / "lexicons"
    for file in sorted(lexicons.iterdir(), key=lambda file: file.name) if lexicons.is_dir() else ():
        stem, _, suffix = file.name.rpartition(".")
        shown = f"{source}/lexicons/{file.name}"
        if suffix == "txt":
            yield from _terms(stem, file, shown)
        elif suffix == "yaml":
            yield from _entries(stem, file, shown)
    for number, line in numbered(text_of(path / "aliases.txt")):
        yield ALIASES, line.partition("=")[0].strip(), Place(f"{source}/aliases.txt", number)
    yield from _scalars(OVERLAY, path / "overlay.yaml", f"{source}/overlay.yaml")


def _terms(part: str, file: Traversable, shown: str) -> Iterator[tuple[str, str, Place]]:
    for number, line in numbered(text_of(file)):
        yield part, read_short(line.partition(",")[0].strip())[0], Place(shown, number)


def text_of(file: Traversable) -> str:
    """What the file holds, whatever of it is not UTF-8; nothing if there is none."""
    return file.read_bytes().decode("utf-8-sig", errors="replace") if file.is_file() else ""


def _scalars(part: str, file: Traversable, shown: str) -> Iterator[tuple[str, str, Place]]:
    """Every word of a YAML file and its line: which of them is a term, whoever asks for a term knows."""
    waiting = _roots(file)[::-1]
    while waiting:
        node = waiting.pop()
        if isinstance(node, yaml.ScalarNode):
            yield part, node.value, Place(shown, node.start_mark.line + 1)
        elif isinstance(node, yaml.SequenceNode):
            waiting += node.value[::-1]
        elif isinstance(node, yaml.MappingNode):
            waiting += [value for _, value in node.value[::-1]]


def _entries(part: str, file: Traversable, shown: str) -> Iterator[tuple[str, str, Place]]:
    """The terms of a lexicon's YAML file, each with the line on which its entry begins."""
    for root in _roots(file):
        for entry in root.value if isinstance(root, yaml.SequenceNode) else ():
            pairs = entry.value if isinstance(entry, yaml.MappingNode) else ()
            for key, value in pairs:
                if isinstance(value, yaml.ScalarNode) and key.value == "term":
                    yield part, value.value, Place(shown, entry.start_mark.line + 1)


def _roots(file: Traversable) -> list[yaml.Node]:
    """What a YAML file holds; nothing if there is none or it is not YAML."""
    try:
        return list(yaml.compose_all(file.read_bytes(), Loader=yaml.CSafeLoader)) if file.is_file() else []
    except yaml.YAMLError:
        return []
