"""How soon, and how quietly: a ruleset is published while messages flow."""

import asyncio
import itertools
import math
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from aiokafka import TopicPartition

from processor.model import Topic
from processor.rulesets.document import canonical
from tests.bench.live import committed, working
from tests.bench.ruleset import made_up, ruleset
from tests.bench.stage import Stage, publish

PREFIX = "reload."
BEFORE_S = 3.0  # of load, before and after a publication: where pauses are looked for
STARTING_S = 5.0

Moments = Mapping[TopicPartition, list[float]]  # when a commit was seen, seconds since the epoch


@dataclass(frozen=True, slots=True, kw_only=True)
class Reload:
    """One publication; seconds."""

    terms: int  # of the ruleset that was published
    until_used: float  # from the publication to the first committed message that cites it
    pause: float  # longest time without a commit of some partition, from the publication on
    pause_before: float  # the same, in as long a time before it


async def reloads(stage: Stage, *, rate: int, times: int, terms: int) -> list[Reload]:
    """Under a load of `rate`, `times` publications, each of a ruleset with other `terms` made-up terms more."""
    contents = [canonical(ruleset(made_up(terms) + made_up(terms, seed=100 + n))) for n in range(times)]
    seconds = STARTING_S + 2 * BEFORE_S * times
    published: list[tuple[float, int]] = []
    first_use: dict[int, float] = {}
    commits: dict[TopicPartition, list[float]] = {}
    async with working(stage, PREFIX):
        publishing: asyncio.Task[None] | None = None
        async for moment, arrivals in committed(stage, PREFIX, rate=rate, seconds=seconds):
            publishing = publishing or asyncio.create_task(_publish(stage, contents, published))
            for place, records in arrivals.items():
                if place.topic.endswith(Topic.DELIVERED):
                    commits.setdefault(place, []).append(moment)
                    first_use.setdefault(_version(records[-1].headers), moment)
        assert publishing
        await publishing
    return [
        Reload(
            terms=2 * terms,
            until_used=_used_from(first_use, version) - at,
            pause=longest_pause(commits, at, at + BEFORE_S),
            pause_before=longest_pause(commits, at - BEFORE_S, at),
        )
        for at, version in published
    ]


async def _publish(stage: Stage, contents: Iterable[bytes], published: list[tuple[float, int]]) -> None:
    await asyncio.sleep(STARTING_S - BEFORE_S)
    for content in contents:
        await asyncio.sleep(BEFORE_S)
        at = time.time()
        published.append((at, await publish(stage, content)))
        await asyncio.sleep(BEFORE_S)


def _version(headers: Iterable[tuple[str, bytes]]) -> int:
    """Of the base ruleset that a record cites."""
    return int(dict(headers)["chatguard-ruleset"].partition(b"@")[0])


def _used_from(first_use: Mapping[int, float], version: int) -> float:
    """When this version, or one that overtook it, was first cited; infinity for never."""
    return min((moment for used, moment in first_use.items() if used >= version), default=math.inf)


def longest_pause(commits: Moments, begin: float, end: float) -> float:
    """The longest time in which some partition saw no commit, between two moments."""
    pauses = []
    for moments in commits.values():
        within = [begin, *(moment for moment in moments if begin < moment < end), end]
        pauses.append(max(later - earlier for earlier, later in itertools.pairwise(within)))
    return max(pauses)
