"""Warnings and infos: each text is one function here.

Source of the texts: util/annotations/annotations.go of Prometheus.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import Final

from bridge.model.labels import quoted
from bridge.model.posrange import PosRange
from bridge.model.time import format_time

MAX_SHOWN: Final = 10


class Severity(StrEnum):
    """Whether an annotation says that the answer may be wrong, or only that it may surprise."""

    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class FixedBuckets:
    """What histogram_quantile had to fix: bounds and greatest fall, how often, from when to when.

    `start` and `end` are ms. Of all remarks with the same text there is one, about all of them.
    """

    lowest: float
    highest: float
    max_diff: float
    samples: int
    start: int
    end: int

    def joined(self, other: "FixedBuckets") -> "FixedBuckets":
        """Both as one."""
        return FixedBuckets(
            min(self.lowest, other.lowest),
            max(self.highest, other.highest),
            max(self.max_diff, other.max_diff),
            self.samples + other.samples,
            min(self.start, other.start),
            max(self.end, other.end),
        )

    def __str__(self) -> str:
        return (
            f", from buckets {go_general(self.lowest)} to {go_general(self.highest)}, "
            f"with a max diff of {go_general(self.max_diff, 2)}, over {self.samples} samples "
            f"from {format_time(self.start)} to {format_time(self.end)}"
        )


@dataclass(frozen=True, slots=True)
class Occurrences:
    """How often there was reason for a remark."""

    count: int

    def joined(self, other: "Occurrences") -> "Occurrences":
        """Both as one."""
        return Occurrences(self.count + other.count)

    def __str__(self) -> str:
        return f" ({self.count} occurrences)" if self.count > 1 else ""


@dataclass(frozen=True, slots=True)
class Annotation:
    """One remark about a query's answer; `pos` is where in the query it belongs, if anywhere."""

    severity: Severity
    text: str
    pos: PosRange | None = None
    detail: FixedBuckets | Occurrences | None = None

    def joined(self, other: "Annotation") -> "Annotation":
        """One of two with the same text: the other, or the first with the details of both."""
        match self.detail, other.detail:
            case (FixedBuckets() as one, FixedBuckets() as more):
                return replace(self, detail=one.joined(more))
            case (Occurrences() as one, Occurrences() as more):
                return replace(self, detail=one.joined(more))
            case _:
                return other


class Annotations:
    """A set of annotations; of several with the same text the last is kept.

    Of those with details the first is, and details are joined. So it is in Prometheus.
    """

    __slots__ = ("_held",)

    def __init__(self, held: Iterable[Annotation] = ()) -> None:
        self._held: dict[tuple[Severity, str], Annotation] = {}
        self.update(held)

    def add(self, annotation: Annotation) -> None:
        """Adds one."""
        key = (annotation.severity, annotation.text)
        held = self._held.get(key)
        self._held[key] = annotation if held is None else held.joined(annotation)

    def update(self, annotations: Iterable[Annotation]) -> None:
        """Adds several."""
        for annotation in annotations:
            self.add(annotation)

    def __iter__(self) -> Iterator[Annotation]:
        return iter(self._held.values())

    def __len__(self) -> int:
        return len(self._held)

    def texts(self, severity: Severity, query: str) -> tuple[str, ...]:
        """The texts of one kind with positions, at most ten and then how many were left out."""
        held = [note for note in self if note.severity is severity]
        shown = [_in_full(note, query) for note in held[:MAX_SHOWN]]
        if len(held) > MAX_SHOWN:
            shown.append(f"{len(held) - MAX_SHOWN} more {severity} annotations omitted")
        return tuple(shown)


def _in_full(note: Annotation, query: str) -> str:
    """The text with details and position; without a query there are none, as in Prometheus."""
    if note.pos is None or not query:
        return note.text
    return f"{note.text}{note.detail or ''} ({note.pos.line_and_column(query)})"


def store_warning(text: str) -> Annotation:
    """A remark of a store or of the bridge about the data themselves."""
    return Annotation(Severity.WARNING, text)


RESULTS_TRUNCATED: Final = Annotation(Severity.WARNING, "results truncated due to limit")


def _warning(text: str, pos: PosRange) -> Annotation:
    return Annotation(Severity.WARNING, f"PromQL warning: {text}", pos)


def _info(text: str, pos: PosRange) -> Annotation:
    return Annotation(Severity.INFO, f"PromQL info: {text}", pos)


def _for_metric(name: str) -> str:
    return f" for metric name {quoted(name)}" if name else ""


def go_general(value: float, digits: int | None = None) -> str:
    """A number as Go's %g (or %.<digits>g) prints it."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    if digits is not None:
        return f"{value:.{digits}g}"
    exact = Decimal(repr(value)).normalize()
    sign, figures, _ = exact.as_tuple()
    exponent = exact.adjusted() if value else 0
    if -4 <= exponent < 6 or not value:
        return f"{value:g}" if not value else f"{exact:f}"
    mantissa = "".join(map(str, figures))
    point = "." if len(figures) > 1 else ""
    return f"{'-' * sign}{mantissa[0]}{point}{mantissa[1:]}e{exponent:+03d}"


def invalid_quantile(quantile: float, pos: PosRange) -> Annotation:
    """φ outside [0, 1]."""
    return _warning(f"quantile value should be between 0 and 1, got {go_general(quantile)}", pos)


def invalid_ratio(ratio: float, capped: float, pos: PosRange) -> Annotation:
    """limit_ratio's r outside [-1, 1]."""
    return _warning(
        f"ratio value should be between -1 and 1, got {go_general(ratio)},"
        f" capping to {go_general(capped)}",
        pos,
    )


