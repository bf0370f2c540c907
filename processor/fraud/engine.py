"""Weighing one message: which fraud rules it fires, together with what its conversation has shown before.

A rule fires when its clauses hold over the messages in its reach and the current message brings at least one of the
groups they ask for; a scorecard fires when its points add up. The score is that of the strongest of them, +5 for each
further rule, +10 when the two people have known each other for less than a week, +5 when the account is younger than a
month, +5 when the platform says that it is not verified; more evidence never lowers it.

A notice that warns of fraud fires nothing, and neither does anything an official account writes. Swindlers use the
words of warnings, too: what has few of them and a high score reminds, and is not flagged. Someone who asks
whether something is a fraud is never flagged but gets the reminder; a warning that asks is answered, too, since
victims quote warnings. None of these leaves a trace in the window.
"""

import re
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from itertools import pairwise

from msgspec import Struct, structs

from processor.fraud.rule import OTHER, STAGES, WORDING, Rule, Scope, Status
from processor.fraud.rules import Clauses, NearBits, Rulebook, Touched
from processor.fraud.scorecard import Evidence, Scorecards, totals
from processor.fraud.window import Sighting, Window, remember, same_message, storable
from processor.model import ChatMessage, Entity, Fraud, Severity

_WEEK_MS = 7 * 86_400_000
_FURTHER = 5
_MONTH_MS = 30 * 86_400_000
_NEW_CONTACT = 10
_NEW_ACCOUNT = _UNVERIFIED = 5
_MOST = 100
_ASKED_LEAST, _ASKED_MOST = 30, 59
_SURE = 2  # of a notice
_LOUD = 60  # the score from which on a message that may be a notice is reminded of, though not flagged
_NUMBER = re.compile(
    "[0-9][0-9,.]*|[一二两三四五六七八九十几][一二三四五六七八九十]*[十百千万][一二三四五六七八九十百千万]*"
)
_FRESH = 4  # messages that showed something count in full, however much was shown; each before them
_FADES = 0.7  # counts for this much of the one after it
_FIELD_SHIFT = 20  # a place in a later field comes after all places of the earlier ones
_FIELD_WIDTH = 1 << _FIELD_SHIFT


class Mark(Struct, frozen=True, gc=False):
    """A literal of fraud groups found in a message; offsets as in `Hit`, `bits` as in `Rulebook.terms`."""

    start: int
    end: int
    bits: int
    field: str = "content"


class Weighed(Struct, frozen=True, kw_only=True, gc=False):
    """What the rules say of one message."""

    fraud: Fraud | None = None
    rules: tuple[Rule, ...] = ()  # fired, strongest first
    shadow: tuple[str, ...] = ()  # id@version of rules on trial that would have fired
    warning: bool = False  # a notice, or official: counts for nothing
    inquiry: bool = False  # the sender asks whether something is a fraud
    window: Window | None = None  # to keep; the very object that came in if nothing changed
    reasons: tuple[str, ...] = ()


class Seen(Struct, frozen=True, gc=False):
    """A message in the terms of the current rulebook."""

    sighting: Sighting
    bits: int


class _Fired(Struct, frozen=True, gc=False):
    """A rule, and the earlier messages that helped."""

    rule: Rule
    evidence: Sequence[Sighting] = ()
    parts: Sequence[tuple[str, int]] = ()  # of a scorecard: what it gave points for


