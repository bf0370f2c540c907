"""The topics as they are and as they should be.

`plan` and `faults` compare, and are pure; `inspect` and `apply` talk to the cluster. Nothing here deletes or
alters a topic: a changed partition count breaks the order of conversations and a changed retention loses data, so a
person decides.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    InvalidReplicationFactorError,
    KafkaError,
    NoError,
    PolicyViolationError,
    TopicAlreadyExistsError,
    TopicAuthorizationFailedError,
    for_code,
)

from processor.errors import Misconfigured, Unavailable
from processor.model import Topic
from processor.stream.contract import Contract, load

SIZE_LIMIT = "max.message.bytes"
CLEANUP = "cleanup.policy"
MIN_INSYNC = "min.insync.replicas"

_VISIBLE_WITHIN_S = 20.0
_OPERATORS_TASK = (  # errors of a creation that trying again does not mend
    ClusterAuthorizationFailedError,
    InvalidReplicationFactorError,
    PolicyViolationError,
    TopicAuthorizationFailedError,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicState:
    """A topic as it is on the cluster."""

    partitions: int
    replication: int  # of the partition that has the fewest replicas
    config: Mapping[str, str] | None  # None: this user may not read it


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """What there is: the asked-for topics that exist, by full name, and the number of brokers."""

    brokers: int
    topics: Mapping[str, TopicState]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A topic as it should be, with its full name."""

    name: str
    partitions: int
    replication: int
    config: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One point in which an existing topic is not as wanted."""

    name: str
    what: str  # "partitions", "replication factor" or the name of a Kafka setting
    wanted: str
    actual: str

    def __str__(self) -> str:
        return f"{self.name}: {self.what} is {self.actual}, wanted {self.wanted}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What `apply` creates, what it leaves to a person, and which topics are as they should be."""

    missing: tuple[Wanted, ...]
    differing: tuple[Difference, ...]
    fine: tuple[str, ...]

    @property
    def done(self) -> bool:
        """Whether nothing is missing and nothing differs."""
        return not self.missing and not self.differing


def names(prefix: str) -> dict[Topic, str]:
    """Every topic's full name."""
    return {topic: prefix + topic for topic in Topic}


def plan(
    contracts: Mapping[Topic, Contract],
    cluster: Cluster,
    *,
    prefix: str,
    partitions: int | None = None,
    replication: int | None = None,
) -> Plan:
    """Compare the contracts with the cluster.

    Without `partitions` every topic gets as many as `raw` has, or as its contract says when there is no `raw` yet;
    without `replication` the contract's. A cluster with fewer replicas than in production gets a smaller
    `min.insync.replicas` too, or nothing could be written while one of them is away.
    """
    raw = cluster.topics.get(prefix + Topic.RAW)
    count = partitions or (raw.partitions if raw else None)
    wanted = [_wanted(contract, prefix, count, replication) for contract in contracts.values()]
    missing = tuple(topic for topic in wanted if topic.name not in cluster.topics)
    differing = tuple(
        difference
        for contract, topic in zip(contracts.values(), wanted, strict=True)
        if (state := cluster.topics.get(topic.name))
        for difference in _differences(
            topic, state, compare_partitions=contract.copartitioned or partitions is not None
        )
    )
    unfit = {topic.name for topic in missing} | {difference.name for difference in differing}
    return Plan(
        missing=missing, differing=differing, fine=tuple(topic.name for topic in wanted if topic.name not in unfit)
    )


def faults(contracts: Mapping[Topic, Contract], cluster: Cluster, *, prefix: str) -> list[str]:
    """Everything about the topics with which a worker could not keep its promises; a worker asks at its start.

    One whole sentence each, which says what to do; none means that it may begin.
    """
    full = names(prefix)
    contracts = {topic: contract for topic, contract in contracts.items() if contract.direction != "back"}
    missing = [full[topic] for topic in contracts if full[topic] not in cluster.topics]
    raw = cluster.topics.get(full[Topic.RAW])
    found = [
        f"Topic {name} does not exist, or this user may not see it: run `chatguard topics apply`, "
        "or grant Describe on it."
        for name in missing
    ]
    for topic, contract in contracts.items():
        if state := cluster.topics.get(full[topic]):
            found += _topic_faults(contract, full[topic], state, raw)
    return found


