"""The memory of one conversation: which messages carried which signals.

It is kept in the `conversations` topic, so it outlives rulesets: signals are remembered by the stable keys of their
groups. Messages are kept in the order they arrived, the last 20 of each tenant, whatever their dates: a message dated
far ahead must not drive out the others. Time is event time, in ms.

A window has at most `MOST_BYTES` in the topic for each tenant that writes in the conversation. What does not fit is
written more shortly (names once, times as differences); what still does not is forgotten, the least telling first: what
others say again, before and after it; what is said again after it; then the oldest. Only a message whose own ids are
very long is let in beyond that, since the newest is always remembered.

What concerns a person and not one conversation (the reminders given to them, the texts they sent about) has a window of
its own beside those of the conversations, under a key that no conversation can have; see `recipient`. It knows the
conversations of its partition, since only those are judged in the same order in every life of a lane.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import Literal, NamedTuple

import msgspec
from msgspec import Struct

from processor.errors import Invalid
from processor.fraud.rule import MAX_MESSAGES

MOST_BYTES = 1000
MOST_SIGNALS = 32  # of a message; the first ones
PIECE_MS = 60_000  # how long a piece of a term waits for the next
_ROOM = 800  # bytes that are left of a window that was too large, so that not each message makes it too large again
_LATEST_KEPT = 4  # sightings that pieces of terms do not drive out
_MAX_SIGHTINGS = 10 * MAX_MESSAGES  # over all tenants that share a conversation id
_EARLIEST, _LATEST = -(2**62), 2**62


class Sighting(Struct, frozen=True, array_like=True, gc=False):
    """A message that carried signals."""

    tenant_id: str
    at: int
    message_id: str
    sender_id: str
    signals: tuple[tuple[int, int], ...]  # (key of a bit, where it first stood in the message)


class Given(Struct, frozen=True, array_like=True, gc=False):
    """A reminder that was sent to the person whose window this is; a like one must wait for `cooldown_ms`.

    Whoever has many reminders to remember remembers them by digests: nobody needs the ids back.
    """

    conversation: int  # `fingerprint` of its id
    message: int  # `fingerprint` of the id of the message that called for it
    fraud_type: str
    at: int
    cooldown_ms: int
    stage: int  # how far the scheme was: 0 unknown, then 1 for the first of STAGES
    band: int  # how grave it was: 0 reminded of, 1 held for a person, too

    def holds_back(self, at: int) -> bool:
        """Whether a reminder at `at` is too early; either way, since messages come late and clocks differ."""
        return abs(at - self.at) < self.cooldown_ms


class Copy(Struct, frozen=True, array_like=True, gc=False):
    """A text that the person whose window this is has sent to several conversations."""

    text: int  # `fingerprint` of how it reads
    places: tuple[tuple[int, int], ...] = ()  # `fingerprint` of a conversation's id, and when; in order of arrival


class Piece(Struct, frozen=True, array_like=True, gc=False):
    """How a term begins that a sender has cut over several short messages; see `processor.pieces`."""

    tenant_id: str
    sender_id: str
    at: int  # of its first message
    text: str  # folded, squeezed; the beginning of a term
    messages: tuple[str, ...]  # their ids, in order


class Window(Struct, frozen=True, array_like=True, gc=False):
    """What is remembered of a conversation, or of a person; each in order of arrival."""

    conversation_id: str  # "" for a person
    sightings: tuple[Sighting, ...] = ()
    given: tuple[Given, ...] = ()  # of a person
    pieces: tuple[Piece, ...] = ()
    copies: tuple[Copy, ...] = ()  # of a person


class _Row(NamedTuple):
    """A sighting, written shortly."""

    tenant: str | int  # the name, or which of those before it
    at: int  # since the first row's
    message_id: str
    sender: str | int
    signals: tuple[tuple[int, int], ...]


class _Short(NamedTuple):
    """A window, written shortly."""

    form: Literal[1]  # where a window has a text
    conversation_id: str
    rows: tuple[_Row, ...]
    given: tuple[Given, ...]
    pieces: tuple[Piece, ...]
    copies: tuple[Copy, ...]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Window).decode
_decode_short = msgspec.msgpack.Decoder(_Short).decode


def encode(window: Window) -> bytes:
    """The bytes of a window; most are short as they are."""
    plain = _encode(window)
    return plain if len(plain) <= MOST_BYTES else min(plain, _encode(_shortened(window)), key=len)


def decode(data: bytes) -> Window:
    """A window from its bytes; raises Invalid when they are none."""
    try:
        return _decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        try:
            return _lengthened(_decode_short(data))
        except (msgspec.DecodeError, UnicodeDecodeError, IndexError):
            raise Invalid([f"not a conversation's window: {error}"]) from None


def _shortened(window: Window) -> _Short:
    names: dict[str, int] = {}  # by the order in which they are told
    rows = []
    begin = 0
    for each in window.sightings:
        tenant, sender = names.get(each.tenant_id, each.tenant_id), names.get(each.sender_id, each.sender_id)
        if tenant is each.tenant_id:
            names[tenant] = len(names)
            sender = names.get(each.sender_id, each.sender_id)
        if sender is each.sender_id:
            names[sender] = len(names)
        rows.append(_Row(tenant, each.at - begin, each.message_id, sender, each.signals))
        begin = begin or each.at
    return _Short(1, window.conversation_id, tuple(rows), window.given, window.pieces, window.copies)


def _lengthened(short: _Short) -> Window:
    names: list[str] = []

    def name(told: str | int) -> str:
        if isinstance(told, int):
            return names[told]
        names.append(told)
        return told

    begin = 0
    sightings = []
    for row in short.rows:
        at = begin + row.at
        sightings.append(Sighting(name(row.tenant), at, row.message_id, name(row.sender), row.signals))
        begin = begin or at
    return Window(short.conversation_id, tuple(sightings), short.given, short.pieces, short.copies)


def storable(at: int) -> int:
    """A time as near to `at` as 64 bits allow; senders' clocks may say anything."""
    return at if _EARLIEST <= at <= _LATEST else min(max(at, _EARLIEST), _LATEST)


