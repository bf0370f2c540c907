"""The topics' contracts, read from `topics/`: one file per topic, plain data.

Code, deployment and tests read the same files. In a checkout they lie beside the package, in an installed wheel
inside it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

import processor
from processor.model import Topic


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One record of a topic."""

    name: str
    summary: str
    key: str
    value: str  # path of a JSON file, relative to the contracts' directory
    headers: str | None = None  # likewise


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """What holds for one topic, whatever its prefix."""

    topic: Topic
    purpose: str
    direction: Literal["in", "out", "state", "back"]  # as seen by the worker, which has nothing to do with "back"
    key_field: str
    key_meaning: str
    partitions: int  # unless raw exists with another count, or an operator wishes otherwise
    copartitioned: bool  # whether it must have as many partitions as raw
    replication: int  # in production
    min_insync: int  # in production
    config: Mapping[str, str]  # Kafka's own names
    value_schema: str | None  # path of a JSON Schema, relative to the contracts' directory; None: any bytes
    value_meaning: str
    header_schema: str | None
    headers: Mapping[str, str]  # name → meaning
    verdicts: frozenset[str]  # what the verdict header may say here
    examples: tuple[Example, ...]


def directory() -> Path:
    """Where the contracts lie."""
    package = Path(processor.__file__).parent
    installed = package / "contracts"
    return installed if installed.is_dir() else package.parent / "topics"


def load() -> dict[Topic, Contract]:
    """Every topic's contract, in the order of `Topic`."""
    return {topic: _contract(yaml.safe_load(_text(f"{topic}.yaml"))) for topic in Topic}


def read_json(path: str) -> Any:
    """A schema or an example by its path in the contracts' directory."""
    return json.loads(_text(path))


def _text(path: str) -> str:
    return (directory() / path).read_text(encoding="utf-8")


def _contract(tree: Mapping[str, Any]) -> Contract:
    return Contract(
        topic=Topic(tree["name"]),
        purpose=tree["purpose"],
        direction=tree["direction"],
        key_field=tree["key"]["field"],
        key_meaning=tree["key"]["meaning"],
        partitions=tree["partitions"],
        copartitioned=tree["copartitioned"],
        replication=tree["replication"]["factor"],
        min_insync=tree["replication"]["min_insync"],
        config={name: str(value) for name, value in tree["config"].items()},
        value_schema=tree["value"]["schema"],
        value_meaning=tree["value"]["meaning"],
        header_schema=tree["headers"]["schema"],
        headers=tree["headers"]["meaning"],
        verdicts=frozenset(tree["headers"].get("verdicts", ())),
        examples=tuple(Example(**example) for example in tree["examples"]),
    )
