"""Rulesets as people keep them: directories of text and YAML files, read into documents.

A base ruleset: `lexicons/*.txt` and `lexicons/*.yaml`, `aliases.txt`, `fraud/groups.yaml`, `fraud/rules/*.yaml`,
`reminders.yaml`, `policy.yaml`; every part may be missing. An overlay: `overlay.yaml` (allow, regrade, off, policy),
`reminders.yaml` and lexicons. A lexicon's text file holds a term per line; its YAML file a list of entries with all
their fields; if it has both, the entries of the text file come first.
Problems name the file and, where there is one, the line; all of them are told at once.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import yaml

from processor.errors import Invalid
from processor.model import Severity
from processor.rulesets.document import BaseDocument, Document, Entry, OverlayDocument, build, entry_of
from processor.rulesets.entries import entry_flaws, read_short, term_flaw, write_short

CATEGORY = re.compile(r"\w[\w.\-]{0,63}")
_SEVERITIES = ", ".join(Severity)

T = TypeVar("T")


def builtin() -> BaseDocument:
    """The base ruleset that comes with the package."""
    return read_base(files("processor") / "builtin")


def read(path: Traversable, *, tenant: str | None = None) -> Document:
    """The ruleset in the directory `path`; one with an `overlay.yaml`, or any when `tenant` is given, is an overlay.

    Raises: Invalid, with everything that is wrong in any of its files.
    """
    if tenant is not None or (path / "overlay.yaml").is_file():
        return read_overlay(path, tenant=tenant)
    return read_base(path)


def read_base(path: Traversable) -> BaseDocument:
    """The base ruleset in the directory `path`. Raises: Invalid."""
    gather = _Gather()
    parts = {
        "lexicons": _lexicons(path, gather),
        "aliases": gather(parse_aliases, path / "aliases.txt") or {},
        "fraud": {
            "groups": _mapping(path / "fraud" / "groups.yaml", gather),
            "rules": [rule for file in _files(path / "fraud" / "rules", ".yaml") for rule in _rules(file, gather)],
            "scorecards": _scorecards(path, gather),
            "brands": _mapping(path / "fraud" / "brands.yaml", gather),
        },
        "reminders": _mapping(path / "reminders.yaml", gather),
        "policy": _mapping(path / "policy.yaml", gather),
    }
    document = gather.build({"format": 1, "kind": "base", **parts}, path)
    assert isinstance(document, BaseDocument)
    return document


def read_overlay(path: Traversable, *, tenant: str | None = None) -> OverlayDocument:
    """The overlay in the directory `path`, for `tenant` or the one that `overlay.yaml` names. Raises: Invalid."""
    gather = _Gather()
    parts: dict[str, Any] = {"lexicons": _lexicons(path, gather), **_mapping(path / "overlay.yaml", gather)}
    texts = _mapping(path / "reminders.yaml", gather)
    if texts and "reminders" in parts:
        gather.problems.append("overlay.yaml: reminders stand in reminders.yaml already")
    if texts:
        parts["reminders"] = texts
    if tenant is not None and parts.setdefault("tenant", tenant) != tenant:
        gather.problems.append(f"overlay.yaml: is for the tenant {parts['tenant']!r}, not {tenant!r}")
    document = gather.build({"format": 1, "kind": "overlay", **parts}, path)
    assert isinstance(document, OverlayDocument)
    return document


def write(document: Document, path: Path) -> None:
    """Writes the document as a directory that `read` reads back the same; rules go to one file per type.

    Raises: Invalid, before anything is written, if a name or term cannot stand in such files; OSError.
    """
    for file, text in texts(document).items():
        (path / file).parent.mkdir(parents=True, exist_ok=True)
        (path / file).write_text(text, encoding="utf-8")


def lexicon_text(entries: Iterable[Entry]) -> str:
    """The entries as a lexicon's text file. Raises: Invalid, for an entry that such a file cannot hold."""
    lines: list[str] = []
    for entry in entries:
        line = f"{write_short(entry.term)},{entry.category},{entry.severity}"
        unreadable = line.count(",") != 2 or "\n" in line or line.startswith("#") or line.strip() != line  # noqa: PLR2004
        if unreadable or not entry.is_plain or read_short(line.partition(",")[0])[0] != entry.term:
            raise Invalid([f"{line!r} cannot stand in a lexicon's text file: use YAML"])
        lines.append(line + "\n")
    return "".join(lines)


