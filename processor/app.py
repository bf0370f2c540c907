"""The worker put together: everything is opened in order, and closed in reverse."""

import asyncio
import gc
import logging
import signal
import sys
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from processor.errors import Misconfigured, Unavailable
from processor.model import Topic
from processor.ops.health import Health, assess, serve
from processor.ops.metrics import LaneReading, Metrics
from processor.ops.pulse import feel_pulse
from processor.ops.settings import Settings
from processor.rulesets.compiler import Compiler
from processor.rulesets.directory import builtin
from processor.rulesets.disk import Copies
from processor.rulesets.document import BaseDocument
from processor.rulesets.inforce import (
    CopyTrouble,
    Dropped,
    Event,
    Loaded,
    Refused,
    Rulesets,
    StoreFound,
    StoreLost,
    TrialBegun,
    TrialEnded,
    TrialRefused,
    TripUntold,
)
from processor.rulesets.limits import TenantLimits
from processor.rulesets.store import Snapshot
from processor.rulesets.trials import Trip
from processor.rulesets.usage import Usage, add_always
from processor.rulesets.watch import Supply, start, watch
from processor.stream.contract import load
from processor.stream.lane import Lane, LaneSettings, Turn
from processor.stream.topics import SIZE_LIMIT, faults, inspect, names
from processor.stream.transaction import Limits
from processor.stream.worker import GroupSettings, Lanes, joined

log = logging.getLogger(__name__)

_SWITCH_S = 0.0005  # whoever writes to a socket gives the interpreter away; a thread that compiles gives it back soon
_COLLECT = (50_000, 20, 50)  # a batch makes tens of thousands of values, which go with it and in no cycle


