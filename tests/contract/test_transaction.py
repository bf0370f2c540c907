"""A transaction over a network that loses answers: whatever may happen twice is not built upon."""

import asyncio
import struct
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from aiokafka import TopicPartition

from processor.embedded import Kafka
from processor.errors import LaneLost
from processor.model import Record, Topic
from processor.stream.topics import apply
from processor.stream.transaction import Limits, transactions

pytestmark = [pytest.mark.services, pytest.mark.timeout(60)]

METADATA, FIND_COORDINATOR, END_TXN = 3, 10, 26


async def test_a_commit_that_may_arrive_twice_ends_the_producer(kafka: Kafka, prefix: str) -> None:
    # The first copy hangs somewhere in the network; arriving late it would end the next transaction half-way.
    await apply({"bootstrap_servers": kafka.bootstrap_servers}, f"{prefix}.", partitions=1, replication=1)
    commits: list[int] = []

    def lose_the_first(key: int) -> bool:
        commits.extend([key] if key == END_TXN else [])
        return commits == [END_TXN] and key == END_TXN

    async with proxy(kafka.bootstrap_servers, lose_the_first) as address:
        client = {"bootstrap_servers": address}
        record = Record(Topic.DELIVERED, b"c1", b"{}", [], 1_780_000_000_000, 0)
        async with transactions(client, prefix, group=prefix, prefix=f"{prefix}.", limits=Limits()) as producer:
            with pytest.raises(LaneLost, match="sent twice"):
                await producer.commit([record], TopicPartition(f"{prefix}.raw", 0), 1)
    assert len(commits) == 2


@asynccontextmanager
async def proxy(broker: str, lose: Callable[[int], bool]) -> AsyncIterator[str]:  # noqa: C901  one network
    """The address of a way to `broker` which loses the requests of the api keys that `lose` picks, and breaks off."""
    host, _, port = broker.partition(":")
    own = 0

    async def requests(theirs: StreamReader, upstream: StreamWriter, keys: dict[int, int]) -> None:
        while frame := await _frame(theirs):
            key, _, number = struct.unpack_from(">hhi", frame)
            keys[number] = key
            if lose(key):
                return
            upstream.write(struct.pack(">i", len(frame)) + frame)

    async def answers(upstream: StreamReader, theirs: StreamWriter, keys: dict[int, int]) -> None:
        while frame := await _frame(upstream):
            if keys.pop(*struct.unpack_from(">i", frame)) in {METADATA, FIND_COORDINATOR}:
                name = struct.pack(">h", len(host)) + host.encode()
                frame = frame.replace(name + struct.pack(">i", int(port)), name + struct.pack(">i", own))
            theirs.write(struct.pack(">i", len(frame)) + frame)

    serving: set[asyncio.Task[None]] = set()

    async def serve(reader: StreamReader, writer: StreamWriter) -> None:
        from_broker, to_broker = await asyncio.open_connection(host, int(port))
        keys: dict[int, int] = {}
        async with closing(writer, to_broker):
            ways = [
                asyncio.create_task(requests(reader, to_broker, keys)),
                asyncio.create_task(answers(from_broker, writer, keys)),
            ]
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()

    def accept(reader: StreamReader, writer: StreamWriter) -> None:
        serving.add(asyncio.create_task(serve(reader, writer)))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    own = server.sockets[0].getsockname()[1]
    try:
        yield f"127.0.0.1:{own}"
    finally:
        server.close()
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)


@asynccontextmanager
async def closing(*writers: StreamWriter) -> AsyncIterator[None]:
    """Close the connections at the end, and wait until they are closed."""
    try:
        yield
    finally:
        for writer in writers:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for writer in writers), return_exceptions=True)


async def _frame(reader: StreamReader) -> bytes:
    """The next message, or nothing at the end."""
    try:
        return await reader.readexactly(*struct.unpack(">i", await reader.readexactly(4)))
    except (asyncio.IncompleteReadError, ConnectionError):
        return b""