def remember(window: Window | None, conversation_id: str, sighting: Sighting) -> Window:
    """The window with one more message; the same object when it held the message already."""
    if len(sighting.signals) > MOST_SIGNALS:
        sighting = _curtailed(sighting)
    if window is None:
        return Window(conversation_id, (sighting,))
    others = []
    for each in window.sightings:
        if not same_message(each, sighting):
            others.append(each)
        elif each.signals == sighting.signals:
            return window
    grown = Window(conversation_id, _trim([*others, sighting]), window.given, window.pieces)
    return bounded(grown, sighting.tenant_id, sighting.at)


def _curtailed(sighting: Sighting) -> Sighting:
    first = sorted(sighting.signals, key=lambda signal: signal[1])[:MOST_SIGNALS]
    return msgspec.structs.replace(sighting, signals=tuple(sorted(first)))


def bounded(window: Window, tenant_id: str, at: int) -> Window:
    """The window without what is least telling of a tenant's share, if that is too large; `at` is now."""
    plain = len(_encode(window))
    if plain <= MOST_BYTES:
        return window
    sightings, pieces = window.sightings, window.pieces
    if len({each.tenant_id for each in sightings} | {each.tenant_id for each in pieces}) > 1:
        sightings = tuple(each for each in sightings if each.tenant_id == tenant_id)
        pieces = tuple(each for each in pieces if each.tenant_id == tenant_id)
        plain = len(_encode(Window(window.conversation_id, sightings, (), pieces)))
    size = plain - _spared(sightings)
    if size <= MOST_BYTES:
        return window
    late = [each for each in pieces if abs(each.at - at) > PIECE_MS]
    dropped: set[int] = set()  # by identity: nothing stands there twice
    for each in _least_telling(sightings, pieces, late):
        if size <= _ROOM:
            break
        dropped.add(id(each))
        size -= _row_size(each) if isinstance(each, Sighting) else len(_encode(each))
    return Window(
        window.conversation_id,
        tuple(each for each in window.sightings if id(each) not in dropped),
        window.given,
        tuple(each for each in window.pieces if id(each) not in dropped),
    )


