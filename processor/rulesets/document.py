"""The ruleset document: what is published, digested and compiled.

A document is JSON. Its digest is the SHA-256 of the very bytes that are stored, so `sha256sum` checks a snapshot;
`canonical` makes those bytes the same for the same content. This module knows the shape; what rules and policy mean
is checked where they are compiled.
"""

import hashlib
from collections.abc import Iterator
from typing import Annotated, Any, Literal, get_args, get_origin

import msgspec
from msgspec import Meta, Struct, field

from processor.errors import Invalid
from processor.model import Severity

Scope = str  # "base", or "tenant:<id>"
BASE: Scope = "base"

MAX_TERM = 200  # characters

Category = Annotated[str, Meta(pattern=r"^\w[\w.\-]{0,63}$", description="letters, digits, '_', '-' and '.'")]
MAX_PATTERN = 500  # characters of a regular expression
NEAR = 20  # characters: how far from the term words of `company`, `all` and `without` may stand, unless told
FARTHEST = 1000
Phrase = Annotated[str, Meta(min_length=1, max_length=MAX_TERM)]
Term = Annotated[str, Meta(min_length=1, max_length=MAX_PATTERN)]
Kind = Literal["term", "pattern", "exact", "allow"]
Place = Literal["content", "texts"]
Words = tuple[Phrase, ...]
Day = Annotated[str, Meta(pattern=r"^\d{4}-\d{2}-\d{2}$", description="a day, YYYY-MM-DD")]


class Entry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """One entry of a lexicon; what each field means to a message stands in docs/entries.md.

    Category and severity are always written and the rest only where it says something (a default that is made by a
    function is never left out): a plain term's bytes, and so the digests of rulesets, are what they were without it.
    """

    term: Term  # a regular expression where `kind` is "pattern"
    category: Category = field(default_factory=lambda: "custom")
    severity: Severity = field(default_factory=lambda: Severity.HIGH)
    kind: Kind = "term"
    fields: tuple[Place, ...] = ()  # where it counts; everywhere if empty
    company: Words = ()  # counts only beside one of these; "@name" is a set of words that comes with the package
    all: Words = ()  # counts only beside every one of these
    without: Words = ()  # does not count beside any of these
    within: Annotated[int, Meta(ge=0, le=FARTHEST)] | None = None  # characters to such a word; NEAR, or the set's own
    expires: Day | None = None  # the last day on which it counts, in UTC, by the message's time
    owner: Annotated[str, Meta(max_length=200)] = ""
    note: Annotated[str, Meta(max_length=2000)] = ""
    ceiling: Annotated[int, Meta(ge=0, le=1000)] | None = None  # the most that the readings of a hit may cost

    @property
    def is_plain(self) -> bool:
        """Whether it says no more than a line `term,category,severity`."""
        near = self.company or self.all or self.without or self.within is not None
        told = self.owner or self.note or self.expires is not None or self.ceiling is not None
        return self.kind == "term" and not (self.fields or near or told)