def lexicon_yaml(entries: Iterable[Entry]) -> str:
    """The entries as a lexicon's YAML file."""
    return yaml.dump(
        [msgspec.to_builtins(entry) for entry in entries],
        Dumper=_Dumper,
        allow_unicode=True,
        sort_keys=False,
        width=120,
        default_flow_style=None,
    )


def texts(document: Document) -> dict[str, str]:
    """The files of the document's directory, by their names. Raises: Invalid, as `write` does."""
    return dict(_texts(document))


def _texts(document: Document) -> Iterator[tuple[str, str]]:
    for stem, entries in document.lexicons.items():
        yield from _lexicon_texts(f"lexicons/{_file_name(stem)}", entries)
    if isinstance(document, OverlayDocument):
        parts = msgspec.to_builtins(document)
        yield "overlay.yaml", _yaml([{name: parts[name] for name in ("tenant", "allow", "regrade", "off", "policy")}])
        if document.reminders:
            yield "reminders.yaml", _yaml([parts["reminders"]])
        return
    yield "aliases.txt", _aliases_text(document.aliases)
    yield "fraud/groups.yaml", _yaml([document.fraud.groups])
    for kind in {str(rule.get("type")): None for rule in document.fraud.rules}:
        rules = [rule for rule in document.fraud.rules if str(rule.get("type")) == kind]
        yield f"fraud/rules/{_file_name(kind)}.yaml", _yaml(rules)
    for name in ("scorecards", "brands"):
        if part := getattr(document.fraud, name):
            yield f"fraud/{name}.yaml", _yaml([part])
    yield "reminders.yaml", _yaml([msgspec.to_builtins(document.reminders)])
    yield "policy.yaml", _yaml([document.policy])


def _lexicon_texts(stem: str, entries: Sequence[Entry]) -> Iterator[tuple[str, str]]:
    """A text file for the plain entries at the head, or for none, and a YAML file from the first richer one on."""
    plain = next((number for number, entry in enumerate(entries) if not entry.is_plain), len(entries))
    if plain or not entries:
        yield f"{stem}.txt", lexicon_text(entries[:plain])
    if plain < len(entries):
        yield f"{stem}.yaml", lexicon_yaml(entries[plain:])


def _aliases_text(aliases: Mapping[str, str]) -> str:
    text = "".join(f"{spelling}={term}\n" for spelling, term in aliases.items())
    if parse_aliases(text, source="aliases.txt") != aliases:
        raise Invalid(["the aliases cannot stand in a file"])
    return text


def _file_name(stem: str) -> str:
    if not re.fullmatch(r"\w[\w.#\-]*", stem):
        raise Invalid([f"{stem!r} cannot be the name of a file"])
    return stem


def _yaml(documents: Sequence[Any]) -> str:
    return yaml.dump_all(documents, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=120)


def parse_terms(text: str, *, source: str, least: int = 2) -> list[Entry]:
    """The entries of a lexicon file's `text`: `term[,category[,severity]]` per line, `#` comments, blank lines.

    A term may be a combination in short form, `A&B~C`; see `read_short`.
    `source` is the file's name for messages; `least`: how many characters of a term must count.
    Raises: Invalid, with one problem per bad line.
    """
    entries: list[Entry] = []
    problems: list[str] = []
    for number, line in numbered(text):
        written, category, severity, *more = (*(part.strip() for part in line.split(",")), "", "")
        term, near, without = read_short(written)
        severity = (severity or Severity.HIGH).lower()
        flaws = list(_flaws(term, category, severity, least=least, extra=any(more)))
        problems += [f"{source}:{number}: {flaw}" for flaw in flaws]
        if not flaws:
            grade = Severity(severity)
            entries.append(Entry(term=term, category=category or "custom", severity=grade, all=near, without=without))
    if problems:
        raise Invalid(problems)
    return entries


def parse_entries(text: str, *, source: str, least: int = 2) -> list[Entry]:
    """The entries of a lexicon's YAML file: a list of mappings with the fields of `Entry`.

    `source` and `least` as for `parse_terms`. Raises: Invalid, with the line of every entry that is wrong.
    """
    entries: list[Entry] = []
    problems: list[str] = []
    for number, value in _yaml_items(text, source=source):
        try:
            entry = entry_of(value)
        except Invalid as error:
            problems += [f"{source}:{number}: {problem}" for problem in error.problems]
            continue
        problems += [f"{source}:{number}: {flaw}" for flaw in entry_flaws(entry, least=least)]
        entries.append(entry)
    if problems:
        raise Invalid(problems)
    return entries


