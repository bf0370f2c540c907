"""Judging the corpus: what the judge said of every line, in its conversation and alone."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from processor.judge import Judged, judge
from processor.model import ChatMessage
from processor.ruleset import Rules
from processor.rulesets.compile import compile_base
from processor.rulesets.directory import builtin, read_base
from processor.rulesets.document import canonical, digest
from tests.eval.corpus import Line, Talk

BEGINS_AT = 1_780_000_000_000  # ms since the epoch
STEP_MS = 30_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the judge said of one conversation, line by line."""

    talk: Talk
    each: Sequence[Judged]

    @property
    def found(self) -> int | None:
        """The place of the first line that reminded or was flagged."""
        return next((place for place, one in enumerate(self.each) if one.remind or one.action.flags), None)

    @property
    def flagged(self) -> bool:
        return any(one.action.flags for one in self.each)

    @property
    def reminded(self) -> bool:
        return any(one.remind for one in self.each)

    @property
    def score(self) -> int:
        return max((one.fraud.score for one in self.each if one.fraud), default=0)

    @property
    def types(self) -> set[str]:
        return {kind for one in self.each if one.remind and one.fraud for kind in one.fraud.types}

    @property
    def in_time(self) -> bool:
        """Found no later than the first line that asks for something; a line that asks nothing leaves all the time."""
        ask = self.talk.first_ask
        return self.found is not None and (ask is None or self.found <= ask)


def rules_of(folder: Path | None) -> Rules:
    """The built-in ruleset, or the one in a directory."""
    document = read_base(folder) if folder else builtin()
    return Rules(base=compile_base(document, version=0, digest=digest(canonical(document))))


def follow(talks: Sequence[Talk], rules: Rules) -> list[Seen]:
    """Each conversation from its first line to its last, half a minute apart."""
    items = [message(talk, place) for talk in talks for place in range(len(talk.messages))]
    each = iter(_judged(items, rules))
    return [Seen(talk=talk, each=[next(each) for _ in talk.messages]) for talk in talks]


def alone(lines: Sequence[tuple[Talk, Line]], rules: Rules) -> list[Judged]:
    """Each line as the only one of its conversation."""
    return _judged([_message(talk, line, 0, f"{talk.id}/{n}") for n, (talk, line) in enumerate(lines)], rules)


def swindlers_lines(talks: Iterable[Talk]) -> list[tuple[Talk, Line]]:
    """The lines of frauds that the swindler writes."""
    return [(talk, line) for talk in talks if talk.kind == "fraud" for line in talk.messages if line.stage]


def message(talk: Talk, place: int) -> ChatMessage:
    """A line of a conversation as the judge gets it: nothing is known of the people."""
    return _message(talk, talk.messages[place], place, talk.id)


def _message(talk: Talk, line: Line, place: int, conversation: str) -> ChatMessage:
    people = dict.fromkeys([*(each.speaker for each in talk.messages), "A", "B"])
    return ChatMessage(
        message_id=f"{conversation}#{place}",
        tenant_id="t",
        conversation_id=conversation,
        conversation_type="group" if talk.group else "direct",
        sender_id=f"{talk.id}/{line.speaker}",
        receiver_ids=[f"{talk.id}/{person}" for person in people if person != line.speaker],
        type="text",
        content=line.text,
        sent_at=BEGINS_AT + place * STEP_MS,
    )


def _judged(items: Sequence[ChatMessage], rules: Rules) -> list[Judged]:
    judgements = judge(items, [item.sent_at or 0 for item in items], rules, {})
    judged = [one for one in judgements.each if isinstance(one, Judged)]
    assert len(judged) == len(items), "the judge failed on a line of the corpus"
    return judged
