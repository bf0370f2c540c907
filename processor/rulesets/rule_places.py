"""Where in a ruleset's directory its fraud rules, groups, scorecards and templates stand, by file and line.

Reading is tolerant: what is wrong with a file is told by `rulesets.directory`, and here merely has no place.
"""

import re
from collections.abc import Iterator, Mapping
from importlib.resources.abc import Traversable

from processor.rulesets.places import Place, located, text_of

_ID = re.compile(r"""(?:- +)?\{? *id: *["']?(FR-[A-Z]{2}-[0-9]+)""")
_KEY = re.compile(r"""( *)["']?([\w.\-]+)["']?:""")
_SECTIONS = {"words": "words", "signals": "signal"}

Places = Mapping[tuple[str, str], Place]
"""(rule, group, words, signal or template; its name) → the line it begins on."""


def rule_places(source: str) -> Places:
    """The places of what a directory (or `builtin`) holds; nothing for other sources."""
    found: dict[tuple[str, str], Place] = {}
    for key, place in _scan(located(source), source):
        found.setdefault(key, place)
    return found


def _scan(path: Traversable, source: str) -> Iterator[tuple[tuple[str, str], Place]]:
    fraud = path / "fraud"
    for name in ("rules", ""):
        folder = fraud / name if name else fraud
        for file in sorted(folder.iterdir(), key=lambda each: each.name) if folder.is_dir() else ():
            shown = "/".join(filter(None, (source, "fraud", name, file.name)))
            if name or file.name.startswith("scorecards."):
                yield from _ids(file, shown)
            if file.name == "groups.yaml" and not name:
                yield from ((("group", key), Place(shown, line)) for indent, key, line in _keys(file) if not indent)
            elif file.name.startswith("scorecards."):
                yield from _sections(file, shown)
    shown = f"{source}/reminders.yaml"
    for indent, key, line in _keys(path / "reminders.yaml"):
        if not indent:
            yield ("template", key), Place(shown, line)


def _ids(file: Traversable, shown: str) -> Iterator[tuple[tuple[str, str], Place]]:
    for number, line in enumerate(text_of(file).split("\n"), start=1):
        if match := _ID.match(line.strip()):
            yield ("rule", match[1]), Place(shown, number)


def _sections(file: Traversable, shown: str) -> Iterator[tuple[tuple[str, str], Place]]:
    """The names one step inside `words` and `signals`."""
    section, step = "", 0
    for indent, key, line in _keys(file):
        if not indent:
            section, step = _SECTIONS.get(key, ""), 0
        elif section and indent == (step or indent):
            step = indent
            yield (section, key), Place(shown, line)


def _keys(file: Traversable) -> Iterator[tuple[int, str, int]]:
    """The keys of a YAML file with their indent and line."""
    for number, line in enumerate(text_of(file).split("\n"), start=1):
        if match := _KEY.match(line):
            yield len(match[1]), match[2], number
