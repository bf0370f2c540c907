"""The memory of one conversation: which messages carried which signals.

It is kept in the `conversations` topic, so it outlives rulesets: signals are remembered by the stable keys of their
groups. Messages are kept in the order they arrived, the last 20 of each tenant, whatever their dates: a message dated
far ahead must not drive out the others. Time is event time, in ms.

What concerns a person and not one conversation (the reminders given to them, the texts they sent about) has a window of
its own beside those of the conversations, under a key that no conversation can have; see `recipient`. It knows the
conversations of its partition, since only those are judged in the same order in every life of a lane.
"""

from hashlib import blake2b

import msgspec
from msgspec import Struct

from processor.errors import Invalid
from processor.fraud.rule import MAX_MESSAGES

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


encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Window).decode


def decode(data: bytes) -> Window:
    """A window from its bytes; raises Invalid when they are none."""
    try:
        return _decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Invalid([f"not a conversation's window: {error}"]) from None


def storable(at: int) -> int:
    """A time as near to `at` as 64 bits allow; senders' clocks may say anything."""
    return at if _EARLIEST <= at <= _LATEST else min(max(at, _EARLIEST), _LATEST)


def remember(window: Window | None, conversation_id: str, sighting: Sighting) -> Window:
    """The window with one more message; the same object when it held the message already."""
    if window is None:
        return Window(conversation_id, (sighting,))
    others = []
    for each in window.sightings:
        if not same_message(each, sighting):
            others.append(each)
        elif each.signals == sighting.signals:
            return window
    return Window(conversation_id, _trim([*others, sighting]), window.given, window.pieces)


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
    return blake2b(encode(names), digest_size=size).digest()


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
