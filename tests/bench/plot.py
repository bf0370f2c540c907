"""The picture of `docs/performance.md`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tests.bench.results import Results, Spread, spread
from tests.bench.throughput import PROGRAMS

OURS, OTHERS, LIGHT, INK = "#1f6feb", "#b8c0cc", "#9cc3ff", "#24292f"
STYLE: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.size": 8,
    "svg.fonttype": "none",
    "svg.hashsalt": "chatguard",
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}


def draw(results: Results, path: Path) -> None:
    """Write the picture; needs runs of the programs and latencies."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(9, 2.5), layout="constrained", facecolor="white")
        speed, cost, late = figure.subplots(1, 3, width_ratios=(1.5, 1, 1))
        keys = [key for key in PROGRAMS if key in results.runs]
        names = [f"{PROGRAMS[key].name}\n{PROGRAMS[key].promise}" for key in keys]
        rates = [spread([run.rate / 1000 for run in results.runs[key]]) for key in keys]
        costs = [spread([run.cpu_us for run in results.runs[key]]) for key in keys]
        _bars(speed, names, rates, "{:.0f}", "thousand messages per second")
        _bars(cost, [""] * len(keys), costs, "{:.1f}", "µs of processor per message")
        _latencies(late, results)
        figure.savefig(path, metadata={"Date": None, "Creator": None})


def _bars(axes: Axes, names: Sequence[str], values: Sequence[Spread], label: str, title: str) -> None:
    """One bar for each median, with a line from the least to the greatest value."""
    places = list(range(len(values)))
    colours = [OURS, *[OTHERS] * (len(values) - 1)]
    errors = [[v.median - v.least for v in values], [v.most - v.median for v in values]]
    axes.barh(places, [v.median for v in values], xerr=errors, color=colours, height=0.62, ecolor=INK, capsize=2)
    for place, value in zip(places, values, strict=True):
        axes.text(value.most, place, "  " + label.format(value.median), va="center")
    axes.set_yticks(places, names)
    axes.invert_yaxis()
    axes.set_xlim(0, max(v.most for v in values) * 1.2)
    _plain(axes, title)


def _latencies(axes: Axes, results: Results) -> None:
    """Two bars for each load: the middle, and what 99 of 100 stay under."""
    loads = sorted(results.latencies, key=lambda latency: latency.rate)
    places = list(range(len(loads)))
    for shift, colour, name, values in (
        (-0.2, LIGHT, "p50", [load.p50 for load in loads]),
        (0.2, OURS, "p99", [load.p99 for load in loads]),
    ):
        axes.barh([place + shift for place in places], values, height=0.36, color=colour)
        for place, value in zip(places, values, strict=True):
            axes.text(value, place + shift, f"  {name} {value} ms", va="center")
    axes.set_yticks(places, [f"{load.rate:,}/s" for load in loads])
    axes.invert_yaxis()
    axes.set_xlim(0, max(load.p99 for load in loads) * 1.5)
    _plain(axes, "worker: end-to-end latency, ms")


def _plain(axes: Axes, title: str) -> None:
    axes.set_title(title, fontsize=8, loc="left")
    axes.spines[["top", "right", "bottom"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.set_xticks([])
