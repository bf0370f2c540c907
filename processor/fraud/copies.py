"""One text that somebody sends to many conversations: a little more suspicion for what is suspicious already.

Counted are texts for which a fraud rule has fired, of some length: what is short is an everyday phrase, whoever it goes
to. A text is told by a digest of how it reads without marks, spaces, case, invisible characters, and with all numbers
alike, so that an order number of one's own makes no other text of it. Conversations count once each, within a day by
the messages' own times, so a message that comes twice changes nothing.

What was sent where is remembered with the sender, per partition, as reminders are with those who got them
(`window.sender`): a restart counts on where it stood. Conversations of other partitions are not seen, so the count is a
lower bound, and the points are few; it never takes any away.
"""

import re
from collections.abc import Mapping

from msgspec.structs import replace

from processor.fraud.engine import Weighed
from processor.fraud.window import Copy, Window, fingerprint, sender, storable
from processor.matching.folding import squeeze
from processor.model import ChatMessage

WITHIN_MS = 86_400_000
POINTS = ((8, 10), (3, 5))  # conversations, from which on so many points; most first
MOST_TEXTS = 4  # that are remembered of a sender
_MOST_PLACES = POINTS[0][0]
_LONG = 20  # letters and digits; hanzi count twice
_VARIED = 6  # different ones among them
_MOST_SCORE = 100
_DIGITS = re.compile("[0-9]+")
_MARKS = re.compile(r"\W+")
_WIDE = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


def count_copies(
    weighed: Weighed, message: ChatMessage, *, at: int, windows: Mapping[str, Window]
) -> tuple[Weighed, Mapping[str, Window]]:
    """What was weighed, with the points for copies and their reason, and the sender's window if it changed.

    `windows` holds what is remembered of people, by `window.sender`.
    """
    if weighed.fraud is None or weighed.inquiry or (message.sender is not None and message.sender.role == "bot"):
        return weighed, {}
    text = telling(message)
    if text is None:
        return weighed, {}
    key = sender(message.tenant_id, message.sender_id)
    window = windows.get(key)
    known = window.copies if window else ()
    copy = next((each for each in known if each.text == text), Copy(text))
    sent = _sent(copy, fingerprint(message.conversation_id), storable(at))
    changed = {}
    if sent is not copy:
        others = tuple(each for each in known if each.text != text)
        changed = {key: Window("", copies=(*others, sent)[-MOST_TEXTS:])}
    count = sum(1 for _, when in sent.places if abs(when - at) < WITHIN_MS)
    points = next((points for least, points in POINTS if count >= least), 0)
    if not points:
        return weighed, changed
    fraud = replace(weighed.fraud, score=min(_MOST_SCORE, weighed.fraud.score + points))
    reason = f"The same text went to {_told(count)} conversations within a day (+{points})"
    return replace(weighed, fraud=fraud, reasons=(*weighed.reasons, reason)), changed


def telling(message: ChatMessage) -> int | None:
    """The digest by which a message's text is known again; None for a text that is too short to tell anything."""
    written = "\n".join([message.content or "", *(message.texts or ())])
    if len(written) < _LONG // 2:
        return None
    text = _DIGITS.sub("0", _MARKS.sub("", squeeze(written)))
    is_long = len(text) + len(_WIDE.findall(text)) >= _LONG and len(set(text)) >= _VARIED
    return fingerprint(text) if is_long else None


def _sent(copy: Copy, conversation: int, at: int) -> Copy:
    """The copy as sent to one more conversation; the very same if it is known to have gone there that day."""
    if any(known == conversation and abs(when - at) < WITHIN_MS for known, when in copy.places):
        return copy
    others = tuple(place for place in copy.places if place[0] != conversation)
    return Copy(copy.text, (*others, (conversation, at))[-_MOST_PLACES:])


def _told(count: int) -> str:
    return str(count) if count < _MOST_PLACES else f"{count} or more"
