"""Topics on a real broker."""

import asyncio

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from processor.embedded import Kafka
from processor.errors import Misconfigured, Unavailable
from processor.model import Topic
from processor.stream.contract import load
from processor.stream.topics import Cluster, Difference, apply, faults, inspect, names, plan

pytestmark = pytest.mark.services


def client(kafka: Kafka) -> dict[str, str]:
    return {"bootstrap_servers": kafka.bootstrap_servers}


async def found(kafka: Kafka, prefix: str) -> Cluster:
    return await inspect(client(kafka), names(prefix).values())


async def create(kafka: Kafka, name: str, partitions: int, **config: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers)
    await admin.start()
    try:
        configs = {key.replace("_", "."): value for key, value in config.items()}
        await admin.create_topics([NewTopic(name, partitions, 1, topic_configs=configs)])
    finally:
        await admin.close()
    while not (await inspect(client(kafka), [name])).topics:  # noqa: ASYNC110  a broker sees it late and tells no one
        await asyncio.sleep(0.05)


async def test_apply_creates_what_is_missing_and_a_second_one_finds_nothing_to_do(kafka: Kafka, prefix: str) -> None:
    first = await apply(client(kafka), prefix=prefix, partitions=3, replication=1)
    second = await apply(client(kafka), prefix=prefix, partitions=3, replication=1)

    assert set(names(prefix).values()) == {topic.name for topic in first.missing}
    assert second.done
    assert faults(load(), await found(kafka, prefix), prefix=prefix) == []


async def test_the_broker_takes_every_setting_of_the_contracts(kafka: Kafka, prefix: str) -> None:
    await apply(client(kafka), prefix=prefix, partitions=1, replication=1)

    cluster = await found(kafka, prefix)

    for topic, contract in load().items():
        actual = cluster.topics[prefix + topic].config
        assert actual is not None
        assert contract.config == {name: actual[name] for name in contract.config}


async def test_topics_are_given_as_many_partitions_as_raw_has(kafka: Kafka, prefix: str) -> None:
    await create(kafka, prefix + Topic.RAW, 5)

    await apply(client(kafka), prefix=prefix, replication=1)

    cluster = await found(kafka, prefix)
    assert {5} == {state.partitions for state in cluster.topics.values()}


async def test_a_topic_that_differs_is_reported_and_left_alone(kafka: Kafka, prefix: str) -> None:
    delivered = prefix + Topic.DELIVERED
    await create(kafka, delivered, 2, retention_ms="1000")
    before = await inspect(client(kafka), [delivered])

    followed = await apply(client(kafka), prefix=prefix, partitions=4, replication=1)

    assert before == await inspect(client(kafka), [delivered])
    assert Difference(name=delivered, what="partitions", wanted="4", actual="2") in followed.differing
    assert Difference(name=delivered, what="retention.ms", wanted="604800000", actual="1000") in followed.differing
    (problem,) = faults(load(), await found(kafka, prefix), prefix=prefix)
    assert "has 2 partitions but raw has 4" in problem


async def test_looking_for_a_topic_does_not_create_it(kafka: Kafka, prefix: str) -> None:
    assert (await found(kafka, prefix)).topics == {}
    assert (await found(kafka, prefix)).topics == {}


async def test_more_replicas_than_brokers_is_for_a_person_to_mend(kafka: Kafka, prefix: str) -> None:
    with pytest.raises(Misconfigured, match="--replication-factor") as refused:
        await apply(client(kafka), prefix=prefix, partitions=1, replication=32)

    (problem,) = refused.value.problems
    assert all(name in problem for name in names(prefix).values())


async def test_a_broker_that_is_away_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        await inspect({"bootstrap_servers": "127.0.0.1:9", "request_timeout_ms": 500}, ["x"])


async def test_without_a_choice_the_contracts_ask_for_production_s_replicas(kafka: Kafka, prefix: str) -> None:
    wanted = plan(load(), await found(kafka, prefix), prefix=prefix).missing

    assert {(12, 3, "2")} == {
        (topic.partitions, topic.replication, topic.config["min.insync.replicas"]) for topic in wanted
    }
