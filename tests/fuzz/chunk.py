"""Each chunk decoder: samples, or the answer that it is no such chunk."""

from collections.abc import Callable, Iterator

import numpy as np

from bridge.chunkenc import encodings, histogram, xor2
from bridge.chunkenc.bits import PADDING
from bridge.model.histogram import Histograms
from tests.chunkenc.test_histogram import CASES, EVER, payloads
from tests.chunkenc.test_xor import Row, decoded, encoded
from tests.fuzz.harness import Harness, Reader

_PACKAGES = ("bridge.chunkenc",)


def _xor(data: bytes) -> None:
    found = decoded([data])
    if found.bad >= 0:
        return
    again = decoded(encoded([Row(found.times.tolist(), found.bits.tolist())]))
    assert again.times.tolist() == found.times.tolist()
    assert again.bits.tolist() == found.bits.tolist()


def _facts(data: bytes, encoding: int) -> tuple[np.ndarray, ...] | None:
    """Where the only chunk starts, its size, encoding, row and samples; None if it has no head."""
    padded = np.frombuffer(data + bytes(PADDING), np.uint8)
    start, size, kind, row = (np.array([one], np.int64) for one in (0, len(data), encoding, 0))
    counts = encodings.declared_counts(padded, start, size, kind)
    return None if counts is None else (padded, start, size, kind, row, counts)


def _xor2(data: bytes) -> None:
    facts = _facts(data, encodings.XOR2)
    # Every sample takes a bit at least.
    if facts is None or facts[-1][0] > len(data) * 8:
        return
    padded, start, size, _, row, counts = facts
    offsets, room = np.zeros(2, np.int64), int(counts[0]) + 1
    columns = [np.zeros(room, np.int64) for _ in range(3)]
    bad, _ = xor2.decode(padded, start, size, row, *EVER, offsets, *columns)
    assert bad in (-1, 0)
    assert bad == 0 or offsets.tolist() == [0, counts[0]]


def _histograms(encoding: int) -> Reader:
    def check(data: bytes) -> None:
        facts = _facts(data, encoding)
        if facts is None or facts[-1][0] > len(data) * 8:
            return
        padded, start, size, kind, row, counts = facts
        offsets = np.zeros(2, np.int64)
        found = histogram.decode(padded, start, size, kind, row, *EVER, offsets)
        assert found.bad in (-1, 0)
        table = Histograms.frozen(found.table)
        assert found.bad == 0 or len(table) == len(found.timestamps) == offsets[1] == counts[0]

    return Reader(check, _chunks(encoding))


def _chunks(encoding: int) -> Callable[[], Iterator[bytes]]:
    def seeds() -> Iterator[bytes]:
        for case in CASES:
            if case["encoding"] == encoding:
                yield from payloads(case)[:1]

    return seeds


def _xor_chunks() -> Iterator[bytes]:
    bits = np.array([0.0, 1.5, 1.5, -3e300, np.nan], np.float64).view(np.int64).tolist()
    for times in ([1, 2, 3, 4, 5], [-(2**40), 0, 15_000, 2**30, 2**40]):
        yield from encoded([Row(times, bits)])


_READERS = {
    "xor": (Reader(_xor, _xor_chunks),),
    "xor2": (Reader(_xor2, _chunks(encodings.XOR2)),),
    # Without a start time of each sample, and with it.
    "histogram": tuple(map(_histograms, (histogram.HISTOGRAM, histogram.HISTOGRAM_ST))),
    "float-histogram": tuple(
        map(_histograms, (histogram.FLOAT_HISTOGRAM, histogram.FLOAT_HISTOGRAM_ST))
    ),
}
HARNESSES = tuple(
    Harness(name, readers, _PACKAGES, kernels=True) for name, readers in _READERS.items()
)
