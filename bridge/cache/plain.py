"""Samples of rows as they were read, for as long as they are few and more may follow."""

from dataclasses import dataclass
from typing import Final

from bridge.cache.chunks import Chunks
from bridge.chunkenc.xor import SAMPLES_PER_CHUNK
from bridge.model.samples import Columns

# 1 MiB: the newest samples of a larger selector are encoded when they are read.
_MOST: Final = 1 << 16


def few(samples: int, rows: int) -> bool:
    """Whether so many samples are not worth encoding, if they may be merged or read anew soon.

    Where rows do not fill a chunk, most of what encoding takes and gives is what a chunk needs
    itself.
    """
    return samples <= min(rows * (SAMPLES_PER_CHUNK - 1), _MOST)


@dataclass(frozen=True, slots=True, eq=False)
class Plain:
    """Floats without start timestamps, in columns of their own: 16 bytes a sample."""

    columns: Columns

    @property
    def samples(self) -> int:
        """How many samples."""
        return len(self.columns.timestamps)

    @property
    def data_bytes(self) -> int:
        """Bytes of the samples."""
        return self.columns.timestamps.nbytes + self.columns.values.nbytes

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays."""
        return self.columns.offsets.nbytes + self.data_bytes


def as_chunks(floats: Chunks | Plain) -> Chunks:
    """Floats encoded, anew each time if they are not."""
    return Chunks.of(floats.columns) if isinstance(floats, Plain) else floats
