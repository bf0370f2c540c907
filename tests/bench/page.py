"""`docs/performance.md`: the figures of one run, and the words around them, which do not change."""

from collections.abc import Iterable, Iterator, Sequence
from math import isfinite

from tests.bench.latency import SECONDS
from tests.bench.memory import Memory
from tests.bench.reload import BEFORE_S, Reload
from tests.bench.results import Results, Spread, aims, ratio, spread
from tests.bench.stage import PARTITIONS
from tests.bench.throughput import PROGRAMS

MIB = 2**20


def page(results: Results) -> str:
    """The page in Markdown."""
    return "\n\n".join(_parts(results)) + "\n"


def _parts(results: Results) -> Iterator[str]:
    yield "# Performance"
    yield "<!-- Made by `make bench`; edit tests/bench/page.py, not this page. -->"
    yield (
        "Each figure was measured here, in one run, on one machine; on another one only the ratios mean anything. "
        "Where an aim was missed, the table says so."
    )
    yield table(("Aim", "Wanted", "Found", ""), [(a.what, a.wanted, a.found, _word(a.met)) for a in aims(results)])
    if results.runs and results.latencies:
        yield "![Messages per second, processor time per message, and latency](performance.svg)"
    yield "## The machine"
    yield table(("", ""), results.machine.items())
    if results.runs:
        yield from _throughput(results)
    if results.latencies:
        yield from _latency(results)
    if results.memory:
        yield from _memory(results, results.memory)
    if results.reloads:
        yield from _reload(results.reloads)
    yield from _reproduce()


def _throughput(results: Results) -> Iterator[str]:
    rounds = len(next(iter(results.runs.values())))
    yield "## Throughput"
    yield (
        f"A backlog of {results.messages:,} messages in {PARTITIONS} partitions: made-up chat in Chinese and English, "
        f"{results.message_bytes:.0f} bytes of JSON each on average. About 1 % hold a term of a lexicon, 1 % are lines "
        f"of swindlers' conversations, 0.1 % are no messages at all. The lexicons hold {results.terms:,} terms: the "
        "built-in ones and 10,000 made-up ones, published over Redis."
    )
    yield (
        f"Each program is one process, alone with the broker. Rounds: {rounds}, every other one in reverse order; each "
        "run with a new group and empty output topics. The clock runs from the moment in which the group "
        "has its partitions until all of them are committed; processor time is user and system of the whole process "
        "in that time; memory is the largest since it began. Before the first round the backlog went through the "
        f"broker until that became no faster ({results.warming} passes), so that the JVM was warm"
        + (
            ", and what a first pass of the worker had written was reconciled: every message came out exactly once."
            if "m" in results.runs
            else "."
        )
    )
    yield table(
        ("Program", "Promise", "Messages/s", "CPU µs/message", "Peak memory"),
        [
            (
                PROGRAMS[key].name,
                PROGRAMS[key].promise,
                _range(spread([run.rate for run in runs]), ",.0f"),
                _range(spread([run.cpu_us for run in runs]), ".1f"),
                _mib(max(run.peak_bytes for run in runs)),
            )
            for key, runs in results.runs.items()
        ],
    )
    others = [key for key in results.runs if key != "m"] if "m" in results.runs else []
    if others:
        yield "How many times as fast as each the worker is, round by round (median, least–greatest):"
        yield table(
            ("Worker over", "Rate"), [(PROGRAMS[key].name, _range(ratio(results, key), ".2f")) for key in others]
        )
    yield (
        "- **chatguard worker**: `chatguard worker` with its default settings; metrics, health pages and the watch on "
        "Redis are on, conversations are remembered, every record carries its verdict and where it came from.\n"
        "- **the same, judging nothing**: the same process with decoding and judging replaced by nothing at all. What "
        "it lacks in speed is the price of exactly once; what the worker lacks against it is the price of judging.\n"
        "- **aiokafka loop**: `async for`, orjson, pyahocorasick, `send` with a key, and a flush and a commit each "
        "1,000 messages. It finds terms as they are written and nothing else: no readings, no fraud, no reasons.\n"
        "- **Quix Streams**: its exactly-once guarantee, orjson, daachorse, `to_topic` with a function; commits each "
        "10,000 messages or each second. It judges as little as the loop does. Its client library is C and uses "
        "threads of its own, so it can use more than one core."
    )


def _latency(results: Results) -> Iterator[str]:
    yield "## Latency"
    yield (
        "From a record's timestamp to the moment in which a reader of committed data has it out of `delivered` or "
        f"`flagged`. A producer of its own sends so many messages each second for {SECONDS:.0f} seconds, each stamped "
        "with the moment at which it was due, so that nothing is forgiven when something lags. The higher load is "
        "half of what the worker can do; producer, broker, worker and reader share the cores."
    )
    yield table(
        ("Load, messages/s", "p50", "p99", "Longest"),
        [(f"{each.rate:,}", f"{each.p50} ms", f"{each.p99} ms", f"{each.most} ms") for each in results.latencies],
    )


def _memory(results: Results, memory: Memory) -> Iterator[str]:
    backlog = f"{memory.messages * results.message_bytes / MIB:,.0f} MiB"
    yield "## Memory"
    yield (
        "A worker takes no more for a long backlog than for an empty topic, beyond the batches in flight (at most 1 "
        "MiB fetched ahead and one batch being judged and written, for each partition) and the windows of "
        "conversations in which something was seen."
    )
    rounds = [
        (f"{results.messages:,} messages waiting (a round of above)", _mib(max(run.peak_bytes for run in runs)))
        for key, runs in results.runs.items()
        if key == "m"
    ]
    yield table(
        ("Topic", "Peak memory"),
        [
            ("empty", _mib(memory.empty)),
            *rounds,
            (f"{memory.messages:,} messages waiting, {backlog}", _mib(memory.backlog)),
            ("the last over the first", _mib(memory.backlog - memory.empty)),
        ],
    )


def _reload(reloads: Sequence[Reload]) -> Iterator[str]:
    yield "## Reloading rules"
    yield (
        "While messages flow at a quarter of what the worker can do, a ruleset with 10,000 terms more is published "
        "over Redis. *Used after* is the time from the publication until a reader has the first message that cites the "
        "new version. *Longest pause* is the longest time in which some partition saw no commit, in the "
        f"{BEFORE_S:.0f} seconds from the publication on, and for comparison in the {BEFORE_S:.0f} seconds before."
    )
    yield table(
        ("Publication", "Used after", "Longest pause", "Longest pause before"),
        [
            (f"{number}", _ms(each.until_used), _ms(each.pause), _ms(each.pause_before))
            for number, each in enumerate(reloads, start=1)
        ],
    )


def _reproduce() -> Iterator[str]:
    yield "## Measure again"
    yield (
        "`make bench` does all of it in some minutes and writes this page and its picture. For less: "
        "`python -m tests.bench --messages 100000 --rounds 1 --only m,a` prints what it finds and leaves the page "
        "alone. Nothing else should run meanwhile."
    )


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown; all columns but the first are figures where a figure stands in the first row."""
    rows = list(rows)
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _range(values: Spread, form: str) -> str:
    return f"**{values.median:{form}}** ({values.least:{form}}–{values.most:{form}})"


def _mib(size: int) -> str:
    return f"{size / MIB:.0f} MiB"


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if isfinite(seconds) else "never"


def _word(met: bool) -> str:  # noqa: FBT001  read aloud it is clear
    return "met" if met else "**missed**"
