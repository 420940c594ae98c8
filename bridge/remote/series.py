"""Label sets as they stand on the wire."""

from functools import lru_cache
from itertools import pairwise
from typing import Final

from google.protobuf.message import DecodeError

from bridge.model.labels import Labels
from bridge.remote.proto.remote_pb2 import RawLabels

# Series of the largest reads that are worth it; a reader of more finds none remembered.
_REMEMBERED: Final = 1 << 18


class BadLabels(ValueError):
    """Bytes that are no label set, or one that names a label twice."""


@lru_cache(maxsize=_REMEMBERED)
def labels_of(raw: bytes) -> Labels:
    """The label set of the bytes of repeated `Label labels = 1`; other fields are passed over.

    The same series come with every read, so the newest are remembered. Labels may stand in any
    order and empty ones count as absent; a name that stands twice raises BadLabels.
    """
    try:
        message = RawLabels.FromString(raw)
    except DecodeError:
        raise BadLabels("a series' labels are no protobuf") from None
    pairs = [(_name(label.name), _text(label.value)) for label in message.labels]
    pairs.sort()
    if len(dict(pairs)) < len(pairs):
        twice = next(one for (one, _), (other, _) in pairwise(pairs) if one == other)
        raise BadLabels(f"a series has two labels {twice!r}")
    return Labels.of_sorted(tuple([pair for pair in pairs if pair[1]]))


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


# The same few in all series, as one object each.
_name: Final = lru_cache(maxsize=1 << 12)(_text)
