"""The tables that `python -m tests.eval` prints."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from statistics import median

from processor.fraud.rule import STAGES, TYPES
from processor.judge import Judged
from tests.eval.corpus import Line, Talk
from tests.eval.measure import Seen

Row = Sequence[object]
HARMLESS = ("benign", "near_miss", "service", "warning", "news", "inquiry")


def share(part: int, whole: int) -> str:
    """A share in percent, or a dash of nothing."""
    return f"{100 * part / whole:.0f} %" if whole else "–"


def table(head: Row, rows: Iterable[Row]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def recall(seen: Sequence[Seen]) -> str:
    """Frauds found, by language and type: conversations and single messages apart."""
    head = ("type", "talks", "found", "flagged", "in time", "type right", "median line", "singles", "found", "flagged")
    rows: list[Row] = []
    for lang in ("zh", "en"):
        own = [one for one in seen if one.talk.kind == "fraud" and one.talk.lang == lang]
        rows.append(_recall_row(f"**{lang}**", own))
        by_type = _grouped(own, lambda one: one.talk.type or "")
        rows += [_recall_row(f"{lang} {kind}", by_type[kind]) for kind in TYPES if kind in by_type]
    return table(head, rows)


def _recall_row(name: str, seen: Sequence[Seen]) -> Row:
    talks = [one for one in seen if len(one.talk.messages) > 1]
    singles = [one for one in seen if len(one.talk.messages) == 1]
    found = [one for one in talks if one.found is not None]
    return (
        name,
        len(talks),
        share(len(found), len(talks)),
        share(sum(one.flagged for one in talks), len(talks)),
        share(sum(one.in_time for one in talks), len(talks)),
        share(sum(one.talk.type in one.types for one in found), len(found)),
        f"{median((one.found or 0) + 1 for one in found):g}" if found else "–",
        len(singles),
        share(sum(one.found is not None for one in singles), len(singles)),
        share(sum(one.flagged for one in singles), len(singles)),
    )


def stages(seen: Sequence[Seen]) -> str:
    """Of the conversations that have a stage, how many were found by its last line."""
    head = ("stage", "talks", "found by its end", "first found in it")
    talks = [one for one in seen if one.talk.kind == "fraud" and len(one.talk.messages) > 1]
    first = Counter(_stage_at(one) for one in talks if one.found is not None)
    rows: list[Row] = []
    for stage in STAGES:
        ends = [(one, end) for one in talks if (end := _end_of(stage, one.talk)) is not None]
        by_then = sum(one.found is not None and one.found <= end for one, end in ends)
        rows.append((stage, len(ends), share(by_then, len(ends)), first[stage]))
    return table(head, rows)


def _stage_at(one: Seen) -> str | None:
    assert one.found is not None
    said = (line.stage for line in reversed(one.talk.messages[: one.found + 1]))
    return next((stage for stage in said if stage), STAGES[0])


def _end_of(stage: str, talk: Talk) -> int | None:
    return max((place for place, line in enumerate(talk.messages) if line.stage == stage), default=None)


def earliness(seen: Sequence[Seen]) -> str:
    """How many lines before the first request the frauds were found; negative is after it."""
    rows = []
    for lang in ("zh", "en"):
        ahead = sorted(
            one.talk.first_ask - one.found
            for one in seen
            if one.talk.lang == lang and len(one.talk.messages) > 1
            if one.found is not None and one.talk.first_ask is not None
        )
        if ahead:
            before = sum(n > 0 for n in ahead)
            with_it = sum(n == 0 for n in ahead)
            rows.append((lang, len(ahead), before, with_it, len(ahead) - before - with_it, f"{median(ahead):g}"))
    head = ("", "found", "before the request", "with it", "after it", "lines before it, median")
    return table(head, rows)


def false_rates(seen: Sequence[Seen]) -> str:
    """Harmless talk that was flagged or reminded, per 10,000 messages, and in how many conversations."""
    head = (
        "kind",
        "talks",
        "messages",
        "flagged ‱",
        "reminded ‱",
        "talks flagged",
        "talks reminded",
    )
    rows: list[Row] = []
    for kind in HARMLESS:
        for lang in ("zh", "en"):
            own = [one for one in seen if one.talk.kind == kind and one.talk.lang == lang]
            lines = [line for one in own for line in one.each]
            flagged = sum(line.action.flags for line in lines)
            reminded = sum(line.remind for line in lines)
            talks_flagged, talks_reminded = sum(one.flagged for one in own), sum(one.reminded for one in own)
            rows.append(
                (
                    f"{kind} {lang}",
                    len(own),
                    len(lines),
                    _per_10000(flagged, len(lines)),
                    _per_10000(reminded, len(lines)),
                    f"{talks_flagged} ({share(talks_flagged, len(own))})",
                    f"{talks_reminded} ({share(talks_reminded, len(own))})",
                )
            )
    return table(head, rows)


def _per_10000(part: int, whole: int) -> str:
    return f"{10_000 * part / whole:.0f}" if whole else "–"


def lines_alone(lines: Sequence[tuple[Talk, Line]], judged: Sequence[Judged]) -> str:
    """Swindlers' lines, each on its own: how many give it away without the conversation, by stage."""
    head = ("stage", "zh lines", "found", "flagged", "en lines", "found", "flagged")
    rows: list[Row] = []
    for stage in (*STAGES, "(asking)"):
        row: list[object] = [stage]
        for lang in ("zh", "en"):
            own = [
                one
                for (talk, line), one in zip(lines, judged, strict=True)
                if talk.lang == lang and (line.ask if stage == "(asking)" else line.stage == stage)
            ]
            found = sum(one.remind or one.action.flags for one in own)
            row += [len(own), share(found, len(own)), share(sum(one.action.flags for one in own), len(own))]
        rows.append(row)
    return table(head, rows)


def missed(seen: Iterable[Seen]) -> Iterator[str]:
    """The frauds that were not found, as text."""
    return (_written(one) for one in seen if one.talk.kind == "fraud" and one.found is None)


def late(seen: Iterable[Seen]) -> Iterator[str]:
    """The frauds that were found only after the first request."""
    return (_written(one) for one in seen if one.talk.kind == "fraud" and one.found is not None and not one.in_time)


def false(seen: Iterable[Seen]) -> Iterator[str]:
    """The harmless conversations that were flagged or reminded."""
    return (_written(one) for one in seen if one.talk.kind != "fraud" and one.found is not None)


def _written(one: Seen) -> str:
    talk = one.talk
    lines = [f"{talk.id} {talk.kind} {talk.type or ''} {talk.lang}".replace("  ", " ")]
    for line, judged in zip(talk.messages, one.each, strict=True):
        marks = f"{line.stage or ''}{' ASK' if line.ask else ''}"
        lines.append(f"  {line.speaker} {marks:12} {line.text}{_said(judged)}")
    return "\n".join(lines) + "\n"


def _said(judged: Judged) -> str:
    if not (judged.remind or judged.action.flags or judged.fraud):
        return ""
    action = f"{judged.action}{' remind' if judged.remind else ''}"
    score = f" {judged.fraud.score} {judged.fraud.stage}" if judged.fraud else ""
    return f"   ⟵ {action}{score}: {'; '.join(judged.reasons)}"


def _grouped(seen: Iterable[Seen], key: Callable[[Seen], str]) -> dict[str, list[Seen]]:
    grouped: defaultdict[str, list[Seen]] = defaultdict(list)
    for one in seen:
        grouped[key(one)].append(one)
    return grouped
