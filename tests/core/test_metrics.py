"""Metrics: what is counted, what a label may say, and that Prometheus understands it."""

import re
from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from processor.ops.catalogue import CATALOGUE, LANE_STATES, PREFIX
from processor.ops.metrics import SAMPLE, LaneReading, Metrics
from processor.ops.series import Distribution, Series

METRICS = {metric.name: metric for metric in CATALOGUE}
COUNTS = st.integers(1, 10**6)


@dataclass(frozen=True, kw_only=True)
class Tally:
    verdicts: Counter[str] = field(default_factory=Counter)
    hits: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    fraud: Counter[tuple[str, str]] = field(default_factory=Counter)
    shadow: Counter[str] = field(default_factory=Counter)
    reminders: Counter[str] = field(default_factory=Counter)
    dead: Counter[str] = field(default_factory=Counter)
    tenants: Counter[tuple[str, str]] = field(default_factory=Counter)


@dataclass(frozen=True, kw_only=True)
class Reading:
    version: int
    digest: str
    mode: str
    share: float
    flagged: float | None = None
    flagged_in_force: float | None = None


@dataclass(frozen=True, kw_only=True)
class Finding:
    mode: str
    verdicts: Counter[str] = field(default_factory=Counter)
    changes: Counter[tuple[str, str]] = field(default_factory=Counter)


@dataclass(frozen=True)
class Stamped:
    timestamp: int


