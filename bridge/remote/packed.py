"""Rows whose floats stay in the chunks that a store sent, and are decoded when asked for."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bridge.chunkenc import xor
from bridge.chunkenc.bits import Bytes
from bridge.model.samples import Columns
from bridge.model.time import Window

Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class PackedRows:
    """XOR chunks that were decoded once and found sound, their times rising; no row is empty.

    Chunk c is `data[starts[c] : starts[c] + sizes[c]]`, padded, and belongs to row `rows[c]`, which
    never falls; only samples in `window` count. `offsets` int64 [R+1] are those of the samples,
    `firsts` and `lasts` int64 [R] the rows' first and last times, ms.
    """

    data: Bytes
    starts: Int64s
    sizes: Int64s
    rows: Int64s
    window: Window
    offsets: Int64s
    firsts: Int64s
    lasts: Int64s

    @staticmethod
    def of(
        data: Bytes,
        chunks: tuple[Int64s, Int64s, Int64s],
        window: Window,
        columns: Columns,
    ) -> "PackedRows":
        """The rows of columns that have samples; these chunks (starts, sizes, rows) made them."""
        held = np.diff(columns.offsets) > 0
        starts, sizes, rows = chunks
        kept = held[rows]
        offsets = np.append(0, columns.offsets[1:][held])
        times = columns.timestamps
        numbers = np.cumsum(held) - 1
        return PackedRows(
            data,
            starts[kept],
            sizes[kept],
            numbers[rows[kept]],
            window,
            offsets,
            times[offsets[:-1]],
            times[offsets[1:] - 1],
        )

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def series(self) -> int:
        """How many rows."""
        return len(self)

    @property
    def samples(self) -> int:
        """How many samples."""
        return int(self.offsets[-1])

    @property
    def ends(self) -> tuple[int, int]:
        """The times of the first row's first and the last row's last sample, ms."""
        return int(self.firsts[0]), int(self.lasts[-1])

    @property
    def nbytes(self) -> int:
        """Bytes of the chunks and of what is known of them."""
        known = (self.starts, self.sizes, self.rows, self.offsets, self.firsts, self.lasts)
        return int(self.sizes.sum()) + sum(array.nbytes for array in known)

    @property
    def has_histograms(self) -> bool:
        """There are none."""
        return False

    def columns(self) -> Columns:
        """The samples, decoded."""
        offsets = np.empty(len(self) + 1, np.int64)
        times, bits = (np.empty(self.samples + 1, np.int64) for _ in range(2))
        which = (self.data, self.starts, self.sizes, self.rows)
        bad, _ = xor.decode(*which, self.window.start, self.window.end, offsets, times, bits)
        assert bad < 0
        return Columns.frozen(offsets, times[:-1], bits[:-1].view(np.float64))

    def between(self, start: int, stop: int) -> "PackedRows":
        """A range of rows."""
        low, high = np.searchsorted(self.rows, (start, stop)).tolist()
        return PackedRows(
            self.data,
            self.starts[low:high],
            self.sizes[low:high],
            self.rows[low:high] - start,
            self.window,
            self.offsets[start : stop + 1] - self.offsets[start],
            self.firsts[start:stop],
            self.lasts[start:stop],
        )
