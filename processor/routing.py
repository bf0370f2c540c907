"""A judgement to the records that carry it: which topic, which bytes, which headers. A table in spirit, pure in fact.

Every input has exactly one terminal record, in `delivered`, `flagged` or `dead-letter`, on the input's partition and
under its key; the input's own headers are kept and ours come after them.
"""

import sys
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import cast

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from processor.fraud.window import Window, to_bytes
from processor.fraud.window import encode as encode_window
from processor.judge import CLEAN, Item, Judged, Judgements
from processor.model import (
    Action,
    ChatMessage,
    Header,
    Headers,
    Hit,
    Input,
    Malformed,
    Record,
    Reminder,
    Topic,
    Verdict,
    encode,
)
from processor.ruleset import Rules, Scope

OURS = "chatguard-"
ORIGIN = "chatguard-origin"
MASK = "*"


class Tally(Struct, frozen=True):
    """What one batch came to, as counts; telemetry reads it, nothing else does."""

    verdicts: Counter[str] = msgspec.field(default_factory=Counter)
    hits: Counter[tuple[str, str, str]] = msgspec.field(default_factory=Counter)  # category, severity, base|tenant
    fraud: Counter[tuple[str, str]] = msgspec.field(default_factory=Counter)  # type, remind|review
    shadow: Counter[str] = msgspec.field(default_factory=Counter)  # rule
    reminders: Counter[str] = msgspec.field(default_factory=Counter)  # sent or why not
    dead: Counter[str] = msgspec.field(default_factory=Counter)  # kind
    tenants: Counter[tuple[str, str]] = msgspec.field(default_factory=Counter)  # tenant, verdict
    terms: Counter[tuple[str, str]] = msgspec.field(default_factory=Counter)  # lexicon, term: hits
    rejected: Counter[tuple[str, str]] = msgspec.field(default_factory=Counter)  # lexicon, term: found, but no hit


class Outcome(Struct, frozen=True):
    """What a batch leaves behind: the records of its one transaction, and the counts."""

    records: Sequence[Record]
    windows: Mapping[str, Window]
    tally: Tally


class Place(Struct, frozen=True):
    """Where a batch comes from, and how large a record may be written there."""

    topic: str
    partition: int
    limits: Mapping[Topic, int] = {}  # bytes; a topic without one takes everything
    count_tenants: bool = False


def route(
    inputs: Sequence[Input], items: Sequence[Item], judgements: Judgements, rules: Rules, place: Place, now: int
) -> Outcome:
    """The records of a batch, in the order of `inputs`, then one per changed window; `now` is ms since the epoch."""
    tally = Tally(rejected=Counter(judgements.rejected))
    records: list[Record] = []
    origin = _origin(place)
    everyone = None if rules.overlays else rules.everyone.clean
    most = 0 if place.count_tenants else place.limits.get(Topic.DELIVERED, sys.maxsize) // 2  # larger: measured in full
    passed, delivered, partition = 0, Topic.DELIVERED, place.partition
    for source, item, judged in zip(inputs, items, judgements.each, strict=True):
        value = source.value
        # Nine in ten messages: the same as below, without the detours.
        if judged is CLEAN and value is not None and len(value) < most:
            verdict = everyone or rules.scope(cast("ChatMessage", item).tenant_id).clean
            headers = [(ORIGIN, origin % source.offset), *verdict]
            if source.headers:
                headers = [*_kept(source.headers), *headers]
            records.append(Record(delivered, source.key, value, headers, source.timestamp, partition))
            passed += 1
            continue
        written = _write_guarded(source, item, judged, rules, place)
        records.extend(written)
        _count(tally, item, judged, written, by_tenant=place.count_tenants)
    if passed:
        tally.verdicts["pass"] += passed
    records.extend(_window_record(key, window, place, now) for key, window in judgements.windows.items())
    return Outcome(records, judgements.windows, tally)


def _write_guarded(source: Input, item: Item, judged: Judged | Malformed, rules: Rules, place: Place) -> list[Record]:
    try:
        return _write(source, item, judged, rules, place)
    except Exception as error:  # noqa: BLE001  whatever a message does to us, it comes out, and the others go on
        malformed = Malformed(reason=f"{type(error).__name__} while writing the verdict", kind="judge")
        return [_dead_letter(source, malformed, rules, place)]


def _write(source: Input, item: Item, judged: Judged | Malformed, rules: Rules, place: Place) -> list[Record]:
    """The terminal record of one input, then its reminders."""
    if isinstance(item, Malformed):
        return [_dead_letter(source, item, rules, place)]
    if isinstance(judged, Malformed):
        return [_dead_letter(source, judged, rules, place)]
    scope = rules.scope(item.tenant_id)
    terminal = _terminal(source, item, judged, scope, place)
    # Whatever becomes of the message: the conversation's window remembers these as given.
    reminders = [_reminder_record(reminder, terminal) for reminder in judged.reminders]
    limit = place.limits.get(terminal.topic)
    if limit and _size(terminal) > limit:
        reason = f"the record for {terminal.topic} would be larger than the {limit} bytes that the topic takes"
        terminal = _dead_letter(source, Malformed(reason=reason, kind="oversize"), rules, place)
    return [terminal, *reminders]


def _terminal(source: Input, message: ChatMessage, judged: Judged, scope: Scope, place: Place) -> Record:
    value = source.value or b""
    topic = Topic.DELIVERED
    if judged.action.flags:
        topic = Topic.FLAGGED
        value = encode(verdict_of(message, judged, scope, Raw(value)))
    elif judged.action is Action.MASK:
        value = masked(value, judged.hits, scope)
    headers = _own_headers(source.headers, _origin(place), source.offset, scope.headers(judged.action))
    return Record(topic, source.key, value, headers, source.timestamp, place.partition)


