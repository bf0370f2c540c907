"""Two rulesets over the same messages: whose verdicts differ, and why."""

from collections import Counter
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from processor.comparison import Comparison
from processor.judge import judge
from processor.model import Severity
from processor.policy import parse
from processor.ruleset import Rules
from processor.stream.codec import decode_all
from tests.core.test_judge import BUILTIN, Given, raw, rules

OLD = rules(("旧词", "custom", Severity.HIGH), ("同词", "custom", Severity.MEDIUM))
NEW = rules(("新词", "custom", Severity.HIGH), ("同词", "custom", Severity.LOW))
TEXTS = ("有旧词吗", "有新词吗", "同词", "旧词和新词", "晚上吃饭", "新词，新词")


def compared(*texts: str, old: Rules = OLD, new: Rules = NEW, examples: int = 0) -> Comparison:
    found = Comparison(examples=examples)
    items, times = decode_all([Given(value=raw(text, n)) for n, text in enumerate(texts)])
    found.add(items, judge(items, times, old, {}).each, judge(items, times, new, {}).each)
    return found


@given(st.lists(st.sampled_from(TEXTS)))
def test_a_ruleset_differs_from_itself_in_nothing(texts: list[str]) -> None:
    found = compared(*texts, new=OLD)
    assert (found.messages, found.changed.total(), found.causes) == (len(texts), 0, [])


@given(st.lists(st.sampled_from(TEXTS)))
def test_the_other_way_round_everything_is_the_other_way_round(texts: list[str]) -> None:
    one, other = compared(*texts), compared(*texts, old=NEW, new=OLD)
    assert one.changed == Counter({(after, before): count for (before, after), count in other.changed.items()})
    swapped = {"added": "removed", "removed": "added", "regraded": "regraded"}
    assert {(c.kind, c.what.partition(" ")[0], swapped[c.how], c.messages) for c in one.causes} == {
        (c.kind, c.what.partition(" ")[0], c.how, c.messages) for c in other.causes
    }


def test_causes_are_the_terms_that_one_side_lacks_or_grades_otherwise() -> None:
    found = compared("有旧词吗", "有新词吗", "新词，新词", "同词", "旧词和新词", "晚上吃饭")
    assert [(cause.what, cause.how, cause.messages) for cause in found.causes] == [
        ("新词 (custom high)", "added", 2),
        ("同词 (custom medium → custom low)", "regraded", 1),
        ("旧词 (custom high)", "removed", 1),
    ]
    assert found.changed == {("pass", "block"): 2, ("block", "pass"): 1, ("review", "mask"): 1}
    assert (found.flagged(0), found.flagged(1)) == (3, 3)


def test_another_table_of_actions_is_a_cause_of_its_own() -> None:
    default = {**BUILTIN.policy["actions"]["default"], "high": "review"}
    document = {**BUILTIN.policy, "actions": {**BUILTIN.policy["actions"], "default": default}}
    milder = rules(("旧词", "custom", Severity.HIGH))
    milder = Rules(base=replace(milder.base, policy=parse(document), policy_document=document))
    found = compared("旧词", old=OLD, new=milder)
    assert [(cause.kind, cause.messages) for cause in found.causes] == [("policy", 1)]


def test_examples_are_kept_only_where_they_are_asked_for() -> None:
    assert all(not cause.examples for cause in compared(*TEXTS).causes)
    found = compared("有新词吗", "新词，新词", "再来新词", examples=2)
    [cause] = found.causes
    assert [(each.text, each.spans) for each in cause.examples] == [
        ("有新词吗", [(1, 3)]),
        ("新词，新词", [(0, 2), (3, 5)]),
    ]


def test_bytes_that_are_no_message_are_counted_apart() -> None:
    found = Comparison()
    items, times = decode_all([Given(value=b"{")])
    found.add(items, judge(items, times, OLD, {}).each, judge(items, times, NEW, {}).each)
    assert (found.messages, found.dead) == (0, 1)
