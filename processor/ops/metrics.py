"""Counting. Telemetry reads what a batch came to, after its commit; no counter stands between two steps.

Counters and histograms are pushed here once per batch, which costs some 30 µs. What is a state rather than an event
(lanes, lag, rulesets) is pulled when a scrape asks for it: see `refresh_with`.
"""

import hashlib
import platform
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import Metric as Family

from processor import __version__
from processor.ops.catalogue import CATALOGUE, LANE_STATES
from processor.ops.series import Distribution, Labels, Series

SAMPLE = 128  # ages measured of one batch
TENANTS = "messages_by_tenant_total"


class Tally(Protocol):
    """What a batch came to, as counts."""

    @property
    def verdicts(self) -> Mapping[str, int]: ...
    @property
    def hits(self) -> Mapping[tuple[str, str, str], int]:
        """By category, severity, and base or tenant."""

    @property
    def fraud(self) -> Mapping[tuple[str, str], int]:
        """By type and band."""

    @property
    def shadow(self) -> Mapping[str, int]:
        """By rule."""

    @property
    def reminders(self) -> Mapping[str, int]:
        """By outcome."""

    @property
    def dead(self) -> Mapping[str, int]:
        """By kind."""

    @property
    def tenants(self) -> Mapping[tuple[str, str], int]:
        """By tenant and verdict."""


class Finding(Protocol):
    """What a batch told of a ruleset that is tried out."""

    @property
    def mode(self) -> str:
        """Shadow, canary or probation."""

    @property
    def verdicts(self) -> Mapping[str, int]: ...
    @property
    def changes(self) -> Mapping[tuple[str, str], int]:
        """By the verdict in force, and the candidate's."""


class Reading(Protocol):
    """A ruleset on trial at the time of a scrape."""

    @property
    def version(self) -> int: ...
    @property
    def digest(self) -> str: ...
    @property
    def mode(self) -> str: ...
    @property
    def share(self) -> float:
        """Of the messages, 0..1."""

    @property
    def flagged(self) -> float | None:
        """Share that it flags."""

    @property
    def flagged_in_force(self) -> float | None:
        """Share that the ruleset in force flags beside it."""