def weigh(
    book: Rulebook,
    message: ChatMessage,
    *,
    at: int,
    marks: Sequence[Mark],
    entities: Sequence[Entity],
    window: Window | None,
    wording: Severity | None,
    off: AbstractSet[str] = frozenset(),
) -> Weighed:
    """Weigh a message at its time `at` (ms since the epoch).

    `wording` is the gravest severity of the message's lexicon hits of category fraud; `off` holds the ids of rules
    switched off for its tenant.
    """
    if message.sender is not None and message.sender.role == "official":
        return Weighed(warning=True, window=window)
    marks, bits = _all_marks(book, message, marks, entities)
    touched = book.touched(bits)
    if touched.idle and wording is None:
        return Weighed(window=window)
    inquiry, notice = _quoted(book, marks, bits) if bits & book.telling_alone else (False, 0)
    if notice >= _SURE and not inquiry:
        return Weighed(warning=True, window=window)

    if touched.nears:
        bits |= _near_bits(touched.nears, marks)
    bits = (bits | touched.signals) & ~touched.blocked
    current = Seen(_sighting(book, message, at, marks, bits, touched), bits)
    fired: list[_Fired] = []
    if not notice or not inquiry:
        past = past_of(book, window, current.sighting) if window else ()
        fired += _fire(book, touched, message, current, past, off)
        if bits & book.cards.signals:
            fired += _tallied(book.cards, current, past, off)
        if wording:
            fired += _wording(wording, off)
    if inquiry:
        return _answer(book, message, current, fired, window, off)
    after = remember(window, message.conversation_id, current.sighting) if bits & book.remembered else window
    weighed = _sum_up(message, current, fired, after)
    return _perhaps_a_notice(weighed, window) if notice else weighed


def _perhaps_a_notice(weighed: Weighed, window: Window | None) -> Weighed:
    """What speaks of fraud but may be one: its reader is reminded if it is loud, and it is never flagged for it."""
    if weighed.fraud is None or weighed.fraud.score < _LOUD:
        return Weighed(warning=True, window=window)
    fraud = structs.replace(weighed.fraud, score=min(weighed.fraud.score, _ASKED_MOST))
    return structs.replace(weighed, fraud=fraud)


def _all_marks(
    book: Rulebook, message: ChatMessage, marks: Sequence[Mark], entities: Sequence[Entity]
) -> tuple[Sequence[Mark], int]:
    """The literals, and beside them what else means something: entities, and numbers next to words of money."""
    if entities:
        marks = [*marks, *(Mark(e.start, e.end, _entity_bits(book, e), e.field) for e in entities)]
    bits = _bits(marks)
    if message.content and (told := reported(message.content)) and not _tempts(book, bits):
        telling = book.telling_alone
        marks = [m for m in marks if m.bits & telling or m.field != "content" or not _within(told, m)]
        if len(told) >= _MANY:
            marks.append(Mark(told[-1][1] - 1, told[-1][1], book.quoting_bit))
        bits = _bits(marks)
    if bits & book.numeric and message.content:
        numbers = [Mark(number.start(), number.end(), book.number_bit) for number in _NUMBER.finditer(message.content)]
        if numbers:
            return [*marks, *numbers], bits | book.number_bit
    return marks, bits


_QUOTES = frozenset('“「"')
_QUOTED = re.compile(r'“[^“”]+”|「[^「」]+」|(?<![\w"])"[^"\n]+"(?!\w)')
_SENTENCE = {'"': 20}  # characters, by quotation mark, from which on a quotation is more than a word
_SHORTEST = 8
_MANY = 3  # quotations; who has so many reports
_AROUND = 12  # characters that somebody who quotes says himself


def reported(text: str) -> Sequence[tuple[int, int]]:
    """Where somebody else's words stand in a text: between quotation marks, with more around them.

    A word or two in quotation marks are the writer's own, and so is a text that stands in them as a whole.
    """
    if not _QUOTES.intersection(text):
        return ()
    spans = [match.span() for match in _QUOTED.finditer(text)]
    if len(text) - sum(end - start for start, end in spans) < _AROUND:
        return ()
    if len(spans) >= _MANY:
        return spans
    return [(start, end) for start, end in spans if end - start - 2 >= _SENTENCE.get(text[start], _SHORTEST)]


def _within(spans: Iterable[tuple[int, int]], mark: Mark) -> bool:
    return any(start <= mark.start and mark.end <= end for start, end in spans)


def _entity_bits(book: Rulebook, entity: Entity) -> int:
    bits = book.entity_bits[entity.kind]
    if entity.kind == "url":
        for kind in book.brands.classify(entity.value):
            bits |= book.link_bits[kind]
    return bits


