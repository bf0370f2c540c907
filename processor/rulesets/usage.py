"""How often each term hits, and how often it is found and rejected: counted in memory, added up in Redis.

    chatguard:stats:{base}:2026-11-23       hash, one per day (UTC): "h:<term>" → hits, "r:<term>" → rejected
    chatguard:stats:{tenant:t1}:2026-11-23  the same for the terms of a tenant's overlay

All workers add to the same hashes, so these are the figures of the fleet; they carry terms of rulesets and nothing of
anybody's messages. They are for deciding which terms earn their place, not for accounting: what a worker has counted
since its last turn is lost when it is killed, a turn whose answer got lost is counted twice, and while Redis is away
for very long the rarest new terms are not counted. Judging never waits for any of it.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from typing import Any

from msgspec import Struct
from redis.asyncio import Redis

from processor.errors import Unavailable
from processor.rulesets import store
from processor.rulesets.compile import BUILTIN_LEXICON
from processor.rulesets.document import BASE, Document, Scope, tenant_scope

MOST = 100_000  # terms that a worker counts between two turns
_AT_ONCE = 1_000  # fields of a hash in one round trip
_LAST_TURN_S = 1.0  # at the end of a worker
_HITS, _REJECTED = "h:", "r:"

Item = tuple[tuple[Scope, str], int]
Counts = Mapping[tuple[str, str], int]  # (lexicon as verdicts name it, term) → how often


class Usage:
    """What this process has counted and not yet added to the store; bounded."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._counts: Counter[tuple[Scope, str]] = Counter()
        self.dropped = 0  # hits and rejections of terms for which there was no room

    def count(self, hits: Counts, rejected: Counts) -> None:
        """Add what a batch came to."""
        for sign, counts in ((_HITS, hits), (_REJECTED, rejected)):
            for (lexicon, term), amount in counts.items():
                self._add((lexicon_scope(lexicon), sign + term), amount)

    def take(self) -> Mapping[tuple[Scope, str], int]:
        """All that was counted; it is forgotten here."""
        taken, self._counts = self._counts, Counter()
        return taken

    def give_back(self, counts: Mapping[tuple[Scope, str], int]) -> None:
        """Count again what could not be added to the store."""
        for key, amount in counts.items():
            self._add(key, amount)

    def _add(self, key: tuple[Scope, str], amount: int) -> None:
        if key in self._counts or len(self._counts) < self._most:
            self._counts[key] += amount
        else:
            self.dropped += amount


class Used(Struct, frozen=True, kw_only=True, gc=False):
    """A term and what became of it."""

    term: str
    category: str  # empty for a term that the ruleset does not have any more, or that is of another ruleset
    severity: str
    lexicon: str
    hits: int
    share: float  # of all hits
    rejected: int
    overturned: int | None = None  # flagged messages with it that reviewers let go; None if nobody looked


class UsageReport(Struct, frozen=True, kw_only=True):
    """The terms of a ruleset by their hits."""

    scope: Scope
    days: Sequence[str]  # those for which something was counted
    hits: int
    rejected: int
    overturned: int | None = None  # of all terms together: a message with two of them counts twice
    used: Sequence[Used]  # with the most hits first
    never: Sequence[Used]  # terms of the ruleset that nothing was counted of


def stats_key(scope: Scope, day: str) -> str:
    """The key of a day's counts; the braces keep the days of a scope together on a Redis Cluster."""
    return f"chatguard:stats:{{{scope}}}:{day}"


def lexicon_scope(lexicon: str) -> Scope:
    """The scope of the ruleset whose terms verdicts name by this lexicon."""
    return BASE if lexicon == BUILTIN_LEXICON else tenant_scope(lexicon)


async def add_always(
    usage: Usage,
    url: str,
    *,
    every_s: float,
    keep_days: int,
    timeout_s: float = 5.0,
    trouble: Callable[[str], None] = lambda _: None,
) -> None:
    """Until cancelled, and once more then, add to the store at `url` what `usage` has counted.

    `every_s`: seconds between two turns; `keep_days`: how long the store keeps a day's counts; `trouble` is told why a
    turn failed, once until one succeeds.
    """
    well = True
    async with store.connect(url, timeout_s=timeout_s, retries=0) as redis:
        try:
            while True:
                await asyncio.sleep(every_s)
                try:
                    await add(redis, usage, keep_days=keep_days)
                    well = True
                except Unavailable as error:
                    if well:
                        trouble(str(error))
                    well = False
        finally:
            with suppress(Unavailable, TimeoutError):
                async with asyncio.timeout(_LAST_TURN_S):
                    await add(redis, usage, keep_days=keep_days)


