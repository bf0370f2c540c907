"""The sum check: every record of raw has exactly one record among delivered, flagged and dead-letter.

A `Ledger` is told what raw holds, then what the output topics hold, and keeps the account from the headers alone. It
does no I/O. Per offset of raw it keeps 13 bytes (a state, a digest of the key and one of the value), so 10 million
messages fit in 130 MB; digests are Python's own keyed hash, 64 bits for a value and 32 for a key, enough to see any
alteration but one in 2**32.

Each thing that is wrong is counted under one name:
    lost          raw holds the record and no output does
    duplicated    a second, third, … output record of the same origin, in whichever topic
    out of order  in its topic and partition it stands behind the output of a later input, and is no repeat there
    altered       the key is not the input's; or the value is not, in delivered unless it was masked, or in dead-letter
                  unless it was left out for its size
    misplaced     it stands in another partition than its origin, or its verdict does not belong into its topic
    stray         it names no origin, or one that raw does not hold
    repeated      a reminder whose reminder_id came before, or that has none
"""

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from typing import Final

import orjson

from processor.model import Input, Topic

ORIGIN = "chatguard-origin"
VERDICT = "chatguard-verdict"
KIND = "chatguard-error-kind"

TERMINAL: Final = (Topic.DELIVERED, Topic.FLAGGED, Topic.DEAD_LETTER)
UNCHANGED: Final = {Topic.DELIVERED: {b"pass"}, Topic.FLAGGED: set[bytes](), Topic.DEAD_LETTER: {b"dead"}}
VERDICTS: Final = {
    Topic.DELIVERED: {b"pass", b"mask"},
    Topic.FLAGGED: {b"review", b"block"},
    Topic.DEAD_LETTER: {b"dead"},
}

EXAMPLES = 10  # of each fault
_ABSENT, _OPEN = 0, 1  # states of an offset; an output sets its topic's bit
_SEEN: Final = {Topic.DELIVERED: 2, Topic.FLAGGED: 4, Topic.DEAD_LETTER: 8}


class Fault(StrEnum):
    """What can be wrong with a record; see above."""

    LOST = "lost"
    DUPLICATED = "duplicated"
    OUT_OF_ORDER = "out_of_order"
    ALTERED = "altered"
    MISPLACED = "misplaced"
    STRAY = "stray"
    REPEATED = "repeated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What came in, what became of it, and everything that is wrong."""

    messages: int  # records of raw in the range
    delivered: int  # records of this topic whose origin is in the range, and so on
    flagged: int
    dead: int
    reminders: int
    lost: int
    duplicated: int
    out_of_order: int
    altered: int
    misplaced: int
    stray: int
    repeated: int
    examples: Mapping[str, tuple[str, ...]]  # fault → topic/partition/offset, at most `EXAMPLES`
    notes: tuple[str, ...]  # what could not be compared

    @property
    def faults(self) -> dict[str, int]:
        """Every fault's count, by its name."""
        return {fault.value: getattr(self, fault.value) for fault in Fault}

    @property
    def clean(self) -> bool:
        """Whether nothing at all is wrong."""
        return not any(self.faults.values())


@dataclass(slots=True)
class _Account:
    """One partition of raw, offsets `start` (included) to `end` (excluded)."""

    partition: int
    start: int
    end: int
    latest: dict[Topic, int] = field(default_factory=dict)  # index of the latest input settled there
    states: bytearray = field(init=False)
    keys: "array[int]" = field(init=False)
    values: "array[int]" = field(init=False)

    def __post_init__(self) -> None:
        length = max(0, self.end - self.start)
        self.states = bytearray(length)
        self.keys = array("I", bytes(4 * length))
        self.values = array("q", bytes(8 * length))


