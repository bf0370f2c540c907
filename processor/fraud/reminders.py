"""Reminders: who is warned of what, in which words, and how often.

The likely victim is warned, not the person accused: the receivers, or whoever else writes in the conversation. A
person hears of one type of fraud in one conversation once per cooldown. A scheme that goes on is another matter: when
it has come to a later stage, or to a score that a person reviews, or when the cooldown is over, the same people hear
of it again, in stronger words. Over all conversations of a partition a person gets so many reminders within 24 hours
and no more; the last of them are kept for schemes that go on and for questions, so that many weak suspicions cannot
use up what a grave one needs. One message reminds a person of one type once, however often it comes.

All this is remembered with the recipient (`window.recipient`), not with the conversation.

The words are those written for the type and for how far the scheme is: `remind.SD.pay.v1` before `remind.SD.v1` before
the general `remind.QT.v1`. A sender who is reminded because the rule says so (about to pay, or drawn in as a tool)
reads `remind.GR.sender.v1` where there is one; one who asks whether something is a fraud reads what receivers read.
Who is reminded of the same thing again reads `remind.SD.pay.again.v1` or `remind.SD.again.v1` before all of these.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from msgspec import Struct

from processor.fraud.engine import Weighed
from processor.fraud.rule import OTHER, STAGES, WORDING, Rule
from processor.fraud.window import Given, Window, fingerprint, storable
from processor.fraud.window import recipient as key_of
from processor.fraud.wording import HOTLINES, PLACEHOLDER, Templates
from processor.model import ChatMessage, Fraud, Reminder, Severity, encode

Role = Literal["receiver", "sender"]

MOST_GIVEN = 20  # reminders that are remembered of a person
_DAY_MS = 86_400_000
_HAN = re.compile("[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_LOCALES = ("zh-CN", "en")


class Limits(Struct, frozen=True, kw_only=True):
    """How reminders are sent: `locale` is a language tag or "auto"."""

    remind_at: int = 30  # fraud score from which on people are warned
    review_at: int = 60  # from which on the message is held for a person
    locale: str = "auto"
    cooldown_s: int = 21_600  # unless the rule has its own
    per_day: int = 8  # reminders to a person within 24 hours
    per_day_kept: int = 2  # of these for schemes that go on, and for questions
    hotline: Mapping[str, str] = {}  # locale → whom to ask; HOTLINES stands in
    expires_s: int = 86_400
    max_recipients: int = 200


class Reminded(Struct, frozen=True, kw_only=True):
    """The reminders to send, the windows that remember them, and how many were not sent, by reason.

    The reasons are cooldown, per_day, no_recipient, too_many and no_template.
    """

    reminders: tuple[Reminder, ...] = ()
    windows: Mapping[str, Window] = {}
    suppressed: Mapping[str, int] = {}


NO_REMINDERS = Reminded()


class _Words(NamedTuple):
    """A template in one language."""

    template: str
    locale: str
    text: Mapping[str, str]  # title, body


def remind(
    weighed: Weighed,
    message: ChatMessage,
    *,
    at: int,
    templates: Templates,
    limits: Limits,
    windows: Mapping[str, Window],
) -> Reminded:
    """The reminders a weighed message calls for, at its time `at` (ms since the epoch).

    `windows` holds what is remembered of people, by `window.recipient`.
    """
    fraud = weighed.fraud
    if fraud is None or fraud.score < limits.remind_at:
        return NO_REMINDERS
    rule = _leading(weighed.rules)
    kind = rule.type if rule.type != OTHER else fraud.types[0]
    people = _recipients(weighed, message, rule)
    if not people:
        return Reminded(suppressed={"no_recipient": 1})

    stage = _stage(weighed, kind)
    asked = _asked(message, kind, storable(at), rule, stage, fraud.score, limits)
    severity = weighed.rules[0].severity if weighed.rules else rule.severity
    locales = _locales(message, limits)
    found: dict[tuple[Role, bool], _Words | None] = {}
    reminders: list[Reminder] = []
    changed: dict[str, Window] = {}
    suppressed = Counter(too_many=max(0, len(people) - limits.max_recipients))
    for recipient, role in people[: limits.max_recipients]:
        key = key_of(message.tenant_id, recipient)
        window = windows.get(key)
        given = window.given if window else ()
        alike = [each for each in given if each.conversation == asked.conversation and each.fraud_type == kind]
        again = bool(alike)
        if (role, again) not in found:
            names = _names(rule, kind, stage, role, asked=weighed.inquiry, again=again)
            found[role, again] = _words(names, templates, locales)
        words = found[role, again]
        if words is None:
            suppressed["no_template"] += 1
        elif _too_early(asked, alike):
            suppressed["cooldown"] += 1
        elif _too_many(asked, given, limits, urgent=again or weighed.inquiry):
            suppressed["per_day"] += 1
        else:
            changed[key] = Window("", given=(*given, asked)[-MOST_GIVEN:])
            reminders.append(_reminder(message, fraud, asked, severity, (recipient, role), words, limits))
    return Reminded(reminders=tuple(reminders), windows=changed, suppressed=+suppressed)


def _asked(
    message: ChatMessage, kind: str, at: int, rule: Rule, stage: str | None, score: int, limits: Limits
) -> Given:
    """The reminder that a message calls for, as it will be remembered of each who gets it."""
    return Given(
        conversation=fingerprint(message.conversation_id),
        message=fingerprint(message.message_id),
        fraud_type=kind,
        at=at,
        cooldown_ms=1000 * (limits.cooldown_s if rule.cooldown_s is None else rule.cooldown_s),
        stage=STAGES.index(stage) + 1 if stage else 0,
        band=int(score >= limits.review_at),
    )


def _too_early(asked: Given, alike: Sequence[Given]) -> bool:
    """Whether the person has heard of this lately, in a conversation that has got no worse, or by this very message."""
    if any(each.message == asked.message for each in alike):
        return True
    lately = [each for each in alike if each.holds_back(asked.at)]
    return (
        bool(lately)
        and asked.stage <= max(each.stage for each in lately)
        and asked.band <= max(each.band for each in lately)
    )


def _too_many(asked: Given, given: Sequence[Given], limits: Limits, *, urgent: bool) -> bool:
    """Whether the person has got all of the day's reminders; either way, as for the cooldown."""
    told = sum(1 for each in given if abs(each.at - asked.at) < _DAY_MS)
    return told >= limits.per_day - (0 if urgent else limits.per_day_kept)


