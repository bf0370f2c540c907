"""What the built-in base, rules and scorecards together, says of Chinese messages, talks, notices and small talk."""

from pathlib import Path

from processor.fraud.rule import Conversation
from processor.judge import Judged, judge
from processor.model import ChatMessage
from tests.eval.corpus import read
from tests.eval.measure import follow
from tests.redteam.lines import builtin_rules

DATA = Path(__file__).parent / "data"
TEXTS = Path(__file__).parents[1] / "eval" / "texts"
REMIND_AT = 30
MINUTE_MS = 60_000


def score(talk: Conversation) -> int:
    """The highest score of a talk's messages, a minute apart."""
    items = [
        ChatMessage(
            message_id=str(number), tenant_id="t", conversation_id="c", sender_id=speaker, type="text", content=text
        )
        for number, (speaker, text) in enumerate(talk)
    ]
    judged = judge(items, [number * MINUTE_MS for number in range(len(items))], builtin_rules(), {}).each
    return max(each.fraud.score if isinstance(each, Judged) and each.fraud else 0 for each in judged)


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


def test_collected_chinese_texts_are_judged_as_before() -> None:
    seen = [each for each in follow(read([TEXTS]), builtin_rules()) if each.talk.lang == "zh"]

    def told(kind: str) -> float:
        of_kind = [each.reminded or each.flagged for each in seen if each.talk.kind == kind]
        return sum(of_kind) / len(of_kind)

    assert told("fraud") >= 0.9
    assert told("benign") <= 0.01
    assert told("warning") <= 0.02
