"""Start timestamps in chunks: a header byte, and after each sample how its own has changed.

The header says whether the first sample has one, and which is the first sample to differ from it.
Source: tsdb/chunkenc/st.go of Prometheus.
"""

from typing import Final, NamedTuple

import numpy as np

from bridge.chunkenc.bits import Bytes
from bridge.chunkenc.varbits import put, put_varbit_int, put_varint, varbit_int, varint_at
from bridge.kernel import inlined

# From this sample on start timestamps are written even if they never change.
_LAST_CHANGE: Final = 127


class Started(NamedTuple):
    """Where a chunk's start timestamps have got to: the last, ms, and how long before it was."""

    created: int
    age: int


@inlined
def read_start(
    data: Bytes, position: int, header: int, sample: int, time: int, previous: int, held: Started
) -> tuple[Started, int]:
    """The start timestamp of a sample, whose time and previous one's are given; the bit behind."""
    change = header & 127
    if sample == 0:
        if not header & 128:
            return Started(0, 0), position
        age, position = varint_at(data, position)
        return Started(time - age, age), position
    if change == 0 or sample < change:
        return held, position
    age, position = varbit_int(data, position)
    if sample > change:
        age += held.age
    return Started(previous - age, age), position


@inlined
def put_start(
    out: Bytes,
    position: int,
    header_at: int,
    sample: int,
    created: int,
    time: int,
    previous: int,
    held: Started,
) -> tuple[Started, int]:
    """Writes a sample's start timestamp, and in the header byte what it takes to read it."""
    change = int(out[header_at] & 127)
    if sample == 0:
        if created != 0:
            out[header_at] |= 128
            position = put_varint(out, position, time - created)
        return Started(created, 0), position
    age = previous - created
    if change != 0:
        return Started(created, age), put_varbit_int(out, position, age - held.age)
    if created != held.created or sample == _LAST_CHANGE:
        put(out, header_at * 8 + 1, np.uint64(sample), 7)
        return Started(created, age), put_varbit_int(out, position, age)
    return held, position