def _reminder(
    message: ChatMessage,
    fraud: Fraud,
    asked: Given,
    severity: Severity,
    who: tuple[str, Role],
    found: _Words,
    limits: Limits,
) -> Reminder:
    recipient, role = who
    return Reminder(
        reminder_id=_reminder_id(message, recipient, asked.fraud_type),
        tenant_id=message.tenant_id,
        conversation_id=message.conversation_id,
        message_id=message.message_id,
        recipient_id=recipient,
        recipient_role=role,
        fraud_type=asked.fraud_type,
        severity=severity,
        score=fraud.score,
        template=found.template,
        locale=found.locale,
        title=_filled(found, "title", limits),
        body=_filled(found, "body", limits),
        rules=fraud.rules,
        sent_at=asked.at,
        expires_at=asked.at + 1000 * limits.expires_s,
    )


def _leading(rules: Sequence[Rule]) -> Rule:
    """The strongest rule that names a type of fraud; else mere wording's."""
    named = (rule for rule in rules if rule.type != OTHER)
    return next(named, rules[0] if rules else WORDING[Severity.MEDIUM])


def _recipients(weighed: Weighed, message: ChatMessage, rule: Rule) -> list[tuple[str, Role]]:
    """Whom to warn, each once, the likely victims first."""
    if weighed.inquiry:
        return [(message.sender_id, "sender")]
    people: list[tuple[str, Role]] = []
    if "receiver" in rule.remind_to:
        others = message.receiver_ids or _writers(weighed.window, message.tenant_id)
        people.extend((other, "receiver") for other in dict.fromkeys(others) if other and other != message.sender_id)
    if "sender" in rule.remind_to:
        people.append((message.sender_id, "sender"))
    return people


def _writers(window: Window | None, tenant_id: str) -> list[str]:
    return [each.sender_id for each in window.sightings if each.tenant_id == tenant_id] if window else []


def _stage(weighed: Weighed, kind: str) -> str | None:
    """How far the scheme of this type is, as far as its rules tell."""
    stages = [rule.stage for rule in weighed.rules if rule.stage and rule.type == kind]
    return max(stages, key=STAGES.index, default=None)


def _names(rule: Rule, kind: str, stage: str | None, role: Role, *, asked: bool, again: bool) -> Iterator[str]:
    """The templates that fit, best first."""
    own = [rule.template] if rule.type == kind else []
    parts = [*(["sender"] if role == "sender" and not asked else []), *([stage] if stage else [])]
    bases = list(dict.fromkeys([*own, f"remind.{kind}.v1"]))
    if again:
        yield from (name for base in bases for name in _with(base, [*(f"{part}.again" for part in parts), "again"]))
    for base in bases:
        yield from _with(base, parts)
        yield base
    if again:
        yield f"remind.{OTHER}.again.v1"
    yield f"remind.{OTHER}.v1"


def _with(base: str, parts: Iterable[str]) -> Iterator[str]:
    """The templates that are more special than `base`."""
    stem, _, version = base.rpartition(".")
    return (f"{stem}.{part}.{version}" for part in parts)


def _words(names: Iterable[str], templates: Templates, locales: Sequence[str]) -> _Words | None:
    """What to say; other locales, then the next template, stand in for what is missing."""
    for name in names:
        texts = templates.get(name, {})
        for locale in locales:
            if locale in texts:
                return _Words(name, locale, texts[locale])
    return None


def _locales(message: ChatMessage, limits: Limits) -> Sequence[str]:
    """The languages to write in, best first: the one that is set, that of the message, any."""
    chinese = any(map(_HAN.search, (message.content or "", *(message.texts or ()))))
    own = _LOCALES if chinese else _LOCALES[::-1]
    return own if limits.locale == "auto" else (limits.locale, limits.locale.partition("-")[0], *own)


def _filled(words: _Words, part: str, limits: Limits) -> str:
    locale = words.locale
    hotline = limits.hotline.get(locale) or HOTLINES.get(locale) or limits.hotline.get("en") or HOTLINES["en"]
    return words.text[part].replace(PLACEHOLDER, hotline)


def _reminder_id(message: ChatMessage, recipient: str, kind: str) -> str:
    """The same for the same input, so that a push service can drop what it has seen."""
    names = (message.tenant_id, message.conversation_id, message.message_id, recipient, kind)
    return hashlib.sha256(encode(names)).hexdigest()[:32]
