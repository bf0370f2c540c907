"""The band in which a new ruleset must stay."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from processor.rulesets.guard import Count, Guard, Watch

GUARD = Guard(low=0.01, high=0.1, window=100)
counts = st.integers(0, 60).flatmap(lambda messages: st.builds(Count, st.just(messages), st.integers(0, messages)))


def first_reason(guard: Guard, batches: Sequence[Count]) -> str | None:
    watch = Watch(guard)
    return next((reason for batch in batches if (reason := watch.add(batch))), None)


@given(st.lists(counts), st.floats(0, 1))
def test_a_ruleset_that_flags_less_than_its_cap_in_every_batch_stays(batches: list[Count], high: float) -> None:
    within = [batch for batch in batches if batch.flagged <= high * batch.messages]
    assert first_reason(Guard(high=high, window=100), within) is None


@given(st.lists(counts, max_size=20), st.floats(0.05, 0.9))
def test_a_ruleset_that_flags_everything_goes_within_one_window(before: list[Count], high: float) -> None:
    quiet = [Count(batch.messages, 0) for batch in before]
    assert first_reason(Guard(high=high, window=100), [*quiet, Count(100, 100), Count(1, 1)])


def test_too_many_is_told_as_soon_as_it_is_certain_for_the_whole_window() -> None:
    assert first_reason(GUARD, [Count(10, 5), Count(5, 5)]) is None
    assert first_reason(GUARD, [Count(10, 5), Count(6, 6)]) == "it flags 11 of the last 16 messages, more than 10%"


def test_too_few_is_told_only_of_a_full_window() -> None:
    watch = Watch(GUARD)
    assert watch.add(Count(99, 0)) is None
    assert watch.add(Count(1, 0)) == "it flags 0 of the last 100 messages, less than 1%"
    assert Watch(Guard(high=0.1, window=100)).add(Count(500, 0)) is None


def test_what_was_long_ago_counts_no_more() -> None:
    watch = Watch(GUARD)
    for batch in [Count(50, 5)] + [Count(10, 0)] * 9 + [Count(10, 1)]:
        assert watch.add(batch) is None
    assert watch.share == 0.01


def test_traffic_that_the_ruleset_in_force_flags_as_well_is_not_the_new_ones_fault() -> None:
    flood, calm = Count(100, 80, 100, 75), Count(100, 80, 100, 2)
    assert first_reason(GUARD, [flood] * 5) is None
    assert "where the ruleset in force flags 2%" in (first_reason(GUARD, [calm]) or "")
    assert first_reason(GUARD, [Count(100, 0, 1_000, 1)]) is None
    assert first_reason(GUARD, [Count(100, 0, 1_000, 30)]) is not None


def test_batches_without_a_message_of_the_candidate_take_no_place() -> None:
    watch = Watch(Guard(window=100))
    for _ in range(1_000):
        watch.add(Count(0, 0, 10, 1))
    assert len(watch._batches) == 1
    assert watch.share_in_force == 0.1
