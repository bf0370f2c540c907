"""The acts of the demo: each one does something to the stage and tells what came of it. Printing is done elsewhere."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import islice

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from msgspec.structs import replace

from processor.demo.offers import PRODUCT
from processor.demo.readback import Seen, Sighting
from processor.demo.stage import PARTITIONS, PREFIX, Failed, Stage, Worker
from processor.demo.traffic import stream
from processor.errors import Unavailable
from processor.model import Severity, Topic
from processor.rulesets import store
from processor.rulesets.compile import compile_base
from processor.rulesets.directory import builtin
from processor.rulesets.document import BASE, Entry, canonical
from processor.rulesets.document import name as ruleset_name
from processor.stream.topics import apply

SHORTEST_S, LONGEST_S = 20.0, 40.0
PER_SECOND = 1_500.0
_SLICE_S = 0.05
_LOOK_EVERY_S = 0.05


def seconds_for(count: int) -> float:
    """How long a stream of so many messages takes: long enough for the acts, short enough for the audience."""
    return min(LONGEST_S, max(SHORTEST_S, count / PER_SECOND))


@dataclass
class Traffic:
    """The messages on their way into raw."""

    count: int
    seed: int
    sent: int = 0
    finale: bool = False  # until then the last quarter waits: something is still to happen to it

    @property
    def limit(self) -> int:
        """How many may be sent so far."""
        return self.count if self.finale else self.count * 3 // 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Killed:
    """A worker that was killed."""

    worker: Worker
    partitions: Sequence[int]  # what it had
    at: float  # by the monotonic clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A ruleset that was published."""

    ruleset: str  # version@digest, as verdicts cite it
    version: int
    at: float  # by the monotonic clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Changeover:
    """What became of the messages with the new word."""

    passed: int  # judged by the ruleset before
    flagged: int  # judged by the new one


async def create_topics(stage: Stage) -> None:
    """All topics as their contracts want them, only smaller."""
    await apply(stage.client, PREFIX, partitions=PARTITIONS, replication=1)


async def start_workers(stage: Stage, *numbers: int) -> Sequence[Worker]:
    """Start workers with these numbers; back when all living workers share the partitions."""
    workers = await asyncio.gather(*(asyncio.to_thread(stage.start_worker, number) for number in numbers))
    stage.workers.sort(key=lambda worker: worker.number)
    await _until(stage, lambda: _shared(stage.workers), 40, "the workers did not share the partitions among them")
    return workers


async def write(stage: Stage, traffic: Traffic) -> None:
    """Write the traffic to raw at an even pace. Raises: Unavailable."""
    per_second = traffic.count / seconds_for(traffic.count)
    now_ms = time.time_ns() // 1_000_000
    records = stream(traffic.count, seed=traffic.seed, start_ms=now_ms, per_second=per_second)
    due, last = 0.0, time.monotonic()
    async with _producer(stage) as producer:
        while traffic.sent < traffic.count:
            await asyncio.sleep(_SLICE_S)
            now = time.monotonic()
            due, last = min(traffic.limit, due + (now - last) * per_second), now
            for key, value in islice(records, int(due) - traffic.sent):
                await producer.send(PREFIX + Topic.RAW, value, key=key)
                traffic.sent += 1


async def written(stage: Stage, traffic: Traffic, share: float) -> None:
    """Wait until this share of the traffic is on its way."""
    await _until(
        stage, lambda: traffic.sent >= traffic.count * share, LONGEST_S * 2, "the traffic could not be written"
    )


async def kill(stage: Stage) -> Killed:
    """SIGKILL for the worker that has been there longest."""
    worker = stage.workers.pop(0)
    partitions = await asyncio.to_thread(worker.lanes)
    await asyncio.to_thread(worker.kill)
    return Killed(worker=worker, partitions=partitions, at=time.monotonic())


