"""Logs: one line per event, and nobody's words in it."""

import json
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.errors import LaneLost
from processor.model import Hit, Severity
from processor.ops.logging import PERSONAL, formatter

SECRET = "他说的话"


def line(message: str, *args: object, **extra: object) -> str:
    """What is written for one call of a logger; `error` is what it reports, as `exc_info` does."""
    error = extra.pop("error", None)
    raised = (type(error), error, error.__traceback__) if isinstance(error, BaseException) else None
    record = logging.getLogger("processor.stream.lane").makeRecord(
        "processor.stream.lane", logging.WARNING, "lane.py", 1, message, args, raised, extra=extra
    )
    return formatter("json").format(record)


def test_a_line_is_one_json_object_that_says_when_how_grave_where_and_what() -> None:
    written = json.loads(line("lane %s", "lost", partition=3))
    assert list(written) == ["timestamp", "level", "logger", "event", "partition"]
    assert tuple(written.values())[1:] == ("warning", "processor.stream.lane", "lane lost", 3)


@pytest.mark.parametrize("name", sorted(PERSONAL - {"message"}))
def test_a_field_that_may_hold_a_persons_words_is_withheld(name: str) -> None:
    written = json.loads(line("event", **{name: SECRET}, context={name: SECRET, "partition": 3}))
    assert written[name] == "withheld"
    assert {name: "withheld", "partition": 3} == written["context"]


class Unknown:
    def __repr__(self) -> str:
        return SECRET


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (SECRET.encode(), "<bytes>"),
        (Unknown(), "<Unknown>"),
        ([Unknown()], ["<Unknown>"]),
        ({"inner": {"deep": (SECRET.encode(),)}}, {"inner": {"deep": ["<bytes>"]}}),
        (ValueError(SECRET), "ValueError (text withheld)"),
        (
            Hit(
                term=SECRET,
                text=SECRET,
                start=0,
                end=4,
                field="content",
                category="fraud",
                severity=Severity.HIGH,
                lexicon="base",
            ),
            "<Hit>",
        ),
    ],
)
def test_of_a_value_that_is_not_plain_only_the_type_is_written(value: object, written: object) -> None:
    assert written == json.loads(line("event", found=value))["found"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(st.dictionaries(st.from_regex(r"x_[a-z]{1,5}", fullmatch=True), json_values))
def test_whatever_is_logged_is_one_line_of_json(extra: dict[str, object]) -> None:
    written = line("event", **extra)
    assert "\n" not in written
    assert extra.keys() <= json.loads(written).keys()


def lose_a_lane() -> None:
    known: dict[str, str] = {}
    try:
        known[SECRET]
    except KeyError as error:
        raise LaneLost("the transaction failed") from error


def test_the_text_of_an_error_is_written_only_if_it_cannot_quote_a_message() -> None:
    with pytest.raises(LaneLost) as caught:
        lose_a_lane()
    written = json.loads(line("lane lost", error=caught.value))
    assert written["error"] == ["LaneLost: the transaction failed", "KeyError (text withheld)"]
    assert [place.rpartition("/")[2].partition(":")[0] for place in written["where"]] == ["test_logging.py"] * 2


def test_of_a_librarys_message_only_the_first_line_is_written() -> None:
    text = f"Task exception was never retrieved\nfuture: <Task exception=ValueError('{SECRET}')>"
    assert json.loads(line(text))["event"] == "Task exception was never retrieved"


def test_the_console_shows_the_same_fields_and_withholds_the_same() -> None:
    record = logging.makeLogRecord({"name": "processor", "msg": "lane lost", "partition": 3, "content": SECRET})
    written = formatter("console").format(record)
    assert "lane lost" in written
    assert "partition=3" in written
    assert SECRET not in written
