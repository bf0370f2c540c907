"""`chatguard topics` and `chatguard reconcile` as an operator runs them, in a pipe."""

import asyncio
import json
from collections.abc import Callable

import pytest
import typer
import yaml
from aiokafka import AIOKafkaProducer
from typer.testing import CliRunner, Result

from processor.cli import reconcile, topics
from processor.embedded import Kafka
from processor.model import Topic

pytestmark = pytest.mark.services

Run = Callable[..., Result]


@pytest.fixture
def run(kafka: Kafka, prefix: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("CHATGUARD_KAFKA__BOOTSTRAP_SERVERS", kafka.bootstrap_servers)
    monkeypatch.setenv("CHATGUARD_TOPICS__PREFIX", prefix)
    app = typer.Typer()
    app.add_typer(topics.app, name="topics")
    app.command("reconcile")(reconcile.reconcile)
    return lambda *arguments: CliRunner().invoke(app, arguments, catch_exceptions=False)


def test_topics_are_planned_applied_and_then_as_they_should_be(run: Run, prefix: str) -> None:
    options = ("--partitions", "2", "--replication-factor", "1")

    before = run("topics", "plan", "--check", *options)
    applied = run("topics", "apply", *options)
    after = run("topics", "plan", "--check", *options)

    assert [result.exit_code for result in (before, applied, after)] == [1, 0, 0]
    assert f"{prefix}raw: missing: 2 partitions, 1 replicas" in before.output
    assert f"{prefix}raw: created: 2 partitions, 1 replicas" in applied.output
    assert after.output.splitlines() == [f"{prefix}{topic}: as it should be" for topic in Topic]


def test_a_plan_names_what_differs_and_fails_only_when_asked_to(run: Run, prefix: str) -> None:
    run("topics", "apply", "--partitions", "2", "--replication-factor", "1")

    result = run("topics", "plan", "--replication-factor", "2")

    assert result.exit_code == 0
    assert f"{prefix}flagged: differs: replication factor is 1, wanted 2" in result.output
    assert run("topics", "plan", "--replication-factor", "2", "--check").exit_code == 1


def test_asyncapi_is_printed_as_yaml(run: Run) -> None:
    assert yaml.safe_load(run("topics", "asyncapi").output)["asyncapi"] == "3.0.0"


def test_reconcile_fails_for_a_lost_message_and_shows_where_it_stands_but_not_what_it_says(
    run: Run, kafka: Kafka, prefix: str
) -> None:
    run("topics", "apply", "--partitions", "1", "--replication-factor", "1")
    empty = run("reconcile")
    asyncio.run(send(kafka, f"{prefix}raw", b"a secret"))

    plain, as_json = run("reconcile"), run("reconcile", "--json")

    assert (empty.exit_code, plain.exit_code, as_json.exit_code) == (0, 1, 1)
    assert "no message in raw" in empty.output
    assert f"{prefix}raw/0/0" in plain.output
    assert "secret" not in plain.output + as_json.output
    report = json.loads(as_json.output)
    assert (report["clean"], report["in"], report["lost"]) == (False, 1, 1)


async def send(kafka: Kafka, topic: str, value: bytes) -> None:
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap_servers) as producer:
        await producer.send_and_wait(topic, value)
