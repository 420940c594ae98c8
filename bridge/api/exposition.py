"""Newest samples in the forms that Prometheus scrapes: text, and protobuf messages.

Sources: web/federate.go of Prometheus, expfmt/text_create.go of prometheus/common. Native
histograms of custom buckets are written as classic ones; the others have no text form and are left
out of it.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from io import BytesIO
from itertools import accumulate, groupby
from typing import Final

import numpy as np
from google.protobuf.proto import serialize_length_prefixed

from bridge.api.escaping import Escaping, is_legacy
from bridge.model.bucket_bounds import CUSTOM_SCHEMA
from bridge.model.histogram import Hint, Histogram
from bridge.model.labels import METRIC_NAME, Labels
from bridge.model.samples import STALE_NAN_BITS, Columns
from bridge.remote.proto import metrics_pb2 as proto
from bridge.storage.interface import Selection

_ESCAPES: Final = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})
_PLAIN_DIGITS: Final = 6
# The text form knows no histograms of gauges.
_TEXT_TYPES: Final = {
    proto.UNTYPED: "untyped",
    proto.HISTOGRAM: "histogram",
    proto.GAUGE_HISTOGRAM: "histogram",
}

Pairs = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Newest:
    """The last sample of a series, at `time` ms: a float, or a native histogram."""

    labels: Labels
    time: int
    value: float | Histogram

    @property
    def name(self) -> str:
        """The metric's name, empty if it has none."""
        return self.labels.get(METRIC_NAME)


def newest(found: Sequence[Selection]) -> list[Newest]:
    """The last sample of each series with a name, in order, without those that ended."""
    held: dict[Labels, Newest] = {}
    for selection in found:
        for table, part in selection.block.row_ranges():
            for one in _newest(table, part.columns()):
                held.setdefault(one.labels, one)
    return sorted(
        (one for one in held.values() if one.name), key=lambda one: (one.name, one.labels)
    )


def _newest(labels: Sequence[Labels], columns: Columns) -> Iterator[Newest]:
    bits, native = columns.values.view(np.uint64), columns.histograms
    for row, one in enumerate(labels):
        at, first = int(columns.offsets[row + 1]) - 1, int(columns.offsets[row])
        time = int(columns.timestamps[at]) if at >= first else None
        last = -1 if native is None else int(native.offsets[row + 1]) - 1
        if native is not None and last >= int(native.offsets[row]):
            moment = int(native.timestamps[last])
            if time is None or moment > time:
                if not native.table.stale[last]:
                    yield Newest(one, moment, native.table.literal(last))
                continue
        if time is not None and bits[at] != STALE_NAN_BITS:
            yield Newest(one, time, float(columns.values[at]))