async def taken_over(stage: Stage, killed: Killed) -> float:
    """Wait until the living workers have all partitions. Gives the seconds since the kill."""
    await _until(stage, lambda: _shared(stage.workers), 40, "nobody took over the partitions of the killed worker")
    return time.monotonic() - killed.at


async def publish_word(stage: Stage) -> Published:
    """Put the built-in ruleset with one term more in force, the way `chatguard lexicon push` does.

    Raises: Unavailable, Conflict.
    """
    content = await asyncio.to_thread(_ruleset_with, PRODUCT)
    author = store.Author(by="demo", why="one word more", at=time.time_ns() // 1_000_000)
    async with store.connect(stage.redis.url) as redis:
        at = time.monotonic()
        pointer = await store.publish(redis, BASE, content, author=author, expect=0)
    return Published(ruleset=ruleset_name(pointer.version, pointer.digest), version=pointer.version, at=at)


async def in_force(stage: Stage, published: Published) -> float:
    """Wait until every worker judges by what was published. Gives the seconds since then."""
    await _until(
        stage,
        lambda: all(worker.rulesets() == [published.ruleset] for worker in stage.workers),
        30,
        "the published ruleset did not come into force in all workers",
    )
    return time.monotonic() - published.at


async def first_hit(stage: Stage, seen: Seen, published: Published) -> Sighting:
    """Wait for the first message that is flagged for the new word."""

    def hits() -> list[Sighting]:
        return [each for each in seen.product if each.flagged and each.ruleset == published.ruleset]

    await _until(stage, lambda: bool(hits()), 30, "no message was flagged for the word that was published")
    return hits()[0]


async def drained(stage: Stage, seen: Seen, traffic: Traffic) -> None:
    """Wait until everything has come out and been read."""
    await _until(
        stage,
        lambda: seen.lag == 0 and seen.out >= traffic.count,
        60,
        f"not all of the {traffic.count:,} messages came out",
    )


def changeover(seen: Seen, published: Published) -> Changeover:
    """How the word fared before and after. Raises: Failed, if a message was not judged as its ruleset says."""
    after = [each for each in seen.product if each.ruleset == published.ruleset]
    before = [each for each in seen.product if each.ruleset != published.ruleset]
    if any(each.flagged for each in before) or not all(each.flagged for each in after):
        raise Failed("A message with the new word was judged otherwise than the ruleset in its headers says.")
    if not before or not after:
        raise Failed("The new word did not occur both before and after it was published.")
    return Changeover(passed=len(before), flagged=len(after))


async def _until(stage: Stage, true: Callable[[], bool], within: float, otherwise: str) -> None:
    """Wait until `true()`, which may ask over HTTP. Raises: Failed, if it does not come true or a worker dies."""
    deadline = time.monotonic() + within
    while not await asyncio.to_thread(true):
        if dead := await asyncio.to_thread(stage.dead):
            raise Failed(f"{' and '.join(dead)} ended without being told to.")
        if time.monotonic() > deadline:
            raise Failed(f"For {within:.0f} s {otherwise}.")
        await asyncio.sleep(_LOOK_EVERY_S)


def _shared(workers: Sequence[Worker]) -> bool:
    """Whether each partition has a running lane in one of the workers, and each worker some of them."""
    lanes = [worker.lanes() for worker in workers]
    return all(lanes) and sorted(place for each in lanes for place in each) == list(range(PARTITIONS))


def _ruleset_with(word: str) -> bytes:
    document = builtin()
    entry = Entry(term=word, category="custom", severity=Severity.MEDIUM)
    document = replace(document, lexicons={**document.lexicons, "demo": [entry]})
    compile_base(document, version=0, digest="")  # whoever publishes makes sure that workers can compile it
    return canonical(document)


@asynccontextmanager
async def _producer(stage: Stage) -> AsyncIterator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(**stage.client, linger_ms=5, enable_idempotence=True)
    try:
        await producer.start()
        yield producer
    except KafkaError as error:
        raise Unavailable(f"The demo could not write to Kafka: {type(error).__name__}") from error
    finally:
        await producer.stop()
