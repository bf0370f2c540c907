"""One batch through the judge: match ▸ weigh ▸ decide. Read this file first.

Items come in as they were decoded, judgements go out in the same order, one each. The texts of the whole batch are
matched at once, since that is where the speed is; only messages in which something was found are looked at one by
one. A conversation's window is folded message by message, in order; the windows that changed are returned and become
true only when the caller has committed them together with what it wrote.

No I/O, no clock, no logger: the same function judges in the worker, in `chatguard screen`, in tests and benchmarks.
"""

from collections import ChainMap, Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, MutableMapping, Sequence
from typing import Literal, NamedTuple, cast

from msgspec import Struct
from msgspec.structs import replace

from processor.fraud.copies import count_copies
from processor.fraud.engine import Mark, weigh
from processor.fraud.entities import HINT, find_entities
from processor.fraud.reminders import NO_REMINDERS, remind
from processor.fraud.window import Window
from processor.matching.cover import Cover
from processor.matching.cut import LONGEST
from processor.matching.folding import Batch
from processor.matching.term import identity
from processor.matching.weighing import Found
from processor.matching.weighing import Rejected as Doubted
from processor.model import Action, ChatMessage, Entity, Fraud, Hit, Malformed, Reminder, Severity
from processor.needs import Beside, Why, unmet
from processor.pieces import join
from processor.policy import FRAUD, decide
from processor.ruleset import MARKS, Allow, Base, Entry, Kinds, Meaning, Overlay, Rules

MEDIA = frozenset({"image", "audio", "voice", "video", "file", "location", "sticker", "emoji"})
"""Types whose `content` is an address or data for a player, not words; their `texts` are judged."""


_SHORT = LONGEST + 4  # characters of a message that may be a piece of a term, marks at its ends included


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

Item = ChatMessage | Malformed
Windows = Mapping[str, Window]  # by conversation id; of people by `window.recipient`
Rejections = Counter[tuple[str, str]]  # by lexicon and term


class Judgements(NamedTuple):
    """What a batch came to, in the order of its items, and the windows that changed."""

    each: Sequence[Judged | Malformed]
    windows: Windows
    rejected: Mapping[tuple[str, str], int] = {}  # lexicon, term → how often it was found and did not count


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
    rejections: Rejections = Counter()
    rejected: list[Rejected] = []
    noted, pieces = _note(items, rules, windows, rejections)
    changed: dict[str, Window] = {}
    known_now = ChainMap(changed, windows)  # type: ignore[arg-type]
    each: list[Judged | Malformed] = [item if isinstance(item, Malformed) else CLEAN for item in items]
    for number in sorted({*noted, *pieces}):  # in order, so that windows fold message by message
        message = cast("ChatMessage", items[number])
        known = message.conversation_id
        window = changed.get(known) or windows.get(known)
        notes, piece = noted.get(number, ()), pieces.get(number)
        each[number], after = _judge_one(message, times[number], notes, piece, rules, window, known_now, rejected)
        if after is not None and after is not window:
            changed[known] = after
    _count(rejections, (each.meaning for each in rejected if each.why in _SECOND_THOUGHTS))
    return Judgements(each, changed, rejections)


class _Note(NamedTuple):
    """What was found in one text of a message."""

    field: str
    text: str
    base: "_Line"
    beside: Sequence[Found]  # words of fraud rules that are looked for only beside others
    overlay: "_Line"
    hinted: bool  # whether an entity may stand in it


class _Line(NamedTuple):
    """What one ruleset finds in one text."""

    finds: Sequence[Found]  # their terms are numbers of meanings
    company: Sequence[Found]  # the words that some entries need beside them; only where such an entry was found


_NOTHING = _Line((), ())


def _note(
    items: Sequence[Item], rules: Rules, windows: Windows, rejections: Rejections
) -> tuple[Mapping[int, list[_Note]], Mapping[int, str]]:
    """Match all texts of the batch at once; the items in which something was found, with their notes.

    And those that may be pieces of a term, with their texts. What the matcher rejects is added to `rejections`.
    """
    texts, fields, owners, tenants = _texts(items)
    batch = Batch(texts)
    base = _find(batch, rules.base, rejections)
    numbers = rules.crowd.numbers
    whose = [numbers.get(tenant, -1) for tenant in tenants] if numbers else [-1] * len(tenants)
    overlay = _find_overlays(batch, tenants, whose, rules, rejections) if numbers else {}
    hinted = {batch.locate(match.start()) for match in HINT.finditer("\n".join(batch.texts))}
    lines, ground = sorted({*base, *overlay, *hinted}), rules.base.ground
    beside = ground.beside.find(Batch([texts[line] for line in lines])) if ground.beside_bits else {}
    noted: defaultdict[int, list[_Note]] = defaultdict(list)
    for place, line in enumerate(lines):
        finds = (base.get(line, _NOTHING), beside.get(place, ()), overlay.get(line, _NOTHING))
        note = _Note(fields[line], texts[line], *finds, line in hinted)
        noted[owners[line]].append(note)
    short = [
        (owners[line], text, whose[line])
        for line, text in enumerate(batch.squeezed_texts)
        if len(text) <= _SHORT and fields[line] == "content"
    ]
    return noted, _pieces(short, items, rules, windows)


