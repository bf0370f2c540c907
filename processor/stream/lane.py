"""A lane: one input partition, one producer, one transaction at a time. Exactly once rests on four rules.

1. The producer starts first: its id is the partition's own, the same on every worker, so starting fences whoever had
   the partition before and ends what they left open.
2. Only then the committed offset is read (earlier it may be stale), and the conversations up to there.
3. A batch is judged in memory, written with its offset in one transaction, and becomes the lane's state after that.
4. Any failure ends this life of the lane: nothing is repaired, the next life begins at rule 1.

A record that the broker refuses is narrowed down by halving batches until it stands alone, and becomes a dead letter.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from processor.errors import LaneLost, Unavailable
from processor.model import Input, Malformed, Topic
from processor.rollout import Finding, Settled, settle
from processor.routing import Outcome, Place
from processor.ruleset import Rules
from processor.stream.codec import decode_all
from processor.stream.conversations import Conversations, Shadows, restore, tombstone
from processor.stream.transaction import Limits, Refused, Transactions, transactions

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What telemetry is told of one committed batch; times are seconds, `committed_at` ms since the epoch."""

    place: Place
    outcome: Outcome
    inputs: Sequence[Input]
    judge_seconds: float
    commit_seconds: float
    committed_at: int
    lag: int  # records behind the newest one
    conversations: int
    findings: Sequence[Finding] = ()  # about rulesets that are tried out


class Report(Protocol):
    """Who is told what lanes do. Called in the event loop, so it must be quick, and it must not raise."""

    def turn(self, turn: Turn) -> None:
        """A batch was committed."""

    def lane(self, partition: int, state: str) -> None:
        """A lane is now starting, running, restarting or stopped."""

    def restart(self, reason: str) -> None:
        """A lane begins again: its transaction was `lost`, or a record was `refused` by the broker."""


class CurrentRules(Protocol):
    """Holds the rules in force; read once per batch."""

    @property
    def current(self) -> Rules: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneSettings:
    """What a lane is told; times are in the units of their names."""

    client: Mapping[str, Any]  # connection arguments of every aiokafka client
    prefix: str
    group: str
    app: str
    batch_records: int = 5_000
    batch_bytes: int = 4 * 1024 * 1024  # of input; a larger record is a batch alone
    limits: Limits = field(default_factory=Limits)
    record_bytes: Mapping[Topic, int] = field(default_factory=dict)  # largest record per output topic
    max_conversations: int = 200_000
    conversation_ttl_ms: int = 604_800_000
    max_judge_failures: int = 100
    restart_min_s: float = 0.5
    restart_max_s: float = 30.0
    count_tenants: bool = False

    def transactional_id(self, source: TopicPartition) -> str:
        """The id that fences; it must not change between workers or restarts."""
        return f"{self.app}.{self.group}.{source.topic}.{source.partition}"


def split(records: list[Input], most_bytes: int) -> Iterator[list[Input]]:
    """The records in order, in batches of at most `most_bytes` or of one record."""
    sizes = [len(record.value or b"") for record in records]
    begin = size = 0
    if sum(sizes) > most_bytes:
        for place, length in enumerate(sizes):
            if place > begin and size + length > most_bytes:
                yield records[begin:place]
                begin, size = place, 0
            size += length
    if records:
        yield records[begin:]