async def inspect(client: Mapping[str, Any], topics: Iterable[str]) -> Cluster:
    """The topics of these full names as they are. Raises `Unavailable`.

    `client`: the keyword arguments of an aiokafka client. Never creates a topic, even where brokers do so on demand.
    """
    async with _administrator(client) as admin:
        return await _inspect(admin, topics)


async def apply(
    client: Mapping[str, Any],
    prefix: str,
    *,
    partitions: int | None = None,
    replication: int | None = None,
    contracts: Mapping[Topic, Contract] | None = None,
) -> Plan:
    """Create the missing topics and wait until they can be used; returns the plan that was followed.

    Its `missing` now exist; its `differing` are as they were. Raises `Unavailable`, and `Misconfigured` with a
    sentence per reason when the cluster refuses to create some.
    """
    async with _administrator(client) as admin:
        cluster = await _inspect(admin, names(prefix).values())
        todo = plan(contracts or load(), cluster, prefix=prefix, partitions=partitions, replication=replication)
        if todo.missing:
            await _create(admin, todo.missing, brokers=cluster.brokers)
            await _until_visible(admin, [topic.name for topic in todo.missing])
        return todo


def _wanted(contract: Contract, prefix: str, partitions: int | None, replication: int | None) -> Wanted:
    factor = replication or contract.replication
    return Wanted(
        name=prefix + contract.topic,
        partitions=partitions or contract.partitions,
        replication=factor,
        config={**contract.config, MIN_INSYNC: str(max(1, min(contract.min_insync, factor - 1)))},
    )


def _differences(wanted: Wanted, state: TopicState, *, compare_partitions: bool) -> Iterator[Difference]:
    points = [("replication factor", str(wanted.replication), str(state.replication))]
    if compare_partitions:
        points.insert(0, ("partitions", str(wanted.partitions), str(state.partitions)))
    if state.config is None:
        points.append(("configuration", "readable (grant DescribeConfigs)", "not readable by this user"))
    else:
        points += [(name, value, state.config.get(name, "unknown")) for name, value in wanted.config.items()]
    for what, want, actual in points:
        if _normal(want) != _normal(actual):
            yield Difference(name=wanted.name, what=what, wanted=want, actual=actual)


def _normal(value: str) -> object:
    """A setting's value as something to compare: 0.10 is 0.1, and a list has no order."""
    try:
        return float(value)
    except ValueError:
        return frozenset(part.strip() for part in value.split(","))


def _topic_faults(contract: Contract, name: str, state: TopicState, raw: TopicState | None) -> Iterator[str]:
    if raw and contract.copartitioned and state.partitions != raw.partitions:
        yield (
            f"Topic {name} has {state.partitions} partitions but raw has {raw.partitions}, and each record keeps its "
            f"input's partition: give {name} {raw.partitions} partitions (a new topic, if it has more)."
        )
    if state.config is None:
        yield f"The configuration of topic {name} may not be read by this user: grant DescribeConfigs on it."
        return
    if raw and raw.config and contract.direction != "in":
        limit, least = int(state.config.get(SIZE_LIMIT, 0)), int(raw.config.get(SIZE_LIMIT, 0))
        if limit <= least:  # equal is too little: our headers come on top
            yield (
                f"Topic {name} takes records of {limit} bytes and raw of {least}, so a long message could be read but "
                f"not written with its headers: set {SIZE_LIMIT} of {name} to {contract.config[SIZE_LIMIT]} or more, "
                "and well above raw's."
            )
    policy = state.config.get(CLEANUP, "")
    if ("compact" in policy) != ("compact" in contract.config[CLEANUP]):
        yield (
            f"Topic {name} has {CLEANUP}={policy}, with which records would be lost: "
            f"set it to {contract.config[CLEANUP]}."
        )
    if int(state.config.get(MIN_INSYNC, 1)) > state.replication:
        yield (
            f"Topic {name} wants {state.config[MIN_INSYNC]} in-sync replicas and has {state.replication}, so nothing "
            f"can be written: lower {MIN_INSYNC} or add replicas."
        )


