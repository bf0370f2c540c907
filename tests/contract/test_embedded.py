"""The embedded services: they answer, they can be broken and mended, and they leave nothing behind."""

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from redis import Redis as RedisClient

from processor.embedded import Kafka, Redis

pytestmark = pytest.mark.services


async def make_topic(kafka: Kafka, name: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name=name, num_partitions=1, replication_factor=1)])
    finally:
        await admin.close()


async def write(kafka: Kafka, topic: str, *values: bytes) -> None:
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap_servers, transactional_id=topic) as producer:
        async with producer.transaction():
            for value in values:
                await producer.send_and_wait(topic, value)


async def read(kafka: Kafka, topic: str, count: int) -> list[bytes]:
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=kafka.bootstrap_servers,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
    )
    async with consumer:
        return [(await consumer.getone()).value for _ in range(count)]


async def test_kafka_takes_transactions_at_once(kafka: Kafka, prefix: str) -> None:
    await make_topic(kafka, prefix)
    await write(kafka, prefix, b"a", b"b")
    assert await read(kafka, prefix, 2) == [b"a", b"b"]


def test_redis_keeps_what_it_is_given(redis_server: Redis, prefix: str) -> None:
    with RedisClient.from_url(redis_server.url) as client:
        client.set(prefix, "kept")
        assert client.get(prefix) == b"kept"


async def test_a_broker_that_was_killed_comes_back_with_its_records(kafka: Kafka, prefix: str) -> None:
    await make_topic(kafka, prefix)
    await write(kafka, prefix, b"a", b"b")
    killed = kafka.pid
    kafka.kill()
    kafka.restart()
    assert kafka.pid != killed
    await write(kafka, prefix, b"c")
    assert await read(kafka, prefix, 3) == [b"a", b"b", b"c"]
