"""A program as a process, measured from outside: what its group has committed, what processor and memory it took."""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError

from processor.model import Topic
from tests.bench.stage import PARTITIONS, Stage

POLL_S = 0.05
GIVE_UP_S = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of a program, from being given its partitions to having committed all of them."""

    messages: int
    seconds: float
    cpu_seconds: float  # user and system of the whole process
    peak_bytes: int  # largest resident memory since the process began

    @property
    def rate(self) -> float:
        """Messages per second."""
        return self.messages / self.seconds

    @property
    def cpu_us(self) -> float:
        """Microseconds of processor time per message."""
        return self.cpu_seconds / self.messages * 1e6


@contextmanager
def process(argv: list[str], environ: Mapping[str, str], log: Path) -> Iterator[psutil.Popen]:
    """The program `python -m argv` while the context lasts; ended with SIGTERM."""
    with log.open("wb") as sink:
        child = psutil.Popen(
            [sys.executable, "-m", *argv], stdout=sink, stderr=sink, env={**os.environ, **environ}, cwd=Path.cwd()
        )
    try:
        yield child
    finally:
        if child.is_running():
            child.terminate()
            try:
                child.wait(30)
            except psutil.TimeoutExpired:
                child.kill()
                child.wait(10)


def worker(stage: Stage, prefix: str, group: str) -> tuple[list[str], dict[str, str]]:
    """How `chatguard worker` is started: with its defaults, as an operator would."""
    return ["processor.cli", "worker"], settings(stage, prefix, group)


def settings(stage: Stage, prefix: str, group: str) -> dict[str, str]:
    """The worker's environment."""
    return {
        "CHATGUARD_KAFKA__BOOTSTRAP_SERVERS": stage.kafka,
        "CHATGUARD_KAFKA__GROUP_ID": group,
        "CHATGUARD_TOPICS__PREFIX": prefix,
        "CHATGUARD_REDIS__URL": stage.redis,
        "CHATGUARD_HTTP__PORT": "0",
        "CHATGUARD_RULESETS__DIRECTORY": str(stage.folder / "rulesets"),
    }


@asynccontextmanager
async def group_of(stage: Stage, group: str) -> AsyncIterator["Group"]:
    """What a consumer group says of itself."""
    admin = AIOKafkaAdminClient(**stage.client)
    await admin.start()
    try:
        yield Group(admin, group, await _coordinator(admin, group))
    finally:
        await admin.close()


async def _coordinator(admin: AIOKafkaAdminClient, group: str) -> int:
    """The node that leads the group; a new cluster takes a moment to make the topic of the offsets."""
    while True:
        try:
            return int(await admin.find_coordinator(group))
        except GroupCoordinatorNotAvailableError:
            await asyncio.sleep(POLL_S)


class Group:
    """A consumer group, seen through the broker."""

    def __init__(self, admin: AIOKafkaAdminClient, name: str, coordinator: int) -> None:
        self._admin = admin
        self._name = name
        self._coordinator = coordinator

    async def assigned(self) -> bool:
        """Whether its members have been given their partitions."""
        (answer,) = await self._admin.describe_consumer_groups([self._name], self._coordinator)
        return bool(answer.groups[0][2] == "Stable" and answer.groups[0][5])

    async def committed(self, topic: str) -> int:
        """How many records of `topic` lie below its offsets."""
        places = [TopicPartition(topic, partition) for partition in range(PARTITIONS)]
        offsets = await self._admin.list_consumer_group_offsets(self._name, self._coordinator, places)
        return sum(max(0, offset.offset) for offset in offsets.values())


async def run_to_the_end(stage: Stage, group: str, prefix: str, child: psutil.Popen, log: Path) -> Run:
    """Watch a program that has just been started until it has committed all of `raw`."""
    total = await count(stage, prefix + Topic.RAW)
    async with group_of(stage, group) as seen:
        await until(seen.assigned, child, log)
        began, cpu = time.monotonic(), _cpu(child)
        peak = Peak(child)

        async def done() -> bool:
            peak.look()
            return await seen.committed(prefix + Topic.RAW) >= total

        await until(done, child, log)
        return Run(
            messages=total,
            seconds=time.monotonic() - began,
            cpu_seconds=_cpu(child) - cpu,
            peak_bytes=peak.look(),
        )


async def until(true: Callable[[], Awaitable[bool]], child: psutil.Popen, log: Path) -> None:
    """Wait until `true()` holds; RuntimeError with the program's last words if it ends before or stands still."""
    deadline = time.monotonic() + GIVE_UP_S
    while not await true():
        if not child.is_running() or child.status() == psutil.STATUS_ZOMBIE or time.monotonic() > deadline:
            raise RuntimeError(f"{child.args} has ended or stands still:\n{last_words(log)}")
        await asyncio.sleep(POLL_S)


def last_words(log: Path) -> str:
    """The end of what a process has said."""
    return log.read_text(errors="replace")[-3000:]


async def count(stage: Stage, topic: str) -> int:
    """Records in a topic that was only ever written without transactions."""
    consumer = AIOKafkaConsumer(**stage.client, enable_auto_commit=False)
    await consumer.start()
    try:
        ends = await consumer.end_offsets([TopicPartition(topic, partition) for partition in range(PARTITIONS)])
        return sum(ends.values())
    finally:
        await consumer.stop()


def _cpu(child: psutil.Popen) -> float:
    times = child.cpu_times()
    return float(times.user + times.system)


class Peak:
    """The largest resident memory of a process: the kernel's own mark where there is one, else the largest seen."""

    def __init__(self, child: psutil.Popen) -> None:
        self._child = child
        self._most = 0

    def look(self) -> int:
        """The peak so far, in bytes."""
        self._most = max(self._most, self._child.memory_info().rss, _high_water(self._child.pid))
        return self._most


def _high_water(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM")), 0)
