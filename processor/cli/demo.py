"""`chatguard demo`: the main job on an embedded Kafka and Redis, with a crash and a new word on the way."""

import asyncio
import signal
import sys
import time
from contextlib import ExitStack
from types import FrameType
from typing import Annotated

import typer

from processor.cli import show
from processor.cli.dev import stay, told
from processor.cli.show import Page
from processor.demo import examples, script
from processor.demo.beside import beside
from processor.demo.offers import PRODUCT, PRODUCT_GLOSS
from processor.demo.readback import Seen, reading
from processor.demo.script import Traffic
from processor.demo.stage import PARTITIONS, PREFIX, SESSION_MS, Failed, Stage, stage
from processor.errors import ChatguardError
from processor.model import Topic
from processor.stream.reconcile import reconcile

_ABOUT = (
    "{count:,} chat messages, made up for this, go through a real Kafka and two workers: small talk, frauds, words in\n"
    "disguise, bytes that are no message. One worker is killed on the way, and a new word is put in force.\n"
    "Every number below was read back from the topics or from the workers' /metrics."
)
_INTERRUPTED = 130
_KILL_AT, _NEWS_AT = 0.2, 0.5  # shares of the traffic


def demo(
    messages: Annotated[int, typer.Option(min=5_000, help="How many messages to send.")] = 60_000,
    seed: Annotated[int, typer.Option(help="Another seed gives other messages.")] = 1,
    keep: Annotated[bool, typer.Option("--keep", help="Leave everything running at the end, until Ctrl-C.")] = False,
) -> None:
    """Show the main job from end to end, with real processes; takes about a minute.

    Needs nothing but this package with its extra `embedded`. Exits with 0 if all that it claims held, with 1 otherwise.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may start us with it switched off
    signal.signal(signal.SIGTERM, _interrupt)
    page = Page()
    page.title("chatguard demo", _ABOUT.format(count=messages))
    page.section("The stage")
    try:
        with ExitStack() as exits:
            with told() as (say, progress):
                stage_ = exits.enter_context(stage(say=say, progress=progress))
            asyncio.run(_play(page, stage_, Traffic(count=messages, seed=seed)))
            if keep:
                _stay(page, stage_)
            _end(page, stage_)
    except ChatguardError as error:
        print(f"Failed: {error}", file=sys.stderr)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        print("Interrupted: everything is stopped and removed.", file=sys.stderr)
        raise typer.Exit(_INTERRUPTED) from None


async def _play(page: Page, stage_: Stage, traffic: Traffic) -> None:
    """All acts. Raises: Failed and what else of ours goes wrong."""
    began = time.monotonic()
    await script.create_topics(stage_)
    workers = await script.start_workers(stage_, 1, 2)
    await asyncio.to_thread(show.stage_is_set, page, stage_, workers, [PREFIX + topic for topic in Topic])
    async with reading(stage_.client) as seen:
        async with page.counting(seen, traffic), beside(script.write(stage_, traffic)):
            await _crash(page, stage_, traffic)
            await _news(page, stage_, traffic, seen)
        _flagged(page, seen, await examples.frauds(stage_.client, seen))
    await _account(page, stage_, traffic)
    page.section("What the workers count")
    page.say("What the killed worker counted went with it. The ages include the seconds that messages waited after it.")
    await asyncio.to_thread(lambda: show.numbers(page, {worker.name: worker.metrics() for worker in stage_.workers}))
    page.say(f"All of this took {time.monotonic() - began:.0f} s.")


async def _crash(page: Page, stage_: Stage, traffic: Traffic) -> None:
    page.section("The stream, and a worker that is killed")
    await script.written(stage_, traffic, _KILL_AT)
    killed = await script.kill(stage_)
    had = " and ".join(map(str, killed.partitions))
    page.say(f"▶ SIGKILL for {killed.worker.name}, which had partitions {had}, in the middle of its work.")
    seconds = await script.taken_over(stage_, killed)
    page.say(
        f"▶ {stage_.workers[0].name} runs all {PARTITIONS} partitions {seconds:.1f} s after the kill, "
        f"with a session timeout of {SESSION_MS / 1000:.0f} s."
    )
    (replacement,) = await script.start_workers(stage_, 3)
    page.say(f"▶ {replacement.name} has come in its place, and the two share the partitions again.")


async def _news(page: Page, stage_: Stage, traffic: Traffic, seen: Seen) -> None:
    await script.written(stage_, traffic, _NEWS_AT)
    page.section(f"A new word while it runs: {PRODUCT} ({PRODUCT_GLOSS}, a thing that does not exist)")
    page.say(f"It stands in {len(seen.product)} messages so far, all of which passed: no lexicon has it.")
    published = await script.publish_word(stage_)
    traffic.finale = True
    page.say(f"▶ PUBLISH: ruleset {published.ruleset} has the word, for review. The same by hand:")
    page.say(f"echo {PRODUCT},custom,medium > word.txt && chatguard lexicon push word.txt", 5)
    first = await script.first_hit(stage_, seen, published)
    page.say(f"▶ First hit {first.at - published.at:.2f} s after PUBLISH: {first.place}, which was {first.origin}.")
    seconds = await script.in_force(stage_, published)
    page.say(f"▶ {seconds:.2f} s after PUBLISH all workers say that they judge by it.")
    page.say("The rest of the stream follows, under the new ruleset.")
    await script.drained(stage_, seen, traffic)
    changed = script.changeover(seen, published)
    page.say(
        f"{changed.passed} messages with the word passed before the change, {changed.flagged} were flagged after it."
    )


def _flagged(page: Page, seen: Seen, frauds: list[examples.Example]) -> None:
    page.section(f"What was flagged: {seen.flagged:,} messages, {seen.flagged / seen.out:.1%} of all; one of each kind")
    for example in examples.disguises(seen.flags):
        show.disguised(page, example)
    for example in frauds:
        show.unfolded(page, example)
    page.section("What was not")
    show.left_alone(page, seen)
    page.section(f"What the push service gets: {seen.reminders:,} reminders to likely victims")
    page.say("The receiver is warned of what was written; a sender who is about to fall for it, or who asks, as well.")
    for reminder in examples.reminders(seen.reminded):
        show.reminder(page, reminder)


async def _account(page: Page, stage_: Stage, traffic: Traffic) -> None:
    page.section("The account: every message that went in against every one that came out")
    report = await reconcile(stage_.client, PREFIX)
    show.reconciled(page, report)
    if not report.clean or report.messages != traffic.count:
        raise Failed(f"Of {traffic.count:,} messages not every one came out exactly once, in order and unaltered.")


def _stay(page: Page, stage_: Stage) -> None:
    """Leave everything running until Ctrl-C."""
    page.section("Still running, until Ctrl-C; try in another shell")
    for name, value in stage_.settings.items():
        page.say(f"export {name}={value}", 0)
    page.say("")
    page.say("chatguard reconcile", 0)
    page.say("chatguard lexicon show", 0)
    for worker in stage_.workers:
        page.say(f"curl -s {worker.url}/metrics   ({worker.name}; also /readyz, /livez)", 0)
    try:
        stay({"Kafka": stage_.kafka, "Redis": stage_.redis})
    except KeyboardInterrupt:
        page.say("")


def _end(page: Page, stage_: Stage) -> None:
    page.section("The end")
    careless = stage_.stop_workers()
    if careless:
        raise Failed(f"{' and '.join(careless)} did not stop in good order.")
    page.say("The workers have finished their batches and left the group; Kafka, Redis and all data go now.")
    page.say("Everything held.")


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    signal.raise_signal(signal.SIGINT)
