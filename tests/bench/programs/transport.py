"""The worker as it is, with a judge that lets everything pass: what exactly once costs without any judging."""

import asyncio
from collections.abc import Sequence
from unittest.mock import patch

from processor import rollout
from processor.app import work
from processor.judge import CLEAN, Item, Judgements, Windows
from processor.model import ChatMessage, Input, Malformed
from processor.ops.logging import configure
from processor.ops.settings import load
from processor.ruleset import Rules
from processor.stream import lane

ANYTHING = ChatMessage(message_id="m", tenant_id="t", conversation_id="c", sender_id="u", type="text")


def pass_all(items: Sequence[Item], _times: Sequence[int], _rules: Rules, _windows: Windows) -> Judgements:
    """Nothing is looked at."""
    return Judgements([CLEAN] * len(items), {})


def decode_none(inputs: Sequence[Input]) -> tuple[list[ChatMessage | Malformed], list[int]]:
    """Nothing is read."""
    return [ANYTHING] * len(inputs), [0] * len(inputs)


if __name__ == "__main__":
    settings = load()
    configure(settings.log.level, settings.log.format)
    with patch.object(rollout, "judge", pass_all), patch.object(lane, "decode_all", decode_none):
        asyncio.run(work(settings))