class Lane:
    """Runs one partition until it is stopped."""

    def __init__(
        self,
        source: TopicPartition,
        consumer: AIOKafkaConsumer,
        rules: CurrentRules,
        settings: LaneSettings,
        report: Report,
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._source = source
        self._consumer = consumer
        self._rules = rules
        self._settings = settings
        self._report = report
        self._now = now
        self._place = Place(
            topic=source.topic,
            partition=source.partition,
            limits=settings.record_bytes,
            count_tenants=settings.count_tenants,
        )
        self._shadows = Shadows(most=settings.max_conversations, ttl_ms=settings.conversation_ttl_ms)
        self._batch_open = asyncio.Lock()
        self._width = settings.batch_records  # how many records the next batch may have
        self._refused: dict[int, str] = {}  # offset → why the broker does not take what it came to
        self._judge_failures = 0

    async def run(self) -> None:
        """Live, and live again after every failure, with a growing pause; ends only by cancellation."""
        pause = self._settings.restart_min_s
        while True:
            began = time.monotonic()
            try:
                await self._live()
            except Unavailable as error:
                self._tell("restarting")
                self._report.restart("refused" if isinstance(error, Refused) else "lost")
                log.warning("lane lost", extra={"partition": self._source.partition, "reason": str(error)})
                if isinstance(error, Refused) and self._width < self._settings.batch_records:
                    continue
            if time.monotonic() - began > self._settings.restart_max_s:
                pause = self._settings.restart_min_s
            await asyncio.sleep(pause)
            pause = min(pause * 2, self._settings.restart_max_s)

    async def stop(self, task: asyncio.Task[None], deadline_s: float) -> None:
        """End `task`, which runs this lane: between two batches if the open one ends within `deadline_s`.

        The lock and not the task is waited for, since a task in `getmany` does not come back during a rebalance.
        """
        try:
            async with asyncio.timeout(deadline_s), self._batch_open:
                task.cancel()
        except TimeoutError:
            task.cancel()
        await asyncio.wait([task])
        self._tell("stopped")

    async def _live(self) -> None:
        """One life: from starting the producer to the first failure."""
        self._tell("starting")
        settings, source = self._settings, self._source
        conversations = Conversations(most=settings.max_conversations, ttl_ms=settings.conversation_ttl_ms)
        name = settings.transactional_id(source)
        async with transactions(
            settings.client, name, group=settings.group, prefix=settings.prefix, limits=settings.limits
        ) as producer:
            await self._rewind()
            stored = TopicPartition(settings.prefix + Topic.CONVERSATIONS, source.partition)
            await restore(settings.client, stored, conversations)
            self._tell("running")
            while True:
                for batch in split(await self._read(), self._settings.batch_bytes):
                    async with self._batch_open:
                        await self._turn(batch, producer, conversations)

    async def _rewind(self) -> None:
        """Read on from the committed offset, or from the start of what the topic still holds."""
        try:
            offset = await self._consumer.committed(self._source)
            if offset is None:
                await self._consumer.seek_to_beginning(self._source)
            else:
                self._consumer.seek(self._source, offset)
        except (KafkaError, ValueError, AssertionError) as error:  # the last two: no longer assigned to us
            raise LaneLost(f"the committed offset could not be read: {type(error).__name__}") from error

    async def _read(self) -> list[Input]:
        try:
            fetched = await self._consumer.getmany(self._source, timeout_ms=1_000, max_records=self._width)
        except (KafkaError, AssertionError, UnicodeDecodeError) as error:  # the last: a header's name, whoever wrote it
            raise LaneLost(f"reading failed: {type(error).__name__}") from error
        records: list[Input] = fetched.get(self._source, [])
        return records

    async def _turn(self, inputs: list[Input], producer: Transactions, conversations: Conversations) -> None:
        """One batch, once through: decode, judge, route, commit, and then believe it."""
        now = int(self._now() * 1000)
        began = time.monotonic()
        outcome, findings, shadowed = self._judge(inputs, conversations, now)
        failures = self._guard(outcome)
        forgotten = conversations.stale(outcome.windows, now)
        records = [*outcome.records, *(tombstone(c, self._source.partition, now) for c in forgotten)]
        judged = time.monotonic()
        try:
            await producer.commit(records, self._source, inputs[-1].offset + 1)
        except Refused as error:
            self._narrow(inputs, str(error))
            raise
        self._width = min(self._width * 2, self._settings.batch_records)
        self._refused.clear()
        self._judge_failures = failures
        conversations.apply(outcome.windows, forgotten, now)
        self._shadows.apply(shadowed, self._shadows.stale(shadowed, now), now)
        committed = time.monotonic()
        self._report.turn(
            Turn(
                place=self._place,
                outcome=outcome,
                inputs=inputs,
                judge_seconds=judged - began,
                commit_seconds=committed - judged,
                committed_at=int(self._now() * 1000),
                lag=max(0, (self._consumer.highwater(self._source) or 0) - inputs[-1].offset - 1),
                conversations=len(conversations),
                findings=findings,
            )
        )

    def _judge(self, inputs: list[Input], conversations: Conversations, now: int) -> Settled:
        """Decode, judge and route by the rules in force; holds on to neither them nor the messages."""
        items, times = decode_all(inputs)
        if self._refused:
            items = [self._condemned(source.offset) or item for source, item in zip(inputs, items, strict=True)]
        rules = self._rules.current
        shadows = self._shadows.of(rules)
        return settle(inputs, items, times, rules, self._place, now, conversations, shadows)

    def _condemned(self, offset: int) -> Malformed | None:
        reason = self._refused.get(offset)
        return Malformed(reason=reason, kind="refused") if reason else None

    def _narrow(self, inputs: Sequence[Input], reason: str) -> None:
        """After a refusal: half the batch next time; a record that stands alone is to become a dead letter."""
        if len(inputs) > 1:
            self._width = len(inputs) // 2
        elif inputs[0].offset in self._refused:
            self._width = self._settings.batch_records  # even the dead letter was refused: wait, and tell
        else:
            self._width = 1
            self._refused[inputs[0].offset] = reason

    def _guard(self, outcome: Outcome) -> int:
        """How many records in a row have failed in judging, this batch included.

        Raises LaneLost when they are too many: that is our fault, and must not divert the whole stream.
        """
        judged_well = outcome.tally.verdicts.total() - outcome.tally.dead.total()
        failures = outcome.tally.dead["judge"] + (0 if judged_well else self._judge_failures)
        if failures > self._settings.max_judge_failures and not judged_well:
            raise LaneLost(f"judging failed for {failures} records in a row: is the deployment broken?")
        return failures

    def _tell(self, state: str) -> None:
        self._report.lane(self._source.partition, state)
