"""What is done to whole batches gives what it would give message by message."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from processor.stream.codec import decode, decode_all, time_of
from processor.stream.lane import split

MESSAGE = b'{"message_id":"m","tenant_id":"t","conversation_id":"c","sender_id":"s","type":"text"%b}'


@dataclass(frozen=True)
class Given:
    """A record as it was read."""

    value: bytes | None
    timestamp: int = 7
    offset: int = 0
    key: bytes | None = b"c"
    headers: Sequence[tuple[str, bytes]] = field(default=())


values = st.one_of(
    st.none(),
    st.binary(max_size=20),
    st.integers().map(lambda at: MESSAGE % b',"sent_at":%d' % at),
    st.sampled_from([MESSAGE % b"", MESSAGE % b',"content":1', MESSAGE % b',"content":"\xff"', b"[" * 5000, b"null"]),
)


@given(st.lists(values, max_size=6))
def test_a_batch_decodes_to_what_its_records_decode_to(batch: list[bytes | None]) -> None:
    inputs = [Given(value, timestamp=number) for number, value in enumerate(batch)]
    items, times = decode_all(inputs)
    assert items == [decode(value) for value in batch]
    assert times == [time_of(item, number) for number, item in enumerate(items)]


@given(st.lists(st.integers(0, 9)), st.integers(1, 20))
def test_batches_keep_all_records_in_order_and_are_small_or_of_one(sizes: list[int], most: int) -> None:
    records = [Given(b"x" * size if size else None, offset=number) for number, size in enumerate(sizes)]
    batches = list(split(records, most))  # type: ignore[arg-type]
    assert [record for batch in batches for record in batch] == records
    lengths = [[len(record.value or b"") for record in batch] for batch in batches]
    assert all(batch and (sum(batch) <= most or len(batch) == 1) for batch in lengths)
    assert all(sum(one) + other[0] > most for one, other in pairwise(lengths))
