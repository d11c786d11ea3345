"""What a process tells about itself to a Prometheus server.

- Nothing is counted here: every room counts for itself, and `Metric`s are made of that when
  somebody asks. Who is not asked does not pay.
- No global registry: what is exposed is what one `MetricsServer` was given.
- A label's values come from the configuration, never from the wire, so there is no more of
  them than somebody wrote down.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client import Metric as Family

from gateway.ops.durations import Histogram

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Kind:
    """One metric as it is documented: its name ends in its unit, a counter's in ``_total``."""

    name: str
    type: Literal["gauge", "counter", "histogram"]
    help: str
    label: str = ""
    """Its one label, if it has one."""


@dataclass(frozen=True, slots=True)
class Metric:
    """The values of one `Kind`: by the value of its label, or by ``""``."""

    kind: Kind
    values: Mapping[str, float | Histogram]


def text(metrics: Iterable[Metric]) -> bytes:
    """Return the exposition format; a kind that has no value now is left out."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Given([metric for metric in metrics if metric.values]))
    return generate_latest(registry)


@dataclass(frozen=True, slots=True, eq=False)
class _Given:
    metrics: Sequence[Metric]

    def collect(self) -> Iterator[Family]:
        for metric in self.metrics:
            yield _family(metric)

    def describe(self) -> Iterator[Family]:
        yield from ()


def _family(metric: Metric) -> Family:
    kind = metric.kind
    family = Family(kind.name.removesuffix("_total"), kind.help, kind.type)
    suffix = "_total" if kind.type == "counter" else ""
    for value, number in metric.values.items():
        labels = {kind.label: value} if kind.label else {}
        if isinstance(number, Histogram):
            for bound, count in _buckets(number):
                family.add_sample(f"{kind.name}_bucket", {**labels, "le": bound}, count)
            family.add_sample(f"{kind.name}_sum", labels, number.total_s)
            family.add_sample(f"{kind.name}_count", labels, number.count)
        else:
            family.add_sample(family.name + suffix, labels, number)
    return family


def _buckets(histogram: Histogram) -> Iterator[tuple[str, int]]:
    bounds = [*(str(bound) for bound in histogram.bounds_s), "+Inf"]
    return zip(bounds, histogram.at_most, strict=True)
