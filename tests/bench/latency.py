"""How late: from a record's timestamp to the moment a reader of committed data has it."""

from collections import Counter
from dataclasses import dataclass

from tests.bench.live import committed, settle, working
from tests.bench.stage import Stage

SECONDS = 10.0
SETTLE_S = 2.0  # at the start of each load, not counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """Milliseconds at one load."""

    rate: int  # messages per second
    messages: int
    p50: int
    p99: int
    most: int


async def latencies(stage: Stage, rates: list[int]) -> list[Latency]:
    """One worker, each of the loads one after another."""
    async with working(stage, "latency."):
        found = []
        for rate in rates:
            found.append(await _latency(stage, rate))
            await settle()
        return found


async def _latency(stage: Stage, rate: int) -> Latency:
    ages: Counter[int] = Counter()
    starts = None
    async for moment, arrivals in committed(stage, "latency.", rate=rate, seconds=SETTLE_S + SECONDS):
        now = int(moment * 1000)
        for records in arrivals.values():
            starts = starts or records[0].timestamp + SETTLE_S * 1000
            ages.update([now - record.timestamp for record in records if record.timestamp >= starts])
    return Latency(
        rate=rate, messages=ages.total(), p50=percentile(ages, 0.5), p99=percentile(ages, 0.99), most=max(ages)
    )


def percentile(counts: Counter[int], share: float) -> int:
    """The smallest value which at least `share` of all do not exceed."""
    wanted, below = counts.total() * share, 0
    for value in sorted(counts):
        below += counts[value]
        if below >= wanted:
            return value
    raise ValueError("nothing was counted")