def _quoted(book: Rulebook, marks: Sequence[Mark], bits: int) -> tuple[bool, int]:
    """Whether the message asks about fraud, and how surely it warns of it or reports it: 0, 1, or `_SURE`.

    Swindlers know the words of warnings. What gives its reader something to tap or an account to pay to and does not
    say to leave that alone, or speaks of the reader's own case and not of others, is not sure to be a warning.
    """
    inquiry = _stands(book.inquiry, marks, bits, book.reassurance)
    if bits & book.strong and bits & book.traceable:
        return inquiry, 0
    notice = _stands(book.warning, marks, bits, book.reassurance) or _is_notice(book, marks, bits)
    personal = bits & book.notice.personal and not bits & book.notice.outside
    return inquiry, notice and (1 if personal or _tempts(book, bits) else _SURE)


def _tempts(book: Rulebook, bits: int) -> bool:
    """Whether there is something to tap, or an account to pay to, and no word to leave that alone."""
    hands_off = book.notice.hands_off
    return bool(hands_off and bits & book.traceable and not bits & hands_off)


def _is_notice(book: Rulebook, marks: Sequence[Mark], bits: int) -> bool:
    """Whether enough in the message speaks of fraud as reports and notices do, from outside."""
    notice = book.notice
    if bits & notice.unless:
        return False
    if bits & notice.alone:
        return True
    if not notice.least or sum(1 for mask in notice.of if bits & mask) < notice.least:
        return False
    return _kinds(notice.of, marks) >= notice.least


def _kinds(kinds: Sequence[int], marks: Sequence[Mark]) -> int:
    """How many kinds of words stand in the message; where two overlap, they are one word and count once."""
    end_of: dict[str, int] = {}  # by field: how far the words counted so far reach
    met: set[int] = set()
    for mark in sorted(marks, key=lambda mark: (mark.end, -mark.start)):
        new = next((kind for kind in kinds if mark.bits & kind and kind not in met), None)
        if new is not None and mark.start >= end_of.get(mark.field, 0):
            met.add(new)
            end_of[mark.field] = mark.end
    return len(met)


def _bits(each: Iterable[Mark | Seen]) -> int:
    bits = 0
    for one in each:
        bits |= one.bits
    return bits


def _stands(mask: int, marks: Sequence[Mark], bits: int, reassurance: int) -> bool:
    """Whether a mark of `mask` stands in the message outside of every phrase of reassurance."""
    if not bits & mask:
        return False
    if not bits & reassurance:
        return True
    covered: dict[str, int] = {}  # by field: how far phrases that began so far reach
    for mark in sorted(marks, key=lambda m: (m.start, -m.end, not m.bits & reassurance)):
        if mark.bits & reassurance:
            covered[mark.field] = max(mark.end, covered.get(mark.field, 0))
        if mark.bits & mask and mark.end > covered.get(mark.field, 0):
            return True
    return False


def _near_bits(nears: Iterable[NearBits], marks: Sequence[Mark]) -> int:
    """The bits of the `near` clauses that hold in the message."""
    marks = sorted(marks, key=lambda mark: mark.start)
    return sum({near.bit for near in nears if _is_near(near, marks)})


def _is_near(near: NearBits, marks: Iterable[Mark]) -> bool:
    """Whether `a` and `b` stand close enough in one field; `marks` are sorted by start, so the last end is nearest."""
    end_of_a: dict[str, int] = {}
    end_of_b: dict[str, int] = {}
    for mark in marks:
        reach = mark.start - near.max_chars
        if mark.bits & near.b and end_of_a.get(mark.field, reach - 1) >= reach:
            return True
        if mark.bits & near.a and not near.ordered and end_of_b.get(mark.field, reach - 1) >= reach:
            return True
        if mark.bits & near.a:
            end_of_a[mark.field] = max(mark.end, end_of_a.get(mark.field, 0))
        if mark.bits & near.b:
            end_of_b[mark.field] = max(mark.end, end_of_b.get(mark.field, 0))
    return False


