"""One batch through the judge: match ▸ weigh ▸ decide. Read this file first.

Items come in as they were decoded, judgements go out in the same order, one each. The texts of the whole batch are
matched at once, since that is where the speed is; only messages in which something was found are looked at one by
one. A conversation's window is folded message by message, in order; the windows that changed are returned and become
true only when the caller has committed them together with what it wrote.

No I/O, no clock, no logger: the same function judges in the worker, in `chatguard screen`, in tests and benchmarks.
"""

from bisect import bisect_right
from collections import ChainMap, defaultdict
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple, cast

from msgspec import Struct

from processor.fraud.engine import Mark, weigh
from processor.fraud.entities import HINT, find_entities
from processor.fraud.reminders import NO_REMINDERS, remind
from processor.fraud.window import Window
from processor.matching.folding import Batch
from processor.matching.matcher import Found
from processor.model import Action, ChatMessage, Entity, Fraud, Hit, Malformed, Reminder, Severity
from processor.policy import FRAUD, decide
from processor.ruleset import Allow, Base, Entry, Meaning, Overlay, Rules

MEDIA = frozenset({"image", "audio", "voice", "video", "file", "location", "sticker", "emoji"})
"""Types whose `content` is an address or data for a player, not words; their `texts` are judged."""


class Judged(Struct, frozen=True, gc=False):
    """The judgement of one message."""

    action: Action
    hits: Sequence[Hit] = ()
    entities: Sequence[Entity] = ()
    fraud: Fraud | None = None
    shadow: Sequence[str] = ()  # rules on trial that would have fired
    remind: bool = False
    reasons: Sequence[str] = ()
    reminders: Sequence[Reminder] = ()
    suppressed: Mapping[str, int] = {}  # reminders not sent, by reason


CLEAN = Judged(action=Action.PASS)
_NONE: frozenset[str] = frozenset()

Item = ChatMessage | Malformed
Windows = Mapping[str, Window]  # by conversation id


class Judgements(NamedTuple):
    """What a batch came to, in the order of its items, and the windows that changed."""

    each: Sequence[Judged | Malformed]
    windows: Windows


def judge(items: Sequence[Item], times: Sequence[int], rules: Rules, windows: Windows) -> Judgements:
    """Judge a batch; `times` holds each item's time in ms since the epoch (the sender's, or else the record's).

    Never raises: where a batch fails, its items are judged alone, and the one that fails alone comes back as a
    Malformed of kind "judge".
    """
    try:
        return _judge(items, times, rules, windows)
    except Exception as error:  # noqa: BLE001  whatever a message does to us, the others go on
        if len(items) == 1:
            return Judgements([Malformed(reason=f"{type(error).__name__} while judging", kind="judge")], {})
        return _judge_alone(items, times, rules, windows)


def _judge_alone(items: Sequence[Item], times: Sequence[int], rules: Rules, windows: Windows) -> Judgements:
    each: list[Judged | Malformed] = []
    changed: dict[str, Window] = {}
    for item, at in zip(items, times, strict=True):
        alone = judge([item], [at], rules, ChainMap(changed, windows))  # type: ignore[arg-type]
        each.extend(alone.each)
        changed.update(alone.windows)
    return Judgements(each, changed)


def _judge(items: Sequence[Item], times: Sequence[int], rules: Rules, windows: Windows) -> Judgements:
    noted = _note(items, rules)
    changed: dict[str, Window] = {}
    each: list[Judged | Malformed] = [item if isinstance(item, Malformed) else CLEAN for item in items]
    for number, notes in noted.items():  # in order, so that windows fold message by message
        message = cast("ChatMessage", items[number])
        known = message.conversation_id
        window = changed.get(known) or windows.get(known)
        each[number], after = _judge_one(message, times[number], notes, rules, window)
        if after is not None and after is not window:
            changed[known] = after
    return Judgements(each, changed)


class _Note(NamedTuple):
    """What was found in one text of a message."""

    field: str
    text: str
    base: Sequence[Found]
    beside: Sequence[Found]
    overlay: Sequence[Found]
    hinted: bool  # whether an entity may stand in it


def _note(items: Sequence[Item], rules: Rules) -> Mapping[int, list[_Note]]:
    """Match all texts of the batch at once; the items in which something was found, with their notes."""
    texts, fields, owners, tenants = _texts(items)
    batch = Batch(texts)
    base = rules.base.matcher.find(batch)
    overlay = _find_overlays(batch, tenants, rules) if rules.overlays else {}
    hinted = {batch.locate(match.start()) for match in HINT.finditer("\n".join(batch.texts))}
    lines = sorted({*base, *overlay, *hinted})
    beside = rules.base.beside.find(Batch([texts[line] for line in lines])) if rules.base.beside_bits else {}
    noted: defaultdict[int, list[_Note]] = defaultdict(list)
    for place, line in enumerate(lines):
        finds = (base.get(line, ()), beside.get(place, ()), overlay.get(line, ()))
        note = _Note(fields[line], texts[line], *finds, line in hinted)
        noted[owners[line]].append(note)
    return noted


