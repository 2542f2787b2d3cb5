"""``GET /metrics`` for Prometheus, with an API key of the scope ``metrics``.

Everything comes out of PostgreSQL at the moment of the scrape, so it does not matter which of many
processes answers; only the clock is this process's own. The registry is made for each scrape and
holds nothing else.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import version
from itertools import accumulate
from typing import Final

import sqlalchemy.exc
from flask import Blueprint, Response, request
from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.core import (
    Metric as Family,
)
from prometheus_client.exposition import choose_encoder

from bot.api.door import admitted
from bot.api.pace import Pace
from bot.api.problems import Kind as ProblemKind
from bot.api.problems import Problem
from bot.metric_names import METRICS, PREFIX, Kind, Metric
from bot.resources import Resources
from storage import meters, metrics
from storage.database import Connection
from storage.keys import Scope
from storage.meters import BOUNDS, COUNT, INFINITY, SUM
from worker.errors import judge

PATH: Final = "/metrics"
_DELIVERED: Final = frozenset({"delivered", "read"})
_LOST: Final = frozenset({"undelivered", "failed"})
_TAKEN_FORMS: Final = frozenset({"recorded", "repeated"})
_NO_CODE: Final = "none"

Labels = tuple[str, ...]
Values = dict[str, dict[Labels, dict[str, float]]]


def blueprint(resources: Resources, pace: Pace, clock: Callable[[], float]) -> Blueprint:
    """The route. ``clock`` gives this machine's seconds since 1970."""
    routes = Blueprint("metrics", __name__)

    @routes.get(PATH)
    def scrape() -> Response:
        """Every metric, in the format that the scraper asks for."""
        try:
            admitted(resources, pace, Scope.METRICS)
            with resources.work() as work:
                values = read(work.connection, clock)
        except Problem as problem:
            return problem.response()
        except sqlalchemy.exc.OperationalError:
            return Problem(ProblemKind.UNAVAILABLE, headers={"Retry-After": "1"}).response()
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return Response(encode(_registry(values)), content_type=content_type)

    return routes


def read(connection: Connection, clock: Callable[[], float]) -> Values:
    """The values of all metrics by name, labels and part; ``part`` as in ``storage.meters``."""
    found: Values = defaultdict(lambda: defaultdict(dict))
    for reading in meters.read(connection):
        found[reading.name][reading.labels][reading.part] = reading.n
    for sample in metrics.samples(connection):
        labels = (sample.label,) if sample.label is not None else ()
        found[sample.name.removesuffix("_total")][labels][COUNT] = sample.value
    for outcome, code_class, n in _ended(connection):
        kept = found["send"][outcome, code_class]
        kept[COUNT] = kept.get(COUNT, 0.0) + n
    _forms(found)
    before = clock()
    skew = (before + clock()) / 2 - metrics.clock(connection)
    found["clock_skew_seconds"][()][COUNT] = skew
    found["build_info"][version("assent"),][COUNT] = 1.0
    return found


def _ended(connection: Connection) -> Iterator[tuple[str, str, int]]:
    """How campaigns' texts ended, with the class of the carrier's error."""
    for ended in metrics.ended(connection):
        if ended.what != "delivery":
            yield ended.what, _class_of(ended.why), ended.n
            continue
        status, _, code = ended.why.partition(".")
        if status in _DELIVERED:
            yield "delivered", _NO_CODE, ended.n
        elif status in _LOST:
            yield status, _class_of(code), ended.n


def _class_of(why: str) -> str:
    code = why.rpartition(".")[2]
    return str(judge(int(code)).kind) if code.isascii() and code.isdecimal() else _NO_CODE


def _forms(found: Values) -> None:
    """Of all outcomes of forms, those that were not taken."""
    for labels, parts in found.pop("form", {}).items():
        if labels[0] not in _TAKEN_FORMS:
            found["form_blocked"][labels] = parts


class _Scrape:
    """A collector of one scrape's values."""

    def __init__(self, values: Mapping[str, Mapping[Labels, Mapping[str, float]]]) -> None:
        self._values = values

    def collect(self) -> Iterator[Family]:
        """One family for each metric, whether or not it has a value yet."""
        for metric in METRICS:
            yield _family(metric, self._values.get(metric.name, {}))


def _registry(values: Values) -> CollectorRegistry:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Scrape(values))
    return registry


def _family(metric: Metric, values: Mapping[Labels, Mapping[str, float]]) -> Family:
    name = PREFIX + metric.name
    if metric.kind is Kind.HISTOGRAM:
        durations = HistogramMetricFamily(name, metric.about, labels=metric.labels)
        for labels, parts in values.items():
            durations.add_metric(labels, _buckets(parts), parts.get(SUM, 0.0))
        return durations
    family: CounterMetricFamily | GaugeMetricFamily
    if metric.kind is Kind.COUNTER:
        family = CounterMetricFamily(name, metric.about, labels=metric.labels)
        # So that a first event is seen as growth, and not as the beginning of a series.
        values = values or ({} if metric.labels else {(): {COUNT: 0.0}})
    else:
        family = GaugeMetricFamily(name, metric.about, labels=metric.labels)
    for labels, parts in values.items():
        family.add_metric(labels, parts[COUNT])
    return family


def _buckets(parts: Mapping[str, float]) -> list[tuple[str, float]]:
    """Bounds with how many were at most that long, the last one without a bound."""
    names = [*(f"{bound:g}" for bound in BOUNDS), INFINITY]
    sums = accumulate(parts.get(name, 0.0) for name in names)
    bounds = [*(str(bound) for bound in BOUNDS), "+Inf"]
    return list(zip(bounds, sums, strict=True))