def _sighting(
    book: Rulebook, message: ChatMessage, at: int, marks: Sequence[Mark], bits: int, touched: Touched
) -> Sighting:
    if len(marks) == 1 and not touched.nears:
        place = _place(marks[0])
        signals = [(key, place) for key in touched.keys]
    else:
        first: dict[int, int] = {}
        for mark in marks:
            place = _place(mark)
            for key in book.keys(mark.bits):
                if place < first.get(key, place + 1):
                    first[key] = place
        for key in book.keys(bits):
            first.setdefault(key, 0)
        signals = sorted(first.items())
    return Sighting(message.tenant_id, storable(at), message.message_id, message.sender_id, tuple(signals))


def _place(mark: Mark) -> int:
    start = mark.start if mark.start < _FIELD_WIDTH else _FIELD_WIDTH - 1
    return start if mark.field == "content" else ((1 + int(mark.field[6:-1])) << _FIELD_SHIFT) + start  # texts[n]


class Looked(Struct, frozen=True, gc=False):
    """A message as the rules see it, before anything is weighed."""

    current: Seen
    past: Sequence[Seen]
    marks: Sequence[Mark]
    inquiry: bool
    notice: int  # how surely it warns of fraud or reports it; see `_quoted`


def look(
    book: Rulebook,
    message: ChatMessage,
    *,
    at: int,
    marks: Sequence[Mark],
    entities: Sequence[Entity],
    window: Window | None,
) -> Looked:
    """What `weigh` weighs, for those who explain it; the arguments are those of `weigh`."""
    marks, bits = _all_marks(book, message, marks, entities)
    touched = book.touched(bits)
    inquiry, notice = _quoted(book, marks, bits)
    shown = (bits | _near_bits(touched.nears, marks) | touched.signals) & ~touched.blocked
    current = Seen(_sighting(book, message, at, marks, shown, touched), shown)
    return Looked(current, past_of(book, window, current.sighting), marks, inquiry, notice)


def past_of(book: Rulebook, window: Window | None, current: Sighting) -> list[Seen]:
    """The other messages of the same tenant that the window remembers, in order of arrival."""
    past: list[Seen] = []
    if window is None:
        return past
    tenant, bit_of = current.tenant_id, book.bit_of
    for each in window.sightings:
        if each.tenant_id == tenant and not same_message(each, current):
            bits = 0
            for key, _ in each.signals:
                bits |= bit_of.get(key, 0)
            past.append(Seen(each, bits))
    return past


def _fire(
    book: Rulebook,
    touched: Touched,
    message: ChatMessage,
    current: Seen,
    past: Sequence[Seen],
    off: AbstractSet[str],
) -> list[_Fired]:
    looked_at = touched.clauses if past else touched.alone
    around = current.bits | _bits(past) if looked_at else 0
    fired = []
    for clauses in looked_at:
        for mask in clauses.need:  # cheap, and nearly always enough
            if not around & mask:
                break
        else:
            if clauses.rule.id not in off and _fits(clauses, message, current):
                reach = in_reach(clauses.rule, current, past)
                if _holds(clauses, _bits(reach)) and in_order(clauses, book, reach):
                    evidence = [seen.sighting for seen in reach if seen is not current and seen.bits & clauses.parts]
                    fired.append(_Fired(clauses.rule, evidence))
    return fired


def _fits(clauses: Clauses, message: ChatMessage, current: Seen) -> bool:
    """Whether the current message may fire the rule; an unknown contact is not a new one."""
    if not clauses.parts & current.bits or clauses.none_of & current.bits:
        return False
    younger = clauses.rule.contact_younger_ms
    if younger is not None:
        known = message.contact_since
        if known is None or current.sighting.at - known >= younger:
            return False
    return message.sender is None or message.sender.role not in clauses.rule.sender_not_roles


def _holds(clauses: Clauses, bits: int) -> bool:
    if not all(bits & mask for mask in clauses.need):
        return False
    return not clauses.at_least or sum(1 for mask in clauses.of if bits & mask) >= clauses.at_least