def parse_aliases(text: str, *, source: str) -> dict[str, str]:
    """Spelling → term, from lines `spelling=term`. Raises: Invalid, with one problem per bad line."""
    aliases: dict[str, str] = {}
    problems: list[str] = []
    for number, line in numbered(text):
        spelling, equals, term = (part.strip() for part in line.partition("="))
        if not equals:
            problems.append(f"{source}:{number}: wanted spelling=term")
        elif flaw := term_flaw(spelling, least=1) or term_flaw(term, least=1):
            problems.append(f"{source}:{number}: {flaw}")
        elif aliases.setdefault(spelling, term) != term:
            problems.append(f"{source}:{number}: {spelling!r} already stands for {aliases[spelling]!r}")
    if problems:
        raise Invalid(problems)
    return aliases


def _flaws(term: str, category: str, severity: str, *, least: int, extra: bool) -> Iterator[str]:
    if flaw := term_flaw(term, least=least):
        yield flaw
    if category and not CATEGORY.fullmatch(category):
        yield bad_category(category)
    if severity not in set(Severity):
        yield f"unknown severity {severity!r}: use one of {_SEVERITIES}"
    if extra:
        yield "too many commas: wanted term[,category[,severity]]"


def bad_category(category: str) -> str:
    """What is told of a category that is none by `CATEGORY`."""
    return f"category {category!r}: use up to 64 letters, digits, '_', '-' and '.'"


def numbered(text: str, *, comments: bool = True) -> Iterator[tuple[int, str]]:
    """The lines that say something, stripped, each with its number from 1; `comments`: whether # begins one."""
    # Not splitlines(): that also breaks at characters which may stand inside a term.
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), start=1):
        content = line.strip()
        if content and not (comments and content.startswith("#")):
            yield number, content


class _Gather:
    """Reads files of one ruleset and remembers what was wrong in each instead of stopping."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def __call__(self, parse: "Callable[..., T]", file: Traversable) -> T | None:
        """What `parse(text, source=…)` makes of the file; None if there is no such file or it is wrong."""
        try:
            return parse(file.read_bytes().decode("utf-8-sig"), source=file.name) if file.is_file() else None
        except UnicodeDecodeError as error:
            self.problems.append(f"{file.name}: not UTF-8 (byte {error.start})")
        except Invalid as error:
            self.problems += error.problems
        return None

    def build(self, parts: dict[str, Any], path: Traversable) -> Document:
        """The document. Raises: Invalid, with the problems of the files and those of the document's shape."""
        if not path.is_dir():
            raise Invalid([f"{path.name}: no such directory"])
        if not any((path / part).is_file() or (path / part).is_dir() for part in _PARTS):
            raise Invalid([f"{path.name}: holds no ruleset (none of {', '.join(_PARTS)})"])
        try:
            document = build(parts)
        except Invalid as error:
            self.problems += error.problems
        if self.problems:
            raise Invalid(self.problems)
        return document


_PARTS = ("lexicons", "aliases.txt", "fraud", "reminders.yaml", "policy.yaml", "overlay.yaml")


def _files(folder: Traversable, suffix: str) -> list[Traversable]:
    if not folder.is_dir():
        return []
    return sorted((file for file in folder.iterdir() if file.name.endswith(suffix)), key=lambda file: file.name)


def _lexicons(path: Traversable, gather: _Gather) -> dict[str, list[Entry]]:
    lexicons: dict[str, list[Entry]] = {}
    for suffix, parse in ((".txt", parse_terms), (".yaml", parse_entries)):
        for file in _files(path / "lexicons", suffix):
            lexicons.setdefault(file.name.removesuffix(suffix), []).extend(gather(parse, file) or [])
    return dict(sorted(lexicons.items()))


def _rules(file: Traversable, gather: _Gather) -> list[dict[str, Any]]:
    return [rule for _, rule in gather(parse_yaml, file) or []]


def _mapping(file: Traversable, gather: _Gather) -> dict[str, Any]:
    documents = gather(parse_yaml, file) or []
    if len(documents) > 1:
        gather.problems.append(f"{file.name}:{documents[1][0]}: only one YAML document may stand in this file")
    return documents[0][1] if documents else {}


