"""Values of a tier are not ours alone: what is asked of them before they are believed."""

import zlib
from typing import Final

# More than the labels of 100,000 series and all that is known of their chunks.
LARGEST_LEAD: Final = 64 << 20


class Foreign(ValueError):
    """Bytes that are not the block that was looked for."""


def text(value: object) -> str:
    """A text; raises Foreign if it is none."""
    if not isinstance(value, str):
        raise Foreign("no text where a text belongs")
    return value


def inflated(data: memoryview) -> bytes:
    """What zlib made small; raises Foreign if it grows larger than anything of ours."""
    stream = zlib.decompressobj()
    made = stream.decompress(data, LARGEST_LEAD)
    if not stream.eof:
        raise Foreign("cut short, or larger than any block")
    return made
