"""Entities: what money or contact can flow through, found in one text.

`HINT` is the cheap question asked of every message, over a whole batch of texts joined by line ends; only where it
finds something are the detectors run. No detector finds anything in a text that HINT does not match.
"""

from collections.abc import Iterator
from typing import Literal

from processor.fraud.detectors import codes, handles, links, money, numbers, wallets
from processor.fraud.detectors.hint import HINT
from processor.fraud.detectors.spelling import Found, fold, lower
from processor.model import Entity

__all__ = ["HINT", "find_entities"]

_MOST = 20  # of one kind in one text: what is repeated more often says no more

Kind = Literal[
    "url", "phone", "bank_card", "id_card", "wallet", "im_handle", "otp_request", "meeting", "amount", "email"
]


def find_entities(text: str, field: str = "content") -> list[Entity]:
    """The entities of a text in order, at most 20 of a kind; spans are code points of `text`.

    Only requests for a code may overlap with others. Of two readings of the same characters the more telling one
    stays: a wallet is no phone.
    """
    return _detect(text, field) if HINT.search(text) else []


def _detect(text: str, field: str) -> list[Entity]:
    entities: list[Entity] = []
    taken = bytearray(len(text))
    for kind, found in _readings(text):
        free = _MOST
        for start, end, value in found:
            if taken.find(1, start, end) >= 0:
                continue
            entities.append(Entity(kind, text[start:end], start, end, value, field))
            taken[start:end] = bytes((kind != "otp_request",)) * (end - start)
            free -= 1
            if not free:
                break
    return sorted(entities, key=lambda entity: entity.start)


def _readings(text: str) -> Iterator[tuple[Kind, Iterator[Found]]]:
    """Each kind with its detector at work, the most telling kinds first."""
    folded = fold(text)
    low = lower(folded)
    counted = numbers.read_digits(low)
    if codes.MAY.search(low):
        yield "otp_request", codes.find(low)
    if "@" in low:
        yield "email", links.find_emails(low)
    if links.MAY.search(low) or "dot" in low:
        yield "url", links.find_urls(text, folded, low)
    if wallets.MAY.search(text):
        yield "wallet", wallets.find(text)
    if handles.MAY.search(counted):
        yield "im_handle", handles.find(counted)
    if numbers.MAY.search(counted):
        yield "id_card", numbers.find_ids(counted)
        yield "bank_card", numbers.find_cards(counted)
        yield "meeting", numbers.find_meetings(counted)
        yield "phone", numbers.find_phones(counted)
    if money.MAY.search(low):
        yield "amount", money.find(low)
