"""Every metric there is, with a line of meaning each; `docs/metrics.md` is made from this list.

Names follow Prometheus: prefix `chatguard_`, base units, counters end in `_total`. No user, conversation or word ever
becomes a label. Labels whose values come from rulesets or tenants are capped, since others than we choose them.
"""

from dataclasses import dataclass
from typing import Literal

PREFIX = "chatguard_"
LANE_STATES = ("starting", "running", "restarting", "stopped")

_MOMENTS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_AGES = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600)
_SIZES = (1, 10, 50, 100, 250, 500, 1000, 2000, 5000, 10_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One metric family."""

    name: str  # without the prefix
    kind: Literal["counter", "gauge", "histogram"]
    meaning: str
    labels: tuple[str, ...] = ()
    known: tuple[tuple[str, ...], ...] = ()  # label values that stand at 0 from the start, so that a first event shows
    buckets: tuple[float, ...] = ()  # upper bounds
    cap: int | None = None  # most values of the first label; those that come later count as "other"


def _each(*values: str) -> tuple[tuple[str, ...], ...]:
    return tuple((value,) for value in values)


_VERDICTS = _each("pass", "mask", "review", "block", "dead")

CATALOGUE = (
    Metric(
        name="messages_total",
        kind="counter",
        labels=("verdict",),
        known=_VERDICTS,
        meaning="Messages judged and committed; dead ones went to the dead-letter topic.",
    ),
    Metric(
        name="messages_by_tenant_total",
        kind="counter",
        labels=("tenant", "verdict"),
        meaning='The same by tenant. Only with CHATGUARD_METRICS__TENANT_LABEL; tenants past the cap count as "other".',
    ),
    Metric(
        name="hits_total",
        kind="counter",
        labels=("category", "severity", "lexicon"),
        cap=200,
        meaning="Lexicon hits; lexicon is base, or tenant for a term of a tenant's own.",
    ),
    Metric(
        name="fraud_total",
        kind="counter",
        labels=("type", "band"),
        cap=50,
        meaning="Messages with a sign of this type of fraud, by what followed: review, remind, or none.",
    ),
    Metric(
        name="fraud_shadow_total",
        kind="counter",
        labels=("rule",),
        cap=500,
        meaning="Times that a rule on trial (status shadow) would have fired.",
    ),
    Metric(
        name="reminders_total",
        kind="counter",
        labels=("outcome",),
        known=_each("sent", "cooldown", "per_day", "no_recipient", "too_many", "no_template"),
        meaning="Reminders that fraud rules asked for: sent, or why not.",
    ),
    Metric(
        name="dead_letters_total",
        kind="counter",
        labels=("kind",),
        known=_each("malformed", "oversize", "judge", "refused"),
        meaning="Messages that could not be judged or written, by what was wrong.",
    ),
    Metric(
        name="batch_records",
        kind="histogram",
        buckets=_SIZES,
        meaning="Messages per batch; one batch is one transaction.",
    ),
    Metric(name="judge_seconds", kind="histogram", buckets=_MOMENTS, meaning="Time to decode and judge a batch."),
    Metric(
        name="commit_seconds",
        kind="histogram",
        buckets=_MOMENTS,
        meaning="Time to write a batch and commit its transaction.",
    ),
    Metric(
        name="message_age_seconds",
        kind="histogram",
        buckets=_AGES,
        meaning="Age of messages when they became visible, from the record's timestamp to the commit. "
        "Of a large batch a regular sample is measured and stands for all.",
    ),
    Metric(
        name="transactions_total",
        kind="counter",
        labels=("outcome",),
        known=_each("committed", "aborted"),
        meaning="Transactions by how they ended; what an aborted one held is judged again.",
    ),
    Metric(
        name="assigned_partitions",
        kind="gauge",
        meaning="Input partitions that this process owns.",
    ),
    Metric(
        name="lane_state",
        kind="gauge",
        labels=("partition", "state"),
        meaning=f"1 for the state that a partition's lane is in, 0 for the others of {', '.join(LANE_STATES)}.",
    ),
    Metric(
        name="lane_restarts_total",
        kind="counter",
        labels=("reason",),
        known=_each("lost", "refused"),
        cap=50,
        meaning="Lanes started anew, as their transaction was lost or a record refused; no message is lost by it.",
    ),
    Metric(
        name="lag_records",
        kind="gauge",
        labels=("partition",),
        meaning="Records of the input partition that are still to be judged; transaction markers count too.",
    ),
    Metric(
        name="conversations",
        kind="gauge",
        labels=("partition",),
        meaning="Windows of conversations, and of people (reminders given, texts sent to many), held in memory.",
    ),
    Metric(
        name="ruleset_info",
        kind="gauge",
        labels=("scope", "version", "digest"),
        meaning="1 for each ruleset in force; scope is base, and tenant:… with CHATGUARD_METRICS__TENANT_LABEL. "
        "The fleet has converged when all workers show one digest.",
    ),
    Metric(name="tenant_rulesets", kind="gauge", meaning="Tenants' overlays in force."),
    Metric(
        name="tenant_rulesets_fingerprint",
        kind="gauge",
        meaning="A number made of all overlays' tenants, versions and digests: equal on two workers if they judge by "
        "the same ones.",
    ),
    Metric(
        name="ruleset_reloads_total",
        kind="counter",
        labels=("result",),
        known=_each("loaded", "refused", "dropped"),
        meaning="Rulesets that came into force, were refused (the last good one stays), or were taken out.",
    ),
    Metric(
        name="ruleset_load_seconds",
        kind="histogram",
        buckets=_AGES,
        meaning="Time to verify and compile a ruleset; judging goes on meanwhile.",
    ),
    Metric(
        name="ruleset_checked_timestamp_seconds",
        kind="gauge",
        meaning="When Redis was last asked with success what is in force, in Unix time; 0 if never.",
    ),
    Metric(
        name="rollout_share",
        kind="gauge",
        labels=("scope", "version", "digest", "mode"),
        meaning="Share of the messages on which a candidate is tried out: in a shadow it is asked too, in a canary it "
        "alone decides. 1 for what is on probation after it came into force. Scopes as in ruleset_info.",
    ),
    Metric(
        name="rollout_flagged_share",
        kind="gauge",
        labels=("scope", "version", "by"),
        meaning="Share of the last messages in this process that the ruleset on trial flags (by candidate), and the "
        "one in force beside it (by in_force): what its guard looks at.",
    ),
    Metric(
        name="rollouts_total",
        kind="counter",
        labels=("event",),
        known=_each("begun", "promoted", "withdrawn", "tripped", "refused"),
        meaning="What became of candidates in this process; begun counts each change of share or mode too, tripped "
        "means that the ruleset left its band and was taken back.",
    ),
    Metric(
        name="shadow_verdicts_total",
        kind="counter",
        labels=("before", "after"),
        meaning="Messages that a candidate in a shadow judged too, by the verdict in force and by the candidate's.",
    ),
    Metric(
        name="canary_verdicts_total",
        kind="counter",
        labels=("verdict",),
        known=_VERDICTS,
        meaning="Messages that a candidate in a canary judged, by its verdict; messages_total has them too.",
    ),
    Metric(name="redis_up", kind="gauge", meaning="1 while Redis answers; away, the last good rulesets stay in force."),
    Metric(
        name="event_loop_lag_seconds",
        kind="histogram",
        buckets=_MOMENTS,
        meaning="How late a timer fired, ten times a second: what a heartbeat or a fetch had to wait for the judge.",
    ),
    Metric(name="build_info", kind="gauge", labels=("version", "python"), meaning="1, with what is running."),
)
