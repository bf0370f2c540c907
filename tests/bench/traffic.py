"""The benchmark's chat: lines of the corpus, in the shares that are wanted here. The same seed gives the same messages.

One message in a hundred holds a term of a lexicon, as written or disguised; one in a hundred is a line of a fraud that
unfolds in its conversation; one in a thousand is no message. The rest is what people of the corpus say, in lines of
chat length, by far most of it small talk.
"""

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import orjson

from processor.demo import schemes
from processor.demo.garbage import SPOILED

Keyed = tuple[bytes, bytes]  # key and value of a record

CONVERSATIONS = 20_000
STARTS_AT = 1_780_000_000_000  # ms since the epoch
STEP_MS = 5
CORPUS = Path(__file__).parents[1] / "corpus"
KINDS = {"benign": 0.94, "near_miss": 0.04, "service": 0.02}  # of the corpus' harmless lines
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
    """A line of ordinary chat, as people of the corpus wrote it; a few speak of money, codes and refunds."""
    language = "en" if draw.random() < ENGLISH else "zh"
    (kind,) = draw.choices(list(KINDS), list(KINDS.values()))
    return draw.choice(_lines()[kind, language])


@cache
def _lines() -> dict[tuple[str, str], list[str]]:
    """The corpus' harmless lines by kind and language."""
    lines: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for file in sorted(CORPUS.glob("benign-*.jsonl")):
        for conversation in map(orjson.loads, file.read_bytes().splitlines()):
            said = [message["text"] for message in conversation["messages"]]
            lines[conversation["kind"], conversation["lang"]].extend(said)
    return lines


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
