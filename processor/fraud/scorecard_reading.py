"""Reading scorecards: from the document to what can be compiled, or to the full list of what is wrong with it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from processor.fraud.brands import LINKS
from processor.fraud.reading import KINDS, Fields, parse_head, read_items
from processor.fraud.rule import Item, Rule
from processor.fraud.scorecard import ROLES

SPECIAL = ("number", "brand_name", *LINKS)
"""Names that a signal may use beside words, groups and entity kinds."""

_LONGEST_LABEL = 60
_HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """One signal as written; all names are of words, groups, entity kinds or SPECIAL."""

    any: tuple[str, ...] = ()
    near: tuple[str, ...] = ()  # if given, one of `any` and one of these must stand close together
    chars: int = 0
    ordered: bool = False
    unless: tuple[str, ...] = ()  # in the same message
    fleeting: bool = False  # counts in its own message only


class Notice(NamedTuple):
    """The names of the words by which it is known that a message speaks of fraud from outside."""

    of: tuple[str, ...] = ()  # a message in which `least` of these stand is a notice
    least: int = 0
    alone: tuple[str, ...] = ()  # and so is one in which one of these stands …
    unless: tuple[str, ...] = ()  # … unless one of these does
    hands_off: tuple[str, ...] = ()  # without these, what has a link, card, wallet or handle is not sure to be one
    personal: tuple[str, ...] = ()  # nor is what speaks of its reader's own case …
    outside: tuple[str, ...] = ()  # … without one of these


NOTICE_WORDS = Notice._fields[2:]


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenCard:
    """One card as written."""

    rule: Rule
    points: Mapping[str, Mapping[str, int]]  # role → signal → points
    roles: int
    one_of: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What holds for all cards."""

    caps: Mapping[str, int] = field(default_factory=dict)
    breadth: int = 0
    bring: int = 0
    least: int = 20
    most: int = 95
    half_life_ms: int = 12 * _HOUR_MS
    max_ms: int = 72 * _HOUR_MS
    others_percent: int = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A whole `scorecards.yaml`."""

    settings: Settings = Settings()
    words: Mapping[str, tuple[Item, ...]] = field(default_factory=dict)
    signals: Mapping[str, Signal] = field(default_factory=dict)
    cards: tuple[WrittenCard, ...] = ()
    notice: Notice = field(default_factory=Notice)
    everyday: tuple[str, ...] = ()  # words to look for only beside others
    says: Mapping[str, str] = field(default_factory=dict)  # signals in the words of a verdict's reason


def read_scorecards(document: Mapping[str, Any], groups: Iterable[str], problems: list[str]) -> Written:
    """What a document says; `groups` are the names of the shared groups. Problems are noted in `problems`."""
    fields = Fields(document, "scorecards", problems)
    words = _read_words(fields, set(groups))
    names = {*words, *groups, *KINDS, *SPECIAL}
    signals = _read_signals(fields, names)
    settings = _read_settings(fields)
    common = _read_points(fields, "common", signals)
    notice = _read_notice(fields, names)
    everyday = fields.words("everyday", "word")
    says = _read_says(fields, signals)
    cards = fields.take("cards") or []
    if not isinstance(cards, list):
        fields.note("cards", "must be a list")
        cards = []
    written = tuple(_read_card(card, common, signals, problems) for card in cards)
    fields.close()
    return Written(
        settings=settings,
        words=words,
        signals=signals,
        cards=written,
        notice=notice,
        everyday=everyday,
        says=says,
    )


def _read_words(fields: Fields, groups: set[str]) -> dict[str, tuple[Item, ...]]:
    words = fields.mapping("words", "from names to lists")
    for name in words:
        if name in groups or name in KINDS or name in SPECIAL:
            fields.note("words", f"uses the name {name!r}, which a group or entity has already")
    return {str(name): read_items(items, f"words {name!r}", fields.problems) for name, items in words.items()}


def _read_signals(fields: Fields, names: set[str]) -> dict[str, Signal]:
    signals = fields.mapping("signals", "from names to signals")
    return {str(name): _read_signal(str(name), value, names, fields.problems) for name, value in signals.items()}


def _read_signal(name: str, value: object, names: set[str], problems: list[str]) -> Signal:
    fields = Fields(value, f"signal {name!r}", problems)
    signal = Signal(
        any=fields.words("any", "word", names),
        near=fields.words("near", "word", names),
        chars=fields.whole("chars", 0, 10_000, 12),
        ordered=fields.truth("ordered"),
        unless=fields.words("unless", "word", names),
        fleeting=fields.truth("fleeting"),
    )
    if not signal.any:
        fields.note("any", "must name words")
    fields.close()
    return signal


def _read_says(fields: Fields, signals: Iterable[str]) -> dict[str, str]:
    says = fields.mapping("says", "from signals to what a reason says of them")
    for name, label in says.items():
        if name not in signals:
            fields.note("says", f"names unknown signal {name!r}")
        elif not isinstance(label, str) or not 0 < len(label) <= _LONGEST_LABEL:
            fields.note("says", f"must give {name} up to {_LONGEST_LABEL} characters")
    return {str(name): str(label) for name, label in says.items()}


def _read_settings(fields: Fields) -> Settings:
    settings = fields.fields("settings")
    if settings is None:
        return Settings()
    caps = settings.take("caps") or {}
    if not isinstance(caps, Mapping) or not all(type(cap) is int and cap > 0 for cap in caps.values()):
        settings.note("caps", "must be a mapping from roles to whole numbers")
        caps = {}
    for role in caps:
        if role not in ROLES:
            settings.note("caps", f"names unknown role {role!r}")
    read = Settings(
        caps=dict(caps),
        breadth=settings.whole("breadth", 0, 20, 0),
        bring=settings.whole("bring", 0, 100, 0),
        least=settings.whole("least", 1, 100, 20),
        most=settings.whole("most", 1, 100, 95),
        half_life_ms=_HOUR_MS * settings.whole("half_life_hours", 1, 8760, 12),
        max_ms=_HOUR_MS * settings.whole("max_hours", 1, 8760, 72),
        others_percent=settings.whole("others_percent", 0, 100, 40),
    )
    settings.close()
    return read


def _read_notice(fields: Fields, names: set[str]) -> Notice:
    notice = fields.fields("notice")
    if notice is None:
        return Notice()
    of = notice.words("of", "word", names)
    least = notice.whole("at_least", 1, max(1, len(of)))
    read = Notice(of, least, *(notice.words(key, "word", names) for key in NOTICE_WORDS))
    notice.close()
    return read


def _read_points(fields: Fields, key: str, signals: Iterable[str]) -> dict[str, dict[str, int]]:
    known = set(signals)
    points: dict[str, dict[str, int]] = {}
    for role, given in fields.mapping(key, "from roles to signals and points").items():
        if role not in ROLES:
            fields.note(key, f"names unknown role {role!r}: use {', '.join(ROLES)}")
        elif not isinstance(given, Mapping):
            fields.note(key, f"must give {role} a mapping from signals to points")
        else:
            for name, number in given.items():
                if name not in known:
                    fields.note(key, f"names unknown signal {name!r}")
                elif type(number) is not int or not 0 <= number <= 100:  # noqa: PLR2004  points are of a hundred
                    fields.note(key, f"must give {name} a whole number from 0 to 100, not {number!r}")
                else:
                    points.setdefault(role, {})[name] = number
    return points


def _read_card(
    value: object, common: Mapping[str, Mapping[str, int]], signals: Iterable[str], problems: list[str]
) -> WrittenCard:
    name = value.get("id") if isinstance(value, Mapping) else None
    fields = Fields(value, f"card {name}" if isinstance(name, str) and name else "card without id", problems)
    shared = fields.take("common")
    points = _read_points(fields, "points", signals)
    if not points:
        fields.note("points", "must give some signals points")
    if shared is not False:
        for role, given in common.items():
            mine = {signal for each in points.values() for signal in each}
            points[role] = {**{s: n for s, n in given.items() if s not in mine}, **points.get(role, {})}
    roles = fields.whole("roles", 1, len(ROLES), 2)
    one_of = frozenset(fields.words("one_of", "role", ROLES))
    rule = parse_head(fields)
    fields.close()
    return WrittenCard(rule=rule, points=points, roles=roles, one_of=one_of)
