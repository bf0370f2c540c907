"""Whole worker processes on a real Kafka and a real Redis: started, killed, frozen and counted."""

import asyncio
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from processor.model import Topic
from processor.stream.ledger import Report
from processor.stream.reconcile import reconcile

SESSION_MS = 6_000


@dataclass
class Worker:
    """A worker process."""

    process: subprocess.Popen[bytes]
    log: Path

    def lines(self) -> list[dict[str, Any]]:
        """What it has logged so far."""
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]

    @property
    def port(self) -> int:
        """Of its health server, once it has said so."""
        return next((int(line["http_port"]) for line in self.lines() if "http_port" in line), 0)

    def health(self) -> dict[str, Any]:
        """The body of `/readyz`, or nothing while it does not answer."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=2) as answer:
                return dict(json.load(answer))
        except urllib.error.HTTPError as error:
            return dict(json.load(error))
        except OSError:
            return {}

    def metrics(self) -> str:
        """The body of `/metrics`."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=5) as answer:
            return str(answer.read().decode())

    def when(self, event: str) -> float:
        """When it last logged `event`, in seconds since the epoch."""
        times = [line["timestamp"] for line in self.lines() if line["event"] == event]
        return datetime.fromisoformat(times[-1]).timestamp()

    def partitions(self) -> set[int]:
        """The partitions of its running lanes."""
        running = r'chatguard_lane_state\{partition="(\d+)",state="running"\} 1\.0'
        return {int(number) for number in re.findall(running, self.metrics())} if self.port else set()

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def stop(self) -> float:
        """Ask it to end; gives the seconds that it took. Its exit code must be 0."""
        began = time.monotonic()
        self.process.terminate()
        assert self.process.wait(30) == 0, self.log.read_text()[-4000:]
        return time.monotonic() - began

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)


@dataclass
class Fleet:
    """Workers of one group on topics of their own."""

    kafka: str
    redis: str
    prefix: str
    folder: Path
    partitions: int = 4
    settings: dict[str, str] = field(default_factory=dict)
    workers: list[Worker] = field(default_factory=list)

    @property
    def client(self) -> dict[str, Any]:
        return {"bootstrap_servers": self.kafka}

    @property
    def raw(self) -> str:
        return self.prefix + Topic.RAW

    def start(self, **settings: str) -> Worker:
        """Start one more worker; `settings` are added to its environment."""
        environ = {
            "CHATGUARD_KAFKA__BOOTSTRAP_SERVERS": self.kafka,
            "CHATGUARD_KAFKA__GROUP_ID": self.prefix + "workers",
            "CHATGUARD_KAFKA__SESSION_TIMEOUT_MS": str(SESSION_MS),
            "CHATGUARD_KAFKA__HEARTBEAT_INTERVAL_MS": "500",
            "CHATGUARD_TOPICS__PREFIX": self.prefix,
            "CHATGUARD_REDIS__URL": self.redis,
            "CHATGUARD_HTTP__PORT": "0",
            "CHATGUARD_RULESETS__DIRECTORY": str(self.folder / "rulesets"),
            **self.settings,
            **settings,
        }
        log = self.folder / f"worker-{len(self.workers)}.log"
        with log.open("wb") as sink:
            process = subprocess.Popen(
                [sys.executable, "-m", "processor.cli", "worker"],
                stderr=sink,
                stdout=sink,
                env={**os.environ, **environ},
            )
        worker = Worker(process, log)
        self.workers.append(worker)
        return worker

    async def ready(self, *workers: Worker, within: float = 30) -> None:
        """Wait until `workers` run and every partition has a running lane among the living ones."""
        await eventually(lambda: all(worker.health().get("ready") for worker in workers), within, "workers are ready")

    async def spread(self, *workers: Worker, within: float = 30) -> None:
        """Wait until each of `workers` runs lanes, and all partitions have one."""

        def spread() -> bool:
            held = [worker.partitions() for worker in workers]
            return all(held) and sorted(chain(*held)) == list(range(self.partitions))

        await eventually(spread, within, "the lanes are spread over the workers")

    async def produce(self, messages: Iterable[bytes | Mapping[str, Any]], *, per_second: int | None = None) -> int:
        """Write messages to `raw`, each by its conversation; gives their number."""
        producer = AIOKafkaProducer(**self.client, linger_ms=5, enable_idempotence=True)
        await producer.start()
        count = 0
        try:
            for message in messages:
                value = message if isinstance(message, bytes) else json.dumps(message, ensure_ascii=False).encode()
                key = b"?" if isinstance(message, bytes) else str(message["conversation_id"]).encode()
                await producer.send(self.raw, value, key=key)
                count += 1
                if per_second and count % 100 == 0:
                    await asyncio.sleep(100 / per_second)
        finally:
            await producer.stop()
        return count

    async def lag(self) -> int:
        """Records of `raw` that the group has not committed yet."""
        consumer = AIOKafkaConsumer(**self.client, group_id=self.prefix + "workers", enable_auto_commit=False)
        await consumer.start()
        try:
            places = [TopicPartition(self.raw, partition) for partition in range(self.partitions)]
            consumer.assign(places)
            ends = await consumer.end_offsets(places)
            return sum([end - (await consumer.committed(place) or 0) for place, end in ends.items()])
        finally:
            await consumer.stop()

    async def drained(self, within: float = 60) -> None:
        """Wait until all of `raw` is committed."""
        deadline = time.monotonic() + within
        while await self.lag() > 0:
            assert time.monotonic() < deadline, self._logs()
            await asyncio.sleep(0.2)

    async def settled(self, *, count: int | None = None) -> Report:
        """Reconcile, and hold the promise: nothing lost, doubled, altered or out of order."""
        report = await reconcile(self.client, self.prefix)
        assert not any(report.faults.values()), (report, self._logs())
        if count is not None:
            assert report.messages == count
        return report

    async def read(self, topic: Topic) -> list[Any]:
        """All committed records of a topic, by partition and offset."""
        return [record async for record in read_topic(self.client, self.prefix + topic)]

    def _logs(self) -> str:
        return "\n".join(worker.log.read_text()[-3000:] for worker in self.workers)