class FraudDocument(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Fraud rules as written; `processor.rulesets.compile` knows what they mean."""

    groups: dict[str, list[str | dict[str, str]]] = {}
    rules: list[dict[str, Any]] = []
    scorecards: dict[str, Any] = {}
    brands: dict[str, Any] = {}


class Text(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A reminder in one language."""

    title: str
    body: str


class Regrade(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Another severity for one term or for a whole category."""

    severity: Severity
    term: Phrase | None = None
    category: Category | None = None

    def __post_init__(self) -> None:
        """Raises: ValueError unless exactly one of term and category is given."""
        if (self.term is None) == (self.category is None):
            raise ValueError("give either a term or a category")


class Off(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What of the base does not hold for a tenant."""

    terms: list[str] = []
    categories: list[str] = []
    rules: list[str] = []


class BaseDocument(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="base", tag_field="kind"):
    """The ruleset that holds for everyone."""

    format: Literal[1] = 1
    lexicons: dict[str, list[Entry]] = {}  # by file stem
    aliases: dict[str, str] = {}  # spelling → term
    fraud: FraudDocument = FraudDocument()
    reminders: dict[str, dict[str, Text]] = {}  # template → locale → text
    policy: dict[str, Any] = {}


class OverlayDocument(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="overlay", tag_field="kind"):
    """What one tenant adds to, allows in, re-grades in and switches off from the base."""

    tenant: Annotated[str, Meta(min_length=1, max_length=200)]
    format: Literal[1] = 1
    lexicons: dict[str, list[Entry]] = {}
    allow: list[Phrase] = []
    regrade: list[Regrade] = []
    off: Off = Off()
    reminders: dict[str, dict[str, Text]] = {}  # template → locale → text, over the base's
    policy: dict[str, Any] = {}


Document = BaseDocument | OverlayDocument
_KINDS: dict[str, type[BaseDocument] | type[OverlayDocument]] = {"base": BaseDocument, "overlay": OverlayDocument}


def scope_of(document: Document) -> Scope:
    """Where the document is published: `base` or `tenant:<id>`."""
    return BASE if isinstance(document, BaseDocument) else tenant_scope(document.tenant)


def tenant_scope(tenant: str) -> Scope:
    """The scope of a tenant's overlay."""
    return f"tenant:{tenant}"


def tenant_of(scope: Scope) -> str | None:
    """The tenant whose overlay the scope holds, or None for the base."""
    return scope.removeprefix("tenant:") if scope.startswith("tenant:") else None


def canonical(document: Document) -> bytes:
    """The document's bytes: keys sorted, no white space, UTF-8. Equal documents give equal bytes."""
    return msgspec.json.encode(document, order="sorted")


def digest(content: bytes) -> str:
    """SHA-256 of `content`, 64 hex digits."""
    return hashlib.sha256(content).hexdigest()


def name(version: int, content_digest: str) -> str:
    """How verdicts and headers call a ruleset: `<version>@<first 12 hex digits of the digest>`."""
    return f"{version}@{content_digest[:12]}"


def parse(content: bytes) -> Document:
    """The document in `content`. Raises: Invalid, with every place that is not of the right shape."""
    try:
        document: Document = msgspec.json.decode(content, type=Document)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Invalid(_problems(content) or [f"not a ruleset document: {error}"]) from None
    return document


def build(value: object) -> Document:
    """The document made of plain values, e.g. from YAML. Raises: Invalid, as `parse` does."""
    try:
        content = msgspec.json.encode(value)
    except (TypeError, ValueError, RecursionError) as error:
        raise Invalid([f"cannot stand in a ruleset document: {error}"]) from None
    return parse(content)


def entry_of(value: object) -> Entry:
    """The entry made of plain values. Raises: Invalid, with every misfit."""
    try:
        return msgspec.convert(value, Entry)
    except msgspec.ValidationError as error:
        raise Invalid(list(_inner_misfits(value, Entry, "entry")) or [str(error)]) from None


def _problems(content: bytes) -> list[str]:
    """Every misfit of a document that is JSON; the decoder itself stops at the first one."""
    try:
        value = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return [f"not JSON: {error}"]
    kind = _KINDS.get(str(value.get("kind"))) if isinstance(value, dict) else None
    return list(_misfits(value, kind, "")) if kind else ['not a ruleset document: "kind" must be "base" or "overlay"']


def _misfits(value: object, wanted: Any, place: str) -> Iterator[str]:
    try:
        msgspec.convert(value, wanted)
    except msgspec.ValidationError as error:
        inner = list(_inner_misfits(value, wanted, place))
        yield from inner or [f"{place or 'document'}: {error}"]


def _inner_misfits(value: object, wanted: Any, place: str) -> Iterator[str]:
    if isinstance(value, dict) and isinstance(wanted, type) and issubclass(wanted, Struct):
        fields = {field.name: field for field in msgspec.structs.fields(wanted)}
        for key in [key for key in value if key not in fields and key != wanted.__struct_config__.tag_field]:
            yield f"{place or 'document'}: unknown field {key!r}"
        for key, field in fields.items():
            if key in value:
                yield from _misfits(value[key], field.type, f"{place}.{key}".lstrip("."))
            elif field.required:
                yield f"{place or 'document'}: {key!r} is missing"
    elif isinstance(value, dict) and get_origin(wanted) is dict:
        for key, item in value.items():
            yield from _misfits(item, get_args(wanted)[1], f"{place}.{key}")
    elif isinstance(value, list) and get_origin(wanted) in {list, tuple}:
        for number, item in enumerate(value):
            yield from _misfits(item, get_args(wanted)[0], f"{place}[{number}]")
