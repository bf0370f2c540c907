"""A ruleset document has one canonical form, one digest, and says everything that is wrong with it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.errors import Invalid
from processor.model import Severity
from processor.rulesets.document import (
    BaseDocument,
    Document,
    Entry,
    FraudDocument,
    Off,
    OverlayDocument,
    Regrade,
    Text,
    canonical,
    digest,
    name,
    parse,
    scope_of,
    tenant_of,
)
from processor.rulesets.store import Snapshot

words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
categories = st.from_regex(r"[a-z]\w{0,8}", fullmatch=True)
plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=8,
)
entries = st.builds(Entry, term=words, category=categories, severity=st.sampled_from(Severity))
lexicons = st.dictionaries(words, st.lists(entries, max_size=3), max_size=3)
mappings = st.dictionaries(words, plain, max_size=3)
bases = st.builds(
    BaseDocument,
    lexicons=lexicons,
    aliases=st.dictionaries(words, words, max_size=3),
    fraud=st.builds(
        FraudDocument,
        groups=st.dictionaries(words, st.lists(words | st.just({"group": "g"}), max_size=3), max_size=3),
        rules=st.lists(mappings, max_size=2),
    ),
    reminders=st.dictionaries(
        words, st.dictionaries(words, st.builds(Text, title=words, body=words), max_size=2), max_size=2
    ),
    policy=mappings,
)
overlays = st.builds(
    OverlayDocument,
    tenant=words,
    lexicons=lexicons,
    allow=st.lists(words, max_size=2),
    regrade=st.lists(
        st.builds(Regrade, term=words, severity=st.sampled_from(Severity))
        | st.builds(Regrade, category=categories, severity=st.sampled_from(Severity)),
        max_size=2,
    ),
    off=st.builds(Off, terms=st.lists(words, max_size=2)),
    reminders=st.dictionaries(words, st.dictionaries(words, st.builds(Text, title=words, body=words), max_size=2)),
    policy=mappings,
)
documents = bases | overlays


def shuffled(value: Any, draw: st.DrawFn) -> Any:
    if isinstance(value, dict):
        keys = draw(st.permutations(sorted(value)))
        return {key: shuffled(value[key], draw) for key in keys}
    return [shuffled(item, draw) for item in value] if isinstance(value, list) else value


@st.composite
def rewritings(draw: st.DrawFn) -> tuple[Document, bytes]:
    document = draw(documents)
    loose = json.dumps(shuffled(json.loads(canonical(document)), draw), indent=draw(st.sampled_from([None, 2])))
    return document, loose.encode()


@given(rewritings())
def test_key_order_and_white_space_do_not_change_the_canonical_bytes(rewriting: tuple[Document, bytes]) -> None:
    document, loose = rewriting
    assert canonical(parse(loose)) == canonical(document)


@given(documents)
def test_a_document_survives_its_bytes(document: Document) -> None:
    assert parse(canonical(document)) == document


@given(documents, st.data())
def test_a_single_changed_byte_never_verifies(document: Document, data: st.DataObject) -> None:
    content = canonical(document)
    place = data.draw(st.integers(0, len(content) - 1))
    flip = data.draw(st.integers(1, 255))
    broken = content[:place] + bytes([content[place] ^ flip]) + content[place + 1 :]
    with pytest.raises(Invalid, match="digest"):
        Snapshot(version=1, digest=digest(content), content=broken).verify()


@given(st.binary(max_size=200))
def test_any_bytes_are_a_document_or_invalid(content: bytes) -> None:
    try:
        document = parse(content)
    except Invalid as error:
        known = bool(error.problems)
    else:
        known = parse(canonical(document)) == document
    assert known


def test_the_canonical_form_is_sorted_compact_utf8_json() -> None:
    document = OverlayDocument(tenant="t1", allow=["加油站"])
    assert (
        canonical(document)
        == (
            '{"allow":["加油站"],"format":1,"kind":"overlay","lexicons":{},'
            '"off":{"categories":[],"rules":[],"terms":[]},"policy":{},"regrade":[],"reminders":{},"tenant":"t1"}'
        ).encode()
    )


def test_everything_wrong_is_told_at_once_with_its_place() -> None:
    content = {
        "kind": "overlay",
        "format": 2,
        "alow": [],
        "lexicons": {"a": [{"term": "ok"}, {"term": "", "severity": "grave"}]},
        "regrade": [{"severity": "low"}],
    }
    with pytest.raises(Invalid) as caught:
        parse(json.dumps(content).encode())
    places = [problem.split(": ")[0] for problem in caught.value.problems]
    assert sorted(places) == [
        "document",  # the unknown field "alow"
        "document",  # no tenant
        "format",
        "lexicons.a[1].severity",
        "lexicons.a[1].term",
        "regrade[0]",
    ]


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"kind":"other"}', b'{"kind":[]}', b"\xff", b"[" * 100_000])
def test_what_is_no_document_is_invalid(content: bytes) -> None:
    with pytest.raises(Invalid):
        parse(content)


def test_a_ruleset_is_called_by_version_and_short_digest() -> None:
    assert name(42, digest(b"")) == "42@e3b0c44298fc"


def test_a_document_knows_its_scope() -> None:
    assert scope_of(BaseDocument()) == "base"
    scope = scope_of(OverlayDocument(tenant="t:1"))
    assert (scope, tenant_of(scope), tenant_of("base")) == ("tenant:t:1", "t:1", None)
