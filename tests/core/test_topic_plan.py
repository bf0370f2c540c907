"""What is missing, what differs, and with which topics a worker must not start."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.model import Topic
from processor.stream.contract import load
from processor.stream.topics import Cluster, Difference, Plan, TopicState, faults, plan

CONTRACTS = load()
PREFIX = "x."
EMPTY = Cluster(brokers=3, topics={})

counts = st.integers(1, 100)


def created(made: Plan, cluster: Cluster = EMPTY) -> Cluster:
    """The cluster after the plan's missing topics were created."""
    topics = {
        topic.name: TopicState(partitions=topic.partitions, replication=topic.replication, config=topic.config)
        for topic in made.missing
    }
    return replace(cluster, topics={**cluster.topics, **topics})


GOOD = created(plan(CONTRACTS, EMPTY, prefix=PREFIX))


def changed(topic: Topic, **changes: object) -> Cluster:
    state = replace(GOOD.topics[PREFIX + topic], **changes)  # type: ignore[arg-type]
    return replace(GOOD, topics={**GOOD.topics, PREFIX + topic: state})


def configured(topic: Topic, **config: str) -> Cluster:
    before = GOOD.topics[PREFIX + topic].config
    assert before is not None
    return changed(topic, config={**before, **{name.replace("_", "."): value for name, value in config.items()}})


def without(*topics: Topic) -> Cluster:
    gone = {PREFIX + topic for topic in topics}
    return replace(GOOD, topics={name: state for name, state in GOOD.topics.items() if name not in gone})


@given(st.none() | counts, st.none() | counts, st.sets(st.sampled_from(Topic)))
def test_after_the_missing_topics_are_created_nothing_is_left_to_do(
    partitions: int | None, replication: int | None, missing: set[Topic]
) -> None:
    full = created(plan(CONTRACTS, EMPTY, prefix=PREFIX, partitions=partitions, replication=replication))
    before = replace(full, topics={name: s for name, s in full.topics.items() if Topic(name[2:]) not in missing})

    first = plan(CONTRACTS, before, prefix=PREFIX, partitions=partitions, replication=replication)
    after = created(first, before)
    second = plan(CONTRACTS, after, prefix=PREFIX, partitions=partitions, replication=replication)

    assert {topic.name for topic in first.missing} == {PREFIX + topic for topic in missing}
    assert second.done
    assert faults(CONTRACTS, after, prefix=PREFIX) == []


def test_topics_are_wanted_with_as_many_partitions_as_raw_has() -> None:
    cluster = replace(EMPTY, topics={"x.raw": replace(GOOD.topics["x.raw"], partitions=7)})

    made = plan(CONTRACTS, cluster, prefix=PREFIX)

    assert {topic.partitions for topic in made.missing} == {7}
    assert made.fine == ("x.raw",)


@pytest.mark.parametrize(("replication", "insync"), [(1, "1"), (2, "1"), (3, "2"), (5, "2")])
def test_one_replica_may_always_be_away_if_there_is_another(replication: int, insync: str) -> None:
    made = plan(CONTRACTS, EMPTY, prefix=PREFIX, replication=replication)

    assert {topic.config["min.insync.replicas"] for topic in made.missing} == {insync}


@pytest.mark.parametrize(
    ("cluster", "what", "wanted", "actual"),
    [
        (changed(Topic.FLAGGED, partitions=5), "partitions", "12", "5"),
        (changed(Topic.FLAGGED, replication=1), "replication factor", "3", "1"),
        (configured(Topic.FLAGGED, retention_ms="-1"), "retention.ms", "2592000000", "-1"),
        (configured(Topic.FLAGGED, cleanup_policy="compact"), "cleanup.policy", "delete", "compact"),
        (changed(Topic.FLAGGED, config={}), "max.message.bytes", "4194304", "unknown"),
    ],
)
def test_a_point_that_differs_is_named_with_both_values(cluster: Cluster, what: str, wanted: str, actual: str) -> None:
    made = plan(CONTRACTS, cluster, prefix=PREFIX)

    assert Difference(name="x.flagged", what=what, wanted=wanted, actual=actual) in made.differing
    assert {"x.flagged"} == {difference.name for difference in made.differing}
    assert "x.flagged" not in made.fine
    assert not made.missing


