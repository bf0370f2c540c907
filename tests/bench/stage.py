"""Where a run takes place: topics that are filled and emptied, and rulesets that are published."""

import asyncio
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.partitioner import DefaultPartitioner

from processor.model import Topic
from processor.rulesets import store
from processor.rulesets.document import BASE
from processor.stream.topics import apply
from tests.bench.traffic import Keyed

PARTITIONS = 4
BATCH_BYTES = 256 * 1024
_partition_of = DefaultPartitioner()
_partitions = list(range(PARTITIONS))


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """The services and what all runs have in common."""

    kafka: str
    redis: str
    folder: Path  # for logs and terms
    terms: Path  # one a line, for those who know no ruleset

    @property
    def client(self) -> Mapping[str, Any]:
        """Connection arguments of every aiokafka client."""
        return {"bootstrap_servers": self.kafka}


async def fresh(stage: Stage, prefix: str, *, keep_raw: bool = False) -> None:
    """Empty topics under `prefix`; with `keep_raw` the input stays as it is."""
    names = [prefix + topic for topic in Topic if not (keep_raw and topic is Topic.RAW)]
    admin = AIOKafkaAdminClient(**stage.client)
    await admin.start()
    try:
        there = set(names) & set(await admin.list_topics())
        if there:
            await admin.delete_topics(sorted(there))
        while set(names) & set(await admin.list_topics()):  # noqa: ASYNC110  the cluster tells nobody
            await asyncio.sleep(0.05)
    finally:
        await admin.close()
    await apply(stage.client, prefix, partitions=PARTITIONS, replication=1)


async def fill(stage: Stage, prefix: str, messages: Iterable[Keyed]) -> float:
    """Write messages to `raw`, each by its key; gives the seconds that it took."""
    began = time.monotonic()
    async with AIOKafkaProducer(**stage.client, max_batch_size=BATCH_BYTES, linger_ms=0) as producer:
        writer = Writer(producer, prefix + Topic.RAW)
        for number, (key, value) in enumerate(messages):
            await writer.add(key, value, int(time.time() * 1000))
            if number % 50_000 == 0:
                await producer.flush()
        await writer.flush()
        await producer.flush()
    return time.monotonic() - began


class Writer:
    """Packs records into batches by hand: some ten times cheaper than one `send` for each."""

    def __init__(self, producer: AIOKafkaProducer, topic: str) -> None:
        self._producer = producer
        self._topic = topic
        self._places: dict[bytes, int] = {}
        self._open = [producer.create_batch() for _ in _partitions]

    async def add(self, key: bytes, value: bytes, timestamp: int) -> None:
        """Put a record into its partition's open batch; a full one is sent."""
        place = self._places.get(key)
        if place is None:
            place = self._places[key] = _partition_of(key, _partitions, _partitions)
        if self._open[place].append(key=key, value=value, timestamp=timestamp) is None:
            await self._send(place)
            self._open[place].append(key=key, value=value, timestamp=timestamp)

    async def flush(self) -> None:
        """Send what is open."""
        for place in _partitions:
            if self._open[place].record_count():
                await self._send(place)

    async def _send(self, place: int) -> None:
        await self._producer.send_batch(self._open[place], self._topic, partition=place)
        self._open[place] = self._producer.create_batch()


async def publish(stage: Stage, content: bytes) -> int:
    """Put a ruleset, in its canonical bytes, in force over Redis; gives its version."""
    author = store.Author(by="bench", why="benchmark", at=int(time.time() * 1000))
    async with store.connect(stage.redis) as redis:
        pointer = await store.publish(redis, BASE, content, author=author)
    return pointer.version