def _texts(items: Sequence[Item]) -> tuple[list[str], list[str], list[int], list[str]]:
    """The texts to judge; of each its field, the number of its item, and its tenant."""
    texts: list[str] = []
    fields: list[str] = []
    owners: list[int] = []
    tenants: list[str] = []
    for number, item in enumerate(items):
        if isinstance(item, Malformed):
            continue
        if item.content and item.type not in MEDIA:
            texts.append(item.content)
            fields.append("content")
            owners.append(number)
            tenants.append(item.tenant_id)
        if item.texts:
            texts += item.texts
            fields += [f"texts[{place}]" for place in range(len(item.texts))]
            owners += [number] * len(item.texts)
            tenants += [item.tenant_id] * len(item.texts)
    return texts, fields, owners, tenants


def _find_overlays(batch: Batch, tenants: Sequence[str], rules: Rules) -> dict[int, list[Found]]:
    lines: defaultdict[str, list[int]] = defaultdict(list)
    for line, tenant in enumerate(tenants):
        if tenant in rules.overlays:
            lines[tenant].append(line)
    found: dict[int, list[Found]] = {}
    for tenant, own in lines.items():
        finds = rules.overlays[tenant].matcher.find(Batch([batch.texts[line] for line in own]))
        found.update({own[place]: each for place, each in finds.items()})
    return found


def _judge_one(
    message: ChatMessage, at: int, notes: Sequence[_Note], rules: Rules, window: Window | None
) -> tuple[Judged, Window | None]:
    scope = rules.scope(message.tenant_id)
    hits: list[Hit] = []
    marks: list[Mark] = []
    entities: list[Entity] = []
    for note in notes:
        _read_note(note, rules.base, scope.overlay, hits, marks)
        if note.hinted:
            entities.extend(find_entities(note.text, note.field))
    if not (marks or entities or hits):
        return CLEAN, window
    wording = _wording(hits) if hits else None
    off = scope.overlay.off_rules if scope.overlay else _NONE
    weighed = weigh(
        rules.base.book, message, at=at, marks=marks, entities=entities, window=window, wording=wording, off=off
    )
    if not (hits or entities or weighed.fraud or weighed.shadow):
        return CLEAN, weighed.window
    quoted = weighed.warning or weighed.inquiry
    decision = decide(scope.policy, hits, weighed.fraud, weighed.reasons, quoted=quoted)
    after = weighed.window
    reminded = NO_REMINDERS
    if decision.remind:
        reminded = remind(weighed, message, at=at, templates=rules.base.templates, limits=scope.policy.limits)
        after = reminded.window
    judged = Judged(
        action=decision.action,
        hits=hits,
        entities=entities,
        fraud=weighed.fraud,
        shadow=weighed.shadow,
        remind=decision.remind,
        reasons=tuple(dict.fromkeys(decision.reasons)),  # a word that comes often is one reason
        reminders=reminded.reminders,
        suppressed=reminded.suppressed,
    )
    return judged, after


def _wording(hits: Sequence[Hit]) -> Severity | None:
    """The gravest severity of the hits of category fraud."""
    return max((hit.severity for hit in hits if hit.category == FRAUD), key=lambda s: s.rank, default=None)


def _read_note(note: _Note, base: Base, overlay: Overlay | None, hits: list[Hit], marks: list[Mark]) -> None:
    """Append what the finds of one text mean: lexicon hits, and marks of fraud groups."""
    allowed = _allowed(note.overlay, overlay.meanings) if overlay else ([], [])
    for find in note.base:
        spelling, what = base.meanings[find.term]
        if isinstance(what, int):
            marks.append(Mark(find.start, find.end, what, note.field))
        elif isinstance(what, Entry) and not _is_allowed(find, allowed):
            entry = overlay.regrade(what) if overlay else what
            if entry:
                hits.append(_hit(note, find, spelling, entry))
    marks.extend(Mark(find.start, find.end, base.beside_bits[find.term], note.field) for find in note.beside)
    for find in note.overlay if overlay else ():
        spelling, what = overlay.meanings[find.term]  # type: ignore[union-attr]  # there are none without an overlay
        if isinstance(what, Entry) and not _is_allowed(find, allowed):
            hits.append(_hit(note, find, spelling, what))


def _allowed(finds: Sequence[Found], meanings: Sequence[Meaning]) -> tuple[Sequence[int], Sequence[int]]:
    """Where the phrases begin that a tenant allows, and how far those that have begun by then reach."""
    phrases = [find for find in finds if isinstance(meanings[find.term].what, Allow)]
    return [find.start for find in phrases], list(accumulate((find.end for find in phrases), max))


def _is_allowed(find: Found, allowed: tuple[Sequence[int], Sequence[int]]) -> bool:
    """Whether a find lies within a phrase that its tenant allows."""
    starts, reach = allowed
    begun = bisect_right(starts, find.start)
    return begun > 0 and find.end <= reach[begun - 1]


def _hit(note: _Note, find: Found, spelling: str, entry: Entry) -> Hit:
    text = note.text[find.start : find.end]
    via = [*find.via, *(["alias"] if spelling != entry.term else [])]
    return Hit(
        term=entry.term,
        text=text,
        start=find.start,
        end=find.end,
        field=note.field,
        category=entry.category,
        severity=entry.severity,
        lexicon=entry.lexicon,
        via=via,
    )
