"""Native histograms for a real Prometheus, by remote write: an hour at 15 s, of every kind.

Written with the protobuf runtime, so that what the product reads was not written by its own code.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

import httpx
import numpy as np
import snappy

from bridge.remote.proto.remote_pb2 import QueryResult
from bridge.remote.proto.types_pb2 import BucketSpan, Histogram, Label, Sample, TimeSeries
from tests.oracle.datasets import END
from tests.oracle.series import STALE

STEP = 15_000
START = END - 3_600_000
TIMES = range(START, END + 1, STEP)
_SLICE = 40
_CUSTOM = (0.005, 0.05, 0.25, 1.0, 2.5)

Draw = np.random.Generator
Make = Callable[[Draw], Iterator[Histogram | None]]


def write(url: str) -> None:
    """Writes all series into the Prometheus at `url`, in order of time."""
    series = {name: dict(zip(TIMES, made, strict=False)) for name, made in _all()}
    with httpx.Client(timeout=120) as client:
        for at in range(0, len(TIMES), _SLICE):
            times = TIMES[at : at + _SLICE]
            # Fields of a WriteRequest are those of a QueryResult.
            request = QueryResult(timeseries=_time_series(series, times))
            answer = client.post(
                f"{url}/api/v1/write",
                content=bytes(snappy.compress(request.SerializeToString())),
                headers={
                    "Content-Type": "application/x-protobuf",
                    "Content-Encoding": "snappy",
                    "X-Prometheus-Remote-Write-Version": "0.1.0",
                },
            )
            assert answer.is_success, answer.text


Labels = tuple[tuple[str, str], ...]
Held = Mapping[Labels, Mapping[int, Histogram | float | None]]


def _time_series(series: Held, times: Sequence[int]) -> Iterator[TimeSeries]:
    for labels, items in series.items():
        made = TimeSeries(labels=[Label(name=name, value=value) for name, value in labels])
        for time in times:
            match items.get(time):
                case Histogram() as one:
                    one.timestamp = time
                    made.histograms.append(one)
                case float() as value:
                    made.samples.append(Sample(timestamp=time, value=value))
                case None:
                    continue
        if made.histograms or made.samples:
            yield made


def _all() -> Iterator[tuple[Labels, Iterator[Histogram | float | None]]]:
    kinds: Mapping[str, Callable[[Draw], Iterator[Histogram | float | None]]] = {
        "rpc_seconds": _integers,
        "rpc_float_seconds": _floats,
        "queue_length": _gauge,
        "batch_seconds": _custom,
        "turning": _mixed,
    }
    for name, make in kinds.items():
        for job in "ab":
            for pod in "012":
                draw = np.random.default_rng([ord(name[0]), ord(name[-1]), ord(job), ord(pod)])
                labels = (("__name__", name), ("job", job), ("pod", pod))
                yield labels, make(draw)


def _integers(draw: Draw) -> Iterator[Histogram | None]:
    """A counter with a reset, a gap, a staleness marker and, once, another schema."""
    counts, zeros, total, schema = dict[int, int](), 0, 0.0, 3
    for at in range(len(TIMES)):
        if at == 90:
            counts, zeros, total = {}, 0, 0.0
        if at == 150:
            schema, counts = 2, {index // 2: count for index, count in counts.items()}
        for value in draw.lognormal(0.0, 0.4 + at / 300, int(draw.integers(0, 20))):
            index = int(np.ceil(np.log2(value) * 2**schema))
            counts[index] = counts.get(index, 0) + 1
            total += float(value)
        zeros += int(draw.integers(0, 2))
        if at in (40, 41):
            yield None
        elif at == 120:
            yield Histogram(sum=STALE, count_int=0)
        else:
            yield _whole(counts, zeros, total, schema)


def _whole(counts: Mapping[int, int], zeros: int, total: float, schema: int) -> Histogram:
    spans, buckets = _spans(counts)
    deltas = np.diff(np.array(buckets, np.int64), prepend=0).tolist()
    return Histogram(
        count_int=sum(counts.values()) + zeros,
        sum=total,
        schema=schema,
        zero_threshold=0.001,
        zero_count_int=zeros,
        positive_spans=spans,
        positive_deltas=deltas,
    )


def _floats(draw: Draw) -> Iterator[Histogram | None]:
    """A counter of floats with negative buckets, reset twice."""
    counts, below, zeros, total = dict[int, float](), dict[int, float](), 0.0, 0.0
    for at in range(len(TIMES)):
        if at in (60, 170):
            counts, below, zeros, total = {}, {}, 0.0, 0.0
        for value in draw.normal(0.3, 1.0, int(draw.integers(0, 8))):
            side, index = (counts if value > 0 else below), int(np.ceil(np.log2(abs(value)) * 2))
            side[index] = side.get(index, 0.0) + float(draw.random())
            total += float(value)
        zeros += float(draw.random())
        spans, buckets = _spans(counts)
        below_spans, below_buckets = _spans(below)
        yield Histogram(
            count_float=sum(buckets) + sum(below_buckets) + zeros,
            sum=total,
            schema=1,
            zero_threshold=2.0**-128,
            zero_count_float=zeros,
            positive_spans=spans,
            positive_counts=buckets,
            negative_spans=below_spans,
            negative_counts=below_buckets,
        )


def _gauge(draw: Draw) -> Iterator[Histogram | None]:
    """What goes up and down."""
    for _ in TIMES:
        counts = {int(index): float(draw.integers(0, 9)) for index in draw.integers(-5, 20, 4)}
        spans, buckets = _spans(counts)
        yield Histogram(
            count_float=sum(buckets),
            sum=float(draw.normal()),
            positive_spans=spans,
            positive_counts=buckets,
            reset_hint=Histogram.GAUGE,
        )


def _custom(draw: Draw) -> Iterator[Histogram | None]:
    """A counter with custom bounds, fewer of them in the second half."""
    counts, total = [0] * (len(_CUSTOM) + 1), 0.0
    for at in range(len(TIMES)):
        bounds = _CUSTOM if at < 130 else _CUSTOM[1:]
        counts = counts[-len(bounds) - 1 :]
        for value in draw.exponential(0.4, int(draw.integers(0, 10))):
            counts[int(np.searchsorted(bounds, value))] += 1
            total += float(value)
        yield Histogram(
            count_int=sum(counts),
            sum=total,
            schema=-53,
            positive_spans=[BucketSpan(offset=0, length=len(counts))],
            positive_deltas=np.diff(counts, prepend=0).tolist(),
            custom_values=bounds,
        )


def _mixed(draw: Draw) -> Iterator[Histogram | float | None]:
    """Floats for a while, then histograms, and so on."""
    for at, one in enumerate(_integers(draw)):
        yield float(at) if at // 30 % 2 else one


def _spans(counts: Mapping[int, float]) -> tuple[list[BucketSpan], list[float]]:
    """Spans and counts, in order of the buckets."""
    spans: list[BucketSpan] = []
    behind = 0
    for index in sorted(counts):
        if spans and index == behind:
            spans[-1].length += 1
        else:
            spans.append(BucketSpan(offset=index - behind, length=1))
        behind = index + 1
    return spans, [counts[index] for index in sorted(counts)]
