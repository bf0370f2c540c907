"""Which of the flagged messages and reminders to show: one of each interesting kind, from what was read back."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from processor.demo.offers import PRODUCT
from processor.demo.readback import Client, Flag, Seen, fetch
from processor.model import Action, ChatMessage, Reminder, Topic, Verdict

_FEW, _MANY = 3, 7  # earlier messages of a fraud worth showing

_message_of = msgspec.json.Decoder(ChatMessage).decode


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A flagged message, and the earlier ones of its conversation that count as evidence."""

    title: str
    flag: Flag
    message: ChatMessage
    earlier: Sequence[ChatMessage] = ()


def disguises(flags: Iterable[Flag]) -> list[Example]:
    """Messages with a term of the lexicons, one for each way of hiding it."""
    return _first_of_each(_DISGUISES, [flag for flag in flags if flag.verdict.hits and not flag.verdict.fraud])


async def frauds(client: Client, seen: Seen) -> list[Example]:
    """The last message of a fraud in Chinese and of one in English, each with its evidence. Raises: Unavailable."""
    telling = sorted(seen.flags, key=lambda flag: -len(flag.verdict.fraud.evidence if flag.verdict.fraud else ()))
    return [
        Example(title=e.title, flag=e.flag, message=e.message, earlier=await _evidence(client, seen, e.flag.verdict))
        for e in _first_of_each(_FRAUDS, telling)
    ]


def reminders(reminded: Iterable[Reminder], most: int = 4) -> list[Reminder]:
    """Reminders of different types of fraud, in both languages."""
    chosen: dict[str, Reminder] = {}
    locales = ("zh-CN", "en")
    for reminder in reminded:
        if reminder.fraud_type not in chosen and reminder.locale == locales[len(chosen) // 2 % 2]:
            chosen[reminder.fraud_type] = reminder
        if len(chosen) == most:
            break
    return list(chosen.values())


def _first_of_each(
    wanted: Mapping[str, Callable[[Verdict, ChatMessage], bool]], flags: Iterable[Flag]
) -> list[Example]:
    found: dict[str, Example] = {}
    for flag in flags:
        message = message_in(flag.verdict)
        for title, fits in wanted.items():
            if title not in found and fits(flag.verdict, message):
                found[title] = Example(title=title, flag=flag, message=message)
                break
        if len(found) == len(wanted):
            break
    return [found[title] for title in wanted if title in found]


def message_in(verdict: Verdict) -> ChatMessage:
    """The message that the verdict is about."""
    assert isinstance(verdict.message, msgspec.Raw)
    return _message_of(verdict.message)


async def _evidence(client: Client, seen: Seen, verdict: Verdict) -> list[ChatMessage]:
    """The evidence but for the message itself, oldest first; some was delivered, some flagged."""
    wanted = verdict.fraud.evidence if verdict.fraud else []
    flagged = {
        flag.verdict.message_id: message_in(flag.verdict) for flag in seen.flags if flag.verdict.message_id in wanted
    }
    places = {name: seen.places[name] for name in wanted if name in seen.places}
    delivered = dict(zip(places, map(_message_of, await fetch(client, Topic.DELIVERED, places.values())), strict=True))
    known = flagged | delivered
    return [known[name] for name in wanted if name != verdict.message_id and name in known]


def _via(verdict: Verdict) -> set[str]:
    return {way for hit in verdict.hits for way in hit.via}


def _is_pay(verdict: Verdict, message: ChatMessage, *, locale: str) -> bool:
    fraud = verdict.fraud
    chinese = not (message.content or "").isascii()
    return (
        fraud is not None
        and fraud.stage == "pay"
        and _FEW <= len(fraud.evidence) <= _MANY
        and chinese == (locale == "zh")
        and any(entity.kind in {"bank_card", "url"} for entity in verdict.entities) == chinese
    )


_DISGUISES: Mapping[str, Callable[[Verdict, ChatMessage], bool]] = {
    "Signs put between the characters": lambda v, _: _via(v) == {"separator"} and v.action is Action.BLOCK,
    "Traditional characters, and others that nobody sees": lambda v, _: _via(v) >= {"variant", "invisible"},
    "Full-width or mixed-case letters": lambda v, _: bool(_via(v) & {"width", "case"}) and "separator" not in _via(v),
    "In the caption of a picture": lambda _, m: m.type != "text",
    "As it stands, and not so grave: for a person to look at": lambda v, _: (
        not _via(v) and v.action is Action.REVIEW and v.hits[0].term != PRODUCT
    ),
}
_FRAUDS: Mapping[str, Callable[[Verdict, ChatMessage], bool]] = {
    "A fraud that unfolds over several messages": lambda v, m: _is_pay(v, m, locale="zh"),
    "Another one, in English": lambda v, m: _is_pay(v, m, locale="en"),
}
