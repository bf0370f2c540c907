"""`python -m tests.bench`: everything in order, on services of its own."""

import argparse
import asyncio
import logging
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from processor.embedded import run_services
from processor.rulesets.document import canonical
from processor.stream.reconcile import reconcile
from tests.bench.latency import latencies
from tests.bench.machine import machine
from tests.bench.memory import memory
from tests.bench.page import page
from tests.bench.plot import draw
from tests.bench.reload import reloads
from tests.bench.results import Results, spread
from tests.bench.ruleset import made_up, ruleset, terms_of
from tests.bench.stage import Stage, fill, fresh, publish
from tests.bench.throughput import PREFIX, PROGRAMS, one_run, rounds, warm_up
from tests.bench.traffic import traffic
from tests.bench.watch import Run

EXTRA_TERMS = 10_000
PARTS = ("latency", "memory", "reload")
LOW_RATE = 1_000
RELOADS = 3


def main() -> None:
    options = _options()
    logging.getLogger("aiokafka").setLevel(logging.ERROR)  # new topics have no leader for a moment
    began = time.monotonic()
    facts = machine()
    with (
        tempfile.TemporaryDirectory(prefix="chatguard-bench-") as folder,
        run_services(quick=False, heap="1g", say=_say) as services,
    ):
        terms = Path(folder, "terms.txt")
        stage = Stage(
            kafka=services.kafka.bootstrap_servers, redis=services.redis.url, folder=Path(folder), terms=terms
        )
        results = asyncio.run(measure(stage, facts, options.messages, options.rounds, options.only))
    text = page(results)
    if set(options.only) == {*PROGRAMS, *PARTS}:
        options.output.mkdir(parents=True, exist_ok=True)
        (options.output / "performance.md").write_text(text, encoding="utf-8")
        draw(results, options.output / "performance.svg")
        _say(f"Written: {options.output / 'performance.md'}, after {time.monotonic() - began:.0f} s")
    else:
        print(text)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--messages", type=_thousands, default=400_000, help="in the backlog, a multiple of 1,000")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", type=_choice, default=[*PROGRAMS, *PARTS], help="of m,a,b,c,latency,memory,reload")
    parser.add_argument("--output", type=Path, default=Path("docs"), help="where the page goes; only after a full run")
    return parser.parse_args()


def _thousands(text: str) -> int:
    """A number of messages; the loop commits each thousand, and the run ends when all is committed."""
    number = int(text)
    if number < 1000 or number % 1000:
        raise argparse.ArgumentTypeError("must be a multiple of 1,000")
    return number


def _choice(text: str) -> list[str]:
    chosen = text.split(",")
    if unknown := set(chosen) - {*PROGRAMS, *PARTS}:
        raise argparse.ArgumentTypeError(f"unknown: {', '.join(sorted(unknown))}")
    return [name for name in (*PROGRAMS, *PARTS) if name in chosen]


async def measure(stage: Stage, facts: Mapping[str, str], messages: int, count: int, only: Sequence[str]) -> Results:
    """Everything in `only`; loads are shares of the worker's rate, so it takes part whenever one is needed."""
    document = ruleset(made_up(EXTRA_TERMS))
    terms = terms_of(document)
    stage.terms.write_text("\n".join(terms), encoding="utf-8")
    content = canonical(document)
    version = await publish(stage, content)
    await fresh(stage, PREFIX)
    size = await _fill(stage, messages, terms)
    warming = await warm_up(stage)
    _say(f"The broker is warm after {warming} passes; ruleset {version}, {len(terms):,} terms.")
    keys = [key for key in PROGRAMS if key in only or (key == "m" and {"latency", "reload"} & set(only))]
    if "m" in keys:
        await _check(stage, messages)
    runs: defaultdict[str, list[Run]] = defaultdict(list)
    async for key, run in rounds(stage, keys, count):
        _say(f"{PROGRAMS[key].name}: {run.rate:,.0f}/s, {run.cpu_us:.1f} µs, {run.peak_bytes >> 20} MiB")
        runs[key].append(run)
    rate = spread([run.rate for run in runs["m"]]).median if runs["m"] else 0
    found_latencies = await latencies(stage, [_round(rate / 2), LOW_RATE]) if "latency" in only else []
    for each in found_latencies:
        _say(f"{each.rate:,}/s: p50 {each.p50} ms, p99 {each.p99} ms, longest {each.most} ms")
    found_memory = await memory(stage, terms, more=messages * 3 // 2) if "memory" in only else None
    if found_memory:
        _say(f"memory: empty {found_memory.empty >> 20} MiB, backlog {found_memory.backlog >> 20} MiB")
    found_reloads = (
        await reloads(stage, rate=_round(rate / 4), times=RELOADS, terms=EXTRA_TERMS) if "reload" in only else []
    )
    for reload in found_reloads:
        pauses = f"longest pause {reload.pause:.3f} s, before {reload.pause_before:.3f} s"
        _say(f"reload: used after {reload.until_used:.2f} s, {pauses}")
    return Results(
        machine=facts,
        messages=messages,
        message_bytes=size,
        terms=len(terms),
        warming=warming,
        runs={key: runs[key] for key in keys},
        latencies=found_latencies,
        memory=found_memory,
        reloads=found_reloads,
    )


async def _fill(stage: Stage, messages: int, terms: Sequence[str]) -> float:
    """Write the backlog; gives the mean size of a value."""
    values = list(traffic(messages, terms))
    seconds = await fill(stage, PREFIX, values)
    _say(f"{messages:,} messages written in {seconds:.1f} s")
    return sum(len(value) for _, value in values) / messages


async def _check(stage: Stage, messages: int) -> None:
    """One pass of the worker, not timed: what is measured afterwards must be right."""
    await one_run(stage, PROGRAMS["m"])
    report = await reconcile(stage.client, PREFIX)
    if any(report.faults.values()) or report.messages != messages:
        raise RuntimeError(f"the worker is wrong, so its speed does not matter: {report}")


def _round(rate: float) -> int:
    """To thousands, so that a load is a figure to remember."""
    return max(LOW_RATE, int(round(rate, -3)))


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
