"""Label sets as they stand on the wire."""

from functools import lru_cache
from itertools import pairwise

from google.protobuf.message import DecodeError

from bridge.model.labels import Labels
from bridge.remote.proto.remote_pb2 import RawLabels


class BadLabels(ValueError):
    """Bytes that are no label set, or one that names a label twice."""


@lru_cache(maxsize=1 << 16)
def labels_of(raw: bytes) -> Labels:
    """The label set of the bytes of repeated `Label labels = 1`; other fields are passed over.

    The same series come with every read, so the newest are remembered. Labels may stand in any
    order and empty ones count as absent; a name that stands twice raises BadLabels.
    """
    try:
        message = RawLabels.FromString(raw)
    except DecodeError:
        raise BadLabels("a series' labels are no protobuf") from None
    pairs = sorted((_text(label.name), _text(label.value)) for label in message.labels)
    for (name, _), (following, _) in pairwise(pairs):
        if name == following:
            raise BadLabels(f"a series has two labels {name!r}")
    return Labels.of_sorted(tuple(pair for pair in pairs if pair[1]))


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")
