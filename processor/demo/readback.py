"""Reading back: whatever the demo tells has been read from the output topics, as any consumer would read them."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from processor.demo.beside import beside
from processor.demo.offers import PRODUCT, PRODUCT_TRADITIONAL
from processor.demo.stage import GROUP, PARTITIONS, PREFIX
from processor.errors import Unavailable
from processor.model import Input, Reminder, Topic, Verdict

Client = Mapping[str, Any]

_PRODUCT = (PRODUCT.encode(), PRODUCT_TRADITIONAL.encode())
_NOTICE = b"96110"
_LAG_EVERY_S = 0.5
_KEPT = 200  # records of a kind that are kept to choose examples from


class _Named(msgspec.Struct):
    message_id: str


_name_of = msgspec.json.Decoder(_Named).decode
_verdict_of = msgspec.json.Decoder(Verdict).decode
_reminder_of = msgspec.json.Decoder(Reminder).decode


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a record stands."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """A message with the product's name, as it came out."""

    place: Place
    origin: str  # topic/partition/offset in raw
    ruleset: str
    flagged: bool
    at: float  # when it was read, by the monotonic clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """A flagged message."""

    place: Place
    verdict: Verdict


@dataclass
class Seen:
    """What has come out so far."""

    delivered: int = 0
    masked: int = 0
    flagged: int = 0
    dead: int = 0
    reminders: int = 0
    lag: int = 0  # records of raw that are not committed yet
    flags: list[Flag] = field(default_factory=list)
    reminded: list[Reminder] = field(default_factory=list)
    masks: list[bytes] = field(default_factory=list)  # values
    notices: list[bytes] = field(default_factory=list)
    deaths: Counter[str] = field(default_factory=Counter)  # by reason
    product: list[Sighting] = field(default_factory=list)
    places: dict[str, tuple[int, int]] = field(default_factory=dict)  # partition and offset of delivered messages

    @property
    def out(self) -> int:
        """Messages that have come out, by whatever way."""
        return self.delivered + self.flagged + self.dead

    def take(self, topic: Topic, partition: int, records: Iterable[Input], at: float) -> None:
        """Take note of records read at the time `at`."""
        take = {
            Topic.DELIVERED: self._delivered,
            Topic.FLAGGED: self._flagged,
            Topic.DEAD_LETTER: self._dead,
            Topic.REMINDER: self._reminder,
        }[topic]
        for record in records:
            take(record, Place(topic=PREFIX + topic, partition=partition, offset=record.offset), at)

    def _delivered(self, record: Input, place: Place, at: float) -> None:
        self.delivered += 1
        value = record.value or b""
        self.places[_name_of(value).message_id] = place.partition, place.offset
        headers = dict(record.headers)
        if headers["chatguard-verdict"] == b"mask":
            self.masked += 1
            _keep(self.masks, value)
        if any(name in value for name in _PRODUCT):
            self._sighted(place, headers, at, flagged=False)
        elif _NOTICE in value:
            _keep(self.notices, value)

    def _flagged(self, record: Input, place: Place, at: float) -> None:
        self.flagged += 1
        flag = Flag(place=place, verdict=_verdict_of(record.value or b""))
        self.flags.append(flag)
        if any(hit.term == PRODUCT for hit in flag.verdict.hits):
            self._sighted(place, dict(record.headers), at, flagged=True)

    def _dead(self, record: Input, _place: Place, _at: float) -> None:
        self.dead += 1
        self.deaths[dict(record.headers)["chatguard-error-message"].decode()] += 1

    def _reminder(self, record: Input, _place: Place, _at: float) -> None:
        self.reminders += 1
        self.reminded.append(_reminder_of(record.value or b""))

    def _sighted(self, place: Place, headers: Mapping[str, bytes], at: float, *, flagged: bool) -> None:
        self.product.append(
            Sighting(
                place=place,
                origin=headers["chatguard-origin"].decode(),
                ruleset=headers["chatguard-ruleset"].decode(),
                flagged=flagged,
                at=at,
            )
        )


@asynccontextmanager
async def reading(client: Client) -> AsyncIterator[Seen]:
    """Read the output topics while the context lasts, and how far behind the workers are. Raises: Unavailable."""
    seen = Seen()
    async with beside(_follow(client, seen), _watch_lag(client, seen)):
        yield seen


async def fetch(client: Client, topic: Topic, places: Iterable[tuple[int, int]]) -> list[bytes]:
    """The values of single committed records, by partition and offset. Raises: Unavailable."""
    values = []
    async with _consumer(client) as consumer:
        for partition, offset in places:
            place = TopicPartition(PREFIX + topic, partition)
            consumer.assign([place])
            consumer.seek(place, offset)
            values.append((await consumer.getone(place)).value or b"")
    return values


async def _follow(client: Client, seen: Seen) -> None:
    topics = (Topic.DELIVERED, Topic.FLAGGED, Topic.REMINDER, Topic.DEAD_LETTER)
    places = {TopicPartition(PREFIX + topic, n): topic for topic in topics for n in range(PARTITIONS)}
    async with _consumer(client, auto_offset_reset="earliest") as consumer:
        consumer.assign(list(places))
        while True:
            read = await consumer.getmany(timeout_ms=200, max_records=2_000)
            at = time.monotonic()
            for place, records in read.items():
                seen.take(places[place], place.partition, records, at)


async def _watch_lag(client: Client, seen: Seen) -> None:
    places = [TopicPartition(PREFIX + Topic.RAW, partition) for partition in range(PARTITIONS)]
    async with _consumer(client, group_id=GROUP) as consumer:
        consumer.assign(places)
        while True:
            ends = await consumer.end_offsets(places)
            seen.lag = sum([end - (await consumer.committed(place) or 0) for place, end in ends.items()])
            await asyncio.sleep(_LAG_EVERY_S)


@asynccontextmanager
async def _consumer(client: Client, **settings: Any) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(**client, isolation_level="read_committed", enable_auto_commit=False, **settings)
    try:
        await consumer.start()
        yield consumer
    except KafkaError as error:
        raise Unavailable(f"Kafka does not answer the demo: {type(error).__name__}") from error
    finally:
        await consumer.stop()


def _keep(values: list[bytes], value: bytes) -> None:
    if len(values) < _KEPT:
        values.append(value)
