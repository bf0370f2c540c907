"""The memory of one conversation: which messages carried which signals, and which reminders were given.

It is kept in the `conversations` topic, so it outlives rulesets: signals are remembered by the stable keys of their
groups. Messages are kept in the order they arrived, the last 20 of each tenant, whatever their dates: a message dated
far ahead must not drive out the others. Time is event time, in ms.
"""

from collections.abc import Iterable

import msgspec
from msgspec import Struct

from processor.errors import Invalid
from processor.fraud.rule import MAX_MESSAGES

_MAX_SIGHTINGS = 10 * MAX_MESSAGES  # over all tenants that share a conversation id
_MAX_GIVEN = 256
_EARLIEST, _LATEST = -(2**62), 2**62


class Sighting(Struct, frozen=True, array_like=True, gc=False):
    """A message that carried signals."""

    tenant_id: str
    at: int
    message_id: str
    sender_id: str
    signals: tuple[tuple[int, int], ...]  # (key of a bit, where it first stood in the message)


class Given(Struct, frozen=True, array_like=True, gc=False):
    """A reminder that was sent; another of its type must wait for `cooldown_ms`."""

    tenant_id: str
    recipient_id: str
    fraud_type: str
    at: int
    cooldown_ms: int

    def holds_back(self, at: int) -> bool:
        """Whether a reminder at `at` is too early; either way, since messages come late and clocks differ."""
        return abs(at - self.at) < self.cooldown_ms


class Piece(Struct, frozen=True, array_like=True, gc=False):
    """How a term begins that a sender has cut over several short messages; see `processor.pieces`."""

    tenant_id: str
    sender_id: str
    at: int  # of its first message
    text: str  # folded, squeezed; the beginning of a term
    messages: tuple[str, ...]  # their ids, in order


class Window(Struct, frozen=True, array_like=True, gc=False):
    """What is remembered of a conversation."""

    conversation_id: str
    sightings: tuple[Sighting, ...] = ()  # in order of arrival
    given: tuple[Given, ...] = ()  # oldest first
    pieces: tuple[Piece, ...] = ()  # in order of arrival


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


def give(window: Window | None, conversation_id: str, given: Iterable[Given], at: int) -> Window:
    """The window with reminders added at `at`; forgets those that hold nothing back any more."""
    new = {_to_whom(each): each for each in given}
    sightings = window.sightings if window else ()
    kept = [g for g in (window.given if window else ()) if g.holds_back(at) and _to_whom(g) not in new]
    pieces = window.pieces if window else ()
    return Window(conversation_id, sightings, (*kept, *new.values())[-_MAX_GIVEN:], pieces)


def _to_whom(given: Given) -> tuple[str, str, str]:
    return given.tenant_id, given.recipient_id, given.fraud_type


def _trim(sightings: list[Sighting]) -> tuple[Sighting, ...]:
    """Drop what is too much: beyond 20 of the newest one's tenant, then beyond the limit for all."""
    tenant = sightings[-1].tenant_id
    own = [each for each in sightings if each.tenant_id == tenant]
    if len(own) > MAX_MESSAGES:
        sightings.remove(own[0])
    return tuple(sightings[-_MAX_SIGHTINGS:])