def _pairs(labels: Labels, shared: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """A series' labels without its name; those that all `shared` come last."""
    own = {key: value for key, value in labels.pairs if key != METRIC_NAME}
    yield from own.items()
    yield from ((key, shared[key]) for key in sorted(shared) if key not in own)


def as_protobuf(samples: Sequence[Newest], shared: Mapping[str, str], escaping: Escaping) -> bytes:
    """Messages of metric families, each with its length before it."""
    out = BytesIO()
    for (name, kind), members in _families(samples):
        family = proto.MetricFamily(name=_valid(escaping.escape(name)), type=kind)
        for one in members:
            metric = family.metric.add(timestamp_ms=one.time)
            for key, value in _pairs(one.labels, shared):
                metric.label.add(name=_valid(escaping.escape(key)), value=_valid(value))
            if isinstance(one.value, Histogram):
                metric.histogram.CopyFrom(_message(one.value))
            else:
                metric.untyped.value = one.value
        serialize_length_prefixed(family, out)
    return out.getvalue()


def _families(
    samples: Iterable[Newest],
) -> Iterator[tuple[tuple[str, proto.MetricType], Iterator[Newest]]]:
    """Neighbours of one name and one kind, by both: a name may have several families."""
    return groupby(samples, key=lambda one: (one.name, _kind(one.value)))


def _kind(value: float | Histogram) -> proto.MetricType:
    if not isinstance(value, Histogram):
        return proto.UNTYPED
    return proto.GAUGE_HISTOGRAM if value.hint == Hint.GAUGE else proto.HISTOGRAM


def _message(one: Histogram) -> proto.Histogram:
    """A native histogram; one of custom buckets as a classic one, as it has no other form."""
    made = proto.Histogram(sample_count_float=one.count, sample_sum=one.sum)
    if one.schema == CUSTOM_SCHEMA:
        for bound, total in _classic(one):
            made.bucket.add(upper_bound=bound, cumulative_count_float=total)
        return made
    made.schema, made.zero_threshold = one.schema, one.zero_threshold
    made.zero_count_float = one.zero_count
    made.positive_count.extend(one.positive)
    made.negative_count.extend(one.negative)
    for offset, length in one.positive_spans:
        made.positive_span.add(offset=offset, length=length)
    for offset, length in one.negative_spans:
        made.negative_span.add(offset=offset, length=length)
    return made


def _classic(one: Histogram) -> Iterator[tuple[float, float]]:
    """The custom bounds, each with the count of all that is not above it."""
    counts = dict(zip(_indices(one.positive_spans), one.positive, strict=True))
    totals = accumulate(counts.get(at, 0.0) for at in range(len(one.bounds)))
    return zip(one.bounds, totals, strict=True)


def _indices(spans: Sequence[tuple[int, int]]) -> Iterator[int]:
    """The bucket of each count."""
    at = 0
    for offset, length in spans:
        at += offset
        yield from range(at, at + length)
        at += length


def _valid(text: str) -> str:
    """A text that a message can hold: bytes that are no UTF-8 are replaced."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def as_text(samples: Sequence[Newest], shared: Mapping[str, str], escaping: Escaping) -> bytes:
    """Lines of text, below the type of each metric."""
    lines: list[str] = []
    for (name, kind), members in _families(one for one in samples if _has_text(one.value)):
        escaped = escaping.escape(name)
        lines.append(f"# TYPE {_name(escaped)} {_TEXT_TYPES[kind]}\n")
        for one in members:
            labels = [(escaping.escape(key), value) for key, value in _pairs(one.labels, shared)]
            lines += (
                f"{_series(escaped + suffix, (*labels, *more))} {go_shortest(value)} {one.time}\n"
                for suffix, more, value in _values(one.value)
            )
    return "".join(lines).encode("utf-8", "surrogateescape")


def _has_text(value: float | Histogram) -> bool:
    return not isinstance(value, Histogram) or value.schema == CUSTOM_SCHEMA


def _values(value: float | Histogram) -> Iterator[tuple[str, Pairs, float]]:
    """The lines of a sample: what follows the metric's name, labels of its own, the number."""
    if not isinstance(value, Histogram):
        yield "", (), value
        return
    for bound, total in (*_classic(value), (math.inf, value.count)):
        yield "_bucket", (("le", go_shortest(bound)),), total
    yield "_sum", (), value.sum
    yield "_count", (), value.count


def _series(name: str, labels: Pairs) -> str:
    texts = [f'{_name(key)}="{_escaped(value)}"' for key, value in labels]
    if is_legacy(name):
        return f"{name}{{{','.join(texts)}}}"
    return f"{{{','.join((_name(name), *texts))}}}"


def _name(name: str) -> str:
    return name if is_legacy(name) else f'"{_escaped(name)}"'


def _escaped(text: str) -> str:
    return text.translate(_ESCAPES)


def go_shortest(value: float) -> str:
    """A number in the shortest form of Go's format 'g', exponent from 1e+06 on; -0 is 0."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    sign, digits, exponent = Decimal(repr(value)).as_tuple()
    assert isinstance(exponent, int)
    text = "".join(map(str, digits)).rstrip("0") or "0"
    point = len(digits) + exponent
    if text == "0":
        return text
    minus = "-" if sign else ""
    if -4 <= point - 1 < _PLAIN_DIGITS:
        whole = text[:point].ljust(point, "0") if point > 0 else "0"
        rest = "0" * -point + text[max(point, 0) :]
        return f"{minus}{whole}.{rest}" if rest and rest.strip("0") else f"{minus}{whole}"
    mantissa = f"{text[0]}.{text[1:]}" if len(text) > 1 else text
    return f"{minus}{mantissa}e{point - 1:+03d}"