async def add(redis: Redis, usage: Usage, *, keep_days: int) -> None:
    """Add to today's counts in the store. Raises: Unavailable, and what was not added is still in `usage`."""
    taken = dict(usage.take())
    today = _day(0)
    try:
        for chunk in _chunks(list(taken.items())):
            with store.edge():
                async with redis.pipeline(transaction=False) as pipeline:
                    for (scope, field), amount in chunk:
                        pipeline.hincrby(stats_key(scope, today), field, amount)
                    for scope in {scope for (scope, _), _ in chunk}:
                        pipeline.expire(stats_key(scope, today), keep_days * 86_400)
                    await pipeline.execute()
            for key, _ in chunk:
                del taken[key]
    finally:
        usage.give_back(taken)


def _chunks(items: list[Item]) -> Iterator[list[Item]]:
    return (items[start : start + _AT_ONCE] for start in range(0, len(items), _AT_ONCE))


async def read(redis: Redis, scope: Scope, *, days: int) -> Mapping[str, Mapping[str, int]]:
    """What was counted in `scope` on each of the last `days` days, today included: field → amount by day.

    Raises: Unavailable.
    """
    found: dict[str, dict[str, int]] = {}
    for back in range(days):
        day = _day(back)
        with store.edge():
            answer: Any = await redis.hgetall(stats_key(scope, day))
        if answer:
            found[day] = {field.decode(): int(amount) for field, amount in answer.items()}
    return found


def report(
    document: Document, scope: Scope, counted: Mapping[str, Mapping[str, int]], overturned: Counts | None = None
) -> UsageReport:
    """The terms of `document`, and those of its scope that it does not have any more, by their hits.

    `counted`: from `read`; `overturned`: from `Ledger.overturned`, of any scopes.
    """
    total: Counter[str] = Counter()
    for counts in counted.values():
        total.update(counts)
    hits = {field.removeprefix(_HITS): n for field, n in total.items() if field.startswith(_HITS)}
    rejected = {field.removeprefix(_REJECTED): n for field, n in total.items() if field.startswith(_REJECTED)}
    let_go = {term: n for (lexicon, term), n in (overturned or {}).items() if lexicon_scope(lexicon) == scope}
    everything = sum(hits.values())
    rows = [
        Used(
            **facts,
            hits=(n := hits.get(facts["term"], 0)),
            share=n / everything if n else 0.0,
            rejected=rejected.get(facts["term"], 0),
            overturned=None if overturned is None else let_go.get(facts["term"], 0),
        )
        for facts in _facts(document, [*hits, *rejected, *let_go])
    ]
    return UsageReport(
        scope=scope,
        days=sorted(counted),
        hits=everything,
        rejected=sum(rejected.values()),
        overturned=None if overturned is None else sum(let_go.values()),
        used=sorted((row for row in rows if _was_used(row)), key=lambda row: (-row.hits, -row.rejected)),
        never=[row for row in rows if not _was_used(row)],
    )


def _was_used(row: Used) -> bool:
    return bool(row.hits or row.rejected or row.overturned)


def _facts(document: Document, counted: Iterable[str]) -> Iterator[dict[str, str]]:
    """Each term once, of the ruleset or not."""
    known: dict[str, dict[str, str]] = {}
    for lexicon, entries in document.lexicons.items():
        for entry in entries:
            facts = {"category": entry.category, "severity": str(entry.severity), "lexicon": lexicon}
            known.setdefault(entry.term, {"term": entry.term, **facts})
    yield from known.values()
    for term in dict.fromkeys(counted):
        if term not in known:
            yield {"term": term, "category": "", "severity": "", "lexicon": ""}


def since(days: int) -> int:
    """When the first of the last `days` days began, today included (UTC), in milliseconds since the epoch."""
    begun = datetime.combine(_date(days - 1), datetime.min.time(), UTC)
    return round(begun.timestamp() * 1000)


def _day(back: int) -> str:
    """The day, UTC, of so many days ago."""
    return _date(back).isoformat()


def _date(back: int) -> date:
    return datetime.fromtimestamp(time.time(), UTC).date() - timedelta(days=back)