def _pieces(
    short: Iterable[tuple[int, str, int]], items: Sequence[Item], rules: Rules, windows: Windows
) -> dict[int, str]:
    """Of short messages those that are how a term begins, or come after such a one in their conversation.

    `short`: the numbers of the messages, their squeezed texts, and the numbers of their tenants' overlays.
    """
    each = [(number, text, own) for number, long, own in short if 0 < len(text := long.strip(MARKS)) <= LONGEST]
    suspect = rules.crowd.heads.heads([text for _, text, _ in each], [own for *_, own in each])
    pieces: dict[int, str] = {}
    begun: set[str] = set()
    everyones = rules.base.kinds.cut
    for (number, text, _), may_begin in zip(each, suspect, strict=True):
        item = cast("ChatMessage", items[number])
        if everyones.begins(text) or (may_begin and rules.overlays[item.tenant_id].kinds.cut.begins(text)):
            begun.add(item.conversation_id)
            pieces[number] = text
        elif item.conversation_id in begun or _has_pieces(windows.get(item.conversation_id)):
            pieces[number] = text
    return pieces


def _has_pieces(window: Window | None) -> bool:
    return window is not None and bool(window.pieces)


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
        for place, text in enumerate(item.texts or ()):
            texts.append(text)
            fields.append(f"texts[{place}]")
            owners.append(number)
            tenants.append(item.tenant_id)
    return texts, fields, owners, tenants


def _find_overlays(
    batch: Batch, tenants: Sequence[str], whose: Sequence[int], rules: Rules, rejections: Rejections
) -> dict[int, _Line]:
    """A first look at all texts of all tenants, and then each tenant's own at what may hold something for it."""
    suspects, others = rules.crowd.sieves.suspects(batch, whose), rules.crowd.others
    terms: defaultdict[str, list[int]] = defaultdict(list)
    whole: defaultdict[str, list[int]] = defaultdict(list)  # what entries that are no mere terms are looked for in
    for line in suspects:
        terms[tenants[line]].append(line)
    for line, tenant in enumerate(tenants if others else ()):
        if tenant in others:
            whole[tenant].append(line)
    found: dict[int, _Line] = {}
    for tenant in {**terms, **whole}:
        found |= _find(batch, rules.overlays[tenant], rejections, terms.get(tenant, ()), whole.get(tenant, ()))
    return found


def _find(
    batch: Batch,
    held: Base | Overlay,
    rejections: Rejections | None = None,
    terms: Sequence[int] | None = None,
    others: Sequence[int] | None = None,
) -> dict[int, _Line]:
    """The finds of all kinds of entries, in order of place, and the words beside those that need some.

    `terms`, `others`: the texts in which terms, and entries that are none, are looked for; all of them by default.
    """
    doubted: list[Doubted] = []
    found, *further = (matcher.find(batch, doubted, terms) for matcher in held.matchers)
    for more in further:
        found = _merged(found, more)
    if rejections is not None and doubted:
        _count(rejections, (held.meanings[each.found.term] for each in doubted))
    if held.kinds.patterns or held.kinds.exact:
        found = _merged(found, _find_others(batch, held, others))
    company = _find_company(batch, found, held)
    return {line: _Line(finds, company.get(line, ())) for line, finds in found.items()}


def _merged(found: dict[int, list[Found]], more: Mapping[int, list[Found]]) -> dict[int, list[Found]]:
    """Both, in order of place."""
    return found | {line: sorted([*found[line], *finds]) if line in found else finds for line, finds in more.items()}


def _find_others(batch: Batch, held: Base | Overlay, lines: Sequence[int] | None) -> dict[int, list[Found]]:
    """The finds of patterns and of whole messages."""
    found = _find_whole(batch, held.kinds, lines)
    for line, finds in held.kinds.patterns.find(batch, lines).items() if held.kinds.patterns else ():
        found[line] += [replace(find, term=find.term + held.kinds.first_pattern) for find in finds]
    return found


