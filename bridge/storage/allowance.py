"""How much a read may hold."""

from typing import Final

from bridge.model.errors import LimitExceeded, TooManySamples
from bridge.storage.interface import ReadOptions

BYTES_PER_SAMPLE: Final = 16


def allow_series(series: int, options: ReadOptions) -> None:
    """Lets a read have so many series; raises LimitExceeded."""
    if 0 < options.max_series < series:
        raise LimitExceeded(
            f"the number of series read is {series}, more than"
            f" query.max_series ({options.max_series}) allows"
        )


def allow_received(size: int, options: ReadOptions) -> None:
    """Lets stores send so many bytes for a read; raises LimitExceeded."""
    if 0 < options.max_read_bytes < size:
        raise LimitExceeded(
            f"the number of bytes received from stores is {size}, more than"
            f" query.max_read_bytes ({options.max_read_bytes}) allows"
        )


def allow(samples: int, options: ReadOptions) -> None:
    """Lets a read hold so many samples; raises TooManySamples and LimitExceeded."""
    if options.max_samples and samples > options.max_samples:
        raise TooManySamples("query execution")
    size = samples * BYTES_PER_SAMPLE
    if options.max_bytes and size > options.max_bytes:
        raise LimitExceeded(
            f"the samples of a read take {size} bytes, more than"
            f" query.max_bytes ({options.max_bytes}) allows"
        )