class Stamped(Protocol):
    """A record as it was read."""

    @property
    def timestamp(self) -> int:
        """Milliseconds since the epoch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneReading:
    """A lane at the time of a scrape."""

    state: str  # one of LANE_STATES
    lag: int | None  # records; None while unknown
    conversations: int


class Metrics:
    """All numbers of a process, in a registry of its own."""

    def __init__(self, *, tenant_label: bool = False, tenant_cap: int = 100) -> None:
        self._tenant_label, self._tenant_cap = tenant_label, tenant_cap
        self._series = {
            m.name: Series(m, tenant_cap if m.name == TENANTS else m.cap) for m in CATALOGUE if m.kind != "histogram"
        }
        self._distributions = {m.name: Distribution(m) for m in CATALOGUE if m.kind == "histogram"}
        self._refresh: Callable[[], None] | None = None
        self._series["build_info"].put({(__version__, platform.python_version()): 1})
        self.registry = CollectorRegistry(auto_describe=False)
        self.registry.register(self)
        ProcessCollector(registry=self.registry)

    def refresh_with(self, refresh: Callable[[], None]) -> None:
        """Have `refresh` called before each scrape, to set what is only worth reading then."""
        self._refresh = refresh

    def collect(self) -> Iterator[Family]:
        """The families of a scrape; the registry calls it."""
        if self._refresh:
            self._refresh()
        for metric in CATALOGUE:
            source = self._distributions if metric.kind == "histogram" else self._series
            yield source[metric.name].family()

    def report(self, tally: Tally) -> None:
        """Count what a committed batch came to."""
        self._count("messages_total", _single(tally.verdicts))
        self._count("hits_total", tally.hits.items())
        self._count("fraud_total", tally.fraud.items())
        self._count("fraud_shadow_total", _single(tally.shadow))
        self._count("reminders_total", _single(tally.reminders))
        self._count("dead_letters_total", _single(tally.dead))
        if self._tenant_label:
            self._count(TENANTS, tally.tenants.items())

    def committed(self, inputs: Sequence[Stamped], *, now_ms: int, judge_seconds: float, commit_seconds: float) -> None:
        """Count a committed transaction and the records that it had read; `now_ms` is ms since the epoch."""
        step = max(1, -(-len(inputs) // SAMPLE))
        ages = [max(0, now_ms - record.timestamp) / 1000 for record in inputs[::step]]
        self._distributions["message_age_seconds"].observe_sample(ages, of=len(inputs))
        self._distributions["batch_records"].observe(len(inputs))
        self._distributions["judge_seconds"].observe(judge_seconds)
        self._distributions["commit_seconds"].observe(commit_seconds)
        self._series["transactions_total"].add(("committed",))

    def aborted(self) -> None:
        """Count a transaction of which nothing became visible."""
        self._series["transactions_total"].add(("aborted",))

    def lane_restarted(self, reason: str) -> None:
        """Count a lane that starts anew; `reason` is one of a few fixed words."""
        self._series["lane_restarts_total"].add((reason,))

    def lanes(self, readings: Mapping[int, LaneReading]) -> None:
        """Show the lanes of the partitions that this process owns, and of no others."""
        by_name = {str(partition): reading for partition, reading in sorted(readings.items())}
        self._gauge("assigned_partitions", len(by_name))
        self._series["lane_state"].put(
            {(name, state): float(lane.state == state) for name, lane in by_name.items() for state in LANE_STATES}
        )
        self._series["lag_records"].put({(name,): lane.lag for name, lane in by_name.items() if lane.lag is not None})
        self._series["conversations"].put({(name,): lane.conversations for name, lane in by_name.items()})

    def rulesets(self, in_force: Mapping[str, tuple[int, str]]) -> None:
        """Show the rulesets in force: version and digest by scope, `base` or `tenant:<id>`."""
        tenants = sorted(scope for scope in in_force if scope != "base")
        shown = [(scope, *in_force[scope]) for scope in self._named(in_force)]
        self._series["ruleset_info"].put({(scope, str(version), digest[:12]): 1 for scope, version, digest in shown})
        self._gauge("tenant_rulesets", len(tenants))
        self._gauge("tenant_rulesets_fingerprint", _fingerprint([(scope, *in_force[scope]) for scope in tenants]))

    def ruleset_reloaded(self, result: str, seconds: float | None = None) -> None:
        """Count a reload: loaded, refused or dropped, and the seconds it took."""
        self._series["ruleset_reloads_total"].add((result,))
        if seconds is not None:
            self._distributions["ruleset_load_seconds"].observe(seconds)

    def tried(self, findings: Iterable[Finding]) -> None:
        """Count what a committed batch told of rulesets that are tried out."""
        for finding in findings:
            if finding.mode == "shadow":
                self._count("shadow_verdicts_total", finding.changes.items())
            elif finding.mode == "canary":
                self._count("canary_verdicts_total", _single(finding.verdicts))

    def trial(self, event: str) -> None:
        """Count what became of a candidate: begun, promoted, withdrawn, tripped or refused."""
        self._series["rollouts_total"].add((event,))

    def trials(self, readings: Mapping[str, Reading]) -> None:
        """Show what is tried out, by scope; tenants' only where they may be named."""
        shown = [(scope, readings[scope]) for scope in self._named(readings)]
        self._series["rollout_share"].put(
            {(scope, str(each.version), each.digest[:12], each.mode): each.share for scope, each in shown}
        )
        self._series["rollout_flagged_share"].put(
            {
                (scope, str(each.version), by): share
                for scope, each in shown
                for by, share in (("candidate", each.flagged), ("in_force", each.flagged_in_force))
                if share is not None
            }
        )

    def redis(self, *, up: bool, checked_at: float | None) -> None:
        """Show whether Redis answers, and when (in seconds since the epoch) it last told all that is in force."""
        self._gauge("redis_up", up)
        self._gauge("ruleset_checked_timestamp_seconds", checked_at or 0)

    def loop_lag(self, seconds: float) -> None:
        """Count how late a timer of the event loop fired."""
        self._distributions["event_loop_lag_seconds"].observe(seconds)

    def _named(self, scopes: Collection[str]) -> list[str]:
        """The scopes that may be a label: base, and as many tenants' as the settings allow."""
        tenants = sorted(scope for scope in scopes if scope != "base")
        return [*(["base"] if "base" in scopes else []), *tenants[: self._tenant_cap if self._tenant_label else 0]]

    def _count(self, name: str, counts: Iterable[tuple[Labels, int]]) -> None:
        series = self._series[name]
        for labels, amount in counts:
            series.add(labels, amount)

    def _gauge(self, name: str, value: float) -> None:
        self._series[name].put({(): float(value)})


def _single(counts: Mapping[str, int]) -> Iterable[tuple[Labels, int]]:
    return (((label,), amount) for label, amount in counts.items())


def _fingerprint(overlays: Sequence[tuple[str, int, str]]) -> int:
    """48 bits, which a float of Prometheus holds exactly; 0 for no overlays."""
    if not overlays:
        return 0
    return int.from_bytes(hashlib.sha256(repr(overlays).encode()).digest()[:6])
