"""Reading a rule: from its document to a `Rule`, or to the full list of what is wrong with it."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, get_args, get_type_hints

from processor.errors import Invalid
from processor.fraud.rule import (
    MAX_MESSAGES,
    STAGES,
    TYPES,
    WORDING_ID,
    Conversation,
    Item,
    Near,
    Reach,
    Rule,
    Scope,
    Status,
    When,
)
from processor.model import Entity, Severity

KINDS: tuple[str, ...] = get_args(get_type_hints(Entity)["kind"])
ROLES = ("user", "official", "bot")
_DAY_MS = 86_400_000
_ID = re.compile(r"FR-([A-Z]{2})-[0-9]{3,}")
_TURN = re.compile(r"([AB]): ?(.+)", re.DOTALL)


class Fields:
    """One mapping of a document, read field by field. What is wrong is noted, and reading goes on."""

    def __init__(self, value: object, where: str, problems: list[str]) -> None:
        self.where, self.problems = where, problems
        if not isinstance(value, Mapping):
            problems.append(f"{where} must be a mapping of fields")
            value = {}
        self.rest: dict[Any, Any] = dict(value)

    def note(self, key: str, problem: str) -> None:
        self.problems.append(f"{self.where}: {key} {problem}")

    def take(self, key: str, *, required: bool = False) -> Any:
        """The value of a field, None if it is absent."""
        value = self.rest.pop(key, None)
        if value is None and required:
            self.note(key, "is missing")
        return value

    def text(self, key: str, *, required: bool = True) -> str:
        value = self.take(key, required=required)
        if value is None:
            return ""
        if not isinstance(value, str) or not value.strip():
            self.note(key, "must be a text that is not empty")
            return ""
        return value

    def whole(self, key: str, low: int, high: int, default: int | None = None) -> int:
        """A whole number from low to high; required when there is no default."""
        value = self.take(key, required=default is None)
        if value is None:
            return low if default is None else default
        if type(value) is not int or not low <= value <= high:
            self.note(key, f"must be a whole number from {low} to {high}, not {value!r}")
            return low
        return value

    def choice(self, key: str, allowed: Iterable[str], default: str | None = None) -> str:
        """One of the allowed words; required when there is no default."""
        allowed = [str(word) for word in allowed]
        value = self.take(key, required=default is None)
        if value is None:
            return allowed[0] if default is None else default
        if value not in allowed:
            self.note(key, f"must be one of {', '.join(allowed)}, not {value!r}")
            return allowed[0]
        return str(value)

    def truth(self, key: str) -> bool:
        value = self.take(key)
        if value is not None and not isinstance(value, bool):
            self.note(key, "must be true or false")
        return value is True

    def words(self, key: str, what: str, allowed: Iterable[str] | None = None) -> tuple[str, ...]:
        """A list of words, each an allowed one; absent is empty."""
        value = self.take(key)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
            self.note(key, "must be a list of words")
            return ()
        if allowed is not None:
            known = set(allowed)
            for word in value:
                if word not in known:
                    self.note(key, f"names unknown {what} {word!r}")
        return tuple(value)

    def mapping(self, key: str, what: str) -> Mapping[Any, Any]:
        """A mapping `what` ("from … to …"); absent is empty."""
        value = self.take(key) or {}
        if not isinstance(value, Mapping):
            self.note(key, f"must be a mapping {what}")
            return {}
        return value

    def fields(self, key: str) -> "Fields | None":
        """A mapping within this one; None if it is absent."""
        value = self.take(key)
        return None if value is None else Fields(value, f"{self.where}: {key}", self.problems)

    def close(self) -> None:
        """Note what nobody asked for."""
        self.problems.extend(f"{self.where}: unknown field {key!r}" for key in self.rest)


def parse_rule(document: Mapping[str, Any]) -> Rule:
    """One rule from its document; raises Invalid with every problem, each naming the rule."""
    problems: list[str] = []
    name = document.get("id")
    fields = Fields(document, f"rule {name}" if isinstance(name, str) and name else "rule without id", problems)
    kind = fields.choice("type", TYPES)
    terms = _read_terms(fields)
    contact_younger_ms, roles = _read_context(fields)
    rule = replace(
        _read_head(fields, kind),
        score=fields.whole("score", 1, 100),
        stage=fields.choice("stage", STAGES),
        terms=terms,
        when=_read_when(fields, terms),
        window=_read_window(fields),
        contact_younger_ms=contact_younger_ms,
        sender_not_roles=roles,
    )
    fields.close()
    if problems:
        raise Invalid(problems)
    return rule


def parse_head(fields: Fields) -> Rule:
    """What a scorecard has in common with a rule: all but clauses, score and stage."""
    return _read_head(fields, fields.choice("type", TYPES))


def _read_head(fields: Fields, kind: str) -> Rule:
    remind_to, template, cooldown_s = _read_remind(fields, kind)
    hits, misses = _read_tests(fields)
    return Rule(
        id=_read_id(fields, kind),
        version=fields.whole("version", 1, 2**31),
        status=Status(fields.choice("status", Status)),
        type=kind,
        title=_read_title(fields),
        severity=Severity(fields.choice("severity", Severity)),
        score=1,
        stage=None,
        remind_to=remind_to,
        template=template,
        cooldown_s=cooldown_s,
        source=fields.words("source", "source"),
        hits=hits,
        misses=misses,
    )


def _read_id(fields: Fields, kind: str) -> str:
    value = fields.text("id")
    match = _ID.fullmatch(value)
    if value and not match:
        fields.note("id", f"must look like FR-{kind}-001")
    elif match and match[1] != kind:
        fields.note("id", f"says type {match[1]}, but type is {kind}")
    elif value == WORDING_ID:
        fields.note("id", "is kept for the engine's own rule about wording")
    return value


def _read_title(fields: Fields) -> Mapping[str, str]:
    title = fields.fields("title")
    if title is None:
        fields.note("title", "is missing")
        return {}
    texts = {locale: title.text(locale) for locale in ("zh", "en")}
    title.close()
    return texts


def _read_terms(fields: Fields) -> Mapping[str, tuple[Item, ...]]:
    terms = fields.take("terms", required=True)
    if terms is None:
        return {}
    if not isinstance(terms, Mapping) or not terms:
        fields.note("terms", "must be a mapping from group names to lists")
        return {}
    return {
        str(name): read_items(items, f"{fields.where}: group {name!r}", fields.problems)
        for name, items in terms.items()
    }


def read_items(items: object, where: str, problems: list[str]) -> tuple[Item, ...]:
    """The items of a group; what is wrong is noted in `problems`, each sentence beginning with `where`."""
    if not isinstance(items, list | tuple) or not items:
        problems.append(f"{where} must be a list that is not empty")
        return ()
    read: list[Item] = []
    for item in items:
        match item:
            case str() if item.strip():
                read.append(item.strip())
            case {"entity": str() as kind} if len(item) == 1:
                if kind not in KINDS:
                    problems.append(f"{where} names unknown entity kind {kind!r}")
                read.append(("entity", kind))
            case {"group": str() as name} if len(item) == 1:
                read.append(("group", name))
            case _:
                problems.append(f"{where} holds {item!r}: write a text, {{group: name}} or {{entity: kind}}")
    return tuple(read)


def _read_when(fields: Fields, groups: Iterable[str]) -> When:
    clauses = fields.fields("when")
    if clauses is None:
        fields.note("when", "is missing")
        return When()
    names = set(groups)
    at_least, of = _read_at_least(clauses, names)
    when = When(
        any_of=clauses.words("any_of", "group", names),
        all_of=clauses.words("all_of", "group", names),
        at_least=at_least,
        of=of,
        none_of=clauses.words("none_of", "group", names),
        near=_read_nears(clauses, names),
        order=clauses.words("order", "group", names),
    )
    clauses.close()
    if len(when.order) == 1 or len(set(when.order)) < len(when.order):
        clauses.note("order", "needs two groups or more, each once")
    if not (when.any_of or when.all_of or when.at_least or when.near or when.order):
        fields.note("when", "needs any_of, all_of, at_least, near or order")
    return when


def _read_at_least(clauses: Fields, names: set[str]) -> tuple[int, tuple[str, ...]]:
    fields = clauses.fields("at_least")
    if fields is None:
        return 0, ()
    of = fields.words("of", "group", names)
    n = fields.whole("n", 1, max(1, len(of)))
    if not of:
        fields.note("of", "must name groups")
    fields.close()
    return n, of


def _read_nears(clauses: Fields, names: set[str]) -> tuple[Near, ...]:
    value = clauses.take("near")
    if value is None:
        return ()
    if not isinstance(value, list):
        clauses.note("near", "must be a list")
        return ()
    return tuple(_read_near(Fields(each, f"{clauses.where}: near", clauses.problems), names) for each in value)


def _read_near(fields: Fields, names: set[str]) -> Near:
    near = Near(
        a=fields.choice("a", sorted(names) or ("",)),
        b=fields.choice("b", sorted(names) or ("",)),
        max_chars=fields.whole("max_chars", 0, 10_000),
        ordered=fields.truth("ordered"),
    )
    fields.close()
    return near


def _read_window(fields: Fields) -> Reach:
    window = fields.fields("window")
    if window is None:
        return Reach()
    reach = Reach(
        scope=Scope(window.choice("scope", Scope, Scope.CONVERSATION)),
        max_messages=window.whole("max_messages", 1, MAX_MESSAGES, MAX_MESSAGES),
        max_ms=1000 * window.whole("max_seconds", 1, 30 * 86_400, 3600),
    )
    window.close()
    return reach


def _read_context(fields: Fields) -> tuple[int | None, tuple[str, ...]]:
    context = fields.fields("context")
    if context is None:
        return None, ()
    days = context.whole("contact_age_days_lt", 1, 3650, 0)
    roles = context.words("sender_not_roles", "role", ROLES)
    context.close()
    return days * _DAY_MS or None, roles


def _read_remind(fields: Fields, kind: str) -> tuple[tuple[str, ...], str, int | None]:
    default = f"remind.{kind}.v1"
    remind = fields.fields("remind")
    if remind is None:
        return ("receiver",), default, None
    to = remind.words("to", "recipient", ("receiver", "sender")) or ("receiver",)
    template = remind.text("template", required=False) or default
    cooldown_s = remind.whole("cooldown_s", 0, 30 * 86_400, -1)
    remind.close()
    return to, template, None if cooldown_s < 0 else cooldown_s


def _read_tests(fields: Fields) -> tuple[tuple[Conversation, ...], tuple[Conversation, ...]]:
    tests = fields.fields("tests")
    if tests is None:
        return (), ()
    hits, misses = (_read_conversations(tests, key) for key in ("hit", "miss"))
    tests.close()
    return hits, misses


def _read_conversations(tests: Fields, key: str) -> tuple[Conversation, ...]:
    value = tests.take(key) or []
    if not isinstance(value, list):
        tests.note(key, "must be a list")
        return ()
    return tuple(_read_conversation(each, f"{tests.where}: {key}", tests.problems) for each in value)


def _read_conversation(value: object, where: str, problems: list[str]) -> Conversation:
    if isinstance(value, str):
        return (("A", value),)
    lines = value if isinstance(value, list) and value else [None]
    turns = [_TURN.fullmatch(line) if isinstance(line, str) else None for line in lines]
    if not all(turns):
        problems.append(f'{where} holds an item that is neither a message nor a list of lines "A: text" and "B: text"')
    return tuple((turn[1], turn[2]) for turn in turns if turn)
