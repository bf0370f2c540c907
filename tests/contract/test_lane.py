"""A lane meets what a broker may hold and do: foreign bytes in its topics, and records larger than they look."""

import struct
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.record.util import calc_crc32c

from processor.embedded import Kafka
from processor.errors import LaneLost
from processor.judge import Item, Judgements
from processor.model import Malformed, Topic
from processor.ruleset import Rules
from processor.rulesets.compile import compile_base
from processor.rulesets.directory import builtin
from processor.stream.contract import load
from processor.stream.lane import Lane, LaneSettings, Turn
from processor.stream.topics import SIZE_LIMIT, apply
from processor.stream.transaction import Transactions
from processor.stream.worker import GroupSettings, Lanes, joined
from tests.e2e.fleet import eventually

pytestmark = [pytest.mark.services, pytest.mark.timeout(60)]


@dataclass
class Told:
    """What lanes have told."""

    states: dict[int, str] = field(default_factory=dict)
    restarts: list[str] = field(default_factory=list)
    settled: int = 0

    def turn(self, turn: Turn) -> None:
        self.settled += len(turn.inputs)

    def lane(self, partition: int, state: str) -> None:
        self.states[partition] = state

    def restart(self, reason: str) -> None:
        self.restarts.append(reason)


@dataclass
class Stream:
    """Topics of one partition, and a worker's lanes on them."""

    client: Mapping[str, Any]
    prefix: str
    told: Told = field(default_factory=Told)

    async def write(self, topic: Topic, value: bytes | None, *, key: bytes = b"c1", **producer: Any) -> None:
        writer = AIOKafkaProducer(**self.client, max_request_size=64 * 1024 * 1024, **producer)
        await writer.start()
        await writer.send_and_wait(self.prefix + topic, value, key=key, partition=0)
        await writer.stop()

    @asynccontextmanager
    async def lanes(self, **changes: Any) -> AsyncIterator[Lanes]:
        rules = SimpleNamespace(current=Rules(base=compile_base(builtin(), version=0, digest="ab" * 32)))
        settings = LaneSettings(
            client=self.client,
            prefix=self.prefix,
            group=self.prefix + "lanes",
            app="test",
            record_bytes={topic: int(contract.config[SIZE_LIMIT]) for topic, contract in load().items()},
            restart_min_s=0.05,
            **changes,
        )

        def make(consumer: AIOKafkaConsumer, source: TopicPartition) -> Lane:
            return Lane(source, consumer, rules, settings, self.told)

        group = GroupSettings(client=self.client, prefix=self.prefix, group=settings.group, heartbeat_interval_ms=500)
        async with joined(group, make) as lanes:
            yield lanes
            assert not lanes.crash.done(), lanes.crash.exception()

    async def until(self, true: Callable[[Told], bool]) -> None:
        await eventually(lambda: true(self.told), 20, str(self.told))


@pytest.fixture
async def stream(kafka: Kafka, prefix: str) -> Stream:
    client = {"bootstrap_servers": kafka.bootstrap_servers}
    await apply(client, f"{prefix}.", partitions=1, replication=1)
    return Stream(client, f"{prefix}.")


MESSAGE = b'{"message_id":"m1","tenant_id":"t1","conversation_id":"c1","sender_id":"a","type":"text","content":"hi"}'


@pytest.mark.parametrize(("key", "value"), [(b"\xff", None), (b"c1", b"no window")])
async def test_a_foreign_record_among_the_conversations_is_passed_over(
    stream: Stream, key: bytes, value: bytes | None
) -> None:
    await stream.write(Topic.CONVERSATIONS, value, key=key)
    await stream.write(Topic.RAW, b"{")
    async with stream.lanes():
        await stream.until(lambda told: told.settled == 1)


async def test_a_record_that_was_compressed_to_fit_does_not_stop_its_partition(stream: Stream) -> None:
    await stream.write(Topic.RAW, b" " * 2_000_000, compression_type="gzip")
    await stream.write(Topic.RAW, b"{")
    async with stream.lanes():
        await stream.until(lambda told: told.settled == 2)
    assert stream.told.restarts == []


async def test_a_batch_that_cannot_be_written_does_not_count_its_failures_in_judging_twice(
    stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Or else an outage of the broker would make of one bad message a bad deployment, and stop the lane for good.
    def fail(items: Sequence[Item], *_: Any) -> Judgements:
        return Judgements([Malformed(reason="broken", kind="judge") for _ in items], {})

    async def lose(*_: Any) -> None:
        raise LaneLost("away")

    monkeypatch.setattr("processor.rollout.judge", fail)
    await stream.write(Topic.RAW, MESSAGE)
    async with stream.lanes(max_judge_failures=2):
        with monkeypatch.context() as outage:
            outage.setattr(Transactions, "commit", lose)
            await stream.until(lambda told: len(told.restarts) >= 3)
        await stream.until(lambda told: told.settled == 1)


async def test_a_header_s_name_that_is_not_utf_8_costs_the_worker_no_other_partition(stream: Stream) -> None:
    writer = AIOKafkaProducer(**stream.client)
    await writer.start()
    batch = writer.create_batch()
    batch.append(key=b"c1", value=b"{", timestamp=None, headers=[("name", b"")])
    content = bytearray(batch._build().replace(b"name", b"\xff" * 4))
    struct.pack_into(">I", content, 17, calc_crc32c(bytes(content[21:])))
    batch._buffer = bytes(content)
    await (await writer.send_batch(batch, stream.prefix + Topic.RAW, partition=0))
    await writer.stop()
    async with stream.lanes():
        await stream.until(lambda told: told.restarts == ["lost", "lost"])