def in_reach(rule: Rule, current: Seen, past: Iterable[Seen]) -> list[Seen]:
    """The messages a rule looks at, by their time; one that arrived before but is dated later is among them."""
    window, now = rule.window, current.sighting
    if window.scope is Scope.MESSAGE:
        return [current]
    reach = [
        seen
        for seen in past
        if abs(seen.sighting.at - now.at) <= window.max_ms
        and (window.scope is Scope.CONVERSATION or seen.sighting.sender_id == now.sender_id)
    ]
    last = reach[max(0, len(reach) - window.max_messages + 1) :]
    return sorted([*last, current], key=lambda seen: seen.sighting.at)


def in_order(clauses: Clauses, book: Rulebook, reach: Sequence[Seen]) -> bool:
    """Whether the groups of an `order` clause first appear one after the other."""
    firsts = [_first(mask, book, reach) for mask in clauses.order]
    return all(one < other for one, other in pairwise(firsts))


def _first(mask: int, book: Rulebook, reach: Sequence[Seen]) -> tuple[int, int]:
    number, seen = next((number, seen) for number, seen in enumerate(reach) if seen.bits & mask)
    return number, min(place for key, place in seen.sighting.signals if book.bit_of.get(key, 0) & mask)


def _tallied(cards: Scorecards, current: Seen, past: Sequence[Seen], off: AbstractSet[str]) -> Iterable[_Fired]:
    """The scorecards that fire, with what they gave points for."""
    shown = current.bits & cards.signals
    now = current.sighting
    reach = counted_by(cards, now, past)
    if not cards.possible(shown | _bits(reach)):
        return ()
    evidence = faded(cards, shown, now, reach)
    return [
        _Fired(
            replace(tally.card.rule, score=tally.score, stage=tally.stage),
            [seen.sighting for seen in reach if seen.bits & tally.card.mask],
            tally.parts,
        )
        for tally in totals(cards, shown, evidence, off)
    ]


def counted_by(cards: Scorecards, now: Sighting, past: Iterable[Seen]) -> list[Seen]:
    """The earlier messages that count for scorecards."""
    return [seen for seen in past if seen.bits & cards.signals and abs(seen.sighting.at - now.at) <= cards.max_ms]


def faded(cards: Scorecards, shown: int, now: Sighting, reach: Sequence[Seen]) -> list[Evidence]:
    """What the current message shows, and the earlier ones, latest first, with what time and others left of them."""
    evidence = [Evidence(bits=shown, weight=1.0, own=True)]
    for further, seen in enumerate(reversed(reach)):
        own = seen.sighting.sender_id == now.sender_id
        weight = 0.5 ** (abs(seen.sighting.at - now.at) / cards.half_life_ms) * _FADES ** max(0, further - _FRESH)
        evidence.append(Evidence(bits=seen.bits, weight=weight if own else weight * cards.others, own=own))
    return evidence


def _wording(severity: Severity | None, off: AbstractSet[str]) -> list[_Fired]:
    rule = WORDING.get(severity) if severity else None
    return [_Fired(rule)] if rule and rule.id not in off else []


def _sum_up(message: ChatMessage, current: Seen, fired: Sequence[_Fired], window: Window | None) -> Weighed:
    if not fired:
        return Weighed(window=window)
    counted = _counted(fired)
    rules = tuple(each.rule for each in counted)
    return Weighed(
        fraud=_fraud(rules, _score(counted, message, current.sighting.at), counted, current) if rules else None,
        rules=rules,
        shadow=tuple(each.rule.name for each in fired if each.rule.status is Status.SHADOW),
        window=window,
        reasons=(*map(_reason, counted), *_told(message, current.sighting.at, rules)),
    )


