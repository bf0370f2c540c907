"""The frozen values that flow from Kafka through the judge and back.

Bytes come in as an `Input`, decode to a `ChatMessage` or a `Malformed`, are judged to a `Verdict`, and leave as
`Record`s. Wire names are the field names; the contracts are the schemas in `topics/`.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Literal, Protocol

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

MOST_ID = 512  # characters of an id: windows and reminders hold ids, so they must be bounded
Name = Annotated[str, Meta(min_length=1, max_length=MOST_ID)]
Header = tuple[str, bytes]
Headers = Sequence[Header]


class Severity(StrEnum):
    """How grave a term is; the policy turns it into an action."""

    LOG = "log"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"

    @property
    def rank(self) -> int:
        """0 (log) to 3 (high)."""
        return _SEVERITY_RANK[self]


class Action(StrEnum):
    """What happens to a message, mildest first."""

    PASS = "pass"  # noqa: S105  not a password
    MASK = "mask"
    REVIEW = "review"
    BLOCK = "block"

    @property
    def rank(self) -> int:
        """0 (pass) to 3 (block); the graver action of two has the higher rank."""
        return _ACTION_RANK[self]

    @property
    def flags(self) -> bool:
        """Whether the message goes to `flagged` instead of `delivered`."""
        return self.rank >= _ACTION_RANK[Action.REVIEW]


_SEVERITY_RANK = {severity: rank for rank, severity in enumerate(Severity)}
_ACTION_RANK = {action: rank for rank, action in enumerate(Action)}


class Topic(StrEnum):
    """The topics' names without their prefix."""

    RAW = "raw"
    DELIVERED = "delivered"
    FLAGGED = "flagged"
    REMINDER = "reminder"
    DEAD_LETTER = "dead-letter"
    CONVERSATIONS = "conversations"
    FEEDBACK = "feedback"


class Input(Protocol):
    """A record as it was read; aiokafka's ConsumerRecord is one."""

    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int:
        """Milliseconds since the epoch."""

    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Headers: ...


class Sender(Struct, frozen=True, gc=False):
    """What the platform knows of the sender's account."""

    role: Literal["user", "official", "bot"] | None = None
    registered_at: int | None = None  # ms since the epoch
    verified: bool | None = None


class ChatMessage(Struct, frozen=True, gc=False):
    """One raw chat message. Unknown fields are ignored here and kept in the bytes."""

    message_id: Name
    tenant_id: Name
    conversation_id: Name
    sender_id: Name
    type: Name
    content: str | None = None
    conversation_type: Literal["direct", "group"] | None = None
    receiver_ids: list[Annotated[str, Meta(max_length=MOST_ID)]] | None = None
    sent_at: int | None = None  # ms since the epoch; the record's timestamp if absent
    sender: Sender | None = None
    contact_since: int | None = None  # ms since the epoch: since when sender and receiver know each other
    texts: list[str] | None = None  # captions, file names, card titles: judged like content
    ext: dict[str, Raw] | None = None


class Malformed(Struct, frozen=True, gc=False):
    """A record that is no chat message; it becomes a dead letter."""

    reason: str  # in words, without any of the message's text
    kind: Literal["malformed", "oversize", "judge", "refused"] = "malformed"


class Hit(Struct, frozen=True, gc=False):
    """A lexicon term found in a field; offsets are code points of the original field, end exclusive."""

    term: str
    text: str
    start: int
    end: int
    field: str  # "content" or "texts[i]"
    category: str
    severity: Severity
    lexicon: str  # "base", or the tenant's id for an overlay's own term
    via: list[str] = []  # transforms that made the text readable as the term, e.g. "variant", "separator"
    evidence: list[str] | UnsetType = UNSET  # ids of the messages over which the term is cut, oldest first; else absent


class Entity(Struct, frozen=True, gc=False):
    """A thing that money or contact can flow through; offsets as in `Hit`."""

    kind: Literal[
        "url", "phone", "bank_card", "id_card", "wallet", "im_handle", "otp_request", "meeting", "amount", "email"
    ]
    text: str
    start: int
    end: int
    value: str  # canonical form: digits only, lower-case domain, …
    field: str = "content"


class Fraud(Struct, frozen=True, gc=False):
    """What the fraud rules say of a message in its conversation."""

    score: int  # 0–100
    types: list[str]  # ids of the fraud types, strongest first
    rules: list[str]  # id@version
    stage: str | None
    evidence: list[str]  # ids of the messages that made the rules fire, oldest first


class RulesetNames(Struct, frozen=True, gc=False):
    """`<version>@<first 12 hex digits of the digest>` of what judged a message."""

    base: str
    tenant: str | None = None


class Verdict(Struct, frozen=True, gc=False):
    """The judgement of one message, as `flagged` holds it and `screen` prints it."""

    message_id: str
    tenant_id: str
    verdict: Literal["deliver", "flag"]
    action: Action
    hits: Sequence[Hit]
    entities: Sequence[Entity]
    fraud: Fraud | None
    remind: bool
    reasons: Sequence[str]
    ruleset: RulesetNames
    message: Raw | UnsetType = UNSET


class Reminder(Struct, frozen=True, gc=False):
    """A warning for the push service to show to the likely victim."""

    reminder_id: str
    tenant_id: str
    conversation_id: str
    message_id: str
    recipient_id: str
    recipient_role: Literal["receiver", "sender"]
    fraud_type: str
    severity: Severity
    score: int
    template: str
    locale: str
    title: str
    body: str
    rules: list[str]
    sent_at: int
    expires_at: int


class Record(Struct, frozen=True, gc=False):
    """One record to write. `partition` None means: by the key's hash."""

    topic: Topic
    key: bytes | None
    value: bytes | None
    headers: list[Header]  # aiokafka takes nothing but a list
    timestamp: int
    partition: int | None


encode = msgspec.json.Encoder().encode
