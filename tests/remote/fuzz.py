"""Spoilt bodies through every kernel that reads foreign bytes; one line of outcome for each.

With NUMBA_DISABLE_JIT=1 kernels are plain Python, where numpy checks every index; without it they
are compiled, and check only what they check themselves.
Good bodies come in, a line each, in hexadecimal: a streamed one, a sampled one, and one chunk of
each encoding of native histograms.
"""

import random
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from bridge.chunkenc import histogram, xor
from bridge.chunkenc.bits import PADDING
from bridge.remote import frames, samples

ROUNDS = 1200
HISTOGRAM_ENCODINGS = (
    histogram.HISTOGRAM,
    histogram.FLOAT_HISTOGRAM,
    histogram.HISTOGRAM_ST,
    histogram.FLOAT_HISTOGRAM_ST,
)
ROOM = 64
EVER = (-(2**63), 2**63 - 1)


def spoilt(body: bytes, dice: random.Random) -> bytes:
    """A body with some bytes changed, cut or doubled."""
    made = bytearray(body)
    for _ in range(dice.randint(1, 2)):
        at = dice.randrange(len(made))
        kind = dice.randrange(4)
        if kind == 0:
            made[at] = dice.choice((0, 0x7F, 0x80, 0xFF, dice.randrange(256)))
        elif kind == 1:
            made[at : at + dice.randint(1, 9)] = bytes([0xFF] * dice.randint(0, 9))
        elif kind == 2:
            del made[at + 1 :]
        else:
            made[at:at] = made[at : at + dice.randint(1, 20)]
    return bytes(made)


def table(rows: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    """An empty table with room for few."""
    return np.zeros((rows, ROOM), np.int64)


def streamed(data: Any, size: int) -> Any:
    """Frame scan, contents and chunks, checksums left aside."""
    spans, series, chunks = table(3), table(3), table(5)
    count, used, needed = frames._scan(data, size, 10_000, spans)
    held = np.ascontiguousarray(spans[:, : min(count, ROOM)])
    bad, n_series, n_chunks = frames._contents(data, held, series, chunks)
    outcome = [count, used, needed, bad, n_series, n_chunks]
    kept = min(n_chunks, ROOM)
    starts, sizes = chunks[0, :kept].copy(), chunks[1, :kept].copy()
    counts, firsts, rows = np.zeros_like(starts), np.zeros_like(starts), np.arange(kept)
    first = xor.inspect(data, starts, sizes, counts, firsts)
    outcome.append(first)
    if first < 0 and bad < 0:
        total = int(counts.sum())
        columns = np.zeros(kept + 1, np.int64), np.zeros(total + 1, np.int64)
        bits = np.zeros(total + 1, np.int64)
        found = xor.decode(data, starts, sizes, rows, *EVER, *columns, bits)
        outcome += [*found, *columns[0].tolist()]
    return outcome


def sampled(data: Any, size: int) -> Any:
    """Survey and samples."""
    found = table(6)
    count = samples._survey(data, size, found)
    if not 0 <= count <= ROOM:
        return [count]
    starts, stops = found[0, :count].copy(), found[1, :count].copy()
    total = int(found[4, :count].sum())
    columns = np.zeros(count + 1, np.int64), np.zeros(total + 1, np.int64)
    bits = np.zeros(total + 1, np.int64)
    outcome = samples.decode(data, starts, stops, *EVER, *columns, bits)
    return [count, *outcome, *columns[0].tolist(), *columns[1].tolist(), *bits.tolist()]


def native(encoding: int) -> Callable[[Any, int], Any]:
    """Histograms of one chunk of an encoding: what became of it, and every number in them."""

    def read(data: Any, size: int) -> Any:
        start, sizes, kind, row = (np.array([one], np.int64) for one in (0, size, encoding, 0))
        found = histogram.decode(data, start, sizes, kind, row, *EVER, np.zeros(2, np.int64))
        table = found.table
        floats = (table.numbers, table.counts, table.bounds)
        numbers = [*(array.view(np.int64) for array in floats), table.rows, table.places]
        columns = [found.timestamps, found.created, *numbers]
        listed = [number for column in columns for number in column.ravel().tolist()]
        return [found.bad, found.schema, found.disorder, *listed]

    return read


def outcomes(bodies: list[bytes]) -> Iterator[str]:
    """What became of each spoilt body."""
    dice = random.Random(11)
    readers = (streamed, sampled, *map(native, HISTOGRAM_ENCODINGS))
    for number in range(ROUNDS):
        which = number % len(readers)
        reader, body = readers[which], bodies[which]
        text = spoilt(body, dice)
        data = np.frombuffer(text + bytes(PADDING), np.uint8)
        with np.errstate(all="ignore"):
            yield f"{number} {[int(one) for one in reader(data, len(text))]}"


if __name__ == "__main__":
    given = [bytes.fromhex(line) for line in sys.stdin]
    sys.stdout.writelines(f"{line}\n" for line in outcomes(given))
