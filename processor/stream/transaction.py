"""One lane's producer: a batch of records and the offset behind them, visible together or not at all.

Rules, each of which was paid for (docs/architecture.md, "Exactly once"):
- Starting a producer with the lane's id fences the id's former owner and ends its open transaction.
- Every send future is awaited before the commit: aiokafka commits happily over a failed one.
- After any error the producer is dropped. It cannot mend its sequence numbers; the next start aborts what is open.
- A request that was not answered has been sent again by aiokafka, and its first copy may still be on its way: a late
  EndTxn would end the next transaction half-way. So there is no next one under this epoch.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import (
    CorruptRecordException,
    IllegalOperation,
    InvalidTimestampError,
    KafkaError,
    MessageSizeTooLargeError,
    PolicyViolationError,
    RecordListTooLargeError,
    UnknownError,
)
from aiokafka.partitioner import DefaultPartitioner

from processor.errors import LaneLost
from processor.model import Record, Topic

_NOT_WRITTEN = frozenset({Topic.RAW, Topic.FEEDBACK})
_REFUSALS = (
    CorruptRecordException,
    InvalidTimestampError,
    MessageSizeTooLargeError,
    PolicyViolationError,
    RecordListTooLargeError,
    UnknownError,  # what aiokafka makes of INVALID_RECORD and of every other code that it does not know
)
_partition_of = DefaultPartitioner()


class Refused(LaneLost):
    """The broker does not take a record of this batch; the same batch would fail again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of a producer, in the units of their names."""

    batch_bytes: int = 1024 * 1024
    compression: str | None = None
    request_timeout_ms: int = 15_000
    transaction_timeout_ms: int = 60_000
    commit_timeout_ms: int = 30_000


class Transactions:
    """The open producer of a lane."""

    def __init__(self, producer: AIOKafkaProducer, group: str, prefix: str, limits: Limits) -> None:
        self._producer = producer
        self._group = group
        self._prefix = prefix
        self._limits = limits
        self._request = producer.client.send
        self._unanswered = False
        producer.client.send = self._watched

    async def _watched(self, *args: Any, **options: Any) -> Any:
        """Send a request of the producer's; aiokafka repeats one that is not answered, and tells nobody."""
        try:
            return await self._request(*args, **options)
        except KafkaError:
            self._unanswered = True
            raise

    async def commit(self, records: Iterable[Record], source: TopicPartition, end: int) -> None:
        """Write `records` and set the group's offset of `source` to `end`, in one transaction.

        On return all of it is visible to readers of committed data. Raises LaneLost (Refused if a record is at
        fault); then nothing is visible, except after an ambiguous commit, which the next lane start resolves.
        """
        try:
            async with asyncio.timeout(self._limits.commit_timeout_ms / 1000):
                await self._producer.begin_transaction()
                await _all([await self._send(batch, place) for place, batch in self._batches(records)])
                await self._producer.send_offsets_to_transaction({source: end}, self._group)
                await self._producer.commit_transaction()
        except _REFUSALS as error:
            raise Refused(f"the broker refused a record: {type(error).__name__}") from error
        except (KafkaError, IllegalOperation, AssertionError, TimeoutError) as error:
            # AssertionError is what aiokafka raises when it is asked to use a fenced producer again.
            raise LaneLost(f"the transaction failed: {type(error).__name__}") from error
        if self._unanswered:
            raise LaneLost("a request was not answered and may have been sent twice")

    async def _send(self, batch: Any, place: TopicPartition) -> asyncio.Future[Any]:
        sent: asyncio.Future[Any] = await self._producer.send_batch(batch, place.topic, partition=place.partition)
        return sent

    def _batches(self, records: Iterable[Record]) -> list[tuple[TopicPartition, Any]]:
        """The records packed into as many batches per partition as are needed, in order."""
        full: list[tuple[TopicPartition, Any]] = []
        open_: dict[tuple[Topic, int], Any] = {}
        at: tuple[Topic, int] | None = None
        batch: Any = None
        for record in records:
            topic, partition = record.topic, record.partition
            if at is None or topic is not at[0] or partition != at[1]:  # most go where the one before went
                at = topic, self._partition(record) if partition is None else partition
                batch = open_.get(at)
            if batch is None or not _append(batch, record):
                place, batch = self._open(at)
                full.append((place, batch))
                open_[at] = batch
                _append(batch, record)
        return full

    def _open(self, place: tuple[Topic, int]) -> tuple[TopicPartition, Any]:
        # A batch must come from the producer that sends it: another's would be visible before, and without, a commit.
        return TopicPartition(self._prefix + place[0], place[1]), self._producer.create_batch()

    def _partition(self, record: Record) -> int:
        partitions = sorted(self._producer.client.cluster.partitions_for_topic(self._prefix + record.topic) or ())
        if not partitions:
            raise LaneLost(f"topic {record.topic} has no partitions")
        number: int = _partition_of(record.key, partitions, partitions)
        return number


def _append(batch: Any, record: Record) -> bool:
    """Whether the record fitted; an empty batch takes any."""
    taken = batch.append(timestamp=record.timestamp, key=record.key, value=record.value, headers=record.headers)
    return taken is not None


async def _all(futures: Sequence[asyncio.Future[Any]]) -> None:
    """Wait for every future, then raise the first failure, refusals first: they say what to do."""
    results = await asyncio.gather(*futures, return_exceptions=True)
    failures = [result for result in results if isinstance(result, BaseException)]
    if failures:
        raise min(failures, key=lambda failure: not isinstance(failure, _REFUSALS))


@asynccontextmanager
async def transactions(
    client: Mapping[str, Any], transactional_id: str, *, group: str, prefix: str, limits: Limits
) -> AsyncIterator[Transactions]:
    """The producer of one lane, started: from here on the id's former owner can write nothing. Raises LaneLost."""
    producer = AIOKafkaProducer(
        **{**client, "request_timeout_ms": limits.request_timeout_ms},
        transactional_id=transactional_id,
        transaction_timeout_ms=limits.transaction_timeout_ms,
        max_batch_size=limits.batch_bytes,
        compression_type=limits.compression,
        linger_ms=0,
    )
    try:
        try:
            async with asyncio.timeout(limits.transaction_timeout_ms / 1000):
                await producer.start()
                for topic in Topic:
                    if topic not in _NOT_WRITTEN:
                        await producer.partitions_for(prefix + topic)
        except (KafkaError, TimeoutError) as error:
            raise LaneLost(f"the producer did not start: {type(error).__name__}") from error
        yield Transactions(producer, group, prefix, limits)
    finally:
        await _drop(producer)


async def _drop(producer: AIOKafkaProducer) -> None:
    """Stop a producer without waiting for a broker that may be gone."""
    try:
        async with asyncio.timeout(1):
            await producer.stop()
    except (KafkaError, IllegalOperation, AssertionError, TimeoutError):
        await producer.client.close()
