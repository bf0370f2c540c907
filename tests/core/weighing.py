"""Conversations through the fraud engine, as the product has it read them."""

from collections.abc import Iterator
from typing import NamedTuple

from processor.fraud.engine import Mark, Weighed, weigh
from processor.fraud.entities import find_entities
from processor.fraud.rule import Conversation
from processor.fraud.rules import Rulebook
from processor.fraud.window import Window
from processor.matching.folding import Batch
from processor.matching.matcher import Matcher
from processor.model import ChatMessage

MINUTE_MS = 60_000


class Reader(NamedTuple):
    """Compiled rules, the matcher of their literals, and each literal's bits."""

    book: Rulebook
    matcher: Matcher
    bits: tuple[int, ...]


def reader(book: Rulebook) -> Reader:
    terms = [*book.terms.items(), *book.beside.items()]
    return Reader(book, Matcher([term for term, _ in terms]), tuple(bits for _, bits in terms))


def weighed_by(reader: Reader, conversation: Conversation) -> Iterator[Weighed]:
    """A conversation's messages through the engine, a minute apart."""
    window: Window | None = None
    for number, (speaker, text) in enumerate(conversation):
        message = ChatMessage(
            message_id=str(number), tenant_id="t", conversation_id="c", sender_id=speaker, type="text", content=text
        )
        found = reader.matcher.find(Batch([text])).get(0, [])
        seen = weigh(
            reader.book,
            message,
            at=number * MINUTE_MS,
            marks=[Mark(each.start, each.end, reader.bits[each.term]) for each in found],
            entities=list(find_entities(text)),
            window=window,
            wording=None,
        )
        window = seen.window
        yield seen
