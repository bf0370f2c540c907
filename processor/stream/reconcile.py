"""Read raw and the outputs and prove that every input came out exactly once; `ledger.py` keeps the account.

Raw is read first, up to a fixed end (where it ends at the start, unless told otherwise), then the outputs as far as
they go. Everything is read as the worker reads it, without what was aborted or is still open (read_committed), and
without a consumer group: the check changes nothing, and may run beside the workers.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from processor.errors import Misconfigured, Unavailable
from processor.model import Input, Topic
from processor.stream.ledger import TERMINAL, Ledger, Report
from processor.stream.topics import inspect, names

Progress = Callable[[int, int], None]
"""Is told how many offsets have been read, and about how many there are in all."""

Places = Mapping[TopicPartition, int]
"""An offset per partition."""

Take = Callable[[TopicPartition, Iterable[Input]], None]

READ = (Topic.RAW, *TERMINAL, Topic.REMINDER)

_MIB = 1024 * 1024
_STALLED_S = 60.0
_LOOK_AGAIN_S = 0.5


async def reconcile(
    client: Mapping[str, Any],
    prefix: str,
    *,
    until: Mapping[int, int] | None = None,
    wait: float = 0.0,
    progress: Progress | None = None,
) -> Report:
    """Compare what raw holds with what the outputs hold.

    `client`: the keyword arguments of an aiokafka client. `until`: partition of raw → the offset after the last one to
    compare, by default where raw ends now (for a partition left out, too). `wait`: for how many seconds to go on
    reading while inputs are without an output. Raises `Unavailable`, and `Misconfigured` when a topic is missing.
    """
    partitions = await _partitions(client, prefix)
    raw = [place for place in partitions if place.topic == prefix + Topic.RAW]
    outputs = [place for place in partitions if place.topic != prefix + Topic.RAW]
    async with reader(client) as consumer:
        starts, ends = await consumer.beginning_offsets(partitions), await consumer.end_offsets(partitions)
        stops = {place: min(ends[place], (until or {}).get(place.partition, ends[place])) for place in raw}
        read = partial(read_on, consumer, Meter(progress, sum(ends.values()) - sum(starts.values())))
        ledger = Ledger(prefix, {place.partition: (starts[place], stops[place]) for place in raw})

        await read({place: starts[place] for place in raw}, stops, partial(_enter, ledger))
        for place, start in (await consumer.beginning_offsets(raw)).items():
            ledger.forget(place.partition, start)

        starts = await consumer.beginning_offsets(outputs)
        for place in outputs:
            if starts[place]:
                ledger.truncate(_topic(prefix, place), place.partition)
        give_up = time.monotonic() + wait
        while True:
            starts = await read(starts, await consumer.end_offsets(outputs), partial(_settle, ledger, prefix))
            if not ledger.open or time.monotonic() > give_up:
                return ledger.report()
            await asyncio.sleep(_LOOK_AGAIN_S)


async def read_on(consumer: AIOKafkaConsumer, meter: "Meter", starts: Places, ends: Places, take: Take) -> Places:
    """Hand over every record from `starts` to at least `ends`; returns where to go on."""
    positions = dict(starts)
    left = [place for place, end in ends.items() if starts[place] < end]
    consumer.assign(left)
    for place in left:
        consumer.seek(place, starts[place])
    moved = time.monotonic()
    while left:
        for place, records in (await consumer.getmany(*left, timeout_ms=1_000, max_records=10_000)).items():
            take(place, records)
        for place in left:
            # The end may be a transaction's marker, which is no record: only the position tells.
            position = await consumer.position(place)
            if position > positions[place]:
                meter.add(position - positions[place])
                positions[place], moved = position, time.monotonic()
        consumer.pause(*(place for place in left if positions[place] >= ends[place]))
        left = [place for place in left if positions[place] < ends[place]]
        if time.monotonic() - moved > _STALLED_S:
            raise Unavailable(f"Nothing could be read for {_STALLED_S:.0f} s from {len(left)} partitions.")
    return positions


def _enter(ledger: Ledger, place: TopicPartition, records: Iterable[Input]) -> None:
    ledger.enter(place.partition, records)


def _settle(ledger: Ledger, prefix: str, place: TopicPartition, records: Iterable[Input]) -> None:
    topic = _topic(prefix, place)
    if topic is Topic.REMINDER:
        ledger.remind(place.partition, records)
    else:
        ledger.settle(topic, place.partition, records)


def _topic(prefix: str, place: TopicPartition) -> Topic:
    return Topic(place.topic.removeprefix(prefix))


async def _partitions(client: Mapping[str, Any], prefix: str) -> list[TopicPartition]:
    """Every partition to read, or `Misconfigured` with what is missing."""
    wanted = [names(prefix)[topic] for topic in READ]
    found = (await inspect(client, wanted)).topics
    if missing := [name for name in wanted if name not in found]:
        raise Misconfigured([f"Topic {name} does not exist, or this user may not see it." for name in missing])
    return [TopicPartition(name, number) for name in wanted for number in range(found[name].partitions)]


@asynccontextmanager
async def reader(client: Mapping[str, Any]) -> AsyncIterator[AIOKafkaConsumer]:
    """A connected consumer without a group; the one place where its errors become ours."""
    try:
        consumer = AIOKafkaConsumer(
            **client,
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            fetch_max_bytes=50 * _MIB,
            max_partition_fetch_bytes=2 * _MIB,
        )
        try:
            await consumer.start()
            yield consumer
        finally:
            await consumer.stop()
    except (KafkaError, OSError, TimeoutError) as error:
        raise Unavailable(f"Kafka does not answer as it should: {error}") from error


class Meter:
    """Counts offsets for whoever watches."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress, self._done, self._total = progress, 0, total

    def add(self, offsets: int) -> None:
        self._done += offsets
        if self._progress:
            self._progress(self._done, max(self._done, self._total))