def _dead_letter(source: Input, malformed: Malformed, rules: Rules, place: Place) -> Record:
    record = _complaint(source, source.value, source.headers, malformed, rules, place)
    limit = place.limits.get(Topic.DEAD_LETTER)
    if not limit or _size(record) <= limit:
        return record
    # Compressed, it was small enough for its topic. Refused here too, it would stop its partition for good.
    reason = f"{malformed.reason}; left out, since they are too large: the value and the headers, see the origin"
    return _complaint(source, None, (), Malformed(reason=reason, kind="oversize"), rules, place)


def _complaint(
    source: Input, value: bytes | None, given: Headers, malformed: Malformed, rules: Rules, place: Place
) -> Record:
    origin = _origin(place)
    headers = [
        *_own_headers(given, origin, source.offset, rules.everyone.headers("dead")),
        ("chatguard-error-topic", place.topic.encode()),
        ("chatguard-error-partition", str(place.partition).encode()),
        ("chatguard-error-offset", str(source.offset).encode()),
        ("chatguard-error-kind", malformed.kind.encode()),
        ("chatguard-error-message", malformed.reason.encode()),
    ]
    return Record(Topic.DEAD_LETTER, source.key, value, headers, source.timestamp, place.partition)


def _reminder_record(reminder: Reminder, terminal: Record) -> Record:
    key = reminder.recipient_id.encode()
    headers = [header for header in terminal.headers if header[0].startswith(OURS)]
    return Record(Topic.REMINDER, key, encode(reminder), headers, terminal.timestamp, None)


def _window_record(key: str, window: Window, place: Place, now: int) -> Record:
    return Record(Topic.CONVERSATIONS, to_bytes(key), encode_window(window), [], now, place.partition)


def _origin(place: Place) -> bytes:
    """The origin of a record of `place`, with a place for its offset."""
    return f"{place.topic}/{place.partition}/%d".encode()


def _own_headers(given: Headers, origin: bytes, offset: int, verdict: Headers) -> list[Header]:
    return [*_kept(given), (ORIGIN, origin % offset), *verdict]


def _kept(given: Headers) -> list[Header]:
    """An input's headers without ours: what is played back from one of our topics carries those of its first life."""
    return [header for header in given if not header[0].startswith(OURS)]


def verdict_of(message: ChatMessage, judged: Judged, scope: Scope, original: Raw | UnsetType = UNSET) -> Verdict:
    """The judgement as `flagged` holds it, with the input, and as `screen` prints it, without."""
    return Verdict(
        message_id=message.message_id,
        tenant_id=message.tenant_id,
        verdict="flag" if judged.action.flags else "deliver",
        action=judged.action,
        hits=judged.hits,
        entities=judged.entities,
        fraud=judged.fraud,
        remind=judged.remind,
        reasons=judged.reasons,
        ruleset=scope.names,
        message=original,
    )


def masked(value: bytes, hits: Sequence[Hit], scope: Scope) -> bytes:
    """The message with the words to mask replaced by as many stars; every other field keeps its bytes."""
    fields = msgspec.json.decode(value, type=dict[str, Raw])
    spans: defaultdict[str, list[Hit]] = defaultdict(list)
    for hit in hits:
        if scope.policy.actions.of(hit.category, hit.severity) is Action.MASK:
            spans[hit.field].append(hit)
    if "content" in spans:
        content = msgspec.json.decode(fields["content"], type=str)
        fields["content"] = Raw(encode(_starred(content, spans["content"])))
    if "texts" in fields:
        texts = msgspec.json.decode(fields["texts"], type=list[str] | None) or []
        starred = [_starred(text, spans[f"texts[{place}]"]) for place, text in enumerate(texts)]
        if starred != texts:
            fields["texts"] = Raw(encode(starred))
    return encode(fields)


def _starred(text: str, hits: Sequence[Hit]) -> str:
    chars = list(text)
    for hit in hits:
        chars[hit.start : hit.end] = MASK * (hit.end - hit.start)
    return "".join(chars)


def _size(record: Record) -> int:
    """About the bytes that the record takes in a batch of its own."""
    headers = sum(len(key) + len(value or b"") + 10 for key, value in record.headers)
    return len(record.value or b"") + len(record.key or b"") + headers + 100


def _count(tally: Tally, item: Item, judged: Judged | Malformed, written: Sequence[Record], *, by_tenant: bool) -> None:
    terminal, *reminders = written
    verdict = "dead" if terminal.topic is Topic.DEAD_LETTER else str(getattr(judged, "action", "dead"))
    tally.verdicts[verdict] += 1
    if verdict == "dead":
        tally.dead[dict(terminal.headers)["chatguard-error-kind"].decode()] += 1
    if not isinstance(judged, Judged) or not isinstance(item, ChatMessage):
        return
    if by_tenant:
        tally.tenants[item.tenant_id, verdict] += 1
    for hit in judged.hits:
        tally.hits[hit.category, hit.severity, "base" if hit.lexicon == "base" else "tenant"] += 1
        tally.terms[hit.lexicon, hit.term] += 1
    if judged.fraud:
        band = "review" if judged.action.flags else "remind" if judged.remind else "none"
        tally.fraud.update((kind, band) for kind in judged.fraud.types)
    tally.shadow.update(judged.shadow)
    tally.reminders.update(judged.suppressed)
    if reminders:
        tally.reminders["sent"] += len(reminders)
