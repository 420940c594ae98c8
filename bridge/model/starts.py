"""Start timestamps of samples: ms, 0 if unknown; an empty array where no sample has one."""

from collections.abc import Iterable
from typing import Any, Final

import numpy as np

from bridge.model.arrays import Int64s

NO_STARTS: Final = np.empty(0, np.int64)
NO_STARTS.flags.writeable = False


def starts_of(created: Int64s, which: Any) -> Int64s:
    """Those of some samples: a slice, numbers of samples, or a mask."""
    return created[which] if len(created) else created


def stacked_starts(pieces: Iterable[tuple[Int64s, Int64s]]) -> Int64s:
    """Those of pieces, one after the other; of each piece its start timestamps and its times."""
    held = tuple(pieces)
    if not any(len(created) for created, _ in held):
        return NO_STARTS
    return np.concatenate(
        [created if len(created) else np.zeros_like(times) for created, times in held]
    )
