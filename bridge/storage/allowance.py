"""How much a read may hold."""

from typing import Final

from bridge.model.errors import LimitExceeded, TooManySamples
from bridge.storage.interface import ReadOptions

BYTES_PER_SAMPLE: Final = 16


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