def _spared(sightings: Sequence[Sighting]) -> int:
    """At least so many bytes are spared by telling every name once."""
    names = {name for each in sightings for name in (each.tenant_id, each.sender_id)}
    told = sum(len(each.tenant_id) + len(each.sender_id) for each in sightings)
    return told - sum(len(name.encode()) + 3 for name in names) - 3


def _row_size(sighting: Sighting) -> int:
    return len(_encode((sighting.message_id, sighting.signals))) + 13  # a time, and the numbers of two names


def _least_telling(
    sightings: Sequence[Sighting], pieces: Sequence[Piece], late: Sequence[Piece]
) -> Iterator[Sighting | Piece]:
    """Everything but the newest, the least telling first."""
    yield from late
    again = list(_said_again(sightings, earlier_too=True))
    yield from again
    left = [each for each in sightings if not any(each is other for other in again)]
    repeated = list(_said_again(left, earlier_too=False))
    yield from repeated
    left = [each for each in left if not any(each is other for other in repeated)]
    waiting = [each for each in pieces if not any(each is other for other in late)]
    yield from left[:-_LATEST_KEPT]
    yield from waiting[:-1]
    yield from left[-_LATEST_KEPT:-1]
    if sightings:
        yield from waiting[-1:]


def _said_again(sightings: Sequence[Sighting], *, earlier_too: bool) -> Iterator[Sighting]:
    """What its sender shows again later, and has shown earlier too; each as if those before it were gone."""
    later = Counter((each.sender_id, key) for each in sightings for key, _ in each.signals)
    earlier: set[tuple[str, int]] = set()
    for each in sightings:
        shown = [(each.sender_id, key) for key, _ in each.signals]
        later.subtract(shown)
        if all(later[one] > 0 for one in shown) and (not earlier_too or earlier.issuperset(shown)):
            yield each
        else:
            earlier.update(shown)


def same_message(one: Sighting, other: Sighting) -> bool:
    """Whether two sightings are of one message: a record came twice, or was edited."""
    return one.message_id == other.message_id and one.tenant_id == other.tenant_id and one.sender_id == other.sender_id


def recipient(tenant_id: str, user_id: str) -> str:
    """The key of what is remembered of the reminders given to a person.

    It begins with a lone surrogate, which is in no text that JSON or UTF-8 can hold, and so in no conversation's id;
    `to_bytes` makes of it a byte that is in no UTF-8 either.
    """
    return f"\udcffr{_digest(tenant_id, user_id, size=16).hex()}"


def sender(tenant_id: str, user_id: str) -> str:
    """The key of what is remembered of the texts that a person sent; as `recipient`, and never the same."""
    return f"\udcffs{_digest(tenant_id, user_id, size=16).hex()}"


def fingerprint(name: str) -> int:
    """32 bits of an id's digest, the same in every process: enough to tell apart the few that a window holds."""
    return int.from_bytes(_digest(name, size=4))


def _digest(*names: str, size: int) -> bytes:
    return blake2b(_encode(names), digest_size=size).digest()


def to_bytes(key: str) -> bytes:
    """The key of a window as the topic has it."""
    return key.encode(errors="surrogateescape")


def from_bytes(key: bytes) -> str:
    """The key of a window from the topic's."""
    return key.decode(errors="surrogateescape")


def _trim(sightings: list[Sighting]) -> tuple[Sighting, ...]:
    """Drop what is too much: beyond 20 of the newest one's tenant, then beyond the limit for all."""
    tenant = sightings[-1].tenant_id
    own = [each for each in sightings if each.tenant_id == tenant]
    if len(own) > MAX_MESSAGES:
        sightings.remove(own[0])
    return tuple(sightings[-_MAX_SIGHTINGS:])
