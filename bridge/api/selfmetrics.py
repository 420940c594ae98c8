"""The bridge's own metrics as JSON: protobuf's JSON form of metric families.

Source: `selfMetrics` in web/api/v1/api.go of Prometheus.
"""

import math
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Final

import re2
from prometheus_client import Metric
from prometheus_client.samples import Sample

from bridge.api.endpoint import Api, ApiRequest
from bridge.api.envelope import Answer, go_json
from bridge.model.errors import BadData
from bridge.model.patterns import compiled

_KINDS: Final = {"counter": "COUNTER", "gauge": "GAUGE", "histogram": "HISTOGRAM"}

Json = dict[str, object]


async def self_metrics(api: Api, request: ApiRequest) -> Answer:
    """`/api/v1/status/self_metrics`."""
    pattern = request.form.get("metric_name_pattern")
    try:
        fits = compiled(pattern).fullmatch if pattern else bool
    except re2.error as error:
        raise BadData(f"invalid metric_name_pattern: {_text(error)}") from None
    families = (_family(one) for one in api.metrics.registry.collect())
    kept = sorted(
        (one for one in families if fits(str(one["name"]).encode())),
        key=lambda one: str(one["name"]),
    )
    return Answer(go_json(kept))


def _text(error: Exception) -> str:
    """What a fault of a regular expression says."""
    said = error.args[0] if error.args else error
    return said.decode() if isinstance(said, bytes) else str(said)


def _family(family: Metric) -> Json:
    kind = _KINDS.get(family.type, "GAUGE")
    name = f"{family.name}_total" if kind == "COUNTER" else family.name
    if family.type == "info":
        name = f"{family.name}_info"
    metrics = list(_histograms(family.samples) if kind == "HISTOGRAM" else _plain(family, kind))
    return {"name": name, "help": family.documentation, "type": kind, "metric": metrics}


def _plain(family: Metric, kind: str) -> Iterator[Json]:
    for sample in family.samples:
        yield {**_labels(sample.labels), kind.lower(): {"value": _number(sample.value)}}


def _histograms(samples: Iterable[Sample]) -> Iterator[Json]:
    def key(sample: Sample) -> tuple[tuple[str, str], ...]:
        return tuple(pair for pair in sample.labels.items() if pair[0] != "le")

    for labels, held in groupby(samples, key):
        buckets: list[Json] = []
        told: Json = {}
        for sample in held:
            if sample.name.endswith("_bucket"):
                bound = _number(float(sample.labels["le"]))
                buckets.append({"cumulativeCount": _count(sample), "upperBound": bound})
            elif sample.name.endswith("_count"):
                told["sampleCount"] = _count(sample)
            else:
                told["sampleSum"] = _number(sample.value)
        yield {**_labels(dict(labels)), "histogram": {**told, "bucket": buckets}}


def _labels(labels: dict[str, str]) -> Json:
    pairs = [{"name": name, "value": value} for name, value in sorted(labels.items())]
    return {"label": pairs} if pairs else {}


def _count(sample: Sample) -> str:
    return str(int(sample.value))


def _number(value: float) -> float | str:
    """A number as protobuf's JSON has it: those that JSON lacks are words."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
