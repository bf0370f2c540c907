"""Bytes to messages. Any bytes come to a `ChatMessage` or a `Malformed`; nothing raises."""

import re
from collections.abc import Sequence

import msgspec

from processor.model import ChatMessage, Input, Malformed

Item = ChatMessage | Malformed

_END_OF_TIME = 253_402_300_800_000  # the year 10000, in ms since the epoch
_QUOTED = re.compile(r"(?<=^Invalid enum value) .*(?= - at )", re.DOTALL)
_decode = msgspec.json.Decoder(ChatMessage).decode


def decode(value: bytes | None) -> Item:
    """The message in a record's value. The reason of a Malformed names fields and types, never what they hold."""
    if value is None:
        return Malformed(reason="the record has no value")
    try:
        return _decode(value)
    except msgspec.ValidationError as error:
        return Malformed(reason=f"not a chat message: {_QUOTED.sub('', str(error))}")
    except msgspec.DecodeError as error:
        return Malformed(reason=f"not JSON: {error}")
    except (UnicodeDecodeError, RecursionError) as error:
        reason = "not UTF-8" if isinstance(error, UnicodeDecodeError) else "nested too deeply"
        return Malformed(reason=f"not JSON: {reason}")


def decode_all(inputs: Sequence[Input]) -> tuple[list[Item], list[int]]:
    """`decode` and `time_of` for a batch, without a call for each: on the path of every message calls cost most."""
    items: list[Item] = []
    times: list[int] = []
    for source in inputs:
        try:
            item = _decode(source.value)  # type: ignore[arg-type]  # None raises, like much else
        except (TypeError, ValueError, RecursionError):
            items.append(decode(source.value))
            times.append(source.timestamp)
        else:
            sent = item.sent_at
            items.append(item)
            times.append(sent if sent is not None and 0 <= sent < _END_OF_TIME else source.timestamp)
    return items, times


def time_of(item: Item, received: int) -> int:
    """When a message was sent, ms since the epoch; `received` if its sender's clock shows no year of 1970 to 9999."""
    sent = item.sent_at if isinstance(item, ChatMessage) else None
    return sent if sent is not None and 0 <= sent < _END_OF_TIME else received
