"""The sum check against a real broker; what the worker would have written is written by hand."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from processor.embedded import Kafka
from processor.errors import Misconfigured
from processor.model import Topic
from processor.stream.ledger import Report
from processor.stream.reconcile import reconcile
from processor.stream.topics import apply

pytestmark = pytest.mark.services

PARTITIONS = 3
MESSAGES = 40  # in each partition
OUTCOMES = [(Topic.DELIVERED, "pass"), (Topic.DELIVERED, "mask"), (Topic.FLAGGED, "block"), (Topic.DEAD_LETTER, "dead")]


class World:
    """Topics of a prefix and a way to write into them."""

    def __init__(self, kafka: Kafka, prefix: str) -> None:
        self.client = {"bootstrap_servers": kafka.bootstrap_servers}
        self.prefix = prefix

    async def write(self, topic: Topic, partition: int, records: Iterable[dict[str, Any]]) -> None:
        async with self.producer() as producer:
            for record in records:
                await producer.send(self.prefix + topic, partition=partition, **record)
            await producer.flush()

    @asynccontextmanager
    async def producer(self, **options: Any) -> AsyncIterator[AIOKafkaProducer]:
        producer = AIOKafkaProducer(**self.client, **options)
        await producer.start()
        try:
            yield producer
        finally:
            await producer.stop()

    def output(self, verdict: str, partition: int, offset: int, **changes: Any) -> dict[str, Any]:
        unchanged = verdict in {"pass", "dead"}
        headers = [
            ("trace", b"1"),
            ("chatguard-origin", f"{self.prefix}raw/{partition}/{offset}".encode()),
            ("chatguard-verdict", verdict.encode()),
        ]
        value = message(partition, offset) if unchanged else b'{"changed":true}'
        return {"key": key(offset), "value": value, "headers": headers, **changes}

    async def receive(self) -> None:
        for partition in range(PARTITIONS):
            records = [{"key": key(offset), "value": message(partition, offset)} for offset in range(MESSAGES)]
            await self.write(Topic.RAW, partition, records)

    async def judge(self, *, leave_out: set[tuple[int, int]] = frozenset()) -> None:  # type: ignore[assignment]
        """Write what a worker writes, in transactions, one of which is aborted and done again."""
        async with self.producer(transactional_id=f"{self.prefix}-lane") as producer:
            for partition in range(PARTITIONS):
                for begin, end, commits in [(0, 10, True), (10, 20, False), (10, MESSAGES, True)]:
                    await producer.begin_transaction()
                    await self._send(producer, partition, range(begin, end), leave_out)
                    await (producer.commit_transaction() if commits else producer.abort_transaction())

    async def _send(
        self, producer: AIOKafkaProducer, partition: int, offsets: range, leave_out: set[tuple[int, int]]
    ) -> None:
        for offset in offsets:
            if (partition, offset) not in leave_out:
                topic, verdict = OUTCOMES[offset % len(OUTCOMES)]
                record = self.output(verdict, partition, offset)
                await producer.send_and_wait(self.prefix + topic, partition=partition, **record)

    async def remind(self, identity: str, partition: int, offset: int) -> None:
        value = f'{{"reminder_id":"{identity}"}}'.encode()
        record = self.output("block", partition, offset, value=value)
        await self.write(Topic.REMINDER, (partition + 1) % PARTITIONS, [record])

    async def reconcile(self, **options: Any) -> Report:
        return await reconcile(self.client, self.prefix, **options)

    async def delete_before(self, topic: Topic, partition: int, offset: int) -> None:
        admin = AIOKafkaAdminClient(**self.client)
        await admin.start()
        try:
            place = TopicPartition(self.prefix + topic, partition)
            await admin.delete_records({place: RecordsToDelete(before_offset=offset)})
        finally:
            await admin.close()


def key(offset: int) -> bytes:
    return b"c%d" % (offset % 7)


def message(partition: int, offset: int) -> bytes:
    return b'{"message_id":"%d-%d"}' % (partition, offset)


@pytest.fixture
async def world(kafka: Kafka, prefix: str) -> World:
    world = World(kafka, prefix)
    await apply(world.client, prefix, partitions=PARTITIONS, replication=1)
    await world.receive()
    return world


async def test_every_input_with_one_output_is_clean(world: World) -> None:
    await world.judge()
    await world.remind("r1", 0, 2)
    await world.remind("r2", 0, 2)
    seen: list[tuple[int, int]] = []

    report = await world.reconcile(progress=lambda done, total: seen.append((done, total)))

    assert report.clean, report
    assert (report.messages, report.delivered, report.flagged, report.dead) == (120, 60, 30, 30)
    assert report.reminders == 2
    assert report.notes == ()
    assert seen[-1][0] == seen[-1][1]


async def test_an_input_without_an_output_is_lost(world: World) -> None:
    await world.judge(leave_out={(1, 17), (2, 39)})

    report = await world.reconcile()

    assert report.faults == faults(lost=2)
    assert report.examples == {"lost": (f"{world.prefix}raw/1/17", f"{world.prefix}raw/2/39")}


async def test_an_input_with_two_outputs_is_duplicated(world: World) -> None:
    await world.judge()
    await world.write(Topic.DELIVERED, 1, [world.output("pass", 1, 0)])

    report = await world.reconcile()

    assert report.faults == faults(duplicated=1)
    assert report.delivered == 61


async def test_a_message_that_is_both_delivered_and_flagged_is_duplicated(world: World) -> None:
    await world.judge(leave_out={(2, 39)})
    await world.write(Topic.DEAD_LETTER, 2, [world.output("dead", 2, 39)])
    await world.write(Topic.FLAGGED, 2, [world.output("review", 2, 39)])

    assert (await world.reconcile()).faults == faults(duplicated=1)


async def test_an_output_behind_that_of_a_later_input_is_out_of_order(world: World) -> None:
    await world.judge(leave_out={(0, 8)})
    await world.write(Topic.DELIVERED, 0, [world.output("pass", 0, 8)])

    assert (await world.reconcile()).faults == faults(out_of_order=1)


@pytest.mark.parametrize(
    ("topic", "verdict", "change"),
    [
        (Topic.DELIVERED, "pass", {"value": message(1, 39) + b" "}),
        (Topic.DEAD_LETTER, "dead", {"value": None}),
        (Topic.DELIVERED, "mask", {"key": b"another"}),
        (Topic.FLAGGED, "block", {"key": None}),
    ],
)
async def test_one_changed_byte_is_altered(world: World, topic: Topic, verdict: str, change: dict[str, Any]) -> None:
    await world.judge(leave_out={(1, 39)})
    await world.write(topic, 1, [world.output(verdict, 1, 39, **change)])

    assert (await world.reconcile()).faults == faults(altered=1)


async def test_a_verdict_in_the_wrong_topic_and_an_output_in_the_wrong_partition_are_misplaced(world: World) -> None:
    await world.judge(leave_out={(0, 38), (1, 39)})
    await world.write(Topic.DELIVERED, 0, [world.output("block", 0, 38)])
    await world.write(Topic.DEAD_LETTER, 2, [world.output("dead", 1, 39)])

    assert (await world.reconcile()).faults == faults(misplaced=2)


async def test_an_output_of_nothing_is_stray(world: World) -> None:
    await world.judge()
    nameless = world.output("pass", 0, 0, headers=[])
    elsewhere = world.output("pass", PARTITIONS, 0)
    await world.write(Topic.DELIVERED, 0, [nameless, elsewhere])

    assert (await world.reconcile()).faults == faults(stray=2)


async def test_a_reminder_sent_twice_is_repeated(world: World) -> None:
    await world.judge()
    await world.remind("r1", 0, 2)
    await world.remind("r1", 0, 2)

    assert (await world.reconcile()).faults == faults(repeated=1)


async def test_what_came_after_the_end_is_left_out(world: World) -> None:
    await world.judge(leave_out={(0, 30), (0, 31)})

    assert (await world.reconcile(until={0: 30})).clean
    assert (await world.reconcile(until={0: 31})).lost == 1


async def test_aborted_inputs_need_no_output(world: World) -> None:
    await world.judge()
    async with world.producer(transactional_id=f"{world.prefix}-platform") as platform:
        await platform.begin_transaction()
        await platform.send_and_wait(f"{world.prefix}raw", b"{}", partition=0)
        await platform.abort_transaction()

    assert (await world.reconcile()).messages == PARTITIONS * MESSAGES
    assert (await world.reconcile()).clean


async def test_what_retention_removed_from_raw_is_not_compared(world: World) -> None:
    await world.judge(leave_out={(0, 3), (0, 11)})
    await world.delete_before(Topic.RAW, 0, 10)

    report = await world.reconcile()

    assert report.faults == faults(lost=1)
    assert report.messages == PARTITIONS * MESSAGES - 10
    assert len(report.notes) == 1


async def test_what_retention_removed_from_an_output_is_not_called_lost(world: World) -> None:
    await world.judge(leave_out={(0, 38)})
    await world.delete_before(Topic.FLAGGED, 0, 5)  # the marker of the first transaction among them

    report = await world.reconcile()

    assert report.faults == faults(lost=1)
    assert "cannot be known" in "".join(report.notes)


async def test_it_waits_for_outputs_that_are_still_to_come(world: World) -> None:
    async def late() -> None:
        await asyncio.sleep(1)
        await world.judge()

    judging = asyncio.create_task(late())
    report = await world.reconcile(wait=60)
    await judging

    assert report.clean


async def test_missing_topics_are_named(kafka: Kafka, prefix: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        await reconcile({"bootstrap_servers": kafka.bootstrap_servers}, prefix)

    assert len(refused.value.problems) == 5


def faults(**counts: int) -> dict[str, int]:
    names = ["lost", "duplicated", "out_of_order", "altered", "misplaced", "stray", "repeated"]
    return {name: counts.get(name, 0) for name in names}
