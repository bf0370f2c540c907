"""How much memory: a long backlog against an empty topic."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from tests.bench.live import working
from tests.bench.stage import Stage, fill
from tests.bench.throughput import PREFIX, PROGRAMS, one_run
from tests.bench.traffic import traffic
from tests.bench.watch import Peak

IDLE_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Largest resident memory of a worker, in bytes."""

    empty: int
    backlog: int
    messages: int  # in the backlog


async def memory(stage: Stage, terms: Sequence[str], *, more: int) -> Memory:
    """A worker on empty topics, then one on the backlog of the rounds and `more` messages behind it."""
    async with working(stage, "memory.") as child:
        await asyncio.sleep(IDLE_S)
        empty = Peak(child).look()
    await fill(stage, PREFIX, traffic(more, terms, seed=3))
    run = await one_run(stage, PROGRAMS["m"])
    return Memory(empty=empty, backlog=run.peak_bytes, messages=run.messages)
