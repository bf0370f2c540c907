"""What reminder texts may say, and what a tenant may put in their place."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.errors import Invalid
from processor.fraud.wording import MOST_BODY, MOST_TITLE, base_flaws, overlay_flaws, readable
from processor.judge import judge
from processor.model import ChatMessage, Reminder
from processor.policy import merge, parse
from processor.ruleset import Rules
from processor.rulesets.compile import compile_base, compile_overlay
from processor.rulesets.directory import builtin
from processor.rulesets.document import OverlayDocument, Text, build

BUILTIN = builtin()
BASE = compile_base(BUILTIN, version=0, digest="ab" * 32)
SCAM = "我是公安局的，把钱转到安全账户 6222020200112230006，不要告诉家人"


def flaws(name: str = "remind.SD.v1", locale: str = "en", title: str = "t", body: str = "b") -> list[str]:
    return list(overlay_flaws({name: {locale: {"title": title, "body": body}}}))


def test_a_good_text_has_no_flaws() -> None:
    assert flaws(body="Ask {hotline} first, or your bank.") == []
    assert flaws("remind.GR.sender.again.v1", "zh-TW", "先停一停", "請不要轉帳，打 165 問一問。") == []
    assert list(base_flaws({"remind.house.v9": {"en": {"title": "t", "body": "b"}}})) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": "remind.XX.v1"}, "reminders: nobody comes to template 'remind.XX.v1': write remind.<type>.v1"),
        ({"name": "remind.SD.paid.v1"}, "nobody comes to template 'remind.SD.paid.v1'"),
        ({"locale": "English"}, "reminders: remind.SD.v1: 'English' is no language tag"),
        ({"title": " "}, "reminders: remind.SD.v1: en: title: is empty"),
        ({"title": "x" * (MOST_TITLE + 1)}, "title: has 61 characters, more than 60"),
        ({"body": "x" * (MOST_BODY + 1)}, "body: has 501 characters, more than 500"),
        ({"body": "Call {phone} now"}, "body: {phone} is no placeholder: only {hotline} is filled in"),
        ({"body": "see bank-help.com/x first"}, "body: names a link, 'bank-help.com/x'"),
        ({"body": "do not\u202e pay"}, "body: holds characters that cannot be seen"),
    ],
)
def test_a_flaw_is_told_with_its_template_language_and_part(changes: dict[str, str], said: str) -> None:
    (flaw,) = flaws(**changes)
    assert said in flaw


def test_every_flaw_is_told_at_once_and_keeps_the_overlay_from_compiling() -> None:
    bad = OverlayDocument(
        tenant="t1",
        reminders={"remind.SD.v1": {"en": Text(title="", body="{x}")}, "remind.TZ.v1": {}},
    )
    with pytest.raises(Invalid) as error:
        compile_overlay(bad, version=1, digest="")
    assert len(error.value.problems) == 3


def test_what_is_no_text_at_all_is_told_with_its_place() -> None:
    with pytest.raises(Invalid) as error:
        build({"kind": "overlay", "tenant": "t1", "reminders": {"remind.SD.v1": {"en": {"titel": "t", "body": 1}}}})
    assert any("reminders.remind.SD.v1.en" in problem and "titel" in problem for problem in error.value.problems)
    assert any("body" in problem for problem in error.value.problems)


@pytest.mark.parametrize("name", BUILTIN.reminders)
def test_every_shipped_text_may_be_replaced_by_a_tenants(name: str) -> None:
    assert readable(name)


@given(st.dictionaries(st.text(max_size=30), st.dictionaries(st.text(max_size=6), st.text(max_size=80), max_size=2)))
def test_any_text_is_good_or_its_flaws_are_told(texts: dict[str, dict[str, str]]) -> None:
    templates = {
        name: {locale: {"title": said, "body": said} for locale, said in each.items()} for name, each in texts.items()
    }
    said = list(overlay_flaws(templates))
    assert bool(said) or all(map(readable, texts))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"per_day": 0}, "per_day must be 1 to 20"),
        ({"per_day": 21}, "per_day must be 1 to 20"),
        ({"per_day": 3, "per_day_kept": 3}, "per_day_kept must be 0 to 2"),
        ({"cooldown_s": -1}, "cooldown_s must not be below 0"),
        ({"expires_s": 0}, "expires_s must not be below 1"),
        ({"locale": "Chinese!"}, "locale must be auto or a language tag"),
        ({"hotline": {"en": ""}}, "hotline: en: is empty"),
        ({"hotline": {"English": "999"}}, "hotline: English is no language tag"),
        ({"hotline": {"en": "{phone}"}}, "hotline: en: holds a brace"),
        ({"hotline": {"en": "www.help.com"}}, "hotline: en: names a link"),
        ({"hotlin": {}}, "hotlin"),
    ],
)
def test_a_policy_of_reminders_that_cannot_be_meant_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(Invalid) as error:
        parse(merge(BUILTIN.policy, {"reminder": changes}))
    assert said in str(error.value)


def test_a_policy_of_an_older_ruleset_needs_none_of_the_newer_entries() -> None:
    older = {"locale": "auto", "cooldown_s": 60, "expires_s": 60, "max_recipients": 5}
    limits = parse({**BUILTIN.policy, "reminder": older}).limits
    assert (limits.per_day, limits.per_day_kept, limits.hotline) == (8, 2, {})


def reminded(text: str = SCAM, *, tenant: str = "t1", **overlay: Any) -> list[Reminder]:
    document = build({"kind": "overlay", "tenant": "t1", **overlay})
    assert isinstance(document, OverlayDocument)
    rules = Rules(base=BASE, overlays={"t1": compile_overlay(document, version=3, digest="cd" * 32)})
    message = ChatMessage(
        message_id="m",
        tenant_id=tenant,
        conversation_id="c",
        sender_id="a",
        receiver_ids=["b"],
        type="text",
        content=text,
    )
    (judged,) = judge([message], [1_780_000_000_000], rules, {}).each
    return list(getattr(judged, "reminders", ()))


OWN = {"zh-CN": {"title": "自家的话", "body": "请先打 {hotline}"}}


def test_a_tenants_text_stands_before_the_base_s_for_this_tenant_alone() -> None:
    (shipped,) = reminded()
    own = {shipped.template: OWN}
    (theirs,) = reminded(reminders=own)
    assert (theirs.template, theirs.title, theirs.body) == (shipped.template, "自家的话", "请先打 96110")
    assert reminded(reminders=own, tenant="t2")[0].title == shipped.title


def test_a_language_or_template_that_a_tenant_leaves_out_is_the_base_s() -> None:
    (shipped,) = reminded()
    (english,) = reminded(reminders={shipped.template: OWN}, policy={"reminder": {"locale": "en"}})
    assert (english.locale, english.title) == ("en", BUILTIN.reminders[shipped.template]["en"].title)
    assert reminded(reminders={"remind.QT.v1": OWN})[0].title == shipped.title


def test_a_tenant_may_add_a_language_and_ask_for_it() -> None:
    (shipped,) = reminded()
    words = {"ja": {"title": "ご注意", "body": "送金しないでください。{hotline}"}}
    policy = {"reminder": {"locale": "ja", "hotline": {"ja": "#9110"}}}
    (japanese,) = reminded(reminders={shipped.template: words}, policy=policy)
    assert (japanese.locale, japanese.body) == ("ja", "送金しないでください。#9110")


def test_a_tenants_hotline_stands_in_every_shipped_text() -> None:
    (shipped,) = reminded()
    assert "96110" in shipped.body
    (theirs,) = reminded(policy={"reminder": {"hotline": {"zh-CN": "12345"}}})
    assert theirs.body == shipped.body.replace("96110", "12345")
    assert theirs.title == shipped.title


def test_a_tenants_threshold_decides_whom_it_reminds() -> None:
    assert reminded(policy={"fraud": {"remind_at": 100, "review_at": 100}}) == []
    assert reminded(policy={"fraud": {"remind_at": 100, "review_at": 100}}, tenant="t2") != []


def test_no_placeholder_is_left_in_a_shipped_text() -> None:
    (shipped,) = reminded()
    assert "{" not in shipped.title + shipped.body
