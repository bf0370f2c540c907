"""`chatguard lexicon rollout`, `history`, `push --canary` and `diff --traffic` against real services."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from redis import Redis as Client

from processor.embedded import Kafka
from processor.embedded import Redis as Server
from processor.errors import Invalid, Misconfigured
from processor.model import Topic
from processor.rulesets import rollout, store
from processor.rulesets.document import BASE
from processor.rulesets.rollout import Totals
from processor.rulesets.store import Conflict
from processor.stream.topics import apply
from tests.contract.commands import lexicon, refusal, said

pytestmark = pytest.mark.services


@pytest.fixture(autouse=True)
def place(place: Path, server: Server) -> Path:
    """The directory to stand in, and an empty store."""
    with Client.from_url(server.url) as client:
        client.flushall()
    return place


def told(*words: str) -> Any:
    return json.loads(said(*words, "--json"))


def in_force() -> int:
    return int(told("show")["version"])


def history() -> list[tuple[int, str]]:
    return [(line["version"], line.get("kind", "push")) for line in told("history")]


def test_a_rollout_goes_from_shadow_over_canary_into_force() -> None:
    said("push", "base")
    assert "2@" in said("push", lexicon("mine.txt", "竞品名"), "--shadow", "-m", "as agreed")
    assert in_force() == 1
    candidate = told("rollout", "status")["candidate"]
    assert (candidate["plan"]["mode"], candidate["plan"]["share"], candidate["by"]) == ("shadow", 1.0, "tester")
    assert "5% of the conversations" in said("rollout", "set", "--canary", "5%")
    assert "25% of the conversations" in said("rollout", "set", "--canary", "25%")
    assert "2@" in said("rollout", "promote", "--by", "li")
    assert in_force() == 2
    assert history() == [(2, "promote"), (2, "canary"), (2, "canary"), (2, "shadow"), (1, "push")]
    assert told("history")[0]["by"] == "li"
    assert told("history")[3]["why"] == "100% of the conversations: as agreed"
    assert "probation" in said("rollout", "status")


def test_an_aborted_candidate_leaves_what_is_in_force_and_is_no_version_to_return_to() -> None:
    said("push", "base")
    said("push", lexicon("mine.txt", "竞品名"), "--guard", "off")
    said("push", lexicon("more.txt", "别的词"), "--canary", "10%", "--of", "tenants")
    assert isinstance(refusal("push", lexicon("more.txt", "又一词")), Conflict)
    assert isinstance(refusal("rollback"), Conflict)
    said("rollout", "abort", "-m", "not good")
    assert "nothing is tried out" in said("rollout", "status")
    said("push", lexicon("last.txt", "最后"))
    said("rollback")
    assert told("history")[0]["content_of"] == 2
    assert history()[2] == (3, "abort")


def test_the_status_adds_up_what_the_workers_have_seen(server: Server) -> None:
    said("push", "base")
    said("rollout", "start", lexicon("mine.txt", "竞品名"))
    assert "no worker has told anything yet" in said("rollout", "status")

    async def tell() -> None:
        async with store.connect(server.url) as redis:
            one = Totals(
                verdicts={"pass": 8, "block": 2}, in_force={"pass": 10}, changes={"pass>block": 2, "pass>pass": 8}
            )
            await rollout.tell(redis, BASE, 2, "one", one)
            await rollout.tell(redis, BASE, 2, "other", one)

    asyncio.run(tell())
    text = said("rollout", "status")
    assert "2 workers have seen 20 messages with it: pass 16, block 4 (20.00% flagged)" in text
    assert "what is in force, beside it: pass 20 (0.00% flagged)" in text
    assert "pass → block: 4" in text
    assert told("rollout", "status")["seen"]["changes"] == [{"before": "pass", "after": "block", "messages": 4}]


def test_a_tenants_overlay_is_tried_out_too() -> None:
    said("push", lexicon("mine.txt", "竞品名"), "--tenant", "t1", "--canary", "50%")
    assert told("show", "--tenant", "t1")["version"] == 0
    said("rollout", "promote", "--tenant", "t1")
    assert told("show", "--tenant", "t1")["version"] == 1


def test_what_is_pushed_is_on_probation_unless_it_is_told_otherwise() -> None:
    said("push", "base")
    probation = told("rollout", "status")["probation"]
    assert probation["guard"] == {"high": 0.2, "low": 0.0, "window": 10_000}
    said("push", lexicon("mine.txt", "竞品名"), "--guard", "0.1%..5%", "--window", "500")
    probation = told("rollout", "status")["probation"]
    assert probation["guard"] == {"high": 0.05, "low": 0.001, "window": 500}
    said("push", lexicon("mine.txt", "别的词"), "--guard", "off")
    assert told("rollout", "status")["probation"] is None


@pytest.mark.parametrize(
    "words",
    [("--canary", "5"), ("--canary", "0%"), ("--canary", "101%"), ("--guard", "x%"), ("--guard", "9%..5%")],
)
def test_a_share_that_is_none_is_wrong_use(words: tuple[str, str]) -> None:
    assert isinstance(refusal("push", "base", *words), Misconfigured)
    assert isinstance(refusal("push", "base", "--shadow", "--canary", "5%"), Misconfigured)
    assert isinstance(refusal("rollout", "set"), Misconfigured)


def test_without_a_candidate_there_is_nothing_to_set_promote_or_abort() -> None:
    for words in (("set", "--canary", "5%"), ("promote",), ("abort",)):
        assert isinstance(refusal("rollout", *words), Invalid)


def test_what_does_not_compile_is_not_tried_out(place: Path) -> None:
    (place / "base" / "policy.yaml").write_text("actions: none\n")
    assert isinstance(refusal("push", "base", "--shadow"), Invalid)
    assert isinstance(refusal("rollout", "start", "base"), Invalid)


def test_recorded_traffic_shows_whose_verdicts_change_and_no_words_unless_asked(place: Path) -> None:
    (place / "traffic.jsonl").write_bytes(b"\n".join([*recorded(), b"{", b""]))
    lexicon("new.txt", "喝茶,custom,medium")
    text = said("diff", "base", "new.txt", "--traffic", "traffic.jsonl")
    assert "4 messages (1 lines are no messages)" in text
    assert "flagged: 1 (25.00%) → 3 (75.00%)" in text
    assert "pass → review: 2" in text
    assert "出来" not in text
    assert "▸喝茶◂" in said("diff", "base", "new.txt", "--traffic", "traffic.jsonl", "--examples", "1")
    facts = told("diff", "base", "new.txt", "--traffic", "traffic.jsonl")
    [cause] = facts["causes"]
    assert (cause["what"], cause["messages"], cause["examples"]) == ("喝茶 (custom medium)", 2, [])


def test_of_an_overlay_only_its_tenants_messages_are_compared(place: Path) -> None:
    (place / "traffic.jsonl").write_bytes(b"\n".join(recorded()))
    (place / "theirs").mkdir()
    (place / "theirs/overlay.yaml").write_text("tenant: t1\nallow: [赌博]\n", encoding="utf-8")
    (place / "empty").mkdir()
    (place / "empty/overlay.yaml").write_text("tenant: t1\n")
    words = ("diff", "empty", "theirs", "--tenant", "t1", "--base", "base", "--traffic", "traffic.jsonl")
    facts = told(*words)
    assert (facts["messages"], facts["changed"]) == (3, [{"before": "block", "after": "pass", "messages": 1}])
    assert isinstance(refusal("diff", "base", "theirs", "--traffic", "traffic.jsonl"), Misconfigured)
    assert isinstance(refusal("diff", "base", "base", "--traffic", "absent.jsonl"), Misconfigured)


def test_a_topic_is_traffic_too(place: Path, kafka: Kafka, prefix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHATGUARD_KAFKA__BOOTSTRAP_SERVERS", kafka.bootstrap_servers)
    client = {"bootstrap_servers": kafka.bootstrap_servers}
    raw = f"{prefix}.{Topic.RAW}"

    async def fill() -> None:
        await apply(client, f"{prefix}.", partitions=2, replication=1)
        producer = AIOKafkaProducer(**client)
        await producer.start()
        for number in range(100):
            await producer.send(raw, recorded()[number % 4], key=b"%d" % number)
        await producer.stop()

    asyncio.run(fill())
    lexicon("new.txt", "喝茶,custom,medium")
    assert told("diff", "base", "new.txt", "--traffic", raw)["changed"] == [
        {"before": "pass", "after": "review", "messages": 50}
    ]
    few = told("diff", "base", "new.txt", "--traffic", raw, "--max", "10")["messages"]
    assert 0 < few <= 10
    assert isinstance(refusal("diff", "base", "new.txt", "--traffic", prefix + ".absent"), Misconfigured)


def test_an_overlay_that_is_too_large_is_not_pushed_and_not_tried_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHATGUARD_RULESETS__TENANT_TERMS", "2")
    lexicon("many.txt", "一号词", "二号词", "三号词")
    for words in (("push", "many.txt"), ("push", "many.txt", "--shadow"), ("rollout", "start", "many.txt")):
        error = refusal(*words, "--tenant", "t1")
        assert isinstance(error, Invalid)
        assert "has 3 terms, more than the 2" in str(error)
    said("push", "many.txt")
    monkeypatch.setenv("CHATGUARD_RULESETS__TENANT_BYTES", "1000")
    lexicon("few.txt", "长" * 200, "短" * 200)
    assert "bytes, more than the 1,000" in str(refusal("push", "few.txt", "--tenant", "t1"))


def recorded() -> list[bytes]:
    texts = (("t1", "出来喝茶"), ("t2", "喝茶吗"), ("t1", "有赌博"), ("t1", "晚上吃饭"))
    return [
        json.dumps(
            {
                "message_id": f"m{number}",
                "tenant_id": tenant,
                "conversation_id": f"c{number}",
                "sender_id": "a",
                "type": "text",
                "content": text,
            },
            ensure_ascii=False,
        ).encode()
        for number, (tenant, text) in enumerate(texts)
    ]
