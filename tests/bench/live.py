"""A worker on messages as they come, and a reader of what it has committed."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psutil
from aiokafka import AIOKafkaConsumer, TopicPartition

from processor.model import Topic
from tests.bench.stage import PARTITIONS, Stage, fresh
from tests.bench.watch import group_of, last_words, process, until, worker

Arrivals = dict[TopicPartition, list[Any]]


@asynccontextmanager
async def working(stage: Stage, prefix: str) -> AsyncIterator[psutil.Popen]:
    """A worker on empty topics under `prefix`, all partitions in its hand."""
    await fresh(stage, prefix)
    group = f"{prefix}workers"
    log = stage.folder / f"{group}.log"
    with process(*worker(stage, prefix, group), log) as child:
        async with group_of(stage, group) as seen:
            await until(seen.assigned, child, log)
        yield child


async def committed(
    stage: Stage, prefix: str, *, rate: int, seconds: float, idle_s: float = 3.0
) -> AsyncIterator[tuple[float, Arrivals]]:
    """Send so many messages a second and read what becomes visible, each time with the moment.

    Moments are seconds since the epoch. Ends when the producer has ended and nothing more has come for `idle_s`.
    """
    consumer = AIOKafkaConsumer(**stage.client, isolation_level="read_committed", enable_auto_commit=False)
    await consumer.start()
    try:
        places = [TopicPartition(prefix + t, p) for t in (Topic.DELIVERED, Topic.FLAGGED) for p in range(PARTITIONS)]
        consumer.assign(places)
        await consumer.seek_to_end(*places)
        argv = ["tests.bench.pace", stage.kafka, prefix, str(stage.terms), str(rate), str(seconds)]
        with process(argv, {}, stage.folder / "pace.log") as producer:
            last = time.time()
            while (ended := producer.poll()) is None or time.time() - last < idle_s:
                arrivals = await consumer.getmany(timeout_ms=100)
                if arrivals:
                    last = time.time()
                    yield last, arrivals
            if ended:
                raise RuntimeError(f"the producer has failed:\n{last_words(stage.folder / 'pace.log')}")
    finally:
        await consumer.stop()


async def settle() -> None:
    """A moment of peace for the broker between two measurements."""
    await asyncio.sleep(1)
