"""The reference pages that are made from code: `python -m processor.ops.pages` writes them into `docs/`."""

import json
import sys
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from processor.ops.catalogue import CATALOGUE, PREFIX, Metric
from processor.ops.kafka import LESS
from processor.ops.settings import FILE_VARIABLE, Leaf, Settings, leaves

_MADE = "<!-- Made by `python -m processor.ops.pages`; edit the code, not this page. -->"

_SETTINGS = f"""\
# Settings

{_MADE}

A setting is read from the environment or from a TOML file, named by `{FILE_VARIABLE}` or by `--config FILE` of
`chatguard worker` and `chatguard config show`. The environment wins, and an empty variable counts as unset.
`CHATGUARD_KAFKA__GROUP_ID=im` in the environment is the same as

```toml
[kafka]
group_id = "im"
```

All settings are checked at the start, and everything wrong is reported at once, names that do not exist included;
the command then ends with exit code 2. The variables that Kubernetes adds for a Service called chatguard are left
alone. `chatguard config show` prints what is in force and where it came from, without secrets; `chatguard config
schema` prints the JSON Schema of the file.
"""

_METRICS = f"""\
# Metrics

{_MADE}

Served at `/metrics` (`CHATGUARD_HTTP__HOST`, `CHATGUARD_HTTP__PORT`). No user, conversation or word is ever a label,
and a tenant only with `CHATGUARD_METRICS__TENANT_LABEL`. A label whose values come from rulesets or tenants takes a
limited number of them; those that come later count as `other`. Messages are counted after their commit: a batch that
was judged again after a failure counts once.
"""

_QUESTIONS = (
    ("Messages per second", "sum(rate(chatguard_messages_total[1m]))"),
    (
        "Age of messages when visible, 99th percentile",
        "histogram_quantile(0.99, sum by (le) (rate(chatguard_message_age_seconds_bucket[5m])))",
    ),
    (
        "Share of messages held back",
        ('sum(rate(chatguard_messages_total{verdict=~"review|block"}[5m])) / sum(rate(chatguard_messages_total[5m]))'),
    ),
    ("Lag of the slowest partition", "max(chatguard_lag_records)"),
    ("A lane that does not run", 'chatguard_lane_state{state="running"} == 0'),
    ("Partitions without a worker", "<partitions of the input topic> - sum(chatguard_assigned_partitions)"),
    (
        "Workers that judge by different base rulesets (1 when converged)",
        'count(count by (digest) (chatguard_ruleset_info{scope="base"}))',
    ),
    (
        "Workers that hold different overlays (0 when converged)",
        "max(chatguard_tenant_rulesets_fingerprint) - min(chatguard_tenant_rulesets_fingerprint)",
    ),
    ("Seconds since Redis was last read", "time() - chatguard_ruleset_checked_timestamp_seconds"),
    ("A ruleset that was refused", 'increase(chatguard_ruleset_reloads_total{result="refused"}[15m]) > 0'),
)


_AGREEMENTS = (
    *(f"`{low.upper()}` must be less than `{high.upper()}`: {why}." for low, high, why in LESS),
    "`HEARTBEAT_INTERVAL_MS` must be at most a third of `SESSION_TIMEOUT_MS`: two heartbeats may get lost.",
    "`COMPRESSION` other than `none` and `gzip` needs the package cramjam.",
    "A `SASL_` protocol needs `USERNAME` and `PASSWORD`; the others must not have them.",
    "`CAFILE`, `CERTFILE` and `KEYFILE` need a protocol with TLS (`SSL`, `SASL_SSL`); `KEYFILE` needs `CERTFILE`.",
    "`LANES__RESTART_MIN_SECONDS` must not exceed `LANES__RESTART_MAX_SECONDS`.",
)


def settings_page() -> str:
    """`docs/settings.md`."""
    parts = [_SETTINGS]
    for group, settings in groupby(leaves(), key=lambda leaf: leaf.path[:-1]):
        rows = [(f"`{leaf.variable}`", _default(leaf), leaf.allowed, leaf.field.description or "") for leaf in settings]
        parts.append(f"## {' '.join(group).capitalize()}\n\n{_about(group)}\n")
        parts.append(_table(("Variable", "Default", "Allowed", "Meaning"), rows))
    parts.append("## Checked against each other\n")
    parts.append("".join(f"- {sentence}\n" for sentence in _AGREEMENTS))
    return "\n".join(parts)


def metrics_page() -> str:
    """`docs/metrics.md`."""
    rows = [(f"`{PREFIX}{metric.name}`", metric.kind, _labels(metric), metric.meaning) for metric in CATALOGUE]
    buckets = [
        (f"`{PREFIX}{metric.name}`", ", ".join(f"{bound:g}" for bound in metric.buckets))
        for metric in CATALOGUE
        if metric.buckets
    ]
    return "\n".join(
        [
            _METRICS,
            _table(("Name", "Type", "Labels", "Meaning"), rows),
            (
                "The process itself: `process_cpu_seconds_total`, `process_resident_memory_bytes`, "
                "`process_virtual_memory_bytes`, `process_start_time_seconds`, `process_open_fds`, `process_max_fds`.\n"
            ),
            "## Buckets\n",
            _table(("Histogram", "Upper bounds"), buckets),
            "## Questions and the queries that answer them\n",
            _table(
                ("Question", "PromQL"),
                [(question, f"`{query}`") for question, query in _QUESTIONS],
            ),
        ]
    )


PAGES = {"settings.md": settings_page, "metrics.md": metrics_page}


def _about(group: Sequence[str]) -> str:
    model: Any = Settings
    for name in group:
        model = model.model_fields[name].annotation
    return str(model.__doc__)


def _default(leaf: Leaf) -> str:
    value = leaf.schema.get("default")
    return "" if value is None else f"`{value if isinstance(value, str) else json.dumps(value)}`"


def _labels(metric: Metric) -> str:
    return ", ".join(f"`{label}`" for label in metric.labels)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *([cell.replace("|", r"\|") for cell in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def write(directory: Path) -> Iterator[Path]:
    """Write all pages; gives the path of each."""
    directory.mkdir(exist_ok=True)
    for name, page in PAGES.items():
        (directory / name).write_text(page(), encoding="utf-8")
        yield directory / name


if __name__ == "__main__":
    for path in write(Path(sys.argv[1] if len(sys.argv) > 1 else "docs")):
        sys.stdout.write(f"{path}\n")
