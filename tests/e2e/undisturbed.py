"""What an undisturbed run would have written: the judge over `raw`, partition by partition, in one life."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from processor.fraud.window import Window, to_bytes
from processor.fraud.window import encode as encode_window
from processor.judge import judge
from processor.model import Record, Topic
from processor.routing import Place, route
from processor.ruleset import Rules
from processor.rulesets.compile import compile_base
from processor.rulesets.directory import builtin
from processor.rulesets.document import canonical, digest
from processor.stream.codec import decode_all
from tests.e2e.fleet import Fleet

_BATCH = 1_700  # unlike any of the worker's own
Written = dict[Topic, list[tuple[Any, ...]]]
_OUT = (Topic.DELIVERED, Topic.FLAGGED, Topic.REMINDER, Topic.DEAD_LETTER)


async def as_undisturbed(fleet: Fleet) -> int:
    """Hold the workers' records and their memory against an undisturbed run's; gives the number of reminders.

    Order counts in each partition; only reminders, which several partitions write to one, are put in their inputs'.
    """
    document = builtin()
    rules = Rules(base=compile_base(document, version=0, digest=digest(canonical(document))))
    raw: defaultdict[int, list[Any]] = defaultdict(list)
    for record in await fleet.read(Topic.RAW):
        raw[record.partition].append(record)
    wanted: Written = {topic: [] for topic in _OUT}
    memory: dict[tuple[int, bytes], bytes] = {}
    for partition, inputs in sorted(raw.items()):
        records, windows = _run(inputs, rules, Place(topic=fleet.raw, partition=partition))
        memory |= {(partition, to_bytes(key)): encode_window(window) for key, window in windows.items()}
        for each in records:
            if each.topic in wanted:
                wanted[each.topic].append(_told(each, partition))
    written: Written = {topic: [_told(each, each.partition) for each in await fleet.read(topic)] for topic in _OUT}
    for found in (written, wanted):
        found[Topic.REMINDER] = sorted(each[1:] for each in found[Topic.REMINDER])
    for topic in _OUT:
        assert written[topic] == wanted[topic], topic
    kept = {(each.partition, each.key): each.value for each in await fleet.read(Topic.CONVERSATIONS)}
    assert kept == memory
    return len(wanted[Topic.REMINDER])


def _run(inputs: Sequence[Any], rules: Rules, place: Place) -> tuple[list[Record], dict[str, Window]]:
    windows: dict[str, Window] = {}
    records: list[Record] = []
    for begin in range(0, len(inputs), _BATCH):
        batch = inputs[begin : begin + _BATCH]
        items, times = decode_all(batch)
        outcome = route(batch, items, judge(items, times, rules, windows), rules, place, 0)
        windows |= outcome.windows
        records += outcome.records
    return records, windows


def _told(record: Any, partition: int) -> tuple[int, Iterable[Any], bytes | None, bytes | None]:
    return partition, sorted(record.headers), record.key, record.value