async def work(settings: Settings) -> None:
    """Judge messages until SIGTERM or SIGINT; open batches end first.

    Raises Misconfigured if topics or the listening address are wrong, Unavailable if Kafka does not answer, and
    whatever made a lane or a task end that must not end.
    """
    stop = asyncio.Event()
    gc.set_threshold(*_COLLECT)
    sys.setswitchinterval(_SWITCH_S)
    document = builtin()
    # The compiler is a copy of this process, made while it has neither sockets nor signal handlers.
    with Compiler(Snapshot.unpublished(document)) as compiler:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        async with _background(_work(settings, compiler, document)) as working:
            stopped = asyncio.ensure_future(stop.wait())
            await asyncio.wait([stopped, working], return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                working.result()
            log.info("worker stops")


async def _work(settings: Settings, compiler: Compiler, document: BaseDocument) -> None:
    """Judge messages until cancelled, be it while Kafka or the group keeps us waiting."""
    record_bytes = await _record_limits(settings)
    board = Board(settings)
    async with AsyncExitStack() as stack:
        supply = _supply(settings, board, compiler, document)
        board.rulesets = rulesets = await start(supply)
        watching = await stack.enter_async_context(
            _background(watch(rulesets, supply, poll_s=settings.redis.poll_seconds))
        )
        counting = await stack.enter_async_context(_background(_count_usage(settings, board)))
        pulse = await stack.enter_async_context(_background(feel_pulse(board.metrics.loop_lag)))
        port = await stack.enter_async_context(
            serve(settings.http.host, settings.http.port, board.metrics, board.health)
        )
        lane_settings = _lane_settings(settings, record_bytes)

        def lane(consumer: AIOKafkaConsumer, source: TopicPartition) -> Lane:
            return Lane(source, consumer, rulesets, lane_settings, board)

        log.info("joining the group", extra={"group": settings.kafka.group_id})
        board.lanes = lanes = await stack.enter_async_context(joined(_group_settings(settings), lane))
        log.info("worker started", extra={"http_port": port, "base_ruleset": rulesets.current.base.name})
        await _first_end(watching, counting, pulse, lanes.crash)


class Board:
    """What the process knows of itself: it is told by lanes and rulesets, and asked by metrics and health."""

    def __init__(self, settings: Settings) -> None:
        self.metrics = Metrics(tenant_label=settings.metrics.tenant_label, tenant_cap=settings.metrics.tenant_cap)
        self.metrics.refresh_with(self._refresh)
        self.usage = Usage() if settings.stats.every_seconds else None
        self.rulesets: Rulesets | None = None
        self.lanes: Lanes | None = None
        self._readings: dict[int, LaneReading] = {}

    def turn(self, turn: Turn) -> None:
        """A batch was committed."""
        self.metrics.report(turn.outcome.tally)
        if self.usage:
            self.usage.count(turn.outcome.tally.terms, turn.outcome.tally.rejected)
        self.metrics.committed(
            turn.inputs,
            now_ms=turn.committed_at,
            judge_seconds=turn.judge_seconds,
            commit_seconds=turn.commit_seconds,
        )
        if turn.findings and self.rulesets:
            self.metrics.tried(turn.findings)
            self.rulesets.observe(turn.findings)
        self._readings[turn.place.partition] = LaneReading(
            state="running", lag=turn.lag, conversations=turn.conversations
        )

    def lane(self, partition: int, state: str) -> None:
        """A lane came into a state; a stopped one is no longer ours."""
        if state == "stopped":
            self._readings.pop(partition, None)
            return
        if state == "running":
            log.info("lane runs", extra={"partition": partition})
        known = self._readings.get(partition)
        lag, conversations = (known.lag, known.conversations) if known else (None, 0)
        self._readings[partition] = LaneReading(state=state, lag=lag, conversations=conversations)

    def restart(self, reason: str) -> None:
        """A lane begins again."""
        self.metrics.aborted()
        self.metrics.lane_restarted(reason)

    def ruleset(self, event: Event) -> None:
        """Something happened to a ruleset."""
        match event:
            case Loaded(scope=scope, version=version, digest=digest, source=source, seconds=seconds):
                self.metrics.ruleset_reloaded("loaded", seconds)
                log.info(
                    "ruleset in force",
                    extra={"scope": scope, "version": version, "digest": digest[:12], "source": source},
                )
            case Refused(scope=scope, version=version, problems=problems):
                self.metrics.ruleset_reloaded("refused")
                log.error(
                    "ruleset refused", extra={"scope": scope, "version": version, "problems": "; ".join(problems)}
                )
            case Dropped(scope=scope):
                self.metrics.ruleset_reloaded("dropped")
                log.info("overlay dropped", extra={"scope": scope})
            case StoreLost(reason=reason):
                log.warning("redis lost, judging by the last good rulesets", extra={"reason": reason})
            case StoreFound():
                log.info("redis found again")
            case CopyTrouble(reason=reason):
                log.warning("trouble with a ruleset's copy on disk", extra={"reason": reason})
            case _:
                self._trial(event)

    def _trial(self, event: Event) -> None:
        match event:
            case TrialBegun(scope=scope, candidate=candidate):
                self.metrics.trial("begun")
                plan = {"mode": candidate.plan.mode, "share": candidate.plan.share}
                log.info("candidate tried out", extra={"scope": scope, "version": candidate.version, **plan})
            case TrialEnded(scope=scope, version=version, promoted=promoted):
                self.metrics.trial("promoted" if promoted else "withdrawn")
                log.info("candidate tried out no more", extra={"scope": scope, "version": version})
            case TrialRefused(scope=scope, version=version, problems=problems):
                self.metrics.trial("refused")
                details = {"scope": scope, "version": version, "problems": "; ".join(problems)}
                log.error("candidate refused", extra=details)
            case Trip(scope=scope, version=version, reason=reason):
                self.metrics.trial("tripped")
                log.error("ruleset left its band", extra={"scope": scope, "version": version, "reason": reason})
            case TripUntold(scope=scope, reason=reason):
                log.error("the others cannot be told", extra={"scope": scope, "reason": reason})

    def health(self) -> Health:
        """How the process is, for `/livez` and `/readyz`."""
        rulesets = self.rulesets
        return assess(
            fatal=None,
            joined=bool(self.lanes and self.lanes.assigned),
            lanes={partition: reading.state for partition, reading in self._readings.items()},
            rulesets=_names(rulesets) if rulesets else (),
            refused=sorted(rulesets.refused) if rulesets else (),
            redis=rulesets.lost if rulesets else None,
        )

    def _refresh(self) -> None:
        self.metrics.lanes(self._readings)
        if self.rulesets:
            self.metrics.rulesets({scope: held.named for scope, held in _in_force(self.rulesets)})
            self.metrics.trials(self.rulesets.trials.readings())
            checked = self.rulesets.checked_at
            self.metrics.redis(up=self.rulesets.lost is None, checked_at=checked / 1000 if checked else None)


def _names(rulesets: Rulesets) -> list[str]:
    """What judges, for a person: the base by name, the tenants' overlays by their number."""
    names = [f"base {rulesets.current.base.name}"]
    overlays = len(rulesets.current.overlays)
    return [*names, f"{overlays} overlays"] if overlays else names


def _in_force(rulesets: Rulesets | None) -> list[tuple[str, Any]]:
    return sorted(rulesets.held.items()) if rulesets else []


async def _record_limits(settings: Settings) -> Mapping[Topic, int]:
    """The largest record of each output topic; raises Misconfigured with everything that is wrong with the topics."""
    contracts = load()
    cluster = await inspect(settings.kafka.client(), names(settings.topics.prefix).values())
    problems = faults(contracts, cluster, prefix=settings.topics.prefix)
    if problems:
        raise Misconfigured(problems)
    configs = {topic: cluster.topics[name].config or {} for topic, name in names(settings.topics.prefix).items()}
    return {topic: int(configs[topic].get(SIZE_LIMIT) or contracts[topic].config[SIZE_LIMIT]) for topic in contracts}


def _supply(settings: Settings, board: Board, compiler: Compiler, document: BaseDocument) -> Supply:
    return Supply(
        url=settings.redis.url.get_secret_value(),
        report=board.ruleset,
        compile=compiler,
        builtin=document,
        limits=TenantLimits(terms=settings.rulesets.tenant_terms, bytes=settings.rulesets.tenant_bytes),
        copies=Copies(settings.rulesets.directory, store=settings.redis.location),
        timeout_s=settings.redis.timeout_seconds,
    )


async def _count_usage(settings: Settings, board: Board) -> None:
    """Until cancelled, add up in the store what the terms of the rulesets came to."""
    if board.usage is None:
        await asyncio.Event().wait()
        return
    await add_always(
        board.usage,
        settings.redis.url.get_secret_value(),
        every_s=settings.stats.every_seconds,
        keep_days=settings.stats.keep_days,
        timeout_s=settings.redis.timeout_seconds,
        trouble=lambda reason: log.warning("terms are counted but not added up", extra={"reason": reason}),
    )


def _lane_settings(settings: Settings, record_bytes: Mapping[Topic, int]) -> LaneSettings:
    kafka = settings.kafka
    return LaneSettings(
        client=kafka.client(),
        prefix=settings.topics.prefix,
        group=kafka.group_id,
        app=kafka.app_id,
        batch_records=kafka.batch_records,
        batch_bytes=kafka.batch_bytes,
        limits=Limits(
            batch_bytes=min(kafka.max_request_bytes, *record_bytes.values()),
            compression=None if kafka.compression == "none" else kafka.compression,
            request_timeout_ms=kafka.request_timeout_ms,
            transaction_timeout_ms=kafka.transaction_timeout_ms,
            commit_timeout_ms=kafka.commit_timeout_ms,
        ),
        record_bytes=record_bytes,
        max_conversations=settings.state.max_conversations,
        conversation_ttl_ms=settings.state.ttl_seconds * 1000,
        max_judge_failures=settings.lanes.max_judge_failures,
        restart_min_s=settings.lanes.restart_min_seconds,
        restart_max_s=settings.lanes.restart_max_seconds,
        count_tenants=settings.metrics.tenant_label,
    )


def _group_settings(settings: Settings) -> GroupSettings:
    kafka = settings.kafka
    return GroupSettings(
        client=kafka.client(),
        prefix=settings.topics.prefix,
        group=kafka.group_id,
        instance=kafka.group_instance_id,
        session_timeout_ms=kafka.session_timeout_ms,
        heartbeat_interval_ms=kafka.heartbeat_interval_ms,
        rebalance_timeout_ms=kafka.rebalance_timeout_ms,
        join_timeout_ms=kafka.join_timeout_ms,
        fetch_max_bytes=kafka.fetch_max_bytes,
        fetch_max_wait_ms=kafka.fetch_max_wait_ms,
        max_partition_fetch_bytes=kafka.max_partition_fetch_bytes,
        stop_timeout_s=kafka.stop_timeout_ms / 1000,
    )


@asynccontextmanager
async def _background(work: Coroutine[Any, Any, None]) -> AsyncIterator[asyncio.Task[None]]:
    """Run `work` beside the body and cancel it at the end."""
    task = asyncio.create_task(work)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])


async def _first_end(*lasting: asyncio.Future[None]) -> None:
    """Wait until one of `lasting` ends, which none should, and raise what it ended with."""
    done, _ = await asyncio.wait(lasting, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()
    raise Unavailable("a task that should last has ended")
