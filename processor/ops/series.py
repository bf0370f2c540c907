"""The numbers behind a metric, in plain dictionaries until a scrape asks for them.

prometheus-client's own counters lock on every count and cannot take many observations at once; here everything happens
on one event loop, so neither is needed.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import accumulate

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.core import Metric as Family

from processor.ops.catalogue import PREFIX, Metric

OTHER = "other"

Labels = tuple[str, ...]


class Series:
    """The values of a counter or gauge, by their labels."""

    def __init__(self, metric: Metric, cap: int | None) -> None:
        self.metric = metric
        self._cap = cap
        self._firsts: set[str] = set()
        self.values: dict[Labels, float] = dict.fromkeys(metric.known if metric.labels else [()], 0.0)

    def add(self, labels: Labels, amount: float = 1) -> None:
        """Count."""
        try:
            self.values[labels] += amount
        except KeyError:
            known = self._capped(labels)
            self.values[known] = self.values.get(known, 0.0) + amount

    def put(self, values: Mapping[Labels, float]) -> None:
        """Show these values and no others."""
        self.values = dict(values)

    def _capped(self, labels: Labels) -> Labels:
        if self._cap is None or labels[0] in self._firsts:
            return labels
        if len(self._firsts) >= self._cap:
            return OTHER, *labels[1:]
        self._firsts.add(labels[0])
        return labels

    def family(self) -> Family:
        kind = CounterMetricFamily if self.metric.kind == "counter" else GaugeMetricFamily
        family = kind(PREFIX + self.metric.name, self.metric.meaning, labels=self.metric.labels)
        for labels, value in self.values.items():
            family.add_metric(labels, value)
        return family


class Distribution:
    """The values of a histogram."""

    def __init__(self, metric: Metric) -> None:
        self.metric = metric
        self._counts = [0] * (len(metric.buckets) + 1)
        self._sum = 0.0

    def observe(self, value: float) -> None:
        """Count one value."""
        self.observe_sample([value], of=1)

    def observe_sample(self, values: Sequence[float], *, of: int) -> None:
        """Count `of` values, of which `values` is a fair sample."""
        if not values:
            return
        ordered = sorted(values)
        counted = 0
        for place, bound in enumerate(self.metric.buckets):
            upto = bisect_right(ordered, bound) * of // len(ordered)
            self._counts[place] += upto - counted
            counted = upto
        self._counts[-1] += of - counted
        self._sum += sum(ordered) * of / len(ordered)

    def family(self) -> Family:
        family = HistogramMetricFamily(PREFIX + self.metric.name, self.metric.meaning, labels=())
        names = [*(str(float(bound)) for bound in self.metric.buckets), "+Inf"]
        family.add_metric((), list(zip(names, accumulate(self._counts), strict=True)), self._sum)
        return family