def _find_company(batch: Batch, found: Mapping[int, Sequence[Found]], held: Base | Overlay) -> dict[int, list[Found]]:
    company, meanings = held.kinds.company, held.meanings
    if company is None:
        return {}
    lines = [line for line, finds in found.items() if any(meanings[find.term].needs is not None for find in finds)]
    return company.matcher.find(batch, lines=lines) if lines else {}


def _count(rejections: Rejections, meanings: Iterable[Meaning]) -> None:
    for meaning in meanings:
        if isinstance(meaning.what, Entry):
            rejections[meaning.what.lexicon, meaning.what.term] += 1


def _find_whole(batch: Batch, kinds: Kinds, lines: Sequence[int] | None) -> defaultdict[int, list[Found]]:
    """The texts that are an entry as a whole."""
    found: defaultdict[int, list[Found]] = defaultdict(list)
    texts = batch.squeezed_texts
    for line in (range(len(texts)) if lines is None else lines) if kinds.exact else ():
        for number in kinds.exact.get(texts[line].strip(MARKS), ()):
            found[line].append(Found(0, len(batch.texts[line]), number))
    return found


class Rejected(NamedTuple):
    """A find that counts for nothing."""

    field: str
    find: Found
    meaning: Meaning
    why: Why | Literal["allowed", "off"]


_SECOND_THOUGHTS: frozenset[str] = frozenset({"allowed", "inside a word", "no company", "bad company"})
"""Why a find may count for nothing although its entry is in force here and now."""


def _judge_one(
    message: ChatMessage,
    at: int,
    notes: Sequence[_Note],
    piece: str | None,
    rules: Rules,
    window: Window | None,
    people: MutableMapping[str, Window],
    rejected: list[Rejected],
) -> tuple[Judged, Window | None]:
    """The judgement, and the conversation's window; what it changes of people's windows goes into `people`."""
    scope = rules.scope(message.tenant_id)
    hits: list[Hit] = []
    if piece:
        cut, window = _join(message, at, piece, rules.base, scope.overlay, window)
        hits += cut
    marks: list[Mark] = []
    entities: list[Entity] = []
    for note in notes:
        _read_note(note, at, rules.base, scope.overlay, hits, marks, rejected)
        if note.hinted:
            entities.extend(find_entities(note.text, note.field))
    if not (marks or entities or hits):
        return CLEAN, window
    wording = _wording(hits) if hits else None
    off = scope.overlay.off_rules if scope.overlay else frozenset()
    weighed = weigh(
        rules.base.ground.book, message, at=at, marks=marks, entities=entities, window=window, wording=wording, off=off
    )
    if not (hits or entities or weighed.fraud or weighed.shadow):
        return CLEAN, weighed.window
    if weighed.fraud:
        weighed, sent = count_copies(weighed, message, at=at, windows=people)
        people.update(sent)
    quoted = weighed.warning or weighed.inquiry
    decision = decide(scope.policy, hits, weighed.fraud, weighed.reasons, quoted=quoted)
    reminded = NO_REMINDERS
    if decision.remind:
        reminded = remind(
            weighed, message, at=at, templates=scope.templates, limits=scope.policy.limits, windows=people
        )
        people.update(reminded.windows)
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
    return judged, weighed.window


def _wording(hits: Sequence[Hit]) -> Severity | None:
    """The gravest severity of the hits of category fraud."""
    return max((hit.severity for hit in hits if hit.category == FRAUD), key=lambda s: s.rank, default=None)


def _join(
    message: ChatMessage, at: int, text: str, base: Base, overlay: Overlay | None, window: Window | None
) -> tuple[Sequence[Hit], Window | None]:
    """The terms that a short message completes, and the window that remembers what it begins."""
    cuts = [base.kinds.cut, overlay.kinds.cut] if overlay else [base.kinds.cut]
    joined = join(message, text, at=at, window=window, cuts=cuts)
    whole: dict[str, Hit] = {}
    for piece in joined.complete:
        batch = Batch([piece.text])
        own = _find(batch, overlay).get(0, _NOTHING) if overlay else _NOTHING
        note = _Note("content", piece.text, _find(batch, base).get(0, _NOTHING), (), own, hinted=False)
        found: list[Hit] = []
        _read_note(note, at, base, overlay, found, [])
        for hit in found:
            if hit.end - hit.start == len(piece.text):
                whole[hit.term] = _cut_hit(hit, message.content or "", piece.messages)
    return list(whole.values()), joined.window


