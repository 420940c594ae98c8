"""Protobuf messages around bytes that are encoded already."""

from bridge.model.labels import Labels
from bridge.remote.proto.remote_pb2 import RawLabels


def message(tag: bytes, content: bytes) -> bytes:
    """A field that holds a message."""
    return tag + uvarint(len(content)) + content


def uvarint(number: int) -> bytes:
    """A number from 0 on as protobuf and Go's encoding/binary write it."""
    made = bytearray()
    while number >= 0x80:
        made.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*made, number])


def raw_labels(labels: Labels) -> bytes:
    """A label set as repeated `Label labels = 1`."""
    pairs = [
        RawLabels.RawLabel(name=_utf8(name), value=_utf8(value)) for name, value in labels.pairs
    ]
    return RawLabels(labels=pairs).SerializeToString()


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
