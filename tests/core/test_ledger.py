"""The sum check finds every way in which outputs can fail their inputs, and counts each once."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hypothesis import given
from hypothesis import strategies as st

from processor.model import Headers, Topic
from processor.stream.ledger import TERMINAL, VERDICTS, Ledger, Report

PREFIX = "x."
START = 100  # raw no longer holds what was before


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A record of a topic."""

    topic: Topic
    partition: int
    offset: int = 0
    timestamp: int = 0
    key: bytes | None
    value: bytes | None
    headers: Headers = ()


def raw(partition: int, offset: int) -> Entry:
    return Entry(topic=Topic.RAW, partition=partition, offset=offset, key=b"c%d" % (offset % 3), value=b"v%d" % offset)


def output(source: Entry, verdict: bytes) -> Entry:
    topic = next(topic for topic in TERMINAL if verdict in VERDICTS[topic])
    headers = [("a", b"b"), ("chatguard-origin", origin(source)), ("chatguard-verdict", verdict)]
    value = source.value if verdict in {b"pass", b"dead"} else b"{}"
    return replace(source, topic=topic, value=value, headers=headers)


def origin(source: Entry) -> bytes:
    return f"{PREFIX}raw/{source.partition}/{source.offset}".encode()


def reconciled(inputs: Sequence[Entry], outputs: Sequence[Entry], *, truncated: Sequence[Topic] = ()) -> Report:
    ends = {p: max([START, *(entry.offset + 1 for entry in inputs if entry.partition == p)]) for p in (0, 1)}
    ledger = Ledger(PREFIX, {partition: (START, end) for partition, end in ends.items()})
    for partition in ends:
        ledger.enter(partition, [entry for entry in inputs if entry.partition == partition])
        for topic in truncated:
            ledger.truncate(topic, partition)
    for topic in TERMINAL:
        for partition in (0, 1):
            here = [entry for entry in outputs if (entry.topic, entry.partition) == (topic, partition)]
            ledger.settle(topic, partition, [replace(entry, offset=at) for at, entry in enumerate(here)])
    return ledger.report()


def found(report: Report) -> dict[str, int]:
    return {fault: count for fault, count in report.faults.items() if count}


verdicts = st.sampled_from([b"pass", b"mask", b"review", b"block", b"dead"])
# Offsets with gaps, as transactions and compaction leave them.
places = st.sets(st.tuples(st.integers(0, 1), st.integers(START, START + 30)), min_size=1).map(sorted)


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[Entry], list[Entry]]:
    """Inputs and what a worker makes of them."""
    inputs = [raw(*place) for place in draw(places)]
    return inputs, [output(source, draw(verdicts)) for source in inputs]


@given(worlds())
def test_one_output_for_each_input_is_clean(world: tuple[list[Entry], list[Entry]]) -> None:
    inputs, outputs = world

    report = reconciled(inputs, outputs)

    assert report.clean
    assert len(inputs) == report.messages == report.delivered + report.flagged + report.dead


@given(worlds(), st.data())
def test_the_books_balance_whatever_is_left_out_or_repeated(
    world: tuple[list[Entry], list[Entry]], data: st.DataObject
) -> None:
    inputs, outputs = world
    written = data.draw(st.lists(st.sampled_from(outputs)))

    report = reconciled(inputs, written)

    assert report.lost == len({origin(entry) for entry in outputs} - {origin(entry) for entry in written})
    assert report.duplicated == len(written) - len({origin(entry) for entry in written})
    assert report.messages - report.lost + report.duplicated == report.delivered + report.flagged + report.dead


@given(worlds(), st.data())
def test_only_one_order_within_a_topic_and_partition_is_in_order(
    world: tuple[list[Entry], list[Entry]], data: st.DataObject
) -> None:
    inputs, outputs = world
    shuffled = data.draw(st.permutations(outputs))

    def sequences(entries: Sequence[Entry]) -> dict[tuple[Topic, int], list[int]]:
        places = {(entry.topic, entry.partition) for entry in entries}
        return {at: [e.offset for e in entries if (e.topic, e.partition) == at] for at in places}

    report = reconciled(inputs, shuffled)

    assert (report.out_of_order == 0) == (sequences(shuffled) == sequences(outputs))
    assert set(found(report)) <= {"out_of_order"}


@given(worlds(), st.data())
def test_any_changed_value_or_key_is_found(world: tuple[list[Entry], list[Entry]], data: st.DataObject) -> None:
    inputs, outputs = world
    at = data.draw(st.integers(0, len(outputs) - 1))
    victim = outputs[at]
    unchanged = dict(victim.headers)["chatguard-verdict"] in {b"pass", b"dead"}
    field = data.draw(st.sampled_from(["key", "value"] if unchanged else ["key"]))
    was: bytes | None = getattr(victim, field)
    becomes = data.draw((st.none() | st.binary(max_size=4)).filter(lambda other: other != was))
    outputs[at] = replace(victim, key=becomes) if field == "key" else replace(victim, value=becomes)

    assert found(reconciled(inputs, outputs)) == {"altered": 1}


def test_a_dead_letter_may_leave_its_value_out_if_it_says_that_it_was_too_large() -> None:
    source = raw(0, START)
    without = replace(output(source, b"dead"), value=None)
    honest = replace(without, headers=[*without.headers, ("chatguard-error-kind", b"oversize")])
    assert found(reconciled([source], [honest])) == {}
    assert found(reconciled([source], [without])) == {"altered": 1}


