"""The worker's side of the consumer group: a lane for each partition it holds, and none for any other.

The rebalance callbacks do no network I/O of their own: heartbeats start only after the assigning one has returned,
and an exception in either would be logged and swallowed by aiokafka.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError

from processor.errors import Unavailable
from processor.model import Topic
from processor.stream.lane import Lane

_LEAVE_WITHIN_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupSettings:
    """How the worker takes part in its group; times are in the units of their names."""

    client: Mapping[str, Any]
    prefix: str
    group: str
    instance: str | None = None
    session_timeout_ms: int = 45_000
    heartbeat_interval_ms: int = 3_000
    rebalance_timeout_ms: int = 60_000
    join_timeout_ms: int = 65_000  # a join is answered when all have joined; aiokafka must not give up before
    fetch_max_bytes: int = 50 * 1024 * 1024
    fetch_max_wait_ms: int = 500
    max_partition_fetch_bytes: int = 1024 * 1024
    stop_timeout_s: float = 20.0


class Lanes(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """The lanes of the partitions that are assigned to this worker."""

    def __init__(self, make: Callable[[TopicPartition], Lane], stop_timeout_s: float) -> None:
        self._make = make
        self._stop_timeout_s = stop_timeout_s
        self._lanes: dict[TopicPartition, tuple[Lane, asyncio.Task[None]]] = {}
        self.assigned = False  # whether the group has given its answer
        self._leaving = False
        self.crash: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Let open batches end; afterwards no lane of these partitions lives."""
        await self._stop(revoked)

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Start a lane for each partition."""
        if self._leaving:
            return
        for source in assigned:
            lane = self._make(source)
            task = asyncio.create_task(lane.run(), name=f"lane-{source.partition}")
            task.add_done_callback(self._watch)
            self._lanes[source] = (lane, task)
        self.assigned = True

    async def stop(self) -> None:
        """Stop all lanes, and start no others."""
        self._leaving = True
        await self._stop(list(self._lanes))

    async def _stop(self, sources: Iterable[TopicPartition]) -> None:
        ending = [self._lanes[source] for source in sources if source in self._lanes]
        await asyncio.gather(*(lane.stop(task, self._stop_timeout_s) for lane, task in ending))
        for source in sources:
            self._lanes.pop(source, None)

    def _watch(self, task: asyncio.Task[None]) -> None:
        """A lane that ends by anything but cancellation is a bug of ours: the worker must not live on without it."""
        if not task.cancelled() and (error := task.exception()) and not self.crash.done():
            self.crash.set_exception(error)


@asynccontextmanager
async def joined(
    settings: GroupSettings, make: Callable[[AIOKafkaConsumer, TopicPartition], Lane]
) -> AsyncIterator[Lanes]:
    """Take part in the group; on leaving, open batches end first. Raises Unavailable."""
    consumer = AIOKafkaConsumer(
        **{**settings.client, "request_timeout_ms": settings.join_timeout_ms},
        group_id=settings.group,
        group_instance_id=settings.instance,
        enable_auto_commit=False,
        isolation_level="read_committed",
        auto_offset_reset="earliest",
        session_timeout_ms=settings.session_timeout_ms,
        heartbeat_interval_ms=settings.heartbeat_interval_ms,
        rebalance_timeout_ms=settings.rebalance_timeout_ms,
        max_poll_interval_ms=settings.rebalance_timeout_ms,
        fetch_max_bytes=settings.fetch_max_bytes,
        fetch_max_wait_ms=settings.fetch_max_wait_ms,
        max_partition_fetch_bytes=settings.max_partition_fetch_bytes,
    )
    lanes = Lanes(lambda source: make(consumer, source), settings.stop_timeout_s)
    consumer.subscribe([settings.prefix + Topic.RAW], listener=lanes)
    try:
        try:
            await consumer.start()
        except KafkaError as error:
            raise Unavailable(f"Kafka could not be reached: {type(error).__name__}") from error
        yield lanes
    finally:
        await lanes.stop()
        # A rebalance that waits for another member, or a broker that does not answer, must not hold up the end.
        with suppress(TimeoutError):
            await asyncio.wait_for(consumer.stop(), _LEAVE_WITHIN_S)
