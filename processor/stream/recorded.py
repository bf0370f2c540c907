"""The last messages that a topic holds, for those who want to judge them again."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aiokafka import TopicPartition

from processor.errors import Misconfigured, Unavailable
from processor.model import Input
from processor.stream.reconcile import Progress, reader
from processor.stream.topics import inspect

_STALLED_S = 60.0


async def recorded(
    client: Mapping[str, Any],
    topic: str,
    most: int | None,
    take: Callable[[Sequence[Input]], None],
    progress: Progress | None = None,
    *,
    since: int | None = None,
) -> None:
    """Hand over about the last `most` records of `topic`, in order within each partition, as far as it reaches now.

    `most`: None for all; `since`: only what was written from then on (ms since the epoch). Joins no group and commits
    nothing. Raises: Misconfigured, if there is no such topic; Unavailable.
    """
    found = (await inspect(client, [topic])).topics
    if topic not in found:
        raise Misconfigured([f"{topic} is no file, and no topic either, or this user may not see it."])
    places = [TopicPartition(topic, number) for number in range(found[topic].partitions)]
    async with reader(client) as consumer:
        starts, ends = await consumer.beginning_offsets(places), await consumer.end_offsets(places)
        begins = starts if most is None else {p: max(starts[p], ends[p] - -(-most // len(places))) for p in places}
        if since is not None:
            found_at = await consumer.offsets_for_times(dict.fromkeys(places, since))
            at = {p: found_at[p].offset if found_at.get(p) else ends[p] for p in places}
            begins = {p: max(begins[p], at[p]) for p in places}
        total = sum(ends[place] - begins[place] for place in places)
        left = [place for place in places if begins[place] < ends[place]]
        consumer.assign(left)
        for place in left:
            consumer.seek(place, begins[place])
        moved, done = time.monotonic(), 0
        while left:
            for place, records in (await consumer.getmany(*left, timeout_ms=1_000, max_records=10_000)).items():
                take([record for record in records if record.offset < ends[place]])
                moved = time.monotonic()
            # The end may be a transaction's marker, which is no record: only the position tells.
            positions = {place: await consumer.position(place) for place in places if begins[place] < ends[place]}
            done = sum(min(position, ends[place]) - begins[place] for place, position in positions.items())
            if progress:
                progress(done, total)
            left = [place for place in left if positions[place] < ends[place]]
            consumer.pause(*(place for place in positions if place not in left))
            if time.monotonic() - moved > _STALLED_S:
                raise Unavailable(f"Nothing could be read for {_STALLED_S:.0f} s from {len(left)} partitions.")
