"""One fraud rule as people write it, as frozen values; `reading` makes it of a document, `rules` compiles it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from processor.model import Severity

STAGES = ("contact", "lure", "trust", "move", "pay")
"""How far a scheme is, earliest first."""
OTHER = "QT"
TYPES = ("SD", "TZ", "GW", "KF", "DK", "ZX", "LD", "GJ", "HL", "YX", "JP", "GR", OTHER)
MAX_MESSAGES = 20  # of a conversation are remembered

Item = str | tuple[str, str]  # a literal, or ("group" | "entity", name)
Conversation = tuple[tuple[str, str], ...]  # (speaker, text) …


class Status(StrEnum):
    """Whether a rule counts; draft and retired rules are not compiled, shadow rules only report."""

    DRAFT = "draft"
    SHADOW = "shadow"
    ACTIVE = "active"
    RETIRED = "retired"


class Scope(StrEnum):
    """Whose messages a rule looks at."""

    MESSAGE = "message"
    SENDER = "sender"
    CONVERSATION = "conversation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Near:
    """Two groups in one message with at most `max_chars` characters between them; ordered: `a` before `b`."""

    a: str
    b: str
    max_chars: int
    ordered: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """The clauses of a rule, all of which must hold; names are those of the rule's groups."""

    any_of: tuple[str, ...] = ()
    all_of: tuple[str, ...] = ()
    at_least: int = 0
    of: tuple[str, ...] = ()
    none_of: tuple[str, ...] = ()
    near: tuple[Near, ...] = ()
    order: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How far back a rule looks: messages that carry signals, and event time either way (clocks differ)."""

    scope: Scope = Scope.CONVERSATION
    max_messages: int = MAX_MESSAGES
    max_ms: int = 3_600_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One fraud rule as written."""

    id: str
    version: int
    status: Status
    type: str
    title: Mapping[str, str]  # zh, en
    severity: Severity
    score: int  # 1–100
    stage: str | None  # None only for the engine's own rule about wording
    terms: Mapping[str, tuple[Item, ...]] = field(default_factory=dict)
    when: When = When()
    window: Reach = Reach()
    contact_younger_ms: int | None = None
    sender_not_roles: tuple[str, ...] = ()
    remind_to: tuple[str, ...] = ("receiver",)
    template: str
    cooldown_s: int | None = None  # None: the policy's
    source: tuple[str, ...] = ()
    hits: tuple[Conversation, ...] = ()  # the rule's own tests
    misses: tuple[Conversation, ...] = ()

    @property
    def name(self) -> str:
        """As verdicts cite it: id@version."""
        return f"{self.id}@{self.version}"


WORDING_ID = "FR-QT-000"
_WORDING_SCORES = {Severity.HIGH: 60, Severity.MEDIUM: 40, Severity.LOW: 30}

WORDING: Mapping[Severity, Rule] = {
    severity: Rule(
        id=WORDING_ID,
        version=1,
        status=Status.ACTIVE,
        type=OTHER,
        title={"zh": "含有诈骗常用语", "en": "Uses wording known from fraud"},
        severity=severity,
        score=score,
        stage=None,
        template=f"remind.{OTHER}.v1",
    )
    for severity, score in _WORDING_SCORES.items()
}
"""The rule that a lexicon's fraud words are to the engine, by their severity; words of severity log fire nothing."""
