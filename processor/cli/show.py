"""How the demo looks: headed sections with the facts below; colours on a terminal, marks and plain lines in a pipe."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager

import msgspec
from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from processor.demo.examples import Example
from processor.demo.offers import GLOSSES
from processor.demo.readback import Seen
from processor.demo.scrape import Scrape
from processor.demo.script import Traffic
from processor.demo.stage import Stage, Worker
from processor.model import Action, ChatMessage, Reminder
from processor.stream.ledger import Report

_LINE_EVERY_S = 4.0
_FRAME_EVERY_S = 0.25
_RATE_OVER_S = 5.0
_TENS_OF_MS = 0.01
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u2060\u00ad\ufeff"), "◌")
_STYLES = {Action.BLOCK: "bold red", Action.REVIEW: "bold yellow", Action.MASK: "bold cyan", Action.PASS: "green"}


class Page:
    """What is written on, from top to bottom."""

    def __init__(self) -> None:
        self.console = Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
        self._sections = 0

    def title(self, title: str, about: str) -> None:
        """What this is."""
        self.console.print(Text(title, style="bold"))
        self.console.print(about)

    def section(self, title: str) -> None:
        """A heading."""
        self._sections += 1
        self.console.print()
        self.console.print(Text(f"{self._sections}. {title}", style="bold blue"))

    def say(self, line: str | Text, indent: int = 3) -> None:
        """A line of the section."""
        self.console.print(Text(" " * indent).append(line))

    @asynccontextmanager
    async def counting(self, seen: Seen, traffic: Traffic) -> AsyncIterator[None]:
        """Keep the counts in sight while the context lasts: on a terminal below all else, in a pipe as lines."""
        meter = _Meter(seen, traffic)
        show = self._animate if self.console.is_terminal else self._report
        task = asyncio.create_task(show(meter))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])
            self.say(meter.line())

    async def _report(self, meter: "_Meter") -> None:
        while True:
            await asyncio.sleep(_LINE_EVERY_S)
            self.say(meter.line())

    async def _animate(self, meter: "_Meter") -> None:
        with Live(console=self.console, auto_refresh=False, transient=True) as live:
            while True:
                live.update(meter.table(), refresh=True)
                await asyncio.sleep(_FRAME_EVERY_S)


class _Meter:
    """Counts, and how fast they grow."""

    def __init__(self, seen: Seen, traffic: Traffic) -> None:
        self._seen, self._traffic = seen, traffic
        self._began = time.monotonic()
        self._marks = deque([(self._began, seen.out)])

    def line(self) -> str:
        """The counts in a line."""
        seen = self._seen
        return (
            f"{time.monotonic() - self._began:3.0f} s: {self._traffic.sent:,} in · {seen.delivered:,} delivered "
            f"({seen.masked:,} masked) · {seen.flagged:,} flagged · {seen.reminders:,} reminders · {seen.dead:,} dead "
            f"letters · {self._rate():,.0f}/s · lag {seen.lag:,}"
        )

    def table(self) -> Table:
        """The counts as a table with a bar."""
        seen, traffic = self._seen, self._traffic
        table = Table.grid(padding=(0, 2))
        table.add_row("", "in", ProgressBar(traffic.count, traffic.sent, width=40), f"{traffic.sent:,}")
        counts = {
            "delivered": (seen.delivered, f"{seen.masked:,} of them masked"),
            "flagged": (seen.flagged, ""),
            "reminders": (seen.reminders, ""),
            "dead letters": (seen.dead, ""),
            "lag": (seen.lag, "records not committed yet"),
            "rate": (round(self._rate()), "messages a second come out"),
        }
        for name, (count, note) in counts.items():
            table.add_row("", name, Text(note, style="dim"), f"{count:,}")
        return table

    def _rate(self) -> float:
        now = time.monotonic()
        self._marks.append((now, self._seen.out))
        while now - self._marks[0][0] > _RATE_OVER_S:
            self._marks.popleft()
        then, out = self._marks[0]
        return (self._seen.out - out) / (now - then) if now > then else 0.0


def stage_is_set(page: Page, stage: Stage, workers: Sequence[Worker], topics: Iterable[str]) -> None:
    """What runs where."""
    page.say(f"Kafka      {stage.kafka.bootstrap_servers}")
    page.say(f"Redis      {stage.redis.url}")
    page.say(f"topics     {' '.join(topics)}")
    for worker in workers:
        lanes = " and ".join(map(str, worker.lanes()))
        page.say(f"{worker.name}   process {worker.pid}, {worker.url}/metrics, partitions {lanes}")
    page.say(f"ruleset    {', '.join(workers[0].rulesets())}: the built-in one")


def disguised(page: Page, example: Example) -> None:
    """A message with terms of the lexicons."""
    verdict = example.flag.verdict
    field = verdict.hits[0].field
    text = (example.message.content or "") if field == "content" else (example.message.texts or [""])[int(field[6:-1])]
    page.say(_headed(example.title, verdict.action))
    page.say(marked(text, [(hit.start, hit.end) for hit in verdict.hits if hit.field == field], page.console), 5)
    gloss = GLOSSES.get(max(verdict.hits, key=lambda hit: hit.end - hit.start).term)
    via = sorted({way for hit in verdict.hits for way in hit.via})
    notes = [*([f"that is: {gloss}"] if gloss else []), *([f"read through {', '.join(via)}"] if via else [])]
    decisive = [reason for reason in verdict.reasons if reason.endswith(f": {verdict.action}")]
    for note in [*notes, *_few(decisive)]:
        page.say(Text(note, style="dim"), 7)


def unfolded(page: Page, example: Example) -> None:
    """A fraud with its evidence."""
    verdict = example.flag.verdict
    fraud = verdict.fraud
    assert fraud is not None
    about = f"type {', '.join(fraud.types)}, score {fraud.score}, stage {fraud.stage}"
    page.say(_headed(f"{example.title} ({about})", verdict.action))
    for message in example.earlier:
        page.say(Text(f"{_who(message, example.message)}  {message.content}", style="dim"), 5)
    spans = [(entity.start, entity.end) for entity in verdict.entities if entity.field == "content"]
    spans += [(hit.start, hit.end) for hit in verdict.hits]
    last = marked(example.message.content or "", spans, page.console)
    page.say(Text(f"{_who(example.message, example.message)}  ").append(last), 5)
    for reason in _few(verdict.reasons, 3):
        page.say(Text(reason, style="dim"), 7)


def reminder(page: Page, reminder: Reminder) -> None:
    """A reminder as the push service gets it."""
    about = f"{reminder.fraud_type}, score {reminder.score}, {reminder.locale}"
    page.say(f"To the {reminder.recipient_role} of a message ({about})")
    page.say(Text(reminder.title, style="bold"), 5)
    page.say(reminder.body, 5)


def left_alone(page: Page, seen: Seen) -> None:
    """What was delivered although, or what in part."""
    if seen.notices:
        page.say("A warning that quotes the words of fraud is delivered:")
        page.say(_content(seen.notices[0]), 5)
    if seen.masks:
        page.say("A word of low severity is masked, the rest delivered:")
        page.say(_content(seen.masks[0]), 5)
    if seen.deaths:
        page.say(f"Bytes that are no message become dead letters, with the reason ({len(seen.deaths)} different ones):")
        for reason, count in seen.deaths.most_common(3):
            page.say(f"{count:,} × {reason}", 5)


def reconciled(page: Page, report: Report) -> None:
    """The sum check."""
    page.say(
        f"{report.messages:,} in = {report.delivered:,} delivered + {report.flagged:,} flagged "
        f"+ {report.dead:,} dead letters"
    )
    faults = {name.replace("_", " "): count for name, count in report.faults.items()}
    first = ", ".join(f"{faults.pop(name)} {name}" for name in ("lost", "duplicated", "out of order", "altered"))
    style = "bold green" if report.clean else "bold red"
    page.say(Text(first, style=style).append(f"; {report.reminders:,} reminders, {faults['repeated']} repeated"))


def numbers(page: Page, counted: Mapping[str, Scrape]) -> None:
    """What the workers count, side by side."""
    rows: list[tuple[str, list[str]]] = [
        (f"messages: {verdict}", [f"{each.total('messages_total', verdict=verdict):,.0f}" for each in counted.values()])
        for verdict in ("pass", "mask", "review", "block", "dead")
    ]
    for name, what in (
        ("judge_seconds", "judging a batch"),
        ("commit_seconds", "writing and committing a batch"),
        ("message_age_seconds", "message, written to visible"),
    ):
        rows.append((f"{what}, p50 / p99", [_quantiles(each, name) for each in counted.values()]))
    rows.append(("ruleset in force", [", ".join(each.labels("ruleset_info", "version")) for each in counted.values()]))
    rows.append(("lane restarts", [f"{each.total('lane_restarts_total'):,.0f}" for each in counted.values()]))
    table = Table("", *counted, box=None, pad_edge=False, show_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    for what, cells in rows:
        table.add_row(f"   {what}", *cells)
    page.console.print(table)


def _quantiles(counted: Scrape, name: str) -> str:
    return " / ".join(_duration(counted.quantile(name, share)) for share in (0.5, 0.99))


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return "–"
    if seconds >= 1:
        return f"{seconds:.1f} s"
    return f"{seconds * 1000:.{0 if seconds >= _TENS_OF_MS else 1}f} ms"


def _headed(title: str, action: Action) -> Text:
    return Text(f"{title} → ").append(action.value, style=_STYLES[action])


def marked(text: str, spans: Iterable[tuple[int, int]], console: Console) -> Text:
    """The text with its spans in colour, or between ▸ and ◂ where there is no colour."""
    marked, place = Text(), 0
    for start, end in _joined(spans):
        marked.append(text[place:start].translate(_INVISIBLE))
        span = text[start:end].translate(_INVISIBLE)
        marked.append(span if console.is_terminal else f"▸{span}◂", style="bold white on red")
        place = end
    return marked.append(text[place:].translate(_INVISIBLE))


def _joined(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Overlapping spans as one."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _who(message: ChatMessage, last: ChatMessage) -> str:
    return "A" if message.sender_id == last.sender_id else "B"


def _few(reasons: Sequence[str], most: int = 2) -> list[str]:
    more = len(reasons) - most
    return [*reasons[:most], *([f"… and {more} more reasons"] if more > 0 else [])]


def _content(value: bytes) -> str:
    return str(msgspec.json.decode(value, type=ChatMessage).content)