def _answer(
    book: Rulebook,
    message: ChatMessage,
    current: Seen,
    fired: Sequence[_Fired],
    window: Window | None,
    off: AbstractSet[str],
) -> Weighed:
    """What someone gets who asks whether something is a fraud: a score that reminds and never flags."""
    counted = _counted(fired)
    rules = tuple(each.rule for each in counted)
    score = min(max(_score(counted, message, current.sighting.at), _ASKED_LEAST), _ASKED_MOST)
    fraud = _fraud(rules, score, counted, current)
    if not any(rule.type != OTHER for rule in rules):
        around = current.bits | _bits(past_of(book, window, current.sighting))
        fraud = Fraud(fraud.score, [_likeliest(book, around, off)], fraud.rules, fraud.stage, fraud.evidence)
    return Weighed(
        fraud=fraud,
        rules=rules,
        inquiry=True,
        window=window,
        reasons=(
            "The sender asks whether something is a fraud",
            *map(_reason, counted),
            *_told(message, current.sighting.at, rules),
        ),
    )


def _counted(fired: Sequence[_Fired]) -> list[_Fired]:
    """What is not on trial, strongest first; at the same score the rules come before mere wording."""
    active = [each for each in fired if each.rule.status is Status.ACTIVE]
    return sorted(active, key=lambda each: -each.rule.score)


def _score(counted: Sequence[_Fired], message: ChatMessage, at: int) -> int:
    """The strongest, a little for each further rule (cards share their signals: the best one counts), and context."""
    if not counted:
        return 0
    further = sum(1 for each in counted[1:] if not each.parts)
    context = sum(points for _, points in context_of(message, at))
    return min(_MOST, counted[0].rule.score + _FURTHER * further + context)


def context_of(message: ChatMessage, at: int) -> list[tuple[str, int]]:
    """What the platform knows that makes a suspicion graver, and the points it adds; what is unknown adds none."""
    context = []
    if message.contact_since is not None and at - message.contact_since < _WEEK_MS:
        context.append(("The two have known each other for less than a week", _NEW_CONTACT))
    if message.sender is not None:
        if message.sender.registered_at is not None and at - message.sender.registered_at < _MONTH_MS:
            context.append(("The account is younger than a month", _NEW_ACCOUNT))
        if message.sender.verified is False:
            context.append(("The account is not verified", _UNVERIFIED))
    return context


def _fraud(rules: Sequence[Rule], score: int, counted: Sequence[_Fired], current: Seen) -> Fraud:
    earlier = {each.message_id: each.at for one in counted for each in one.evidence}
    earlier.pop(current.sighting.message_id, None)
    return Fraud(
        score=score,
        types=list(dict.fromkeys(rule.type for rule in rules)),
        rules=[rule.name for rule in rules],
        stage=max((rule.stage for rule in rules if rule.stage), key=STAGES.index, default=None),
        evidence=[*sorted(earlier, key=earlier.__getitem__), current.sighting.message_id],
    )


def _likeliest(book: Rulebook, bits: int, off: AbstractSet[str]) -> str:
    """The type of the rule most of whose clauses the bits fulfil, if they fulfil at least half."""
    most, kind = 0.0, OTHER
    for clauses in book.clauses:
        share = _share(clauses, bits)
        if share > most and share >= 0.5 and clauses.rule.id not in off:  # noqa: PLR2004  half
            most, kind = share, clauses.rule.type
    return kind


def _share(clauses: Clauses, bits: int) -> float:
    met = sum(1 for mask in clauses.need if bits & mask)
    met += min(clauses.at_least, sum(1 for mask in clauses.of if bits & mask))
    return met / (len(clauses.need) + clauses.at_least)


def _told(message: ChatMessage, at: int, rules: Sequence[Rule]) -> list[str]:
    """The sentences of the context that counted."""
    return [f"{sentence} (+{points})" for sentence, points in context_of(message, at)] if rules else []


def _reason(fired: _Fired) -> str:
    rule = fired.rule
    title = rule.title["en"]
    first = title.split(maxsplit=1)[0]
    if first[1:].islower() or len(first) == 1:  # not an acronym
        title = title[0].lower() + title[1:]
    parts = ", ".join(f"{says} {points}" for says, points in fired.parts)
    return f"{rule.name}: {title} (score {rule.score}{f': {parts}' if parts else ''})"
