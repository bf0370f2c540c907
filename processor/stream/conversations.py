"""The windows of one partition's conversations and people: in memory, and in the compacted topic they come from.

What changes is written in the batch's own transaction and applied here after the commit, so memory never runs ahead
of the topic, and a crash neither forgets nor repeats a reminder.
"""

import logging
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from processor.errors import Invalid, LaneLost
from processor.fraud.window import Window, from_bytes, to_bytes
from processor.fraud.window import decode as decode_window
from processor.model import Record, Topic
from processor.ruleset import Rules

log = logging.getLogger(__name__)


class Conversations(Mapping[str, Window]):
    """Windows by conversation id or person's key, the longest untouched first; bounded in number and in idle time."""

    def __init__(self, *, most: int, ttl_ms: int) -> None:
        self._most = most
        self._ttl_ms = ttl_ms
        self._windows: OrderedDict[str, tuple[int, Window]] = OrderedDict()

    def __getitem__(self, conversation: str) -> Window:
        return self._windows[conversation][1]

    def __iter__(self) -> Iterator[str]:
        return iter(self._windows)

    def __len__(self) -> int:
        return len(self._windows)

    def get(self, conversation: str, default: Any = None) -> Any:
        """The window of a conversation, or `default`."""
        kept = self._windows.get(conversation)
        return kept[1] if kept else default

    def put(self, conversation: str, window: Window | None, at: int) -> None:
        """Remember a window touched at `at` (ms); None forgets it."""
        self._windows.pop(conversation, None)
        if window is not None:
            self._windows[conversation] = (at, window)

    def apply(self, windows: Mapping[str, Window], forgotten: Sequence[str], at: int) -> None:
        """Take over what a committed batch changed."""
        for conversation in forgotten:
            self.put(conversation, None, at)
        for conversation, window in windows.items():
            self.put(conversation, window, at)

    def stale(self, changed: Mapping[str, Window], now: int) -> list[str]:
        """Conversations to forget with the next commit: idle past their time, or too many."""
        excess = len(self._windows) + len(changed) - self._most
        stale: list[str] = []
        for conversation, (at, _) in self._windows.items():
            if now - at <= self._ttl_ms and len(stale) >= excess:
                break
            if conversation not in changed:
                stale.append(conversation)
        return stale


class Shadows(Conversations):
    """Windows as candidates would have left them: in memory only, and for as long as those are tried out."""

    def __init__(self, *, most: int, ttl_ms: int) -> None:
        super().__init__(most=most, ttl_ms=ttl_ms)
        self._candidates: frozenset[str] = frozenset()

    def of(self, rules: Rules) -> "Shadows":
        """These windows, emptied if others than before are tried out."""
        candidates = frozenset(trial.digest for trial in rules.trials.values())
        if candidates != self._candidates:
            self._candidates = candidates
            self._windows.clear()
        return self


def tombstone(conversation: str, partition: int, now: int) -> Record:
    """The record that forgets a conversation."""
    return Record(Topic.CONVERSATIONS, to_bytes(conversation), None, [], now, partition)


async def restore(client: Mapping[str, Any], place: TopicPartition, into: Conversations) -> None:
    """Read `place` of the conversations topic from its start to its end; raises LaneLost.

    The end is taken after the lane's producer has started, so no transaction of an earlier owner is open. Retention
    may delete the start meanwhile; what it leaves is read. Records that are no windows are passed over.
    """
    consumer = AIOKafkaConsumer(
        **client, isolation_level="read_committed", enable_auto_commit=False, auto_offset_reset="earliest"
    )
    strange = 0
    try:
        await consumer.start()
        consumer.assign([place])
        await consumer.seek_to_beginning(place)
        end = (await consumer.end_offsets([place]))[place]
        while await consumer.position(place) < end:
            for records in (await consumer.getmany(place, timeout_ms=200)).values():
                for record in records:
                    try:
                        window = decode_window(record.value) if record.value else None
                        into.put(from_bytes(record.key), window, record.timestamp)
                    except Invalid:
                        strange += 1
    except KafkaError as error:
        raise LaneLost(f"conversations could not be restored: {type(error).__name__}") from error
    finally:
        await consumer.stop()
    if strange:
        log.warning("records that are no conversations", extra={"partition": place.partition, "count": strange})
