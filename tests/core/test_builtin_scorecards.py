"""What holds for the built-in scorecards: those with examples of their own fire on them and on no near miss."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from processor.fraud.engine import Weighed
from processor.fraud.reading import Fields, parse_head
from processor.fraud.rule import Conversation, Rule
from processor.fraud.rules import compile_rules
from processor.rulesets.directory import builtin
from tests.core.weighing import Reader, reader, weighed_by

FRAUD = builtin().fraud
HEAD = ("id", "version", "status", "type", "title", "severity", "remind", "source", "tests")


def head(card: dict[str, Any]) -> Rule:
    problems: list[str] = []
    rule = parse_head(Fields({key: card[key] for key in HEAD if key in card}, "card", problems))
    assert problems == []
    return rule


CARDS = [head(card) for card in FRAUD.scorecards["cards"] if "tests" in card and card["status"] == "active"]
each_card = pytest.mark.parametrize("card", CARDS, ids=lambda card: card.id)


@cache
def rules() -> Reader:
    return reader(compile_rules(FRAUD.groups, FRAUD.rules, FRAUD.scorecards, FRAUD.brands))


def weighed(conversation: Conversation) -> Iterator[Weighed]:
    return weighed_by(rules(), conversation)


def fired(conversation: Conversation) -> set[str]:
    return {rule.id for seen in weighed(conversation) for rule in seen.rules}


@each_card
def test_a_card_fires_on_each_of_its_examples(card: Rule) -> None:
    assert len(card.hits) >= 3
    assert [hit for hit in card.hits if card.id not in fired(hit)] == []


@each_card
def test_a_card_leaves_its_near_misses_alone(card: Rule) -> None:
    assert len(card.misses) >= 3
    assert [miss for miss in card.misses if card.id in fired(miss)] == []


@each_card
def test_one_of_the_near_misses_is_a_notice_and_fires_nothing(card: Rule) -> None:
    notices = [miss for miss in card.misses if any(seen.warning or seen.inquiry for seen in weighed(miss))]
    assert notices
    assert [notice for notice in notices if fired(notice)] == []


WARNINGS_TO_THE_EYE = [
    "HSBC: new payee added. If it wasn't you, cancel it at https://hsbc-payee-cancel.com. We will never ask for a PIN.",
    (
        "Officer Grant from SSA here. Your social security number was used by scammers, we need you to move your "
        "savings to a federal safe account today"
    ),
    "【招商银行】温馨提示：谨防诈骗，您的账户存在风险，请点击 cmb-safe.xyz 核实身份，否则将冻结",
    "【反诈中心】您涉嫌参与电信诈骗，请立即联系王警官微信 fz110110 配合调查，勿告诉他人",
    "警方提醒：您名下银行卡涉嫌洗钱，请在今日内将资金转入安全账户接受核查",
    "反诈中心提醒您，您之前被骗的钱已追回，缴纳2%手续费即可退回，加QQ 778812345",
]
WARNINGS = [
    "警方提醒：近期有人冒充银行客服发短信称账户异常，要求点击链接，请勿点击，谨防上当",
    "短信里“您的账户存在风险，请点击 cmb-safe.xyz 核实”都是诈骗，请勿点击",
    "有人冒充公检法，称您名下银行卡涉嫌洗钱，要求将资金转入安全账户，切勿相信",
    "FTC warns: scammers pretend to be your bank and ask you to move money to a safe account. Hang up, call your bank.",
    "Texts that a new payee was added and to cancel it at hsbc-payee-cancel.com are a known scam. Do not tap the link.",
]


@pytest.mark.parametrize("text", WARNINGS_TO_THE_EYE)
def test_a_swindler_who_speaks_as_a_warning_does_is_reminded_of(text: str) -> None:
    [each] = weighed((("A", text),))
    assert each.fraud
    assert 30 <= each.fraud.score < 60, "but the message is not held: it may be a warning after all"


def test_quotation_marks_hide_no_link() -> None:
    text = "尊敬的客户请看通知：“您的ETC卡已失效，请尽快点击 etc-gov.vip 重新认证，以免影响通行”请您及时处理谢谢"
    [each] = weighed((("A", text),))
    assert each.fraud


@pytest.mark.parametrize("text", WARNINGS)
def test_a_warning_that_tells_what_swindlers_write_is_left_alone(text: str) -> None:
    [each] = weighed((("A", text),))
    assert (each.fraud, each.warning) == (None, True)


def test_a_reason_has_words_for_every_signal() -> None:
    cards = FRAUD.scorecards
    used = {name for card in cards["cards"] for given in card["points"].values() for name in given}
    assert used - set(cards["says"]) == set()