def bad_bucket_label(metric: str, label: str, pos: PosRange) -> Annotation:
    """A classic histogram's series without a usable `le`."""
    return _warning(
        f'bucket label "le" is missing or has a malformed value of {quoted(label)}'
        f"{_for_metric(metric)}",
        pos,
    )


def sort_in_range_query(pos: PosRange) -> Annotation:
    """A sort function whose order a range query's answer cannot show."""
    return _warning(
        "sort is ineffective for range queries since results are always ordered by labels", pos
    )


def possible_non_counter(metric: str, pos: PosRange) -> Annotation:
    """Rate or increase over a metric that is not named like a counter."""
    return _info(
        "metric might not be a counter, name does not end in _total/_sum/_count/_bucket: "
        + quoted(metric),
        pos,
    )


def possible_non_counter_type(metric: str, kind: str, pos: PosRange) -> Annotation:
    """Rate or increase over a metric whose `__type__` is not that of a counter."""
    return _info(
        'metric might not be a counter, __type__ label is not set to "counter" or "histogram",'
        f" got {quoted(kind)}: {quoted(metric)}",
        pos,
    )


def incompatible_types(lhs: str, operator: str, rhs: str, pos: PosRange) -> Annotation:
    """A binary operator between kinds of samples that it does not take."""
    return _info(
        "incompatible sample types encountered for binary operator"
        f" {quoted(operator)}: {lhs} {operator} {rhs}",
        pos,
    )


def overlapping_starts(metric: str, count: int, pos: PosRange) -> Annotation:
    """A sample that started before the one before it, and not as that one did; so many times."""
    note = _warning(
        "sample has start time that overlaps with previous sample timestamp for metric"
        f" {quoted(metric)}",
        pos,
    )
    return replace(note, detail=Occurrences(count))


def mixed_in_range(metric: str, pos: PosRange) -> Annotation:
    """Floats and histograms in one range."""
    return _warning(
        f"encountered a mix of histograms and floats for metric name {quoted(metric)}", pos
    )


def mixed_in_aggregation(pos: PosRange) -> Annotation:
    """Floats and histograms in one group."""
    return _warning("encountered a mix of histograms and floats for aggregation", pos)


def mixed_classic_native(metric: str, pos: PosRange) -> Annotation:
    """A native histogram beside the buckets of a classic one with its labels."""
    return _warning(
        f"vector contains a mix of classic and native histograms{_for_metric(metric)}", pos
    )


def not_counter(metric: str, pos: PosRange) -> Annotation:
    """A gauge histogram in a function of counters."""
    return _warning(f"this native histogram metric is not a counter: {quoted(metric)}", pos)


def not_gauge(metric: str, pos: PosRange) -> Annotation:
    """A counter histogram in a function of gauges."""
    return _warning(f"this native histogram metric is not a gauge: {quoted(metric)}", pos)


def mixed_schemas(metric: str, pos: PosRange) -> Annotation:
    """Exponential and custom buckets where histograms are added."""
    return _warning(
        "vector contains a mix of histograms with exponential and custom buckets schemas for"
        f" metric name {quoted(metric)}",
        pos,
    )


def incompatible_layout(operator: str, pos: PosRange) -> Annotation:
    """Exponential and custom buckets on the two sides of an operator."""
    return _warning(f"incompatible bucket layout encountered for binary operator {operator}", pos)


def colliding_resets(operation: str, pos: PosRange) -> Annotation:
    """A histogram after a reset added to one that is known to be without."""
    return _warning(f"conflicting counter resets during histogram {operation}", pos)


def reconciled_buckets(operation: str, pos: PosRange) -> Annotation:
    """Custom bounds that had to be made the same."""
    return _info(f"mismatched custom buckets were reconciled during {operation}", pos)


def ignored_in_aggregation(aggregation: str, pos: PosRange) -> Annotation:
    """A histogram in an aggregation of floats."""
    return _info(f"ignored histogram in {aggregation} aggregation", pos)


def ignored_in_range(metric: str, pos: PosRange) -> Annotation:
    """Histograms in a range whose floats a function is about."""
    return _info(
        "ignored histograms in a range containing both floats and histograms for metric name"
        f" {quoted(metric)}",
        pos,
    )


def quantile_of_nans(metric: str, pos: PosRange) -> Annotation:
    """A quantile that falls among the NaN observations."""
    return _info(
        "input to histogram_quantile has NaN observations, result is NaN" + _for_metric(metric), pos
    )


def quantile_skewed_by_nans(metric: str, pos: PosRange) -> Annotation:
    """A quantile of a histogram that counts NaN observations too."""
    return _info(
        "input to histogram_quantile has NaN observations, result is skewed higher"
        + _for_metric(metric),
        pos,
    )


def fraction_without_nans(metric: str, pos: PosRange) -> Annotation:
    """A fraction of a histogram that counts NaN observations too."""
    return _info(
        "input to histogram_fraction has NaN observations, which are excluded from all fractions"
        + _for_metric(metric),
        pos,
    )


def forced_monotonicity(metric: str, fixed: FixedBuckets, pos: PosRange) -> Annotation:
    """histogram_quantile over classic buckets whose counts fell."""
    note = _info(
        "input to histogram_quantile needed to be fixed for monotonicity (see "
        "https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile)"
        f"{_for_metric(metric)}",
        pos,
    )
    return replace(note, detail=fixed)
