"""How much is in a request to read, before an object is made of each part of it.

A request of 100 kB may hold a million of queries: two bytes each, and less where it is compressed.
"""

from collections.abc import Mapping
from typing import Final

from bridge.model.errors import BadData
from bridge.remote.protobuf import FIXED32, FIXED64, LENGTH, VARINT

# Queries, their fields, and those of their hints, together: for some hundred dashboards at once.
MOST_FIELDS: Final = 10_000

# A message's fields that are messages again, by number, or are lists of numbers: None.
_Inner = Mapping[int, "_Inner | None"]
_REQUEST: Final[_Inner] = {1: {4: {}}, 2: None}


def weigh(message: bytes) -> None:
    """Raises BadData if a ReadRequest has more fields than MOST_FIELDS, or is none."""
    _weigh(message, 0, len(message), _REQUEST, MOST_FIELDS)


def _weigh(data: bytes, at: int, end: int, inner: _Inner, left: int) -> int:
    """How many of so many fields are left behind those from one index to another."""
    while at < end:
        tag, at = _varint(data, at, end)
        number, kind = tag >> 3, tag & 7
        left -= 1
        if kind == VARINT:
            _, at = _varint(data, at, end)
        elif kind == LENGTH:
            size, at = _varint(data, at, end)
            within = inner.get(number)
            if number in inner and within is None:
                left -= size
            elif within is not None and at + size <= end:
                left = _weigh(data, at, at + size, within, left)
            at += size
        elif kind in (FIXED32, FIXED64):
            at += 4 if kind == FIXED32 else 8
        else:
            raise _none()
        if left < 0:
            raise BadData(f"the request has more than {MOST_FIELDS} fields")
    if at > end:
        raise _none()
    return left


def _varint(data: bytes, at: int, end: int) -> tuple[int, int]:
    value = 0
    for place in range(min(10, end - at)):
        byte = data[at + place]
        value |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return value, at + place + 1
    raise _none()


def _none() -> BadData:
    return BadData("proto: the request is no ReadRequest")