class Ledger:
    """The account of one prefix. First `enter` all of raw, then `settle` the outputs, each partition in its order."""

    def __init__(self, prefix: str, spans: Mapping[int, tuple[int, int]]) -> None:
        """Take part in the range `spans`: partition of raw → first offset and the one after the last."""
        self._prefix = prefix
        self._raw = f"{prefix}{Topic.RAW}".encode()
        self._accounts = {partition: _Account(partition, start, end) for partition, (start, end) in spans.items()}
        self._counts: Counter[Topic] = Counter()
        self._faults: Counter[Fault] = Counter()
        self._examples: dict[Fault, list[str]] = {}
        self._first: dict[tuple[Topic, int], int] = {}  # the first origin seen in this topic and partition
        self._truncated: set[tuple[Topic, int]] = set()
        self._reminders: set[int] = set()

    def enter(self, partition: int, records: Iterable[Input]) -> None:
        """Take note of records of raw; those outside the range are left out."""
        account = self._accounts[partition]
        start, end = account.start, account.end
        states, keys, values = account.states, account.keys, account.values
        entered = 0
        for record in records:
            if start <= record.offset < end:
                at = record.offset - start
                states[at] = _OPEN
                keys[at] = hash(record.key) & 0xFFFFFFFF
                values[at] = hash(record.value)
                entered += 1
        self._counts[Topic.RAW] += entered

    def forget(self, partition: int, start: int) -> None:
        """Leave out the offsets before `start`: retention has removed them from raw meanwhile."""
        account = self._accounts[partition]
        gone = min(max(0, start - account.start), len(account.states))
        self._counts[Topic.RAW] -= gone - account.states.count(_ABSENT, 0, gone)
        del account.states[:gone], account.keys[:gone], account.values[:gone]
        account.start += gone

    def truncate(self, topic: Topic, partition: int) -> None:
        """Say that retention has removed the beginning of an output's partition: what it held cannot be known."""
        self._truncated.add((topic, partition))

    def settle(self, topic: Topic, partition: int, records: Iterable[Input]) -> None:
        """Take note of records of delivered, flagged or dead-letter, in the order in which they stand."""
        place = (topic, partition)
        for record in records:
            headers = dict(record.headers)  # the last one of a name counts
            account, origin = self._origin(headers.get(ORIGIN))
            if account is None:
                self._wrong(Fault.STRAY, topic, partition, record.offset)
                continue
            if account.partition == partition:
                self._first.setdefault(place, origin)
            if account.start <= origin < account.end:
                for fault in self._settle_one(place, record, account, origin - account.start, headers):
                    self._wrong(fault, topic, partition, record.offset)

    def _settle_one(
        self, place: tuple[Topic, int], record: Input, account: _Account, at: int, headers: Mapping[str, bytes]
    ) -> Iterator[Fault]:
        topic, partition = place
        verdict = headers.get(VERDICT)
        state = account.states[at]
        if state == _ABSENT:
            yield Fault.STRAY
            return
        self._counts[topic] += 1
        account.states[at] = state | _SEEN[topic]
        if state != _OPEN:
            yield Fault.DUPLICATED
        misplaced = partition != account.partition
        if not misplaced and not state & _SEEN[topic]:
            if at < account.latest.get(topic, -1):
                yield Fault.OUT_OF_ORDER
            else:
                account.latest[topic] = at
        if misplaced or verdict not in VERDICTS[topic]:
            yield Fault.MISPLACED
        same_key = hash(record.key) & 0xFFFFFFFF == account.keys[at]
        left_out = record.value is None and headers.get(KIND) == b"oversize"
        unchanged = verdict in UNCHANGED[topic] and not left_out
        if not same_key or (unchanged and hash(record.value) != account.values[at]):
            yield Fault.ALTERED

    def remind(self, partition: int, records: Iterable[Input]) -> None:
        """Take note of reminders; their partition is the recipient's, not the origin's."""
        for record in records:
            account, origin = self._origin(dict(record.headers).get(ORIGIN))
            if account is None:
                self._wrong(Fault.STRAY, Topic.REMINDER, partition, record.offset)
                continue
            if not account.start <= origin < account.end:
                continue
            self._counts[Topic.REMINDER] += 1
            if account.states[origin - account.start] == _ABSENT:
                self._wrong(Fault.STRAY, Topic.REMINDER, partition, record.offset)
            identity = _reminder_id(record.value)
            if identity is None or identity in self._reminders:
                self._wrong(Fault.REPEATED, Topic.REMINDER, partition, record.offset)
            else:
                self._reminders.add(identity)

    @property
    def open(self) -> int:
        """How many records of raw are without an output so far, as far as that can be known."""
        return sum(
            account.states.count(_OPEN, self._provable(partition)) for partition, account in self._accounts.items()
        )

    def report(self) -> Report:
        """The account as it stands."""
        faults, examples = Counter(self._faults), {fault: list(found) for fault, found in self._examples.items()}
        faults[Fault.LOST] = self.open
        if self.open:
            examples[Fault.LOST] = list(islice(self._lost(), EXAMPLES))
        return Report(
            messages=self._counts[Topic.RAW],
            delivered=self._counts[Topic.DELIVERED],
            flagged=self._counts[Topic.FLAGGED],
            dead=self._counts[Topic.DEAD_LETTER],
            reminders=self._counts[Topic.REMINDER],
            **{fault.value: faults[fault] for fault in Fault},
            examples={fault.value: tuple(examples[fault]) for fault in Fault if fault in examples},
            notes=tuple(self._notes()),
        )

    def _origin(self, origin: bytes | None) -> tuple[_Account | None, int]:
        """The account and offset that an origin names; no account if it is no origin in this raw."""
        topic, _, place = (origin or b"").partition(b"/")
        number, _, offset = place.partition(b"/")
        if topic != self._raw or not number.isdigit() or not offset.isdigit():
            return None, -1
        named = int(number)
        return self._accounts.get(named), int(offset)

    def _provable(self, partition: int) -> int:
        """Index of the first record of raw whose output cannot have been removed by an output's retention."""
        account = self._accounts[partition]
        floor = account.start
        for topic in TERMINAL:
            if (topic, partition) in self._truncated:
                floor = max(floor, self._first.get((topic, partition), account.end))
        return min(floor, account.end) - account.start

    def _lost(self) -> Iterator[str]:
        for partition, account in self._accounts.items():
            at = account.states.find(_OPEN, self._provable(partition))
            while at >= 0:
                yield f"{self._prefix}{Topic.RAW}/{partition}/{account.start + at}"
                at = account.states.find(_OPEN, at + 1)

    def _notes(self) -> Iterator[str]:
        raw = f"{self._prefix}{Topic.RAW}"
        if begun := [
            f"{raw}/{partition}/{account.start}" for partition, account in self._accounts.items() if account.start
        ]:
            yield f"Compared from {', '.join(begun)} on: raw no longer holds what was before."
        for partition, account in self._accounts.items():
            provable = self._provable(partition)
            if unknown := account.states.count(_OPEN, 0, provable):
                yield (
                    f"{unknown} records before {raw}/{partition}/{account.start + provable} have no output, but an "
                    "output topic no longer holds its beginning: whether they were lost cannot be known."
                )

    def _wrong(self, fault: Fault, topic: Topic, partition: int, offset: int) -> None:
        self._faults[fault] += 1
        examples = self._examples.setdefault(fault, [])
        if len(examples) < EXAMPLES:
            examples.append(f"{self._prefix}{topic}/{partition}/{offset}")


def _reminder_id(value: bytes | None) -> int | None:
    """A digest of the id that a reminder carries, None if it carries none."""
    try:
        reminder = orjson.loads(value or b"")
    except orjson.JSONDecodeError:
        return None
    identity = reminder.get("reminder_id") if isinstance(reminder, dict) else None
    return hash(identity) if isinstance(identity, str) else None
