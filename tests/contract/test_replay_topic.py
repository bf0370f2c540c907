"""`chatguard replay` on a topic of a real broker."""

import json
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from typer.testing import CliRunner

from processor.cli import app
from processor.embedded import Kafka
from processor.stream.topics import apply
from tests.core.test_rules_command import RULE, ruleset

pytestmark = pytest.mark.services

BEGUN_MS = 1_767_225_600_000


@pytest.fixture
async def raw(kafka: Kafka, prefix: str) -> str:
    """A topic with a message each minute."""
    await apply({"bootstrap_servers": kafka.bootstrap_servers}, prefix, partitions=2, replication=1)
    producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap_servers)
    await producer.start()
    fields = {"tenant_id": "t", "sender_id": "a", "receiver_ids": ["b"], "type": "text", "content": "刷单转账"}
    for number in range(6):
        value = json.dumps(fields | {"message_id": f"m{number}", "conversation_id": f"c{number}"}).encode()
        at = BEGUN_MS + number * 60_000
        await producer.send_and_wait(f"{prefix}raw", value, partition=number % 2, timestamp_ms=at)
    await producer.stop()
    return f"{prefix}raw"


def test_the_period_asked_for_is_read_and_nothing_else(kafka: Kafka, raw: str, tmp_path: Path) -> None:
    environment = {"CHATGUARD_KAFKA__BOOTSTRAP_SERVERS": kafka.bootstrap_servers}
    new = ruleset(tmp_path / "new", RULE)
    old = ruleset(tmp_path / "old", RULE.replace("status: active", "status: draft"))
    command = ["replay", raw, "--rules", new, "--against", old, "--json"]
    counts = []
    for more in ([], ["--from", "2026-01-01T00:02"], ["--from", "2026-01-01T00:02", "--to", "2026-01-01T00:03"]):
        shown = CliRunner().invoke(app, [*command, *more], env=environment)
        assert shown.exit_code == 0, shown.output
        report = json.loads(shown.output)
        counts.append((report["messages"], report["reminders_after"]))
    assert counts == [(6, 6), (4, 4), (1, 1)]
    late = CliRunner().invoke(app, [*command, "--from", "2030-01-01"], env=environment)
    assert json.loads(late.output)["messages"] == 0
