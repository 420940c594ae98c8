"""Which samples of one replica fill gaps of another. Pure."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bridge.model.samples import Columns, SeriesBlock
from bridge.model.starts import starts_of

Int64s = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


def lacked(block: SeriesBlock, held: SeriesBlock, gap: int) -> SeriesBlock:
    """The samples of `block` further than `gap` ms from any that `held` has of the same series."""
    numbers = {labels: row for row, labels in enumerate(held.labels)}
    mine, theirs = block.columns(), held.columns()
    scale = _Scale.of(mine, theirs, gap)
    base = np.sort(_keys(theirs, np.arange(len(theirs)), scale))
    rows = np.array([numbers.get(labels, -1) for labels in block.labels], np.int64)
    kept = ~_near(base, *_placed(mine.offsets, mine.timestamps, rows, scale), gap)
    before = np.zeros(len(kept) + 1, np.int64)
    np.cumsum(kept, out=before[1:])
    native = mine.histograms
    if native is not None:
        placed = _placed(native.offsets, native.timestamps, rows, scale)
        native = native.where(~_near(base, *placed, gap))
    columns = Columns.frozen(
        before[mine.offsets],
        mine.timestamps[kept],
        mine.values[kept],
        native,
        starts_of(mine.created, kept),
    )
    return SeriesBlock.of(block.labels, columns)


@dataclass(frozen=True, slots=True)
class _Scale:
    """How a row and a time become one number that sorts by row, then by time."""

    low: int
    stride: int

    @staticmethod
    def of(mine: Columns, theirs: Columns, gap: int) -> "_Scale":
        """One that keeps times of different rows further apart than `gap`."""
        times = [one for columns in (mine, theirs) for one in _times(columns) if len(one)]
        low = min((int(one.min()) for one in times), default=0)
        high = max((int(one.max()) for one in times), default=0)
        return _Scale(low, high - low + 2 * gap + 2)


def _times(columns: Columns) -> list[Int64s]:
    native = columns.histograms
    return [columns.timestamps] if native is None else [columns.timestamps, native.timestamps]


def _placed(
    offsets: Int64s, timestamps: Int64s, rows: Int64s, scale: _Scale
) -> tuple[Int64s, Bools]:
    """Each sample's number; and whether its series is known."""
    row = np.repeat(rows, np.diff(offsets))
    return row * scale.stride + (timestamps - scale.low), row >= 0


def _keys(columns: Columns, rows: Int64s, scale: _Scale) -> Int64s:
    keys, _ = _placed(columns.offsets, columns.timestamps, rows, scale)
    native = columns.histograms
    if native is None:
        return keys
    return np.concatenate([keys, _placed(native.offsets, native.timestamps, rows, scale)[0]])


def _near(base: Int64s, keys: Int64s, known: Bools, gap: int) -> Bools:
    """Which keys have one of `base`, sorted, within `gap`."""
    at = np.searchsorted(base, keys - gap, "left")
    inside = known & (at < len(base))
    near = np.zeros(len(keys), np.bool_)
    near[inside] = base[at[inside]] <= keys[inside] + gap
    return near