@given(worlds(), st.data())
def test_an_output_in_another_topic_than_its_verdict_s_is_misplaced(
    world: tuple[list[Entry], list[Entry]], data: st.DataObject
) -> None:
    inputs, outputs = world
    at = data.draw(st.integers(0, len(outputs) - 1))
    topic = data.draw(st.sampled_from(TERMINAL).filter(lambda other: other is not outputs[at].topic))
    outputs[at] = replace(outputs[at], topic=topic)

    assert found(reconciled(inputs, outputs)) == {"misplaced": 1}


@given(worlds(), st.data())
def test_an_output_in_another_partition_than_its_input_is_misplaced(
    world: tuple[list[Entry], list[Entry]], data: st.DataObject
) -> None:
    inputs, outputs = world
    at = data.draw(st.integers(0, len(outputs) - 1))
    outputs[at] = replace(outputs[at], partition=1 - outputs[at].partition)

    assert found(reconciled(inputs, outputs)) == {"misplaced": 1}


@given(
    worlds(),
    st.sampled_from(
        [
            b"",
            b"x.raw",
            b"x.raw/0",
            b"x.raw/0/",
            b"x.raw/0/-1",
            b"y.raw/0/100",
            b"x.raw/2/100",
            b"x.raw/a/100",
            b"x.raw/0/a",
        ]
    ),
)
def test_an_output_that_names_no_origin_is_stray(world: tuple[list[Entry], list[Entry]], name: bytes) -> None:
    inputs, outputs = world
    nobody_s = replace(outputs[0], headers=[("chatguard-origin", name), ("chatguard-verdict", b"pass")])

    assert found(reconciled(inputs, [*outputs, nobody_s])) == {"stray": 1}
    assert found(reconciled(inputs, [*outputs, replace(nobody_s, headers=[])])) == {"stray": 1}


@given(worlds(), st.data())
def test_what_is_written_again_is_duplicated_and_not_out_of_order(
    world: tuple[list[Entry], list[Entry]], data: st.DataObject
) -> None:
    inputs, outputs = world
    again = data.draw(st.lists(st.sampled_from(outputs), min_size=1))

    assert found(reconciled(inputs, [*outputs, *again])) == {"duplicated": len(again)}


def test_two_neighbours_that_changed_places_are_out_of_order() -> None:
    inputs = [raw(0, START), raw(0, START + 1)]
    first, second = (output(entry, b"pass") for entry in inputs)

    assert found(reconciled(inputs, [second, first])) == {"out_of_order": 1}


def test_an_output_of_an_offset_that_holds_no_record_is_stray() -> None:
    first, gap, third = raw(0, START), raw(0, START + 1), raw(0, START + 2)

    report = reconciled([first, third], [output(entry, b"pass") for entry in (first, gap, third)])

    assert found(report) == {"stray": 1}
    assert report.examples == {"stray": ("x.delivered/0/1",)}


def test_outputs_of_what_raw_no_longer_holds_and_of_what_came_later_are_left_out() -> None:
    before, now, later = raw(0, START - 1), raw(0, START), raw(0, START + 1)

    report = reconciled([now], [output(entry, b"pass") for entry in (before, now, later)])

    assert report.clean
    assert report.delivered == 1
    assert "x.raw/0/100" in report.notes[0]


def test_a_header_of_the_input_s_former_life_does_not_count() -> None:
    source = raw(0, START)
    judged = output(source, b"pass")
    former = [("chatguard-origin", b"x.raw/1/7"), ("chatguard-verdict", b"dead")]

    assert reconciled([source], [replace(judged, headers=[*former, *judged.headers])]).clean


def test_what_an_output_no_longer_holds_is_not_called_lost() -> None:
    inputs = [raw(0, START + at) for at in range(6)]
    outputs = [output(inputs[2], b"pass"), output(inputs[3], b"block"), output(inputs[5], b"pass")]

    report = reconciled(inputs, outputs, truncated=[Topic.FLAGGED])

    assert found(report) == {"lost": 1}  # offset 104; 100 and 101 stood perhaps before 103
    assert report.examples == {"lost": ("x.raw/0/104",)}
    assert "2 records before x.raw/0/103" in "".join(report.notes)


def test_nothing_is_called_lost_when_an_output_holds_nothing_any_more() -> None:
    inputs = [raw(0, START), raw(0, START + 1)]

    assert found(reconciled(inputs, [output(inputs[1], b"pass")], truncated=[Topic.FLAGGED])) == {}


def test_what_raw_forgot_while_it_was_read_is_left_out() -> None:
    ledger = Ledger(PREFIX, {0: (START, START + 4)})
    ledger.enter(0, [raw(0, START), raw(0, START + 1), raw(0, START + 3)])
    ledger.forget(0, START + 2)
    ledger.settle(Topic.DELIVERED, 0, [output(raw(0, START + at), b"pass") for at in (0, 1, 3)])

    report = ledger.report()

    assert report.clean
    assert (report.messages, report.delivered) == (1, 1)


def test_a_reminder_is_counted_once_and_needs_an_id() -> None:
    source = raw(0, START)
    ledger = Ledger(PREFIX, {0: (START, START + 1)})
    ledger.enter(0, [source])
    values = [b'{"reminder_id":"a"}', b'{"reminder_id":"b"}', b'{"reminder_id":"a"}', b"{}", b"[]", b"not JSON", None]
    ledger.remind(5, [replace(output(source, b"block"), value=value, offset=at) for at, value in enumerate(values)])

    report = ledger.report()

    assert (report.reminders, report.repeated) == (7, 5)
    assert report.examples["repeated"][0] == "x.reminder/5/2"


def test_of_each_fault_ten_examples_are_enough() -> None:
    inputs = [raw(0, START + at) for at in range(30)]

    report = reconciled(inputs, [])

    assert report.lost == 30
    assert len(report.examples["lost"]) == 10
