"""What became of what the rules said."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from processor.cli import app
from processor.feedback import FeedbackReport, Ledger, RuleStats, wilson
from processor.stream.contract import read_json

RULE = "FR-SD-001@1"


def reminder(number: int = 1, message: str = "m1", rules: tuple[str, ...] = (RULE,)) -> dict[str, Any]:
    changes = {"reminder_id": f"r{number}", "tenant_id": "t", "message_id": message, "rules": list(rules)}
    return read_json("examples/reminder-loan-fraud.json") | changes  # type: ignore[no-any-return]


def flagged(message: str = "m1", rules: tuple[str, ...] = (RULE,)) -> dict[str, Any]:
    envelope = read_json("examples/flagged-blocked.json")
    fraud = envelope["fraud"] | {"rules": list(rules)}
    return envelope | {"tenant_id": "t", "message_id": message, "fraud": fraud}  # type: ignore[no-any-return]


def said(kind: str, *, by: str = "reviewer", at: int = 1, **about: str) -> dict[str, Any]:
    return {"tenant_id": "t", "kind": kind, "at": at, "by_role": by} | (about or {"message_id": "m1"})


def report(*values: dict[str, Any], tenant: str | None = None) -> FeedbackReport:
    ledger = Ledger(tenant=tenant)
    for value in values:
        ledger.add(json.dumps(value).encode())
    return ledger.report()


def only(*values: dict[str, Any]) -> RuleStats:
    (row,) = report(*values).rules
    return row


def test_a_message_counts_once_however_many_were_reminded_and_whether_or_not_it_was_flagged() -> None:
    row = only(reminder(1), reminder(2), reminder(2), flagged())
    assert (row.fired, row.reminded, row.flagged) == (1, 1, 1)
    row = only(reminder(1), flagged("m2"))
    assert (row.fired, row.reminded, row.flagged) == (2, 1, 1)


def test_feedback_joins_by_reminder_and_by_message() -> None:
    row = only(reminder(1), flagged("m2"), said("confirmed", reminder_id="r1"), said("rejected", message_id="m2"))
    assert (row.confirmed, row.rejected, row.precision) == (1, 1, 0.5)


def test_every_rule_that_a_message_cites_gets_its_feedback() -> None:
    rows = report(flagged(rules=("A@1", "B@2")), said("confirmed")).rules
    assert [(row.rule, row.confirmed) for row in rows] == [("A@1", 1), ("B@2", 1)]


def test_the_latest_decision_counts_and_a_reviewer_outranks_a_user() -> None:
    assert only(flagged(), said("confirmed", at=1), said("rejected", at=2)).rejected == 1
    assert only(flagged(), said("confirmed", at=3), said("rejected", at=2)).confirmed == 1
    assert only(flagged(), said("confirmed", at=1), said("rejected", by="user", at=2)).confirmed == 1
    assert only(flagged(), said("rejected", by="user")).rejected == 1


def test_what_people_do_is_counted_and_decides_nothing() -> None:
    row = only(reminder(), said("stopped", by="user", reminder_id="r1"), said("paid", by="user"), said("reported"))
    assert (row.stopped, row.paid, row.reported, row.blocked, row.precision) == (1, 1, 1, 0, None)


def test_feedback_about_nothing_known_and_what_cannot_be_read_is_told() -> None:
    whole = report(flagged(), said("confirmed", message_id="gone"), {"kind": "shrugged"}, {}, said("paid", at=1))
    assert (whole.feedback, whole.unmatched, whole.unreadable) == (1, 1, 2)
    ledger = Ledger()
    ledger.add(None)
    ledger.add(b"{")
    assert ledger.report().unreadable == 2


def test_tenants_do_not_mix() -> None:
    other = said("confirmed") | {"tenant_id": "u"}
    assert report(flagged(), other).unmatched == 1
    assert report(flagged(), other, tenant="u").rules == []
    assert report(flagged(), flagged("m2") | {"tenant_id": "u"}, tenant="t").messages == 1


def overturned(*values: dict[str, Any], since: int = 0, tenant: str | None = None) -> dict[tuple[str, str], int]:
    ledger = Ledger(tenant=tenant)
    for value in values:
        ledger.add(json.dumps(value).encode())
    return dict(ledger.overturned(since))


def hit(*terms: tuple[str, str]) -> dict[str, Any]:
    """Of a flagged message, the hits."""
    (example,) = read_json("examples/flagged-blocked.json")["hits"]
    return {"hits": [example | {"lexicon": lexicon, "term": term} for lexicon, term in terms]}


def test_a_reviewers_rejection_of_a_message_or_of_its_reminder_overturns_each_of_its_terms_once() -> None:
    both = hit(("base", "贷款"), ("base", "贷款"), ("t", "竞品名"))
    once = {("base", "贷款"): 1, ("t", "竞品名"): 1}
    assert overturned(flagged() | both, said("rejected"), said("rejected", at=2)) == once
    assert overturned(reminder(1), flagged() | both, said("rejected", reminder_id="r1")) == once
    assert overturned(flagged() | both, flagged("m2") | hit(("t", "竞品名")), said("rejected")) == once


def test_what_a_user_says_or_a_reviewer_takes_back_overturns_nothing() -> None:
    assert overturned(flagged(), said("rejected", by="user")) == {}
    assert overturned(flagged(), said("rejected", at=1), said("confirmed", at=2)) == {}
    assert overturned(flagged(), said("rejected", at=1), said("confirmed", by="user", at=2)) == {("base", "贷款"): 1}


def test_a_message_that_was_not_held_back_cannot_be_overturned() -> None:
    assert overturned(reminder(1), said("rejected", reminder_id="r1")) == {}


def test_a_term_is_overturned_when_the_reviewer_says_so_and_by_those_of_the_tenant() -> None:
    others = [flagged("m2") | {"tenant_id": "u"}, said("rejected", message_id="m2", at=9) | {"tenant_id": "u"}]
    both = [flagged(), said("rejected", at=5), *others]
    assert overturned(*both) == {("base", "贷款"): 2}
    assert overturned(*both, since=5) == {("base", "贷款"): 2}
    assert overturned(*both, since=6) == {("base", "贷款"): 1}
    assert overturned(*both, since=6, tenant="t") == {}


EVENTS = st.lists(
    st.one_of(
        st.builds(reminder, st.integers(1, 3), st.sampled_from(["m1", "m2"])),
        st.builds(flagged, st.sampled_from(["m1", "m3"])),
        st.builds(
            said, st.sampled_from(["paid", "confirmed", "rejected"]), at=st.integers(0, 3), reminder_id=st.just("r1")
        ),
        st.builds(said, st.sampled_from(["stopped", "confirmed"]), at=st.integers(0, 3), message_id=st.just("m3")),
    ),
    max_size=10,
)


@given(EVENTS, st.randoms())
def test_order_and_repetition_change_nothing(events: list[dict[str, Any]], chance: Any) -> None:
    ids = {(each["reminder_id"], each["message_id"]) for each in events if "template" in each}
    if len({reminder_id for reminder_id, _ in ids}) < len(ids):
        return  # one reminder is of one message
    shuffled = [*events, *events]
    chance.shuffle(shuffled)
    assert report(*shuffled) == report(*events)
    assert overturned(*shuffled) == overturned(*events)


@given(st.integers(0, 500), st.integers(1, 500))
def test_the_interval_holds_the_share_and_narrows_with_more(good: int, of: int) -> None:
    good = min(good, of)
    low, high = wilson(good, of)
    assert 0 <= low <= good / of + 1e-9
    assert good / of - 1e-9 <= high <= 1
    wider = wilson(good * 4, of * 4)
    assert wider[1] - wider[0] < high - low


def test_the_interval_is_wilsons() -> None:
    assert wilson(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)


def test_the_command_reads_files_of_values(tmp_path: Path) -> None:
    file = tmp_path / "values.jsonl"
    values = [reminder(), flagged("m2"), said("confirmed", reminder_id="r1")]
    file.write_text("".join(json.dumps(value) + "\n" for value in values), encoding="utf-8")
    shown = CliRunner().invoke(app, ["rules", "stats", str(file)])
    assert shown.output.splitlines() == [
        "rule\tfired\treminded\tflagged\tstopped\treported\tblocked\tpaid\tconfirmed\trejected\tprecision\t95 %",
        f"{RULE}\t2\t1\t1\t0\t0\t0\t0\t1\t0\t100.0%\t20.7%–100.0%",
        "2 messages, 1 feedback",
    ]
    told = json.loads(CliRunner().invoke(app, ["rules", "stats", str(file), "--json"]).output)
    assert (told["rules"][0]["confirmed"], told["messages"]) == (1, 2)
