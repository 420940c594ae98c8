"""A remote-write client: columns of series → protobuf, snappy, `POST /api/v1/write`.

It writes the bytes itself (prometheus.WriteRequest, field numbers as in remote-write 1.0), so that
what the product reads was not written by the product's own code.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

import httpx
import numpy as np
import snappy
from numpy.typing import NDArray

from tests.oracle.histogram_message import histogram_message
from tests.oracle.protobuf import field
from tests.oracle.series import Column, Dataset, NativeData, SeriesData, Times

_SLICE = 30 * 60_000  # ms; a store takes no sample much older than its newest, so time goes first
_SAMPLES = 100_000  # at most about so many samples in one request
_HEADERS = {
    "Content-Type": "application/x-protobuf",
    "Content-Encoding": "snappy",
    "X-Prometheus-Remote-Write-Version": "0.1.0",
}

Piece = SeriesData | NativeData
Progress = Callable[[float], None]


class WriteRefusedError(Exception):
    """The store did not take the samples; the text is its answer."""


def write_prometheus(url: str, data: Dataset, progress: Progress = lambda _: None) -> None:
    """Writes through the receiver of the Prometheus at `url`; `progress` gets shares of 1."""
    _write(f"{url}/api/v1/write", data, progress)


def write_influxdb(url: str, database: str, data: Dataset) -> None:
    """Makes `database` and writes through InfluxDB's own Prometheus endpoint; NaN are left out."""
    made = httpx.post(f"{url}/query", params={"q": f'CREATE DATABASE "{database}"'})
    if not made.is_success or "error" in made.text:
        raise WriteRefusedError(made.text)
    _write(f"{url}/api/v1/prom/write?db={database}", data.finite(), lambda _: None)


def _write(url: str, data: Dataset, progress: Progress) -> None:
    written = 0
    with httpx.Client(timeout=120) as client:
        for start in range(data.start, data.end + 1, _SLICE):
            for batch in _batches(_between((*data.series, *data.native), start, start + _SLICE)):
                body = snappy.compress(write_request(batch))
                answer = client.post(url, content=body, headers=_HEADERS)
                if not answer.is_success:
                    raise WriteRefusedError(f"{answer.status_code}: {answer.text[:500]}")
                written += sum(len(one.timestamps) for one in batch)
                progress(written / data.samples)


def _between(series: Iterable[Piece], start: int, end: int) -> Iterator[Piece]:
    """The part of each series in [start, end), as views."""
    for one in series:
        first, last = np.searchsorted(one.timestamps, [start, end])
        times = one.timestamps[first:last]
        if first < last and isinstance(one, SeriesData):
            yield SeriesData(one.labels, times, one.values[first:last])
        elif first < last and isinstance(one, NativeData):
            yield NativeData(one.labels, times, one.histograms[first:last])


def _batches(series: Iterable[Piece]) -> Iterator[Sequence[Piece]]:
    batch: list[Piece] = []
    samples = 0
    for one in series:
        batch.append(one)
        samples += len(one.timestamps)
        if samples >= _SAMPLES:
            yield batch
            batch, samples = [], 0
    if batch:
        yield batch


def write_request(series: Iterable[Piece]) -> bytes:
    """The bytes of a prometheus.WriteRequest."""
    return b"".join(field(1, _time_series(one)) for one in series)


def _time_series(series: Piece) -> bytes:
    labels = b"".join(
        field(1, field(1, name.encode()) + field(2, value.encode()))
        for name, value in sorted(series.labels.items())
    )
    if isinstance(series, SeriesData):
        return labels + _samples(series.timestamps, series.values)
    pairs = zip(series.histograms, series.timestamps.tolist(), strict=True)
    return labels + b"".join(field(4, histogram_message(one, time)) for one, time in pairs)


def _samples(timestamps: Times, values: Column) -> bytes:
    """All samples of a series at once: `12 10, 09 <double>, 10 <varint>`, 18 bytes each.

    Raises ValueError for timestamps whose varint is not six bytes long (before 1971, after 2109).
    """
    if len(timestamps) and not (1 << 35 <= timestamps.min() <= timestamps.max() < 1 << 42):
        raise ValueError("timestamps must lie between 1971 and 2109")
    rows: NDArray[np.uint8] = np.empty((len(timestamps), 18), dtype=np.uint8)
    rows[:, 0], rows[:, 1] = 0x12, 16
    rows[:, 2] = 0x09
    rows[:, 3:11] = values.astype("<f8").view(np.uint8).reshape(-1, 8)
    rows[:, 11] = 0x10
    for place in range(6):
        more = 0x80 if place < 5 else 0
        rows[:, 12 + place] = ((timestamps >> (7 * place)) & 0x7F) | more
    return rows.tobytes()
