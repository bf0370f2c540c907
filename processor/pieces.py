"""A term cut over messages: short messages of one sender in one conversation, put together again.

The pieces must be whole messages of at most six characters, at most six of them within a minute by their own times.
What the sender writes in between, and what others write, does not matter. What is remembered lives in the
conversation's window and so is written with the batch, exactly once: the pieces' text, which is the beginning of a
term, and the ids of their messages.
"""

from collections.abc import Sequence
from typing import NamedTuple

from processor.fraud.window import PIECE_MS, Piece, Window, bounded, storable
from processor.matching.cut import MOST, Cut
from processor.model import ChatMessage

WITHIN_MS = PIECE_MS
_MOST_OF_SENDER = 8
_MOST_KEPT = 32


class Joined(NamedTuple):
    """What a piece comes to: the texts that it completes, and the window to keep."""

    complete: Sequence[Piece]
    window: Window | None  # the very object that came in if nothing changed


def join(message: ChatMessage, text: str, *, at: int, window: Window | None, cuts: Sequence[Cut]) -> Joined:
    """Put a short message, squeezed to `text`, behind the earlier pieces of its sender."""
    alone = Piece(message.tenant_id, message.sender_id, storable(at), text, (message.message_id,))
    known = window.pieces if window else ()
    longer = [
        Piece(
            alone.tenant_id,
            alone.sender_id,
            min(piece.at, alone.at),
            piece.text + text,
            (*piece.messages, *alone.messages),
        )
        for piece in known
        if _continues(alone, piece)
    ]
    complete = [piece for piece in longer if any(cut.holds(piece.text) for cut in cuts)]
    begun = [
        piece
        for piece in (alone, *longer)
        if len(piece.messages) < MOST and not _is_known(piece, known) and any(cut.begins(piece.text) for cut in cuts)
    ]
    if not begun:
        return Joined(complete, window)
    pieces = _trim([*known, *begun], alone)
    if window is None:
        grown = Window(message.conversation_id, pieces=pieces)
    else:
        grown = Window(window.conversation_id, window.sightings, window.given, pieces)
    return Joined(complete, bounded(grown, alone.tenant_id, alone.at))


def _continues(alone: Piece, piece: Piece) -> bool:
    """Whether a message may stand behind a piece: the same sender, soon enough, and not in it already."""
    return (
        _same_sender(alone, piece) and abs(alone.at - piece.at) <= WITHIN_MS and alone.messages[0] not in piece.messages
    )


def _is_known(piece: Piece, known: Sequence[Piece]) -> bool:
    """Whether the same messages stand there already: a record came twice."""
    return any(
        each.messages == piece.messages and each.text == piece.text and _same_sender(each, piece) for each in known
    )


def _same_sender(one: Piece, other: Piece) -> bool:
    return one.sender_id == other.sender_id and one.tenant_id == other.tenant_id


def _trim(pieces: Sequence[Piece], newest: Piece) -> tuple[Piece, ...]:
    """Without those of the sender that are too old by now; the last few of the sender and of all."""
    own = [piece for piece in pieces if _same_sender(piece, newest) and abs(newest.at - piece.at) <= WITHIN_MS]
    kept = own[-_MOST_OF_SENDER:]
    return tuple(piece for piece in pieces if not _same_sender(piece, newest) or piece in kept)[-_MOST_KEPT:]
