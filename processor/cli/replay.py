"""`chatguard lexicon diff --traffic`: recorded messages judged by two rulesets, and whose verdicts change."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

import msgspec
from rich.console import Console
from rich.text import Text

from processor.cli.progress import progress_bar
from processor.cli.screen import STANDARD, batches, judge_on, new_windows, open_stream
from processor.cli.show import marked
from processor.cli.sources import rules_of
from processor.cli.table import print_table
from processor.comparison import Cause, Comparison
from processor.errors import Misconfigured
from processor.judge import Item, Judged
from processor.model import ChatMessage, Input, Malformed
from processor.ops.settings import load as load_settings
from processor.ruleset import Rules
from processor.rulesets.document import BaseDocument, Document, OverlayDocument
from processor.stream.codec import decode_all
from processor.stream.recorded import recorded

_SHOWN = 40  # causes
_OF_FILES = frozenset({".jsonl", ".json", ".ndjson", ".txt"})  # no topic is called so by intent


class Comparing(Protocol):
    """Who is told how two rulesets judged the same messages."""

    def add(self, items: Sequence[Item], old: Sequence[Judged | Malformed], new: Sequence[Judged | Malformed]) -> None:
        """Take two judgements of the same items, in their order."""


Take = Callable[[Sequence[Item], Sequence[int]], None]
"""Is handed recorded messages in order, and the time of each."""


class Replay:
    """Two rulesets side by side, each with conversation windows of its own."""

    def __init__(self, old: Rules, new: Rules, comparison: Comparing, *, tenant: str | None = None) -> None:
        self._comparison = comparison
        self._tenant = tenant
        self._sides = [(rules, new_windows()) for rules in (old, new)]

    def judge(self, items: Sequence[Item], times: Sequence[int]) -> None:
        """Judge messages by both sides and compare; of an overlay's tenant only, if there is one."""
        own = [place for place, item in enumerate(items) if self._concerns(item)]
        if own:
            items, times = [items[place] for place in own], [times[place] for place in own]
            self._comparison.add(items, *(judge_on(items, times, *side) for side in self._sides))

    def _concerns(self, item: Item) -> bool:
        return self._tenant is None or (isinstance(item, ChatMessage) and item.tenant_id == self._tenant)


def tenant_of(old: Document, new: Document) -> str | None:
    """The tenant whose overlays are compared; None for two bases. Raises: Misconfigured."""
    tenants = [each.tenant if isinstance(each, OverlayDocument) else None for each in (old, new)]
    if tenants[0] != tenants[1]:
        raise Misconfigured(["--traffic compares two base rulesets, or two overlays of one tenant"])
    return tenants[0]


def compare(
    old: Document, new: Document, base: Document, *, traffic: str, most: int, examples: int, config: Path | None
) -> Comparison:
    """Judge recorded messages by both rulesets: those of a file, or the last `most` of a topic.

    `base`: what overlays stand over. `examples`: how many to keep of each cause. Raises: Invalid, Misconfigured,
    Unavailable.
    """
    if not isinstance(base, BaseDocument):
        raise Misconfigured(["--base names no base ruleset"])
    comparison = Comparison(examples=examples)
    replay = Replay(rules_of(old, base), rules_of(new, base), comparison, tenant=tenant_of(old, new))
    read_traffic(replay.judge, traffic, most=most, config=config)
    return comparison


def read_traffic(take: Take, traffic: str, *, most: int | None, config: Path | None, since: int | None = None) -> None:
    """Hand over the messages of a file, or the last `most` of a topic (None: all), written since then.

    Raises: Misconfigured, Unavailable.
    """
    path = Path(traffic)
    if path == STANDARD or path.exists():
        _read_file(take, path)
    elif "/" in traffic or path.suffix in _OF_FILES:
        raise Misconfigured([f"{traffic} cannot be read: there is no such file."])
    else:
        _read_topic(take, traffic, most, config, since)


def _read_topic(take: Take, topic: str, most: int | None, config: Path | None, since: int | None) -> None:
    def enter(records: Sequence[Input]) -> None:
        take(*decode_all(records))

    with progress_bar("Comparing", most) as step:
        seen = 0

        def progress(done: int, _: int) -> None:
            nonlocal seen
            step(done - seen)
            seen = done

        asyncio.run(recorded(load_settings(config).kafka.client(), topic, most, enter, progress, since=since))


def _read_file(take: Take, path: Path) -> None:
    with ExitStack() as stack:
        reader = open_stream(stack, path, "rb")
        step = stack.enter_context(progress_bar("Comparing", None if path == STANDARD else path.stat().st_size))
        for items, times, read in batches(reader):
            take(items, times)
            step(read)


def as_json(comparison: Comparison) -> bytes:
    """The comparison for tools."""
    return msgspec.json.encode(
        {
            "messages": comparison.messages,
            "dead": comparison.dead,
            "flagged": {"before": comparison.flagged(0), "after": comparison.flagged(1)},
            "reminded": {"before": comparison.reminded[0], "after": comparison.reminded[1]},
            "changed": _steps(comparison.changed.most_common()),
            "causes": [
                {
                    "kind": cause.kind,
                    "what": cause.what,
                    "how": cause.how,
                    "messages": cause.messages,
                    "changed": _steps(cause.steps.most_common()),
                    "examples": cause.examples,
                }
                for cause in comparison.causes
            ],
        }
    )


def _steps(counts: Iterable[tuple[tuple[str, str], int]]) -> list[dict[str, str | int]]:
    return [{"before": before, "after": after, "messages": count} for (before, after), count in counts]


def show(comparison: Comparison) -> None:
    """The comparison for people: the sums, then by term and rule, with the examples that were asked for."""
    messages = comparison.messages
    dead = f" ({comparison.dead:,} lines are no messages)" if comparison.dead else ""
    print(f"{messages:,} messages{dead}")
    flagged, reminded = (comparison.flagged(0), comparison.flagged(1)), comparison.reminded
    for what, counts in (("flagged", flagged), ("reminded", reminded)):
        print(f"{what}: " + " → ".join(f"{count:,} ({_share(count, messages)})" for count in counts))
    changed = comparison.changed
    if not changed:
        print("no verdict changes")
        return
    print(f"verdicts changed: {changed.total():,}")
    for (before, after), count in changed.most_common():
        print(f"  {before} → {after}: {count:,}")
    causes = comparison.causes
    rows = [
        (f"{cause.messages:,}", f"{cause.kind} {cause.what}", cause.how, _words(cause)) for cause in causes[:_SHOWN]
    ]
    print_table(("messages", "with", "", "verdicts"), rows)
    if len(causes) > _SHOWN:
        print(f"… and {len(causes) - _SHOWN} more; --json has them all")
    _show_examples(causes[:_SHOWN])


def _show_examples(causes: Sequence[Cause]) -> None:
    console = Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
    for cause in causes:
        if cause.examples:
            console.print(Text(f"{cause.kind} {cause.what} {cause.how}".rstrip(), style="bold"))
        for each in cause.examples:
            console.print(
                Text(f"  {each.message_id} {each.before} → {each.after}: ").append(
                    marked(each.text, each.spans, console)
                )
            )


def _words(cause: Cause) -> str:
    return ", ".join(f"{before} → {after}: {count:,}" for (before, after), count in cause.steps.most_common())


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.2%}" if whole else "–"
