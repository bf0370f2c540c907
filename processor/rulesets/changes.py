"""What changes from one ruleset to another, in words for the person who is about to publish it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from processor.rulesets.document import BaseDocument, Document, Entry

Kind = Literal["added", "removed", "regraded", "changed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One difference; `before` and `after` are empty where there is nothing to tell."""

    part: str  # "term", "alias", "rule", "group", "reminder", "policy", "allow", "regrade" or "off"
    what: str
    kind: Kind
    before: str = ""
    after: str = ""


def compare(old: Document, new: Document) -> list[Change]:
    """The differences, part by part, in the order of their names."""
    return [change for part in _PARTS for change in _part(part, _PARTS[part](old), _PARTS[part](new))]


def _part(part: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    for what in sorted({*old, *new}):
        before, after = old.get(what), new.get(what)
        if before == after:
            continue
        if before is None or after is None:
            kind: Kind = "added" if before is None else "removed"
        else:
            kind = "regraded" if part == "term" else "changed"
        yield Change(part=part, what=what, kind=kind, before=_words(before), after=_words(after))


def _words(value: Any) -> str:
    """Short values as they are; of long ones (rules, groups, texts) only that they differ matters here."""
    return value if isinstance(value, str) else ""


def _terms(document: Document) -> dict[str, str]:
    grades: dict[str, set[str]] = {}
    for entries in document.lexicons.values():
        for entry in entries:
            grades.setdefault(entry.term, set()).add(f"{entry.category}/{entry.severity}{_conditions(entry)}")
    return {term: ", ".join(sorted(each)) for term, each in grades.items()}


def _conditions(entry: Entry) -> str:
    """What an entry says beyond its category and severity."""
    if entry.is_plain:
        return ""
    told = msgspec.to_builtins(entry)
    more = {name: value for name, value in told.items() if name not in {"term", "category", "severity"}}
    return " " + msgspec.json.encode(more).decode()


def _field(name: str, document: Document) -> Any:
    return msgspec.to_builtins(getattr(document, name, None))


def _rules(document: Document) -> dict[str, Any]:
    rules = document.fraud.rules if isinstance(document, BaseDocument) else []
    return {f"{rule.get('id', number)}": rule for number, rule in enumerate(rules)}


def _leaves(tree: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(tree, dict):
        for name, value in tree.items():
            yield from _leaves(value, f"{path}.{name}".lstrip("."))
    elif tree is not None:
        yield path, str(tree)


_PARTS: Mapping[str, Any] = {
    "term": _terms,
    "alias": lambda document: _field("aliases", document) or {},
    "rule": _rules,
    "group": lambda document: (_field("fraud", document) or {}).get("groups", {}),
    "reminder": lambda document: _field("reminders", document) or {},
    "policy": lambda document: dict(_leaves(_field("policy", document))),
    "allow": lambda document: dict.fromkeys(_field("allow", document) or (), ""),
    "regrade": lambda document: {
        each.get("term") or f"category {each['category']}": each["severity"]
        for each in _field("regrade", document) or ()
    },
    "off": lambda document: {
        f"{kind}: {name}": "" for kind, names in (_field("off", document) or {}).items() for name in names
    },
}