@pytest.mark.parametrize(
    "same",
    [
        configured(Topic.CONVERSATIONS, cleanup_policy="delete,compact"),
        configured(Topic.CONVERSATIONS, min_cleanable_dirty_ratio="0.10"),
        configured(Topic.CONVERSATIONS, file_delete_delay_ms="1"),
    ],
)
def test_another_spelling_of_a_setting_and_settings_of_no_contract_do_not_differ(same: Cluster) -> None:
    assert plan(CONTRACTS, same, prefix=PREFIX).done


def test_the_push_service_may_choose_its_own_partition_count() -> None:
    cluster = changed(Topic.REMINDER, partitions=3)

    assert plan(CONTRACTS, cluster, prefix=PREFIX).done
    assert not plan(CONTRACTS, cluster, prefix=PREFIX, partitions=12).done
    assert faults(CONTRACTS, cluster, prefix=PREFIX) == []


@pytest.mark.parametrize("topic", [topic for topic in Topic if topic is not Topic.FEEDBACK])
def test_a_worker_needs_every_topic(topic: Topic) -> None:
    (problem,) = faults(CONTRACTS, without(topic), prefix=PREFIX)

    assert f"x.{topic} does not exist" in problem
    assert "chatguard topics apply" in problem


@pytest.mark.parametrize("topic", [Topic.DELIVERED, Topic.FLAGGED, Topic.DEAD_LETTER, Topic.CONVERSATIONS])
@pytest.mark.parametrize("partitions", [11, 13])
def test_a_worker_needs_as_many_partitions_as_raw_has(topic: Topic, partitions: int) -> None:
    (problem,) = faults(CONTRACTS, changed(topic, partitions=partitions), prefix=PREFIX)

    assert f"x.{topic} has {partitions} partitions but raw has 12" in problem


@pytest.mark.parametrize("topic", [topic for topic in Topic if topic not in {Topic.RAW, Topic.FEEDBACK}])
@pytest.mark.parametrize("limit", [1000, 1048576])
def test_a_worker_needs_outputs_that_take_more_than_raw(topic: Topic, limit: int) -> None:
    (problem,) = faults(CONTRACTS, configured(topic, max_message_bytes=str(limit)), prefix=PREFIX)

    assert f"x.{topic} takes records of {limit} bytes" in problem


@pytest.mark.parametrize("topic", [topic for topic in Topic if topic is not Topic.FEEDBACK])
def test_a_worker_refuses_a_cleanup_that_loses_records(topic: Topic) -> None:
    wrong = "delete" if topic is Topic.CONVERSATIONS else "compact"

    (problem,) = faults(CONTRACTS, configured(topic, cleanup_policy=wrong), prefix=PREFIX)

    assert f"cleanup.policy={wrong}" in problem


def test_a_worker_refuses_topics_that_no_one_can_write_to() -> None:
    (problem,) = faults(CONTRACTS, changed(Topic.DELIVERED, replication=1), prefix=PREFIX)

    assert "x.delivered wants 2 in-sync replicas and has 1" in problem


def test_a_worker_says_so_when_it_may_not_read_the_configuration() -> None:
    (problem,) = faults(CONTRACTS, changed(Topic.DELIVERED, config=None), prefix=PREFIX)

    assert "DescribeConfigs" in problem


def test_a_worker_has_no_need_of_feedback() -> None:
    assert faults(CONTRACTS, without(Topic.FEEDBACK), prefix=PREFIX) == []
    assert faults(CONTRACTS, changed(Topic.FEEDBACK, partitions=1, config=None), prefix=PREFIX) == []


def test_everything_wrong_is_said_at_once() -> None:
    cluster = replace(without(Topic.REMINDER), topics={**without(Topic.REMINDER).topics})
    cluster = replace(cluster, topics={**cluster.topics, "x.flagged": replace(GOOD.topics["x.flagged"], partitions=1)})

    assert len(faults(CONTRACTS, cluster, prefix=PREFIX)) == 2