async def read_topic(client: Mapping[str, Any], topic: str) -> AsyncIterator[Any]:
    """The committed records that a topic holds now."""
    consumer = AIOKafkaConsumer(**client, isolation_level="read_committed", enable_auto_commit=False)
    await consumer.start()
    try:
        partitions = consumer.partitions_for_topic(topic) or await consumer._client._wait_on_metadata(topic)
        places = [TopicPartition(topic, partition) for partition in sorted(partitions)]
        consumer.assign(places)
        await consumer.seek_to_beginning(*places)
        ends = await consumer.end_offsets(places)
        for place in places:
            while await consumer.position(place) < ends[place]:
                for record in (await consumer.getmany(place, timeout_ms=200)).get(place, []):
                    yield record
    finally:
        await consumer.stop()


async def limit_record_size(client: Mapping[str, Any], topic: str, most: int) -> None:
    """Have a topic take records of at most `most` bytes."""
    admin = AIOKafkaAdminClient(**client)
    await admin.start()
    try:
        resource = ConfigResource(ConfigResourceType.TOPIC, topic, configs={"max.message.bytes": str(most)})
        await admin.alter_configs([resource])
    finally:
        await admin.close()


async def eventually(true: Any, within: float, what: str) -> None:
    """Wait until `true()` holds."""
    deadline = time.monotonic() + within
    while not await asyncio.to_thread(true):
        assert time.monotonic() < deadline, f"not within {within} s: {what}"
        await asyncio.sleep(0.05)


def chat(count: int, *, seed: int = 1, conversations: int = 200, start: int = 0) -> Iterator[bytes | dict[str, Any]]:
    """Varied traffic: mostly small talk; some of every kind that takes another way through the worker."""
    draw = random.Random(seed)
    for number in range(start, start + count):
        conversation = draw.randrange(conversations)
        message: dict[str, Any] = {
            "message_id": f"m{number}",
            "tenant_id": f"t{conversation % 7}",
            "conversation_id": f"c{conversation}",
            "sender_id": f"u{conversation}a",
            "receiver_ids": [f"u{conversation}b"],
            "type": "text",
            "content": draw.choice(SMALL_TALK) + str(number),
            "sent_at": 1_780_000_000_000 + number * 100,
        }
        match draw.randrange(100):
            case 0 | 1 | 2:
                message["content"] = draw.choice(FLAGGED)
            case 3 | 4:
                message["content"] = draw.choice(FRAUD)
            case 5:
                message |= {"type": "image", "content": None}
            case 6:
                yield draw.choice(MALFORMED)
                continue
        yield message


def schemes(count: int, *, seed: int = 1) -> Iterator[dict[str, Any]]:
    """Frauds that go on, in every step, against few people in many conversations over days; a tenth comes twice."""
    draw = random.Random(seed)
    for number in range(count):
        conversation = draw.randrange(60)
        message: dict[str, Any] = {
            "message_id": f"s{number}",
            "tenant_id": "t1",
            "conversation_id": f"scheme{conversation}",
            "sender_id": f"bad{conversation % 5}",
            "receiver_ids": [f"victim{conversation % 12}", f"victim{conversation % 7}"],
            "type": "text",
            "content": draw.choice((*STEPS, *SMALL_TALK)),
            "sent_at": 1_780_000_000_000 + number * 100_000,
        }
        yield message
        if draw.random() < 0.1:
            yield message


STEPS: Sequence[str] = (
    "做任务返佣，点赞日结，名额不多",
    "下载这个App，进群找接待员领任务",
    "连单了要垫付本金，充值才能提现",
    "你好我是公安局的，你的银行卡涉嫌洗钱",
    "打开屏幕共享，配合资金清查，不要告诉家人",
    "把钱转到安全账户 6222020200112230006",
    "这是不是诈骗啊",
)
SMALL_TALK: Sequence[str] = (
    "晚上一起吃饭吗",
    "好的，收到",
    "明天开会记得带资料",
    "haha see you later",
    "孩子放学了没",
    "lunch at 12?",
)
FLAGGED: Sequence[str] = ("出售海洛因，私聊", "我 要 购 买 枪 支 弹 药", "提供上门服务全套")
FRAUD: Sequence[str] = (
    "我是公安局的，请把钱转到安全账户 6222020200112230006",
    "刷单返利，先垫付本金，做任务返佣，每单立返",
)
MALFORMED: Sequence[bytes] = (b"", b"{", b"\xff\xfe", b"[]", b'{"message_id": 7}', b"null", b'{"content": "no ids"}')
