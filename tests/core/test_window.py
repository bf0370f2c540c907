"""What a conversation's window keeps when it may not keep everything."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from processor.fraud.window import (
    MOST_BYTES,
    MOST_SIGNALS,
    PIECE_MS,
    Piece,
    Sighting,
    Window,
    bounded,
    decode,
    encode,
    remember,
)

KEY = st.integers(2**31, 2**32 - 1)  # the longest
PLACE = st.integers(0, 2**24)
NAMES = st.text(alphabet="0123456789abcdef-", min_size=1, max_size=36)  # a UUID is one
TIMES = st.integers(1_700_000_000_000, 1_800_000_000_000)
SIGHTINGS = st.builds(
    Sighting,
    tenant_id=st.just("acme-4f1c2a7e-9b7d-4c1e-8a55-0d6e0c0b"),
    at=TIMES,
    message_id=NAMES,
    sender_id=st.sampled_from(["a", "b"]).map(lambda name: name * 36),
    signals=st.dictionaries(KEY, PLACE, min_size=1, max_size=60).map(lambda each: tuple(sorted(each.items()))),
)
PIECES = st.builds(
    Piece,
    tenant_id=st.just("acme-4f1c2a7e-9b7d-4c1e-8a55-0d6e0c0b"),
    sender_id=st.sampled_from(["a", "b"]).map(lambda name: name * 36),
    at=TIMES,
    text=st.text(alphabet="贷款枪支", min_size=1, max_size=12),
    messages=st.lists(NAMES, min_size=1, max_size=5).map(tuple),
)


def sighting(number: int, *keys: int, sender: str = "a", **changes: Any) -> Sighting:
    fields: dict[str, Any] = {"tenant_id": "t", "at": number, "message_id": f"m{number}".rjust(36, "-")}
    signals = tuple((2**31 + key, 5) for key in sorted(keys))
    return Sighting(**{**fields, "sender_id": sender * 36, "signals": signals, **changes})


def kept(window: Window) -> list[int]:
    return [each.at for each in window.sightings]


def talk(*sightings: Sighting) -> Window:
    window: Window | None = None
    for each in sightings:
        window = remember(window, "c" * 36, each)
    assert window
    return window


@given(st.lists(SIGHTINGS | PIECES, min_size=1, max_size=40))
def test_a_window_stays_below_a_kilobyte_and_holds_the_newest(come: list[Sighting | Piece]) -> None:
    window = Window("c" * 36)
    for number, each in enumerate(come):
        if isinstance(each, Sighting):
            new = replace(each, message_id=f"{each.message_id[:32]}/{number}")
            window = remember(window, window.conversation_id, new)
            assert window.sightings[-1].message_id == new.message_id
        else:
            grown = Window(window.conversation_id, window.sightings, (), (*window.pieces, each)[-32:])
            window = bounded(grown, each.tenant_id, each.at)
            assert window.pieces[-1] == each
        assert len(encode(window)) <= MOST_BYTES
        assert decode(encode(window)) == window


@given(st.lists(SIGHTINGS, min_size=1, max_size=30, unique_by=lambda each: each.message_id))
def test_what_is_kept_stands_as_it_came(come: list[Sighting]) -> None:
    window = talk(*come)
    last = {each.message_id: number for number, each in enumerate(come)}
    places = [last[each.message_id] for each in window.sightings if each.message_id in last]
    assert len(window.sightings) <= 20
    assert all(len(each.signals) <= MOST_SIGNALS for each in window.sightings)
    assert places == sorted(places)


def test_messages_that_fit_are_all_kept() -> None:
    assert kept(talk(*(sighting(number, number % 3, message_id=f"m{number}") for number in range(15)))) == [*range(15)]


def test_repeats_drive_out_each_other_and_not_the_only_sign_of_something() -> None:
    window = talk(sighting(0, 1, 2), *(sighting(number, 7) for number in range(1, 60)))
    assert kept(window)[:2] == [0, 1]  # and of what is said again the first time, for the order of things
    assert kept(window)[-1] == 59
    assert len(kept(window)) >= 8


def test_what_somebody_else_says_is_no_repeat() -> None:
    window = talk(sighting(0, 7, sender="b"), *(sighting(number, 7) for number in range(1, 60)))
    assert kept(window)[0] == 0


def test_without_repeats_the_oldest_goes_first() -> None:
    window = talk(*(sighting(number, number) for number in range(60)))
    assert kept(window) == [*range(60 - len(kept(window)), 60)]
    assert len(kept(window)) >= 8


def test_a_message_with_very_long_ids_is_remembered_alone() -> None:
    window = talk(sighting(0, 1), sighting(1, 2, message_id="号" * 512, sender_id="人" * 512))
    assert kept(window) == [1]


def test_one_tenant_takes_nothing_of_anothers_share() -> None:
    theirs = [sighting(number, number, tenant_id="u") for number in range(8)]
    window = talk(*theirs, *(sighting(number, number) for number in range(100, 160)))
    assert kept(window)[:8] == [*range(8)]


def test_pieces_that_are_too_late_to_be_continued_go_first() -> None:
    def piece(at: int) -> Piece:
        return Piece("t", "a" * 36, at, "贷", tuple(f"{at}-{place}".rjust(36, "-") for place in range(4)))

    crowd = Window(
        "c", tuple(sighting(number, number) for number in range(8)), (), (piece(0), piece(1), piece(100_000))
    )
    window = bounded(crowd, "t", 100_000 + PIECE_MS)
    assert [each.at for each in window.pieces] == [100_000]
    assert len(window.sightings) == 8


@given(
    st.lists(
        SIGHTINGS | st.builds(sighting, st.integers(-(2**62), 2**62), KEY.map(lambda key: key - 2**31)), max_size=30
    )
)
def test_a_window_of_any_size_comes_back_from_its_bytes(sightings: list[Sighting]) -> None:
    window = Window("c", tuple(sightings))
    assert decode(encode(window)) == window
