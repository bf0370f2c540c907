"""What a person is told before publishing: what changes, and what was hardly meant."""

from hypothesis import given
from hypothesis import strategies as st

from processor.model import Severity
from processor.rulesets.changes import Change, compare
from processor.rulesets.document import BaseDocument, Document, Entry, FraudDocument, Off, OverlayDocument, Regrade


def lexicon(*entries: Entry) -> BaseDocument:
    return BaseDocument(lexicons={"a": list(entries)})


def test_terms_are_added_removed_and_regraded() -> None:
    old = lexicon(Entry(term="旧的"), Entry(term="贷款", category="fraud", severity=Severity.HIGH))
    new = lexicon(Entry(term="新的"), Entry(term="贷款", category="fraud", severity=Severity.LOW))
    assert compare(old, new) == [
        Change(part="term", what="新的", kind="added", after="custom/high"),
        Change(part="term", what="旧的", kind="removed", before="custom/high"),
        Change(part="term", what="贷款", kind="regraded", before="fraud/high", after="fraud/low"),
    ]


def test_a_term_that_only_moves_to_another_file_has_not_changed() -> None:
    moved = BaseDocument(lexicons={"b": [Entry(term="贷款")]})
    assert compare(lexicon(Entry(term="贷款")), moved) == []


def test_rules_groups_aliases_and_policy_are_compared_by_name() -> None:
    old = BaseDocument(
        aliases={"vx": "微信"},
        fraud=FraudDocument(groups={"g": ["a"]}, rules=[{"id": "FR-1", "version": 1}, {"id": "FR-2"}]),
        policy={"fraud": {"review_at": 60, "remind_at": 30}},
    )
    new = BaseDocument(
        aliases={"vx": "微 信"},
        fraud=FraudDocument(groups={"g": ["b"]}, rules=[{"id": "FR-3"}, {"id": "FR-1", "version": 2}]),
        policy={"fraud": {"review_at": 70, "remind_at": 30}},
    )
    assert [(change.part, change.what, change.kind) for change in compare(old, new)] == [
        ("alias", "vx", "changed"),
        ("rule", "FR-1", "changed"),
        ("rule", "FR-2", "removed"),
        ("rule", "FR-3", "added"),
        ("group", "g", "changed"),
        ("policy", "fraud.review_at", "changed"),
    ]


def test_an_overlays_own_parts_are_compared_too() -> None:
    old = OverlayDocument(tenant="t1", allow=["加油站"], off=Off(rules=["FR-1"]))
    new = OverlayDocument(tenant="t1", regrade=[Regrade(category="fraud", severity=Severity.LOG)], off=Off())
    assert [(change.part, change.what, change.kind, change.after) for change in compare(old, new)] == [
        ("allow", "加油站", "removed", ""),
        ("regrade", "category fraud", "added", "log"),
        ("off", "rules: FR-1", "removed", ""),
    ]


entries = st.builds(Entry, term=st.sampled_from(["甲乙", "丙丁", "戊己"]), severity=st.sampled_from(Severity))
documents = st.builds(
    BaseDocument,
    lexicons=st.dictionaries(st.sampled_from("ab"), st.lists(entries, max_size=3)),
    aliases=st.dictionaries(st.sampled_from("xy"), st.sampled_from("pq")),
)


@given(documents, documents)
def test_going_back_undoes_every_change(old: Document, new: Document) -> None:
    undone = {"added": "removed", "removed": "added", "regraded": "regraded", "changed": "changed"}
    back = [(c.part, c.what, undone[c.kind], c.after, c.before) for c in compare(new, old)]
    assert [(c.part, c.what, c.kind, c.before, c.after) for c in compare(old, new)] == back


@given(documents)
def test_a_document_does_not_differ_from_itself(document: Document) -> None:
    assert compare(document, document) == []
