"""The loop that most services are: aiokafka, one message at a time, at least once, pyahocorasick for the terms."""

import asyncio
import signal
import sys
from pathlib import Path

import ahocorasick
import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

COMMIT_EVERY = 1_000


async def run(kafka: str, prefix: str, group: str, terms: list[str]) -> None:
    """Judge until cancelled; what cannot be read is flagged."""
    automaton = ahocorasick.Automaton()
    for term in terms:
        automaton.add_word(term, term)
    automaton.make_automaton()
    consumer = AIOKafkaConsumer(
        f"{prefix}raw",
        bootstrap_servers=kafka,
        group_id=group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    async with AIOKafkaProducer(bootstrap_servers=kafka, acks="all", linger_ms=5) as producer, consumer:
        count = 0
        async for message in consumer:
            try:
                content = orjson.loads(message.value)["content"]
                hit = next(automaton.iter(content), None)
            except (ValueError, KeyError, TypeError):
                hit = "unreadable"
            topic = f"{prefix}flagged" if hit else f"{prefix}delivered"
            await producer.send(topic, message.value, key=message.key)
            count += 1
            if count % COMMIT_EVERY == 0:
                await producer.flush()
                await consumer.commit()


async def main(kafka: str, prefix: str, group: str, terms: list[str]) -> None:
    """Run until SIGTERM."""
    running = asyncio.create_task(run(kafka, prefix, group, terms))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
    await asyncio.wait([running])
    if not running.cancelled():
        running.result()


if __name__ == "__main__":
    kafka, prefix, group, terms = sys.argv[1:]
    asyncio.run(main(kafka, prefix, group, Path(terms).read_text("utf-8").splitlines()))
