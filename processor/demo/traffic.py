"""Chat traffic by the thousand, always the same for the same seed: what the demo, its tests and the benchmark run on.

Mostly small talk in Chinese and English, in thousands of conversations of sixty tenants. Among it: frauds that unfold
over several messages, offers in disguise, words to mask, notices that quote what they warn of, questions whether
something is a fraud, pictures with captions, and bytes that are no message at all. Pure: no clock, no I/O.
"""

import random
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from heapq import heappop, heappush
from itertools import accumulate
from typing import Final, NamedTuple

import msgspec

from processor.demo import schemes
from processor.demo.garbage import SPOILED
from processor.demo.grammar import Draw, Language
from processor.demo.schemes import Scheme
from processor.demo.speech import Content, pick, speech, text
from processor.demo.town import Conversation, Fields, Town, official


class Kind(StrEnum):
    """Why a message is in the traffic; it does not stand in the message."""

    TALK = "talk"
    FRAUD = "fraud"  # a line of a fraud conversation
    OFFER = "offer"  # a term of severity high or medium, often in disguise
    MENTION = "mention"  # a term of severity low
    PRODUCT = "product"  # the word that becomes a term while the demo runs
    NOTICE = "notice"
    QUESTION = "question"
    PICTURE = "picture"
    GARBAGE = "garbage"


SHARES: Final = {  # of all messages but the frauds; the rest is talk
    Kind.OFFER: 0.010,
    Kind.MENTION: 0.010,
    Kind.PRODUCT: 0.005,
    Kind.NOTICE: 0.006,
    Kind.QUESTION: 0.002,
    Kind.PICTURE: 0.040,
    Kind.GARBAGE: 0.006,
}
BEGINS: Final = 0.006  # chance that a fraud begins at a message
_KINDS = (*SHARES, Kind.TALK)
_BOUNDS = tuple(accumulate(SHARES.values()))

_OFFICIAL = 0.5  # of the notices; the others are passed on by people
_ENGLISH = 0.3  # of the frauds
_CUT_SHORT = 0.35  # of the frauds: they end before anybody asks for money
_ASIDE = 0.15  # chance that somebody says something else in between
_LONGEST_PAUSE = 400  # messages of others between two lines of a fraud


class Message(NamedTuple):
    """A record for `raw`, and why it is there."""

    kind: Kind
    key: bytes
    value: bytes


class _Due(NamedTuple):
    """A line of a fraud, waiting for its turn."""

    number: int  # of the message it will be
    serial: int
    where: Conversation
    voice: Fields
    content: str


def stream(count: int, *, seed: int, start_ms: int, per_second: float = 1_500) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values of `count` records for `raw`.

    `start_ms`: when the first is sent, in ms since the epoch; the others follow, `per_second` of them a second.
    """
    for _, key, value in labelled(count, seed=seed, start_ms=start_ms, per_second=per_second):
        yield key, value


def labelled(count: int, *, seed: int, start_ms: int, per_second: float = 1_500) -> Iterator[Message]:
    """The same, with what each message is."""
    chance = random.Random(seed)  # noqa: S311  repeatable on purpose
    draw = chance.random
    town = Town(draw, start_ms)
    writers = _writers()
    agenda: list[_Due] = []
    for number in range(count):
        if draw() < BEGINS:
            for due in _fraud(draw, town, number):
                heappush(agenda, due)
        if agenda and agenda[0].number <= number:
            due = heappop(agenda)
            kind, where, voice, content = Kind.FRAUD, due.where, due.voice, text(due.content)
        else:
            kind = _KINDS[bisect_right(_BOUNDS, draw())]
            where = town.any()
            voice = pick(draw, where.voices)
            content = writers[kind](draw, where.language)
            if kind is Kind.NOTICE and draw() < _OFFICIAL:
                voice = official(voice)
        sent_at = start_ms + int(number * 1000 / per_second)
        value = msgspec.json.encode({"message_id": f"m{seed}-{number}", **voice, **content, "sent_at": sent_at})
        if kind is Kind.GARBAGE:
            value = pick(draw, SPOILED)(value)
        yield Message(kind, where.key, value)


def _writers() -> dict[Kind, Callable[[Draw, Language], Content]]:
    said = speech()
    return {
        Kind.TALK: said.talk,
        Kind.OFFER: said.offer,
        Kind.MENTION: said.mention,
        Kind.PRODUCT: said.product,
        Kind.NOTICE: said.notice,
        Kind.QUESTION: said.question,
        Kind.PICTURE: said.picture,
        Kind.GARBAGE: said.talk,
    }


def _fraud(draw: Draw, town: Town, number: int) -> Iterator[_Due]:
    """The lines of a new fraud, each with its turn."""
    language: Language = "en" if draw() < _ENGLISH else "zh"
    scheme = pick(draw, schemes.SCHEMES[language])
    words = {name: pick(draw, pool) for name, pool in schemes.WORDS[language].items()}
    where = town.strangers(number, language=language)
    turn = number
    for place, line in enumerate(_as_told(draw, scheme)):
        who, _, content = line.partition(" ")
        turn += 1 + int(draw() * _LONGEST_PAUSE)
        yield _Due(turn, 2 * place, where, where.voices[who == "V"], content.format_map(words))
        if draw() < _ASIDE:
            aside = speech().talk(draw, language)["content"]
            yield _Due(turn + 1, 2 * place + 1, where, pick(draw, where.voices), aside)


def _as_told(draw: Draw, scheme: Scheme) -> Sequence[str]:
    if draw() >= _CUT_SHORT:
        return scheme.lines
    ask = next(place for place, line in enumerate(scheme.lines) if line.startswith("S!"))
    return scheme.lines[:ask]