@asynccontextmanager
async def _administrator(client: Mapping[str, Any]) -> AsyncIterator[AIOKafkaAdminClient]:
    """A connected admin client; the one place where its errors become ours."""
    try:
        admin = AIOKafkaAdminClient(**client)
        try:
            await admin.start()
            yield admin
        finally:
            await admin.close()
    except (KafkaError, OSError, TimeoutError) as error:
        raise Unavailable(f"Kafka does not answer as it should: {error}") from error


async def _inspect(admin: AIOKafkaAdminClient, topics: Iterable[str]) -> Cluster:
    # All topics are listed because asking for one by name may create it (auto.create.topics.enable).
    wanted = set(topics)
    found = {topic["topic"]: topic for topic in await admin.describe_topics() if topic["topic"] in wanted}
    configs = await _configs(admin, found)
    return Cluster(
        brokers=len((await admin.describe_cluster())["brokers"]),
        topics={
            name: TopicState(
                partitions=len(topic["partitions"]),
                replication=min((len(partition["replicas"]) for partition in topic["partitions"]), default=0),
                config=configs.get(name),
            )
            for name, topic in found.items()
        },
    )


async def _configs(admin: AIOKafkaAdminClient, topics: Iterable[str]) -> dict[str, dict[str, str]]:
    """Every setting of the topics; a topic whose settings may not be read is left out."""
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in topics]
    if not resources:
        return {}
    configs = {}
    for answer in await admin.describe_configs(resources):
        for code, message, _, name, entries in answer.resources:
            error = for_code(code)
            if error is NoError:
                configs[name] = {entry[0]: entry[1] for entry in entries}
            elif error is not TopicAuthorizationFailedError:
                raise error(message)
    return configs


async def _create(admin: AIOKafkaAdminClient, topics: Iterable[Wanted], *, brokers: int) -> None:
    answer = await admin.create_topics(
        [
            NewTopic(topic.name, topic.partitions, topic.replication, topic_configs=dict(topic.config))
            for topic in topics
        ]
    )
    refused: dict[str, list[str]] = {}  # why → which
    for name, code, message in answer.topic_errors:
        error = for_code(code)
        if error is InvalidReplicationFactorError:
            why = f"The cluster has {brokers} brokers, too few for so many replicas: choose --replication-factor."
            refused.setdefault(why, []).append(name)
        elif error in _OPERATORS_TASK:
            refused.setdefault(message or error.description, []).append(name)
        elif error not in {NoError, TopicAlreadyExistsError}:  # another apply may have been quicker
            raise error(message)
    if refused:
        raise Misconfigured([f"Not created: {', '.join(topics)}. {why}" for why, topics in refused.items()])


async def _until_visible(admin: AIOKafkaAdminClient, topics: Iterable[str]) -> None:
    """Wait until every partition of the topics has a leader: a broker learns of a new topic a little later."""
    missing = set(topics)
    give_up = time.monotonic() + _VISIBLE_WITHIN_S
    while missing:
        for topic in await admin.describe_topics():
            if topic["partitions"] and all(partition["leader"] >= 0 for partition in topic["partitions"]):
                missing.discard(topic["topic"])
        if missing and time.monotonic() > give_up:
            raise Unavailable(f"Created, but without a leader yet: {', '.join(sorted(missing))}")
        if missing:
            await asyncio.sleep(0.1)