def shown(metrics: Metrics) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """What a scrape sees, as Prometheus itself would read it."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(generate_latest(metrics.registry).decode())
        for sample in family.samples
    }


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return shown(metrics).get((PREFIX + name, frozenset(labels.items())))


def used() -> Metrics:
    metrics = Metrics(tenant_label=True)
    metrics.report(
        Tally(
            verdicts=Counter({"pass": 3, "block": 1, "dead": 1}),
            hits=Counter({("fraud", "high", "base"): 2}),
            fraud=Counter({("GJ", "review"): 1}),
            shadow=Counter({"FR-GJ-009": 1}),
            reminders=Counter({"sent": 1}),
            dead=Counter({"malformed": 1}),
            tenants=Counter({("t1", "pass"): 3}),
        )
    )
    metrics.committed([Stamped(1_000)], now_ms=1_250, judge_seconds=0.001, commit_seconds=0.02)
    metrics.lanes({0: LaneReading(state="running", lag=7, conversations=2)})
    metrics.rulesets({"base": (1, "ab" * 32), "tenant:t1": (2, "cd" * 32)})
    metrics.ruleset_reloaded("loaded", 0.5)
    metrics.redis(up=True, checked_at=1_700_000_000.5)
    metrics.loop_lag(0.002)
    metrics.trial("begun")
    metrics.trials({"base": Reading(version=3, digest="ef" * 32, mode="shadow", share=0.5, flagged=0.1)})
    metrics.tried([Finding(mode="shadow", changes=Counter({("pass", "block"): 2}))])
    metrics.tried([Finding(mode="canary", verdicts=Counter({"block": 2}))])
    return metrics


def test_every_metric_of_the_catalogue_is_shown_with_its_labels_and_no_other_is() -> None:
    families = {
        family.name: family for family in text_string_to_metric_families(generate_latest(used().registry).decode())
    }
    ours = {name.removeprefix(PREFIX): family for name, family in families.items() if name.startswith(PREFIX)}
    assert {name.removesuffix("_total") for name in METRICS} == {name.removesuffix("_total") for name in ours}
    for name, metric in METRICS.items():
        family = ours[name] if name in ours else ours[name.removesuffix("_total")]
        assert (metric.kind, metric.meaning) == (family.type, family.documentation.replace('\\"', '"'))
        assert all(set(metric.labels) == sample.labels.keys() - {"le"} for sample in family.samples), name
        assert family.samples, name


def test_names_and_help_follow_the_conventions_of_prometheus() -> None:
    for metric in CATALOGUE:
        assert re.fullmatch(r"[a-z][a-z0-9_]*", metric.name)
        assert metric.name.endswith("_total") == (metric.kind == "counter"), metric.name
        assert not re.search(
            r"_(count|sum|bucket|milliseconds|ms|minutes|kilobytes|percent|gauge|histogram)$", metric.name
        )
        assert metric.meaning.endswith(".")
        assert len(metric.labels) == len(set(metric.labels))
        assert list(metric.buckets) == sorted(set(metric.buckets))
        assert bool(metric.buckets) == (metric.kind == "histogram")


def test_no_label_names_a_person_a_conversation_or_a_word() -> None:
    labels = {label for metric in CATALOGUE for label in metric.labels}
    assert labels == {
        "after",
        "band",
        "before",
        "by",
        "category",
        "digest",
        "event",
        "kind",
        "lexicon",
        "mode",
        "outcome",
        "partition",
        "python",
        "reason",
        "result",
        "rule",
        "scope",
        "severity",
        "state",
        "tenant",
        "type",
        "verdict",
        "version",
    }


def test_labels_that_others_choose_are_capped() -> None:
    chosen_by_others = {"category", "type", "rule"}
    assert all(metric.cap for metric in CATALOGUE if chosen_by_others & set(metric.labels))


def test_counters_with_known_labels_stand_at_zero_from_the_start() -> None:
    assert value(Metrics(), "messages_total", verdict="dead") == 0
    assert value(Metrics(), "transactions_total", outcome="aborted") == 0


@given(st.lists(st.dictionaries(st.sampled_from(["pass", "mask", "review", "block", "dead"]), COUNTS)))
def test_batches_add_up(batches: list[dict[str, int]]) -> None:
    metrics = Metrics()
    for batch in batches:
        metrics.report(Tally(verdicts=Counter(batch)))
    total: Counter[str] = sum(map(Counter, batches), Counter())
    for verdict in ("pass", "mask", "review", "block", "dead"):
        assert total[verdict] == value(metrics, "messages_total", verdict=verdict)


def test_tenants_are_not_named_unless_asked_for() -> None:
    metrics = Metrics()
    metrics.report(Tally(tenants=Counter({("acme", "pass"): 1})))
    metrics.rulesets({"base": (1, "ab" * 32), "tenant:acme": (1, "cd" * 32)})
    assert b"acme" not in generate_latest(metrics.registry)


def test_tenants_past_the_cap_count_together_and_those_named_before_stay_named() -> None:
    metrics = Metrics(tenant_label=True, tenant_cap=2)
    for tenant in ("t1", "t2", "t3", "t4", "t1"):
        metrics.report(Tally(tenants=Counter({(tenant, "pass"): 1, (tenant, "block"): 1})))
    by_tenant = {
        tenant: value(metrics, "messages_by_tenant_total", tenant=tenant, verdict="block") for tenant in TENANTS
    }
    assert by_tenant == {"t1": 2, "t2": 1, "t3": None, "t4": None, "other": 2}


TENANTS = ("t1", "t2", "t3", "t4", "other")


@given(st.lists(st.tuples(st.text(min_size=1, max_size=3), COUNTS)), st.integers(1, 5))
def test_a_cap_bounds_the_series_and_loses_no_count(events: list[tuple[str, int]], cap: int) -> None:
    series = Series(METRICS["fraud_shadow_total"], cap)
    for rule, amount in events:
        series.add((rule,), amount)
    assert len(series.values) <= cap + 1
    assert sum(amount for _, amount in events) == sum(series.values.values())


@given(st.lists(st.floats(0, 10_000), min_size=1))
def test_a_histogram_of_all_values_is_exact(values: list[float]) -> None:
    metric = METRICS["message_age_seconds"]
    distribution = Distribution(metric)
    distribution.observe_sample(values, of=len(values))
    expected = Counter(bisect_left(metric.buckets, one) for one in values)
    assert [sum(expected[place] for place in range(upto + 1)) for upto in range(len(metric.buckets) + 1)] == [
        sample.value for sample in distribution.family().samples if sample.name.endswith("_bucket")
    ]


@given(st.lists(st.lists(st.integers(0, 10**7), min_size=1, max_size=3 * SAMPLE)))
def test_every_message_of_a_batch_counts_in_the_histogram_of_ages(batches: list[list[int]]) -> None:
    metrics = Metrics()
    for timestamps in batches:
        inputs = [Stamped(timestamp) for timestamp in timestamps]
        metrics.committed(inputs, now_ms=10**6, judge_seconds=0, commit_seconds=0)
    messages = sum(map(len, batches))
    assert messages == value(metrics, "message_age_seconds_count")
    assert messages == value(metrics, "message_age_seconds_bucket", le="+Inf")
    assert messages == value(metrics, "batch_records_sum")
    assert len(batches) == value(metrics, "transactions_total", outcome="committed")


def test_a_sample_stands_for_its_batch() -> None:
    metrics = Metrics()
    inputs = [Stamped(0 if number < 1_600 else 9_000) for number in range(2_000)]
    metrics.committed(inputs, now_ms=10_000, judge_seconds=0, commit_seconds=0)
    assert value(metrics, "message_age_seconds_bucket", le="1.0") == 400
    assert value(metrics, "message_age_seconds_bucket", le="10.0") == 2_000


def test_a_clock_that_runs_ahead_gives_no_negative_age() -> None:
    metrics = Metrics()
    metrics.committed([Stamped(2_000)], now_ms=1_000, judge_seconds=0, commit_seconds=0)
    assert value(metrics, "message_age_seconds_sum") == 0


def test_a_partition_that_moved_away_is_shown_no_more() -> None:
    metrics = Metrics()
    metrics.lanes(
        {
            0: LaneReading(state="running", lag=1, conversations=1),
            1: LaneReading(state="starting", lag=None, conversations=0),
        }
    )
    assert value(metrics, "assigned_partitions") == 2
    assert None is value(metrics, "lag_records", partition="1")
    metrics.lanes({1: LaneReading(state="running", lag=5, conversations=3)})
    assert value(metrics, "assigned_partitions") == 1
    for name in ("lag_records", "conversations"):
        assert None is value(metrics, name, partition="0")
    assert None is value(metrics, "lane_state", partition="0", state="running")


@pytest.mark.parametrize("state", LANE_STATES)
def test_a_lane_is_in_exactly_one_state(state: str) -> None:
    metrics = Metrics()
    metrics.lanes({0: LaneReading(state=state, lag=0, conversations=0)})
    assert {other: float(other == state) for other in LANE_STATES} == {
        other: value(metrics, "lane_state", partition="0", state=other) for other in LANE_STATES
    }


def test_a_replaced_ruleset_is_shown_no_more() -> None:
    metrics = Metrics()
    metrics.rulesets({"base": (1, "ab" * 32)})
    metrics.rulesets({"base": (2, "cd" * 32)})
    assert None is value(metrics, "ruleset_info", scope="base", version="1", digest="abababababab")
    assert value(metrics, "ruleset_info", scope="base", version="2", digest="cdcdcdcdcdcd") == 1


def test_workers_have_one_fingerprint_if_and_only_if_they_hold_the_same_overlays() -> None:
    base = {"base": (1, "ab" * 32)}
    one, two = {"tenant:a": (1, "11" * 32)}, {"tenant:b": (1, "22" * 32)}
    assert fingerprint(base | one | two) == fingerprint(two | one | {"base": (2, "ef" * 32)})
    assert len({fingerprint(held) for held in (base, base | one, base | two, base | {"tenant:a": (2, "11" * 32)})}) == 4


def test_what_is_tried_out_is_shown_with_its_share_and_what_its_guard_sees() -> None:
    metrics = Metrics()
    tried = Reading(version=3, digest="ef" * 32, mode="canary", share=0.05, flagged=0.02, flagged_in_force=0.01)
    metrics.trials({"base": tried, "tenant:acme": tried})
    assert value(metrics, "rollout_share", scope="base", version="3", digest="ef" * 6, mode="canary") == 0.05
    assert value(metrics, "rollout_flagged_share", scope="base", version="3", by="candidate") == 0.02
    assert value(metrics, "rollout_flagged_share", scope="base", version="3", by="in_force") == 0.01
    assert b"acme" not in generate_latest(metrics.registry)
    metrics.trials({})
    assert b"rollout_share{" not in generate_latest(metrics.registry)


def test_a_canary_counts_what_it_decided_and_a_shadow_what_would_have_changed() -> None:
    metrics = Metrics()
    metrics.tried(
        [
            Finding(mode="shadow", verdicts=Counter({"block": 2}), changes=Counter({("pass", "block"): 2})),
            Finding(mode="canary", verdicts=Counter({"review": 3})),
            Finding(mode="probation", verdicts=Counter({"review": 5})),
        ]
    )
    assert value(metrics, "shadow_verdicts_total", before="pass", after="block") == 2
    assert value(metrics, "canary_verdicts_total", verdict="review") == 3
    assert value(metrics, "canary_verdicts_total", verdict="block") == 0


def fingerprint(in_force: dict[str, tuple[int, str]]) -> float | None:
    metrics = Metrics()
    metrics.rulesets(in_force)
    return value(metrics, "tenant_rulesets_fingerprint")


def test_a_state_is_read_when_it_is_scraped() -> None:
    metrics, lag = Metrics(), iter([4, 9])
    metrics.refresh_with(lambda: metrics.lanes({0: LaneReading(state="running", lag=next(lag), conversations=0)}))
    assert [value(metrics, "lag_records", partition="0") for _ in range(2)] == [4, 9]


def test_two_sets_of_metrics_share_nothing() -> None:
    one, other = Metrics(), Metrics()
    one.report(Tally(verdicts=Counter({"pass": 1})))
    assert value(other, "messages_total", verdict="pass") == 0


def test_the_process_tells_its_memory_and_processor_time() -> None:
    names = {name for name, _ in shown(Metrics())}
    assert {"process_resident_memory_bytes", "process_cpu_seconds_total"} <= names
