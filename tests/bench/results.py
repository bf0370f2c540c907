"""All that was measured, and what of it was aimed at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from tests.bench.latency import Latency
from tests.bench.memory import Memory
from tests.bench.reload import Reload
from tests.bench.watch import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """A median with the least and the greatest value."""

    median: float
    least: float
    most: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """What one run of the benchmark found; a part that was left out is empty."""

    machine: Mapping[str, str]
    messages: int
    message_bytes: float  # of a value, on average
    terms: int
    warming: int  # passes
    runs: Mapping[str, Sequence[Run]]  # by program, in order of rounds
    latencies: Sequence[Latency] = ()
    memory: Memory | None = None
    reloads: Sequence[Reload] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """A figure that was aimed at, and whether it was reached."""

    what: str
    wanted: str
    found: str
    met: bool


def spread(values: Sequence[float]) -> Spread:
    """Of at least one value."""
    return Spread(median=median(values), least=min(values), most=max(values))


def ratio(results: Results, over: str) -> Spread:
    """How many times the rate of `over` the worker has, round by round."""
    pairs = zip(results.runs["m"], results.runs[over], strict=True)
    return spread([ours.rate / other.rate for ours, other in pairs])


def aims(results: Results) -> list[Aim]:
    """The aims of all parts that were measured."""
    found = []
    for key, least, name in (("a", 0.6, "the same without judging"), ("b", 2.5, "aiokafka loop"), ("c", 2.5, "Quix")):
        if "m" in results.runs and key in results.runs:
            value = ratio(results, key).median
            found.append(Aim(what=f"rate over {name}", wanted=f"≥ {least}", found=f"{value:.2f}", met=value >= least))
    if "m" in results.runs:
        cpu = spread([run.cpu_us for run in results.runs["m"]]).median
        found.append(Aim(what="processor time per message", wanted="≤ 12 µs", found=f"{cpu:.1f} µs", met=cpu <= 12))
    if results.reloads:
        used = max(reload.until_used for reload in results.reloads)
        pause = max(reload.pause for reload in results.reloads)
        found += [
            Aim(what="new rules used after", wanted="< 1 s", found=f"{used:.2f} s", met=used < 1),
            Aim(what="longest pause at a reload", wanted="≤ 100 ms", found=f"{pause * 1000:.0f} ms", met=pause <= 0.1),
        ]
    return found
