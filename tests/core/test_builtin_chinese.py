"""What the built-in base, rules and scorecards together, says of Chinese messages, talks, notices and small talk."""

from functools import cache
from pathlib import Path

from processor.fraud.engine import Mark, weigh
from processor.fraud.entities import find_entities
from processor.fraud.rule import Conversation
from processor.fraud.rules import Rulebook, compile_rules
from processor.fraud.window import Window
from processor.matching.folding import Batch
from processor.matching.matcher import Matcher
from processor.model import ChatMessage
from processor.rulesets.directory import builtin

DATA = Path(__file__).parent / "data"
REMIND_AT = 30
MINUTE_MS = 60_000


@cache
def base() -> tuple[Rulebook, Matcher, tuple[int, ...]]:
    fraud = builtin().fraud
    book = compile_rules(fraud.groups, fraud.rules, fraud.scorecards, fraud.brands)
    return book, Matcher(list(book.terms)), tuple(book.terms.values())


def score(talk: Conversation) -> int:
    """The highest score of a talk's messages, a minute apart."""
    book, matcher, bits = base()
    window: Window | None = None
    best = 0
    for number, (speaker, text) in enumerate(talk):
        message = ChatMessage(
            message_id=str(number), tenant_id="t", conversation_id="c", sender_id=speaker, type="text", content=text
        )
        marks = [Mark(each.start, each.end, bits[each.term]) for each in matcher.find(Batch([text])).get(0, [])]
        entities = list(find_entities(text))
        seen = weigh(book, message, at=number * MINUTE_MS, marks=marks, entities=entities, window=window, wording=None)
        window = seen.window
        best = max(best, seen.fraud.score if seen.fraud else 0)
    return best


def lines(name: str) -> list[str]:
    return [line for line in (DATA / name).read_text(encoding="utf-8").splitlines() if line and line[0] != "#"]


def talks(name: str) -> list[Conversation]:
    blocks = (DATA / name).read_text(encoding="utf-8").split("\n\n")[1:]
    rows = [[line for line in block.strip().split("\n") if line[1:2] == ":"] for block in blocks]
    return [tuple((line[0], line[3:]) for line in each) for each in rows]


def found(each: list[Conversation]) -> float:
    return sum(score(talk) >= REMIND_AT for talk in each) / len(each)


def test_messages_of_swindlers_are_found() -> None:
    assert found([(("A", line.split("|", 1)[1]),) for line in lines("messages_fraud_zh.txt")]) >= 0.88


def test_talks_of_swindlers_are_found() -> None:
    assert found(talks("talks_fraud_zh.txt")) >= 0.88


def test_service_desks_and_friends_are_left_alone() -> None:
    assert found(talks("talks_ordinary_zh.txt")) <= 0.02


def test_everyday_lines_and_true_notices_are_left_alone() -> None:
    assert found([(("A", line),) for line in lines("benign_lines_zh.txt")]) <= 0.01


def test_warnings_and_news_are_left_alone() -> None:
    assert found([(("A", line),) for line in lines("notices_zh.txt")]) <= 0.04
