"""The contracts agree with themselves, with the code and with the generated document."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from processor.feedback import Feedback
from processor.model import ChatMessage, Entity, Fraud, Hit, Malformed, Reminder, RulesetNames, Topic, Verdict
from processor.stream import asyncapi
from processor.stream.contract import Contract, Example, directory, load, read_json
from processor.stream.ledger import VERDICTS

CONTRACTS = load()
SCHEMAS = sorted(path.name for path in (directory() / "schemas").iterdir())
EXAMPLES = [(contract, example) for contract in CONTRACTS.values() for example in contract.examples]

REQUIRED = {"message_id": "m", "tenant_id": "t", "conversation_id": "c", "sender_id": "s", "type": "text"}


def validator(schema: str) -> Draft202012Validator:
    registry: Registry[Any] = Registry().with_resources(
        (name, Resource.from_contents(read_json(f"schemas/{name}"))) for name in SCHEMAS
    )
    return Draft202012Validator(read_json(schema), registry=registry)


MESSAGE = validator("schemas/message.json")


def decodes(value: object) -> bool:
    try:
        msgspec.json.decode(json.dumps(value).encode(), type=ChatMessage)
    except msgspec.ValidationError:
        return False
    return True


@pytest.mark.parametrize("schema", SCHEMAS)
def test_every_schema_is_one(schema: str) -> None:
    Draft202012Validator.check_schema(read_json(f"schemas/{schema}"))


@pytest.mark.parametrize(("contract", "example"), EXAMPLES, ids=lambda part: getattr(part, "name", ""))
def test_every_example_keeps_its_contract(contract: Contract, example: Example) -> None:
    value = read_json(example.value)
    if contract.value_schema:
        validator(contract.value_schema).validate(value)
    if contract.key_field in value and contract.value_schema:
        assert example.key == value[contract.key_field]
    assert (example.headers is None) == (contract.header_schema is None)
    if example.headers and contract.header_schema:
        headers = read_json(example.headers)
        validator(contract.header_schema).validate(headers)
        assert headers["chatguard-verdict"] in contract.verdicts
        assert set(headers) == set(contract.headers)


def test_every_file_of_examples_is_used() -> None:
    used = {path for _, example in EXAMPLES for path in (example.value, example.headers) if path}

    assert used == {f"examples/{path.name}" for path in (directory() / "examples").iterdir()}


def test_an_example_of_a_dead_letter_is_no_message() -> None:
    (example,) = CONTRACTS[Topic.DEAD_LETTER].examples

    assert not decodes(read_json(example.value))
    assert not MESSAGE.is_valid(read_json(example.value))


def test_the_spans_of_the_envelope_s_example_lie_in_its_message() -> None:
    (example,) = CONTRACTS[Topic.FLAGGED].examples
    envelope = read_json(example.value)

    for found in [*envelope["hits"], *envelope["entities"]]:
        assert found["text"] == envelope["message"][found["field"]][found["start"] : found["end"]]


@pytest.mark.parametrize(
    ("schema", "part", "struct"),
    [
        ("message", None, ChatMessage),
        ("envelope", None, Verdict),
        ("envelope", "hit", Hit),
        ("envelope", "entity", Entity),
        ("envelope", "fraud", Fraud),
        ("reminder", None, Reminder),
        ("feedback", None, Feedback),
    ],
)
def test_the_schemas_name_the_fields_of_the_values(schema: str, part: str | None, struct: type) -> None:
    tree = read_json(f"schemas/{schema}.json")
    tree = tree["$defs"][part] if part else tree

    assert set(tree["properties"]) == {field.name for field in msgspec.structs.fields(struct)}


def test_what_the_code_encodes_keeps_the_envelope_s_schema() -> None:
    (example,) = CONTRACTS[Topic.FLAGGED].examples
    verdict = msgspec.json.decode(json.dumps(read_json(example.value)), type=Verdict)

    encoded = json.loads(msgspec.json.encode(verdict))

    assert encoded == read_json(example.value)
    assert isinstance(verdict.ruleset, RulesetNames)


def test_the_kinds_of_dead_letters_are_those_of_malformed() -> None:
    kinds = read_json("schemas/headers-dead-letter.json")["properties"]["chatguard-error-kind"]["enum"]

    for kind in kinds:
        msgspec.convert({"reason": "", "kind": kind}, Malformed)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"reason": "", "kind": "another"}, Malformed)


@pytest.mark.parametrize("topic", VERDICTS)
def test_the_sum_check_expects_the_contracts_verdicts(topic: Topic) -> None:
    assert {verdict.decode() for verdict in VERDICTS[topic]} == CONTRACTS[topic].verdicts


GOOD = [
    {},
    {"content": "你好"},
    {"content": ""},
    {"content": None},
    {"unknown": [1, {"a": None}]},
    {"conversation_type": "group", "receiver_ids": ["a", "b"]},
    {"receiver_ids": []},
    {"sent_at": 0},
    {"sent_at": -1},
    {"sent_at": 10**30},
    {"sender": {}},
    {"sender": {"role": "bot", "registered_at": 1, "verified": True, "more": 1}},
    {"sender": {"role": None, "registered_at": None, "verified": None}},
    {"texts": ["", "b"]},
    {"ext": {"a": [1.5]}},
    dict.fromkeys(("conversation_type", "receiver_ids", "sent_at", "sender", "contact_since", "texts", "ext")),
]
BAD = [
    *({name: value} for name in REQUIRED for value in ("", None, 1)),
    {"content": 1},
    {"content": ["a"]},
    {"conversation_type": "channel"},
    {"conversation_type": ""},
    {"receiver_ids": "u"},
    {"receiver_ids": [1]},
    {"receiver_ids": [None]},
    {"sent_at": "2026-01-01"},
    {"sent_at": 1.5},
    {"sent_at": True},
    {"sender": "u"},
    {"sender": {"role": "admin"}},
    {"sender": {"registered_at": "now"}},
    {"sender": {"verified": "yes"}},
    {"contact_since": [1]},
    {"texts": "a"},
    {"texts": [None]},
    {"ext": []},
    {"ext": "a"},
]


@pytest.mark.parametrize("fields", GOOD)
def test_schema_and_decoder_take_a_good_message(fields: dict[str, Any]) -> None:
    assert MESSAGE.is_valid(REQUIRED | fields)
    assert decodes(REQUIRED | fields)


@pytest.mark.parametrize("fields", BAD)
def test_schema_and_decoder_refuse_a_bad_message(fields: dict[str, Any]) -> None:
    assert not MESSAGE.is_valid(REQUIRED | fields)
    assert not decodes(REQUIRED | fields)


@pytest.mark.parametrize("name", REQUIRED)
def test_schema_and_decoder_refuse_a_message_without_a_required_field(name: str) -> None:
    message = {key: value for key, value in REQUIRED.items() if key != name}

    assert not MESSAGE.is_valid(message)
    assert not decodes(message)


# Floats are whole or not by their value in JSON Schema and by their spelling for the decoder; the schema says so.
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.sampled_from(["group", "user", "bot"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["role", "registered_at", "verified", "x"]), inner, max_size=3)
    ),
    max_leaves=4,
)


@given(st.dictionaries(st.sampled_from(list(read_json("schemas/message.json")["properties"])), VALUES))
def test_schema_and_decoder_agree_on_any_object(fields: dict[str, Any]) -> None:
    message = REQUIRED | fields

    assert MESSAGE.is_valid(message) == decodes(message)


def test_the_asyncapi_document_is_up_to_date() -> None:
    written = (directory() / "asyncapi.yaml").read_text(encoding="utf-8")

    assert asyncapi.text() == written, "run: chatguard topics asyncapi > topics/asyncapi.yaml"


def test_every_file_that_the_asyncapi_document_refers_to_exists() -> None:
    def references(tree: object) -> list[str]:
        if isinstance(tree, dict):
            own = [tree["$ref"]] if isinstance(tree.get("$ref"), str) else []
            return own + [found for value in tree.values() for found in references(value)]
        return [found for value in tree for found in references(value)] if isinstance(tree, list) else []

    document = asyncapi.document(CONTRACTS)

    for reference in references(document):
        if reference.startswith("#/"):
            tree: Any = document
            for step in reference.removeprefix("#/").split("/"):
                tree = tree[step]
        else:
            assert Path(directory() / reference).is_file()


def test_outputs_take_larger_records_than_raw() -> None:
    limits = {topic: int(contract.config["max.message.bytes"]) for topic, contract in CONTRACTS.items()}

    assert (
        min(limit for topic, limit in limits.items() if CONTRACTS[topic].direction in {"out", "state"})
        > limits[Topic.RAW]
    )


def test_only_conversations_is_compacted() -> None:
    assert [topic for topic, c in CONTRACTS.items() if "compact" in c.config["cleanup.policy"]] == [Topic.CONVERSATIONS]
