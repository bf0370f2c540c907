"""Every fraud rule's and scorecard's own examples through the real judge: which of them come out otherwise."""

from collections.abc import Callable, Iterator, Sequence
from typing import Literal, NamedTuple

from msgspec import Struct

from processor.fraud.rule import Conversation, Rule
from processor.judge import Judged, judge
from processor.model import ChatMessage
from processor.ruleset import Rules

MINUTE_MS = 60_000
BEGUN_MS = 1_767_225_600_000  # an ordinary day, far from the epoch
_AT_ONCE = 200


class Failure(Struct, frozen=True, kw_only=True):
    """An example that comes out otherwise than its rule says."""

    rule: str  # id@version
    wanted: Literal["hit", "miss"]
    number: int  # among the hits, or the misses, from 1
    conversation: Sequence[str]  # "A: text" …
    fired: Sequence[str]  # what fired instead, or beside


class Tried(Struct, frozen=True, kw_only=True):
    """What a run came to."""

    rules: int  # with examples
    examples: int
    without: Sequence[str]  # rules in force or on trial that have no examples
    failures: Sequence[Failure]


class _Example(NamedTuple):
    rule: Rule
    wanted: Literal["hit", "miss"]
    number: int
    conversation: Conversation


def try_examples(rules: Rules, step: Callable[[int], None] = lambda _: None) -> Tried:
    """Judge all examples of what is compiled (in force or on trial), messages of a conversation a minute apart.

    `step` is told how many examples were judged since it was last told.
    """
    heads = rules_in(rules)
    examples = [example for rule in heads for example in _examples(rule)]
    failures: list[Failure] = []
    for begin in range(0, len(examples), _AT_ONCE):
        some = examples[begin : begin + _AT_ONCE]
        for example, fired in zip(some, _fired(some, rules), strict=True):
            if (example.rule.name in fired) != (example.wanted == "hit"):
                failures.append(_failure(example, fired))
        step(len(some))
    return Tried(
        rules=len({example.rule.id for example in examples}),
        examples=len(examples),
        without=sorted({rule.name for rule in heads if not rule.hits and not rule.misses}),
        failures=sorted(failures, key=lambda each: (each.rule, each.wanted, each.number)),
    )


def rules_in(rules: Rules) -> list[Rule]:
    """What is compiled (in force or on trial) as it was written, scorecards too."""
    book = rules.base.ground.book
    return [*(clauses.rule for clauses in book.clauses), *(card.rule for card in book.cards.cards)]


def _examples(rule: Rule) -> Iterator[_Example]:
    yield from (_Example(rule, "hit", number, each) for number, each in enumerate(rule.hits, start=1))
    yield from (_Example(rule, "miss", number, each) for number, each in enumerate(rule.misses, start=1))


def _failure(example: _Example, fired: Sequence[str]) -> Failure:
    return Failure(
        rule=example.rule.name,
        wanted=example.wanted,
        number=example.number,
        conversation=[f"{speaker}: {text}" for speaker, text in example.conversation],
        fired=fired,
    )


def _fired(examples: Sequence[_Example], rules: Rules) -> list[list[str]]:
    """The names of all that fired in each example, on trial or not."""
    messages: list[ChatMessage] = []
    times: list[int] = []
    owners: list[int] = []
    for number, example in enumerate(examples):
        for turn, (speaker, text) in enumerate(example.conversation):
            at = BEGUN_MS + turn * MINUTE_MS
            messages.append(_message(f"c{number}", turn, speaker, text, at, example.rule))
            times.append(at)
            owners.append(number)
    fired: list[dict[str, None]] = [{} for _ in examples]
    for number, judged in zip(owners, judge(messages, times, rules, {}).each, strict=True):
        if isinstance(judged, Judged):
            fired[number] |= dict.fromkeys([*(judged.fraud.rules if judged.fraud else ()), *judged.shadow])
    return [list(each) for each in fired]


def _message(conversation: str, turn: int, speaker: str, text: str, at: int, rule: Rule) -> ChatMessage:
    """A message as the rule's context wants it: of people who have just met, if it is about such."""
    return ChatMessage(
        message_id=f"{conversation}-{turn}",
        tenant_id="examples",
        conversation_id=conversation,
        sender_id=speaker,
        type="text",
        content=text,
        contact_since=at - MINUTE_MS if rule.contact_younger_ms else None,
    )
