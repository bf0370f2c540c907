"""A worker's /metrics, read over HTTP: the numbers that the demo waits for and shows."""

import re
import urllib.request
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

from processor.errors import Unavailable
from processor.ops.catalogue import PREFIX

_LINE = re.compile(r"(\w+)(?:\{(.*)\})? (\S+)")
_LABEL = re.compile(r'(\w+)="([^"]*)"')
_ANSWERS_WITHIN_S = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One line of the answer."""

    name: str  # without chatguard_
    labels: Mapping[str, str]
    value: float


class Scrape:
    """What one worker, or several together, said."""

    def __init__(self, samples: Iterable[Sample]) -> None:
        self.samples = tuple(samples)

    def total(self, name: str, **labels: str) -> float:
        """The sum of a metric's values over all samples that have these labels."""
        return sum(
            sample.value for sample in self.samples if sample.name == name and labels.items() <= sample.labels.items()
        )

    def labels(self, name: str, label: str, **others: str) -> list[str]:
        """The values of a label, each once, in order."""
        return sorted(
            {
                sample.labels[label]
                for sample in self.samples
                if sample.name == name and label in sample.labels and others.items() <= sample.labels.items()
            }
        )

    def quantile(self, name: str, share: float) -> float | None:
        """A histogram's quantile as Prometheus estimates it, None without observations; `share` is from 0 to 1.

        Beyond the last bound there is no telling how far: then that bound.
        """
        bounds = sorted({float(bound) for bound in self.labels(f"{name}_bucket", "le")})
        counts = dict.fromkeys(bounds, 0.0)
        for sample in self.samples:
            if sample.name == f"{name}_bucket":
                counts[float(sample.labels["le"])] += sample.value
        rank = share * max(counts.values(), default=0)
        if not rank:
            return None
        for below, bound in pairwise([0.0, *bounds]):
            if counts[bound] >= rank:
                if bound == float("inf"):
                    return below
                under = counts.get(below, 0.0)
                return below + (bound - below) * (rank - under) / (counts[bound] - under)
        return None


def scrape(port: int) -> Scrape:
    """Ask the worker at this port of 127.0.0.1. Raises: Unavailable."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=_ANSWERS_WITHIN_S) as answer:
            return Scrape(parse(answer.read().decode()))
    except OSError as error:
        raise Unavailable(f"a worker's /metrics does not answer: {error}") from error


def parse(text: str) -> Iterable[Sample]:
    """The samples of chatguard's own metrics in the Prometheus text format."""
    for line in text.splitlines():
        found = _LINE.fullmatch(line)
        if found and line.startswith(PREFIX):
            name, labels, value = found.groups()
            yield Sample(name=name.removeprefix(PREFIX), labels=dict(_LABEL.findall(labels or "")), value=float(value))
