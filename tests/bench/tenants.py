"""`python -m tests.bench.tenants`: what tenants' overlays cost in memory, in compiling, and in judging; printed only.

The same messages are judged with no overlay, and with one for each of their tenants, batch by batch in turn, so that
the ratio holds on a machine that does other things too. Only judging is timed: of the whole worker's time per message
it is a part, so the loss of throughput is less than the ratio shows.
"""

import argparse
import gc
import random
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

from msgspec.structs import replace

from processor.judge import Item, judge
from processor.model import ChatMessage
from processor.ruleset import Overlay, Rules
from processor.rulesets.compile import compile_base, compile_overlay
from processor.rulesets.document import Entry, OverlayDocument
from processor.stream.codec import decode
from tests.bench.ruleset import made_up, ruleset, terms_of
from tests.bench.traffic import traffic

MESSAGES = 20_000
MIB = 1 << 20


def main() -> None:
    options = _options()
    document = ruleset([])
    base = compile_base(document, version=0, digest="ab" * 32)
    items = _messages(options.overlays, terms_of(document))
    none = Rules(base=base)
    _seconds(items, none, options.batch)  # tables fill themselves with what is seen first
    _overlays(1, options.terms)
    before, began = _resident(), time.process_time()
    overlays = _overlays(options.overlays, options.terms)
    compiling, memory = time.process_time() - began, _resident() - before
    each = options.overlays * options.terms
    print(f"{options.overlays:,} overlays of {options.terms:,} terms, {options.overlays:,} tenants in the traffic")
    print(f"compiling: {compiling / options.overlays * 1000:.1f} ms of processor time for one overlay")
    print(f"memory: {memory / MIB:,.0f} MiB, {memory / each:,.0f} bytes for one term")
    began = time.process_time()
    many = Rules(base=base, overlays=overlays)
    assert many.crowd
    print(f"put in force: {(time.process_time() - began) * 1000:.1f} ms")
    _compare("judging", items, none, many, options)
    owned = _with_own(items, overlays, options.own)
    _compare(f"judging, {options.own:.0%} with a term of their tenant", owned, none, many, options)


def _compare(what: str, items: Sequence[Item], none: Rules, many: Rules, options: argparse.Namespace) -> None:
    turns = [
        (_seconds(items, none, options.batch), _seconds(items, many, options.batch)) for _ in range(options.rounds)
    ]
    bare, full = (median(turn[side] for turn in turns) / len(items) * 1e6 for side in (0, 1))
    print(f"{what}: {bare:.1f} µs a message without overlays, {full:.1f} µs with them, {full - bare:.1f} µs more")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.tenants", description=__doc__)
    parser.add_argument("--overlays", type=int, default=100)
    parser.add_argument("--terms", type=int, default=1_000, help="in each overlay")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batch", type=int, default=2_000, help="messages judged together")
    parser.add_argument("--own", type=float, default=0.01, help="share of messages with a term of their own tenant")
    return parser.parse_args()


def _messages(tenants: int, terms: Sequence[str]) -> list[Item]:
    draw = random.Random(1)
    found: list[Item] = []
    for _, value in traffic(MESSAGES, terms):
        item = decode(value)
        if isinstance(item, ChatMessage):
            item = replace(item, tenant_id=f"t{draw.randrange(tenants)}")
        found.append(item)
    return found


def _overlays(count: int, terms: int) -> Mapping[str, Overlay]:
    draw = random.Random(2)
    words = made_up(min(20 * terms, 200_000))
    overlays = {}
    for number in range(count):
        lexicon = [Entry(term=term) for term in draw.sample(words, terms)]
        document = OverlayDocument(tenant=f"t{number}", lexicons={"own": lexicon})
        overlays[document.tenant] = compile_overlay(document, version=1, digest="cd" * 32)
    gc.collect()
    return overlays


def _with_own(items: Sequence[Item], overlays: Mapping[str, Overlay], share: float) -> list[Item]:
    """The same messages, so many of them with a term of their tenant."""
    draw = random.Random(3)
    found: list[Item] = []
    for item in items:
        if isinstance(item, ChatMessage) and item.content and draw.random() < share:
            term = draw.choice(overlays[item.tenant_id].meanings).spelling
            item = replace(item, content=f"{item.content} {term}")  # noqa: PLW2901
        found.append(item)
    return found


def _seconds(items: Sequence[Item], rules: Rules, batch: int) -> float:
    """Processor time for all of them, in batches."""
    times = [1_780_000_000_000 + number for number in range(batch)]
    began = time.process_time()
    for start in range(0, len(items), batch):
        some = items[start : start + batch]
        judge(some, times[: len(some)], rules, {})
    return time.process_time() - began


def _resident() -> int:
    """Bytes of this process in memory."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


if __name__ == "__main__":
    main()
