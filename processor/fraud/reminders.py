"""Reminders: who is warned of what, in which words, and how often.

The likely victim is warned, not the person accused: the receivers, or whoever else writes in the conversation. A
person hears of one type of fraud in one conversation once per cooldown, and the window remembers it.

The words are those written for the type and for how far the scheme is: `remind.SD.pay.v1` before `remind.SD.v1` before
the general `remind.QT.v1`. A sender who is reminded because the rule says so (about to pay, or drawn in as a tool)
reads `remind.GR.sender.v1` where there is one; one who asks whether something is a fraud reads what receivers read.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from msgspec import Struct

from processor.fraud.engine import Weighed
from processor.fraud.rule import OTHER, STAGES, WORDING, Rule
from processor.fraud.window import Given, Window, give, storable
from processor.model import ChatMessage, Fraud, Reminder, Severity, encode

Templates = Mapping[str, Mapping[str, Mapping[str, str]]]  # template → locale → title, body
Role = Literal["receiver", "sender"]

_HAN = re.compile("[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_LOCALES = ("zh-CN", "en")


class Limits(Struct, frozen=True, kw_only=True):
    """How reminders are sent: `locale` is a language tag or "auto"."""

    remind_at: int = 30  # fraud score from which on people are warned
    locale: str = "auto"
    cooldown_s: int = 21_600  # unless the rule has its own
    expires_s: int = 86_400
    max_recipients: int = 200


class Reminded(Struct, frozen=True, kw_only=True):
    """The reminders to send, the window that remembers them, and how many were not sent, by reason.

    The reasons are cooldown, no_recipient, too_many and no_template.
    """

    reminders: tuple[Reminder, ...] = ()
    window: Window | None = None
    suppressed: Mapping[str, int] = {}


NO_REMINDERS = Reminded()


class _Words(NamedTuple):
    """A template in one language."""

    template: str
    locale: str
    text: Mapping[str, str]  # title, body


def remind(weighed: Weighed, message: ChatMessage, *, at: int, templates: Templates, limits: Limits) -> Reminded:
    """The reminders a weighed message calls for, at its time `at` (ms since the epoch)."""
    at = storable(at)
    fraud, window = weighed.fraud, weighed.window
    if fraud is None or fraud.score < limits.remind_at:
        return Reminded(window=window)
    rule = _leading(weighed.rules)
    kind = rule.type if rule.type != OTHER else fraud.types[0]
    people = _recipients(weighed, message, rule)
    found = {
        role: _words(_names(rule, kind, _stage(weighed, kind), role, asked=weighed.inquiry), templates, locale)
        for role in dict.fromkeys(role for _, role in people)
        for locale in [_locale(message, limits)]
    }
    if not people or None in found.values():
        return Reminded(window=window, suppressed={"no_template": len(people)} if people else {"no_recipient": 1})

    cooldown_ms = 1000 * (limits.cooldown_s if rule.cooldown_s is None else rule.cooldown_s)
    allowed = people[: limits.max_recipients]
    told = _told(window, message.tenant_id, kind, at)
    due = [person for person in allowed if person[0] not in told]
    if due:
        given = [Given(message.tenant_id, recipient, kind, at, cooldown_ms) for recipient, _ in due]
        window = give(window, message.conversation_id, given, at)
    severity = weighed.rules[0].severity if weighed.rules else rule.severity
    expires_at = at + 1000 * limits.expires_s
    return Reminded(
        reminders=tuple(
            _reminder(message, fraud, kind, severity, who, words, at, expires_at)
            for who in due
            if (words := found[who[1]])
        ),
        window=window,
        suppressed=_nonzero(cooldown=len(allowed) - len(due), too_many=len(people) - len(allowed)),
    )


def _reminder(
    message: ChatMessage,
    fraud: Fraud,
    kind: str,
    severity: Severity,
    who: tuple[str, Role],
    found: _Words,
    at: int,
    expires_at: int,
) -> Reminder:
    recipient, role = who
    return Reminder(
        reminder_id=_reminder_id(message, recipient, kind),
        tenant_id=message.tenant_id,
        conversation_id=message.conversation_id,
        message_id=message.message_id,
        recipient_id=recipient,
        recipient_role=role,
        fraud_type=kind,
        severity=severity,
        score=fraud.score,
        template=found.template,
        locale=found.locale,
        title=found.text["title"],
        body=found.text["body"],
        rules=fraud.rules,
        sent_at=at,
        expires_at=expires_at,
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


def _told(window: Window | None, tenant_id: str, kind: str, at: int) -> set[str]:
    """Who has heard of this type of fraud too lately to hear of it again."""
    return {
        given.recipient_id
        for given in (window.given if window else ())
        if given.fraud_type == kind and given.tenant_id == tenant_id and given.holds_back(at)
    }


def _stage(weighed: Weighed, kind: str) -> str | None:
    """How far the scheme of this type is, as far as its rules tell."""
    stages = [rule.stage for rule in weighed.rules if rule.stage and rule.type == kind]
    return max(stages, key=STAGES.index, default=None)


def _names(rule: Rule, kind: str, stage: str | None, role: Role, *, asked: bool) -> Iterator[str]:
    """The templates that fit, best first."""
    own = [rule.template] if rule.type == kind else []
    for name in dict.fromkeys([*own, f"remind.{kind}.v1"]):
        stem, _, version = name.rpartition(".")
        if role == "sender" and not asked:
            yield f"{stem}.sender.{version}"
        if stage:
            yield f"{stem}.{stage}.{version}"
        yield name
    yield f"remind.{OTHER}.v1"


def _words(names: Iterable[str], templates: Templates, locale: str) -> _Words | None:
    """What to say; other locales, then the next template, stand in for what is missing."""
    for name in names:
        texts = templates.get(name, {})
        for choice in (locale, *_LOCALES):
            if choice in texts:
                return _Words(name, choice, texts[choice])
    return None


def _locale(message: ChatMessage, limits: Limits) -> str:
    if limits.locale != "auto":
        return limits.locale
    return "zh-CN" if any(map(_HAN.search, (message.content or "", *(message.texts or ())))) else "en"


def _reminder_id(message: ChatMessage, recipient: str, kind: str) -> str:
    """The same for the same input, so that a push service can drop what it has seen."""
    names = (message.tenant_id, message.conversation_id, message.message_id, recipient, kind)
    return hashlib.sha256(encode(names)).hexdigest()[:32]


def _nonzero(**counts: int) -> dict[str, int]:
    return {name: count for name, count in counts.items() if count}
