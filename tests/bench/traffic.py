"""The benchmark's chat: the demo's talk, in the shares that are wanted here. The same seed gives the same messages.

One message in a hundred holds a term of a lexicon, as written or disguised; one in a hundred is a line of a fraud that
unfolds in its conversation; one in a thousand is no message. The rest is small talk of some ten to forty characters.
"""

import random
from collections.abc import Iterator, Sequence
from typing import Any

import orjson

from processor.demo import schemes
from processor.demo.garbage import SPOILED
from processor.demo.grammar import Language
from processor.demo.speech import speech

Keyed = tuple[bytes, bytes]  # key and value of a record

CONVERSATIONS = 20_000
STARTS_AT = 1_780_000_000_000  # ms since the epoch
STEP_MS = 5
SHORT = 10  # characters: what is shorter says another sentence
ENGLISH = 0.2
FRAMES = ("{}有要的吗", "低价出{}，私聊我", "谁有 {} 啊，急", "anyone got {} here?", "听说过 {} 没有")


def traffic(count: int, terms: Sequence[str], *, seed: int = 1) -> Iterator[Keyed]:
    """`count` messages; `terms` are what the lexicons hold."""
    draw = random.Random(seed)
    frauds = [fraud(draw) for _ in range(8)]
    for number in range(count):
        luck = draw.random()
        conversation = draw.randrange(CONVERSATIONS)
        if luck < 0.001:
            key, value = message(number, conversation, talk(draw), draw)
            yield key, draw.choice(SPOILED)(value)
        elif luck < 0.011:
            yield message(number, conversation, offer(draw, draw.choice(terms)), draw)
        elif luck < 0.021:
            place = draw.randrange(len(frauds))
            line = next(frauds[place], None)
            if line is None:
                frauds[place] = fraud(draw)
                line = next(frauds[place])
            yield message(number, line[0], line[2], draw, says=line[1])
        else:
            yield message(number, conversation, talk(draw), draw)


def message(number: int, conversation: int, content: str, draw: random.Random, *, says: int | None = None) -> Keyed:
    """The record of a message by one of the conversation's people; every fifth conversation is a group."""
    people = [f"u{conversation * 7 + place:06d}" for place in range(2 if conversation % 5 else 5)]
    sender = people[draw.randrange(len(people)) if says is None else says]
    fields: dict[str, Any] = {
        "message_id": f"m{number:012d}",
        "tenant_id": f"t{conversation % 40}",
        "conversation_id": f"c{conversation}",
        "conversation_type": "direct" if conversation % 5 else "group",
        "sender_id": sender,
        "receiver_ids": [person for person in people if person != sender],
        "type": "text",
        "content": content,
        "sent_at": STARTS_AT + number * STEP_MS,
    }
    return f"c{conversation}".encode(), orjson.dumps(fields)


def talk(draw: random.Random) -> str:
    """Small talk, mostly Chinese."""
    language: Language = "en" if draw.random() < ENGLISH else "zh"
    text: str = speech().talk(draw.random, language)["content"]
    while len(text) < SHORT:
        text += ("，" if language == "zh" else ", ") + speech().talk(draw.random, language)["content"]
    return text


def offer(draw: random.Random, term: str) -> str:
    """A sentence with the term, disguised in three of ten cases."""
    if draw.random() < 0.3:
        term = draw.choice(" -*·").join(term) if len(term) < 8 else term.upper()
    return draw.choice(FRAMES).format(term)


def fraud(draw: random.Random) -> Iterator[tuple[int, int, str]]:
    """The lines of a fraud in some conversation: its number, which of its people writes, and what."""
    conversation = draw.randrange(CONVERSATIONS)
    scheme = draw.choice(schemes.SCHEMES["zh"])
    words = {name: draw.choice(pool) for name, pool in schemes.WORDS["zh"].items()}
    for line in scheme.lines:
        who, _, content = line.partition(" ")
        yield conversation, int(who == "V"), content.format_map(words)
