"""The contracts once more as AsyncAPI 3.0, for tools that draw pages and generate code.

`topics/asyncapi.yaml` is the output of `chatguard topics asyncapi`; a test holds it up to date.
"""

from collections.abc import Mapping
from typing import Any, Final

import yaml

from processor.model import Topic
from processor.stream.contract import Contract, Example, load, read_json

VERSION: Final = "1.0.0"  # of the contracts: the first number changes when a reader must change
_ACTIONS: Final = {"in": ("receive",), "out": ("send",), "state": ("send", "receive"), "back": ("receive",)}
_NUMBERS: Final = ("retention.ms", "delete.retention.ms", "max.message.bytes")
_HEADING: Final = "# Generated from the files beside it: chatguard topics asyncapi > topics/asyncapi.yaml\n"


def text() -> str:
    """The document as the file holds it."""
    return _HEADING + yaml.safe_dump(document(load()), sort_keys=False, allow_unicode=True, width=120)


def document(contracts: Mapping[Topic, Contract]) -> dict[str, Any]:
    """The contracts as an AsyncAPI document, seen from chatguard: it receives raw and sends the others."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "chatguard",
            "version": VERSION,
            "description": "Every message in raw comes out exactly once in delivered, flagged or dead-letter, "
            "in order within its conversation.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {_identifier(topic): _channel(contract) for topic, contract in contracts.items()},
        "operations": {
            f"{action}{_identifier(topic, upper=True)}": _operation(topic, action)
            for topic, contract in contracts.items()
            for action in _ACTIONS[contract.direction]
        },
        "components": {"messages": {_identifier(topic): _message(contract) for topic, contract in contracts.items()}},
    }


def _channel(contract: Contract) -> dict[str, Any]:
    name = _identifier(contract.topic)
    config: dict[str, Any] = dict(contract.config)
    config["cleanup.policy"] = config["cleanup.policy"].split(",")
    config |= {number: int(config[number]) for number in _NUMBERS if number in config}
    return {
        "address": f"{{prefix}}{contract.topic}",
        "description": contract.purpose,
        "parameters": {"prefix": {"default": "chat.", "description": "CHATGUARD_TOPICS__PREFIX"}},
        "messages": {name: {"$ref": f"#/components/messages/{name}"}},
        "bindings": {
            "kafka": {
                "partitions": contract.partitions,
                "replicas": contract.replication,
                "topicConfiguration": config,
                "bindingVersion": "0.5.0",
            }
        },
    }


def _operation(topic: Topic, action: str) -> dict[str, Any]:
    channel = f"#/channels/{_identifier(topic)}"
    return {
        "action": action,
        "channel": {"$ref": channel},
        "messages": [{"$ref": f"{channel}/messages/{_identifier(topic)}"}],
    }


def _message(contract: Contract) -> dict[str, Any]:
    message: dict[str, Any] = {"name": contract.topic.value, "summary": contract.value_meaning}
    if contract.headers:
        message["headers"] = {
            "type": "object",
            "allOf": [{"$ref": contract.header_schema}],
            "properties": {name: {"description": meaning} for name, meaning in contract.headers.items()},
        }
        message["headers"]["properties"]["chatguard-verdict"]["enum"] = sorted(contract.verdicts)
    if contract.value_schema:
        message["payload"] = {"$ref": contract.value_schema}
    message["bindings"] = {
        "kafka": {
            "key": {"type": "string", "description": f"{contract.key_field}. {contract.key_meaning}"},
            "bindingVersion": "0.5.0",
        }
    }
    if contract.examples:
        message["examples"] = [_example(example) for example in contract.examples]
    return message


def _example(example: Example) -> dict[str, Any]:
    headers = {"headers": read_json(example.headers)} if example.headers else {}
    return {"name": example.name, "summary": example.summary, **headers, "payload": read_json(example.value)}


def _identifier(topic: Topic, *, upper: bool = False) -> str:
    first, *rest = topic.split("-")
    return "".join([first.capitalize() if upper else first, *(word.capitalize() for word in rest)])