def _scorecards(path: Traversable, gather: _Gather) -> dict[str, Any]:
    """`fraud/scorecards.yaml` and what further files beside it add (`scorecards.<language>.yaml`), as one document."""
    joined: dict[str, Any] = {}
    for file in (each for each in _files(path / "fraud", ".yaml") if each.name.startswith("scorecards.")):
        problems = _join(joined, _mapping(file, gather))
        gather.problems += [f"{file.name}: {name} stands in another file already" for name in problems]
    return joined


def _join(joined: dict[str, Any], more: Mapping[str, Any], where: str = "") -> list[str]:
    """Adds what `more` says to `joined`: lists to lists, sections to sections. The names that both give come back."""
    twice: list[str] = []
    for key, value in more.items():
        if key not in joined:
            joined[key] = value
        elif isinstance(joined[key], list) and isinstance(value, list):
            joined[key] = joined[key] + value
        elif isinstance(joined[key], dict) and isinstance(value, dict) and not where:
            joined[key] = dict(joined[key])
            twice += _join(joined[key], value, where=f"{key}: ")
        else:
            twice.append(f"{where}{key}")
    return twice


class _Loader(yaml.CSafeLoader):
    """YAML 1.2's plain scalars: `off`, `no` and `2020-01-01` are words here, as `overlay.yaml` and term lists need."""


_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("null", r"|~|null", ["", "~", "n"]),
    ("bool", r"true|false", ["t", "f"]),
    ("int", r"[-+]?(0|[1-9][0-9]*)", [*"-+0123456789"]),
    ("float", r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=e))(e[-+]?[0-9]+)?", [*"-+.0123456789"]),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"(?:{_pattern})\Z"), _first)


class _Dumper(yaml.CSafeDumper):
    """Quotes what `_Loader` would not read back as a word."""


_Dumper.yaml_implicit_resolvers = _Loader.yaml_implicit_resolvers


def parse_yaml(text: str, *, source: str) -> list[tuple[int, dict[str, Any]]]:
    """The line and the content of every document in a YAML text; each must be a mapping, and no key may come twice.

    Raises: Invalid; a text that is no YAML is one problem, with its line.
    """
    found = [(line, value) for line, _, value in _yaml_documents(text, source=source) if value is not None]
    problems = [
        f"{source}:{line}: wanted a mapping, found {type(value).__name__}"
        for line, value in found
        if not isinstance(value, dict)
    ]
    if problems:
        raise Invalid(problems)
    return found


def _yaml_items(text: str, *, source: str) -> list[tuple[int, Any]]:
    """The line and the content of every item of a YAML text's one list. Raises: Invalid, as `parse_yaml` does."""
    items: list[tuple[int, Any]] = []
    for line, node, value in _yaml_documents(text, source=source):
        if isinstance(value, list) and isinstance(node, yaml.SequenceNode):
            items += zip((item.start_mark.line + 1 for item in node.value), value, strict=True)
        elif value is not None:
            raise Invalid([f"{source}:{line}: wanted a list of entries, found {type(value).__name__}"])
    return items


def _yaml_documents(text: str, *, source: str) -> list[tuple[int, yaml.Node, Any]]:
    """The line, the node and the content of every document. Raises: Invalid, also for a key that comes twice."""
    problems: list[str] = []
    found: list[tuple[int, yaml.Node, Any]] = []
    try:
        loader = _Loader(text)
        try:
            while loader.check_node():
                node = loader.get_node()
                assert node is not None
                problems += [f"{source}:{at}: {key!r} stands here twice" for at, key in _repeated(node)]
                found.append((node.start_mark.line + 1, node, loader.construct_document(node)))
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problems.append(f"{source}:{mark.line + 1 if mark else 1}: {error.problem or error.context}")
    except yaml.YAMLError as error:
        problems.append(f"{source}: not YAML: {error}")
    if problems:
        raise Invalid(problems)
    return found


def _repeated(root: yaml.Node) -> Iterator[tuple[int, str]]:
    """Line and name of every key that a mapping has twice; YAML itself lets the last one win without a word."""
    waiting, visited = [root], set()
    while waiting:
        node = waiting.pop()
        if id(node) in visited or not isinstance(node, yaml.CollectionNode):
            continue
        visited.add(id(node))
        if isinstance(node, yaml.MappingNode):
            keys = [key for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
            first = {key.value: key for key in reversed(keys)}
            yield from ((key.start_mark.line + 1, key.value) for key in keys if first[key.value] is not key)
            waiting += [part for pair in node.value for part in pair]
        else:
            waiting += node.value
