"""How fast: the programs one after another on the same backlog, in alternating rounds."""

import itertools
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass

from tests.bench.stage import Stage, fresh
from tests.bench.watch import Run, process, run_to_the_end, settings, worker

PREFIX = "bench."
WARM_WITHIN = 1.05  # a pass that is no faster than this shows that the broker is warm
MOST_WARMING = 6

Start = Callable[[Stage, str, str], tuple[list[str], dict[str, str]]]  # prefix, group → arguments, environment
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """One of those compared."""

    key: str
    name: str
    promise: str
    start: Start


def _transport(stage: Stage, prefix: str, group: str) -> tuple[list[str], dict[str, str]]:
    return ["tests.bench.programs.transport"], settings(stage, prefix, group)


def _loop(stage: Stage, prefix: str, group: str) -> tuple[list[str], dict[str, str]]:
    return ["tests.bench.programs.loop", stage.kafka, prefix, group, str(stage.terms)], {}


def _quix(stage: Stage, prefix: str, group: str) -> tuple[list[str], dict[str, str]]:
    return ["tests.bench.programs.quix", stage.kafka, prefix, group, str(stage.terms)], {}


PROGRAMS = {
    program.key: program
    for program in (
        Program(key="m", name="chatguard worker", promise="exactly once", start=worker),
        Program(key="a", name="the same, judging nothing", promise="exactly once", start=_transport),
        Program(key="b", name="aiokafka loop", promise="at least once", start=_loop),
        Program(key="c", name="Quix Streams", promise="exactly once", start=_quix),
    )
}


async def warm_up(stage: Stage) -> int:
    """Send the backlog through the broker until that gets no faster; gives the number of passes."""
    fastest = 0.0
    for number in range(1, MOST_WARMING + 1):
        rate = (await one_run(stage, PROGRAMS["a"])).rate
        if rate < fastest * WARM_WITHIN:
            return number
        fastest = rate
    return MOST_WARMING


async def rounds(stage: Stage, keys: Sequence[str], count: int) -> AsyncIterator[tuple[str, Run]]:
    """Every program once per round, there and back again."""
    for number in range(count):
        for key in keys if number % 2 == 0 else reversed(keys):
            yield key, await one_run(stage, PROGRAMS[key])


async def one_run(stage: Stage, program: Program, prefix: str = PREFIX) -> Run:
    """The program, as a new group, from the start of `raw` to its end; the other topics are empty before."""
    await fresh(stage, prefix, keep_raw=True)
    group = f"{program.key}{next(_numbers)}"
    log = stage.folder / f"{group}.log"
    with process(*program.start(stage, prefix, group), log) as child:
        return await run_to_the_end(stage, group, prefix, child, log)
