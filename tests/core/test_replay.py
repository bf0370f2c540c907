"""`chatguard replay`: what changes per rule when other rules judge recorded traffic."""

import json
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from processor.cli import app
from processor.cli.replay import Replay
from processor.model import ChatMessage
from processor.rulechanges import RuleChange, RuleChanges, RuleReport
from processor.ruleset import Rules
from processor.rulesets.compile import compile_base
from processor.rulesets.directory import builtin
from processor.rulesets.document import BaseDocument, FraudDocument, Text
from tests.core.test_rule_lint import rule
from tests.core.test_rules_command import RULE, ruleset

OTHER = {"a": ["兼职"], "b": ["转账"]}
TEXTS = {"remind.QT.v1": {"en": Text(title="t", body="b")}}


def rules(*documents: dict[str, Any]) -> Rules:
    fraud = FraudDocument(groups={"money": ["转账"]}, rules=[*documents])
    document = BaseDocument(fraud=fraud, policy=builtin().policy, reminders=TEXTS)
    return Rules(base=compile_base(document, version=0, digest=""))


def talk(*texts: str) -> list[ChatMessage]:
    fields: dict[str, Any] = {"tenant_id": "t", "sender_id": "a", "receiver_ids": ["b"], "type": "text"}
    return [
        ChatMessage(message_id=f"m{n}", conversation_id=f"c{n}", content=text, **fields) for n, text in enumerate(texts)
    ]


def replayed(old: Rules, new: Rules, *texts: str) -> RuleReport:
    changes = RuleChanges()
    messages = talk(*texts)
    Replay(old, new, changes).judge(messages, [1000 * n for n in range(len(messages))])
    return changes.report()


def test_a_rule_that_is_new_gains_its_messages_their_verdicts_and_their_reminders() -> None:
    report = replayed(rules(), rules(rule()), "刷单先转账", "早")
    assert (report.messages, report.verdicts, report.reminders_before, report.reminders_after) == (
        2,
        {"pass → review": 1},
        0,
        1,
    )
    assert report.rules == [
        RuleChange(
            rule="FR-SD-001",
            before=0,
            after=1,
            lost=0,
            gained=1,
            verdicts={"pass → review": 1},
            reminders_lost=0,
            reminders_gained=1,
        )
    ]


def test_a_new_version_that_judges_alike_changes_nothing() -> None:
    report = replayed(rules(rule()), rules(rule(version=2)), "刷单先转账")
    assert [(each.rule, each.before, each.after, each.changes) for each in report.rules] == [("FR-SD-001", 1, 1, False)]


def test_a_rule_that_only_reminds_changes_no_verdict_and_is_told_all_the_same() -> None:
    report = replayed(rules(rule(score=40)), rules(), "刷单先转账")
    (change,) = report.rules
    assert (report.verdicts, change.lost, change.verdicts, change.reminders_lost) == ({}, 1, {}, 1)


OLD, NEW, SAME = rules(rule()), rules(rule(terms=OTHER, id="FR-SD-002")), rules(rule(terms=OTHER))


@settings(max_examples=60)
@given(st.lists(st.sampled_from(["刷单转账", "刷单", "转账", "早", "兼职转账"]), max_size=8), st.booleans())
def test_sides_add_up_and_exchanged_sides_exchange_lost_and_gained(texts: list[str], other: bool) -> None:  # noqa: FBT001
    old, new = OLD, NEW if other else SAME
    there, back = replayed(old, new, *texts), replayed(new, old, *texts)
    assert there.reminders_before == back.reminders_after
    mirrored = {each.rule: (each.after, each.before, each.gained, each.lost) for each in back.rules}
    assert {each.rule: (each.before, each.after, each.lost, each.gained) for each in there.rules} == mirrored
    assert all(each.before - each.lost == each.after - each.gained for each in there.rules)


def test_the_command_takes_the_time_asked_for_and_leaves_the_traffic_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "traffic.jsonl"
    fields = {"tenant_id": "t", "sender_id": "a", "receiver_ids": ["b"], "type": "text", "content": "刷单转账"}
    lines = [
        json.dumps(
            fields | {"message_id": f"m{n}", "conversation_id": f"c{n}", "sent_at": 1_767_225_600_000 + n * 60_000}
        )
        for n in range(5)
    ]
    file.write_text("\n".join(lines), encoding="utf-8")
    before = file.read_bytes()
    new = ruleset(tmp_path / "new", RULE)
    old = ruleset(tmp_path / "old", RULE.replace("status: active", "status: draft"))
    period = ["--from", "2026-01-01T00:01", "--to", str(1_767_225_600_000 + 3 * 60_000)]
    shown = CliRunner().invoke(app, ["replay", str(file), "--rules", new, "--against", old, *period])
    assert shown.output.splitlines() == [
        "2 messages",
        "verdicts changed: 2, pass → review: 2",
        "reminders: 0 → 2",
        "rule\tfired\tlost\tgained\tverdicts\treminders lost\tgained",
        "FR-SD-001\t0 → 2\t0\t2\tpass → review: 2\t0\t2",
    ]
    told = CliRunner().invoke(app, ["replay", str(file), "--rules", new, "--against", old, "--json"])
    assert json.loads(told.output)["messages"] == 5
    assert file.read_bytes() == before


def test_a_time_that_is_none_is_told(tmp_path: Path) -> None:
    refused = CliRunner().invoke(app, ["replay", "-", "--rules", ruleset(tmp_path), "--from", "yesterday"])
    assert "--from yesterday is no time" in str(refused.exception)
