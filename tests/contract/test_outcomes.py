"""Statistics of rules from the topics of a real broker."""

import json
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from typer.testing import CliRunner

from processor.cli import app
from processor.embedded import Kafka
from processor.errors import Misconfigured
from processor.feedback import Ledger
from processor.model import Topic
from processor.stream.contract import Contract, load
from processor.stream.outcomes import read_outcomes
from processor.stream.topics import apply
from tests.core.test_feedback import RULE, flagged, reminder, said

pytestmark = pytest.mark.services


async def write(kafka: Kafka, prefix: str, *, commit: bool, **values: list[dict[str, Any]]) -> None:
    """Values by topic, in one transaction."""
    producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap_servers, transactional_id=f"{prefix}-writer")
    await producer.start()
    try:
        await producer.begin_transaction()
        for topic, some in values.items():
            for value in some:
                await producer.send_and_wait(prefix + topic, json.dumps(value).encode())
        await (producer.commit_transaction() if commit else producer.abort_transaction())
    finally:
        await producer.stop()


async def test_the_three_topics_join_and_what_was_aborted_does_not_count(kafka: Kafka, prefix: str) -> None:
    client = {"bootstrap_servers": kafka.bootstrap_servers}
    await apply(client, prefix, partitions=2, replication=1)
    values: dict[str, list[dict[str, Any]]] = {
        "reminder": [reminder(1), reminder(2, "m2")],
        "flagged": [flagged("m2"), flagged("m3")],
        "feedback": [said("confirmed", reminder_id="r1"), said("rejected", message_id="m3"), said("paid", by="user")],
    }
    await write(kafka, prefix, commit=True, **values)
    await write(
        kafka, prefix, commit=False, feedback=[said("rejected", at=99, reminder_id="r1")], flagged=[flagged("m9")]
    )
    ledger, seen = Ledger(), [(0, 0)]

    await read_outcomes(client, prefix, ledger.add, lambda done, total: seen.append((done, total)))

    (row,) = ledger.report().rules
    assert (row.rule, row.fired, row.reminded, row.flagged) == (RULE, 3, 2, 2)
    assert (row.confirmed, row.rejected, row.paid, row.precision) == (1, 1, 1, 0.5)
    assert seen[-1][0] == seen[-1][1] > 0


async def test_without_a_feedback_topic_there_is_no_feedback_and_without_the_others_that_is_told(
    kafka: Kafka, prefix: str
) -> None:
    client = {"bootstrap_servers": kafka.bootstrap_servers}
    with pytest.raises(Misconfigured) as refused:
        await read_outcomes(client, prefix, Ledger().add)
    assert len(refused.value.problems) == 2
    contracts: dict[Topic, Contract] = {
        topic: contract for topic, contract in load().items() if topic in {Topic.REMINDER, Topic.FLAGGED}
    }
    await apply(client, prefix, partitions=1, replication=1, contracts=contracts)
    await write(kafka, prefix, commit=True, reminder=[reminder()])
    ledger = Ledger()
    await read_outcomes(client, prefix, ledger.add)
    assert [row.fired for row in ledger.report().rules] == [1]


def test_the_command_reads_the_topics_that_the_settings_name(kafka: Kafka, prefix: str) -> None:
    environment = {"CHATGUARD_KAFKA__BOOTSTRAP_SERVERS": kafka.bootstrap_servers, "CHATGUARD_TOPICS__PREFIX": prefix}
    made = CliRunner().invoke(
        app, ["topics", "apply", "--partitions", "1", "--replication-factor", "1"], env=environment
    )
    assert made.exit_code == 0, made.output
    shown = CliRunner().invoke(app, ["rules", "stats"], env=environment)
    assert (shown.exit_code, shown.output) == (0, "0 messages, 0 feedback\n")