def _cut_hit(hit: Hit, content: str, messages: Sequence[str]) -> Hit:
    """A hit in joined pieces as the hit of the message that completes it."""
    via = [*hit.via, "split"]
    return replace(hit, text=content, start=0, end=len(content), via=via, evidence=list(messages))


def _read_note(
    note: _Note,
    at: int,
    base: Base,
    overlay: Overlay | None,
    hits: list[Hit],
    marks: list[Mark],
    rejected: list[Rejected] | None = None,
) -> None:
    """Append what the finds of one text mean: lexicon hits, and marks of fraud groups.

    `rejected`, if given, gets the finds that count for nothing, with the reason.
    """
    claims: list[_Claim] = []
    innocent: list[Found] = []
    for find, meaning in _counting(note, note.base, base, at, rejected):
        what = meaning.what
        if isinstance(what, int):
            marks.append(Mark(find.start, find.end, what, note.field))
        elif isinstance(what, Allow):
            if overlay is None or identity(what.term) not in overlay.off_terms:
                innocent.append(find)
        elif entry := overlay.regrade(what) if overlay else what:
            claims.append(_Claim(find, meaning, entry))
        elif rejected is not None:
            rejected.append(Rejected(note.field, find, meaning, "off"))
    marks.extend(Mark(find.start, find.end, base.ground.beside_bits[find.term], note.field) for find in note.beside)
    if overlay is None or not note.overlay.finds:
        hits += _uncovered(note, claims, innocent, rejected)
        return
    own: list[_Claim] = []
    allowed: list[Found] = []
    for find, meaning in _counting(note, note.overlay, overlay, at, rejected):
        if isinstance(meaning.what, Entry):
            own.append(_Claim(find, meaning, meaning.what))
        else:
            allowed.append(find)
    hits += _uncovered(note, claims, [*innocent, *allowed], rejected)
    hits += _uncovered(note, own, allowed, rejected)


class _Claim(NamedTuple):
    """A find that is a hit unless an innocent phrase covers it."""

    find: Found
    meaning: Meaning
    entry: Entry


def _counting(
    note: _Note, line: _Line, held: Base | Overlay, at: int, rejected: list[Rejected] | None
) -> Iterator[tuple[Found, Meaning]]:
    """The finds whose entries have what they need, with their meanings."""
    beside: Beside | None = None
    for find in line.finds:
        meaning = held.meanings[find.term]
        if meaning.needs is not None:
            beside = beside or Beside(note.text, line.company, held.kinds.company)
            why = unmet(meaning.needs, find, field=note.field, at=at, beside=beside)
            if why and rejected is not None:
                rejected.append(Rejected(note.field, find, meaning, why))
            if why:
                continue
        yield find, meaning


def _uncovered(
    note: _Note, claims: Sequence[_Claim], innocent: Sequence[Found], rejected: list[Rejected] | None
) -> Iterator[Hit]:
    """The hits that innocent phrases leave."""
    cover = Cover(note.text, innocent) if claims and innocent else None
    for find, meaning, entry in _once(claims):
        if cover is None or not cover.holds(find):
            yield _hit(note, find, meaning.spelling, entry)
        elif rejected is not None:
            rejected.append(Rejected(note.field, find, meaning, "allowed"))


def _once(claims: Sequence[_Claim]) -> Iterable[_Claim]:
    """Without those that find the same entry at the same place in a dearer way: an alias may sound like its term."""
    if len(claims) == 1:
        return claims
    best: dict[tuple[int, int, Entry], _Claim] = {}
    for claim in claims:
        known = best.setdefault((claim.find.start, claim.find.end, claim.entry), claim)
        if claim.find.cost < known.find.cost:
            best[claim.find.start, claim.find.end, claim.entry] = claim
    return best.values()


def _hit(note: _Note, find: Found, spelling: str, entry: Entry) -> Hit:
    text = note.text[find.start : find.end]
    via = [*find.via, *(["alias"] if spelling and spelling != entry.term else [])]  # a pattern has no spelling
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


def marks_of(message: ChatMessage, at: int, rules: Rules) -> tuple[list[Mark], list[Entity]]:
    """What the fraud rules get to see of a message: words of their groups, and entities. For explanations."""
    noted, _ = _note([message], rules, {}, Counter())
    marks: list[Mark] = []
    entities: list[Entity] = []
    for note in noted.get(0, ()):
        _read_note(note, at, rules.base, rules.scope(message.tenant_id).overlay, [], marks)
        if note.hinted:
            entities.extend(find_entities(note.text, note.field))
    return marks, entities
