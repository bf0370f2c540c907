"""The paced producer, a process of its own: so many messages a second for so many seconds.

Messages go out in ticks. Each is stamped with the moment at which it was due, so that a producer that lags behind
makes the figures worse, not better.
"""

import asyncio
import itertools
import sys
import time
from pathlib import Path

from aiokafka import AIOKafkaProducer

from processor.model import Topic
from tests.bench.stage import BATCH_BYTES, Writer
from tests.bench.traffic import traffic

TICK_S = 0.005
MOST_DIFFERENT = 200_000


async def pace(kafka: str, prefix: str, terms: list[str], rate: int, seconds: float) -> None:
    """Write `rate` messages a second to `raw`, in the end the same ones again."""
    different = min(int(rate * seconds), MOST_DIFFERENT)
    messages = itertools.cycle(list(traffic(different, terms, seed=2)))
    async with AIOKafkaProducer(bootstrap_servers=kafka, max_batch_size=BATCH_BYTES, linger_ms=0) as producer:
        writer = Writer(producer, prefix + Topic.RAW)
        begins, sent = time.time() + 0.1, 0
        for tick in range(int(seconds / TICK_S)):
            due = begins + tick * TICK_S
            await asyncio.sleep(due - time.time())
            goal = int(rate * (tick + 1) * TICK_S)
            for key, value in itertools.islice(messages, goal - sent):
                await writer.add(key, value, int(due * 1000))
            await writer.flush()
            sent = goal


if __name__ == "__main__":
    kafka, prefix, terms, rate, seconds = sys.argv[1:]
    asyncio.run(pace(kafka, prefix, Path(terms).read_text("utf-8").splitlines(), int(rate), float(seconds)))
