"""Everything that the topics `reminder`, `flagged` and `feedback` hold now, for statistics."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from aiokafka import TopicPartition

from processor.errors import Misconfigured
from processor.model import Input, Topic
from processor.stream.reconcile import Meter, Progress, read_on, reader
from processor.stream.topics import inspect

READ = (Topic.REMINDER, Topic.FLAGGED, Topic.FEEDBACK)


async def read_outcomes(
    client: Mapping[str, Any], prefix: str, take: Callable[[bytes | None], None], progress: Progress | None = None
) -> None:
    """Hand over the value of each record that was committed by now; joins no group and commits nothing.

    `client`: the keyword arguments of an aiokafka client. A topic `feedback` that is not there holds nothing. Raises:
    Misconfigured, if another one is missing; Unavailable.
    """
    found = (await inspect(client, [prefix + topic for topic in READ])).topics
    missing = [prefix + topic for topic in READ if prefix + topic not in found and topic is not Topic.FEEDBACK]
    if missing:
        raise Misconfigured([f"Topic {name} does not exist, or this user may not see it." for name in missing])

    def enter(_: TopicPartition, records: Iterable[Input]) -> None:
        for record in records:
            take(record.value)

    places = [TopicPartition(name, number) for name, state in found.items() for number in range(state.partitions)]
    async with reader(client) as consumer:
        starts, ends = await consumer.beginning_offsets(places), await consumer.end_offsets(places)
        await read_on(consumer, Meter(progress, sum(ends.values()) - sum(starts.values())), starts, ends, enter)
