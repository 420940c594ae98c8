"""Values that others wrote where blocks and purges are looked for."""

import json
import struct
import zlib
from typing import Any

import google_crc32c
import pytest

from bridge.cache.keys import Key, Place
from bridge.cache.names import Names
from bridge.cache.policy import Moment, Policy
from bridge.cache.purges import Purge
from bridge.cache.settings import CacheSettings
from bridge.cache.stored import FORMAT, Foreign, unpacked
from bridge.model.time import Window

PLACE = Place(Key("store", "", ()), Window(0, 1000))
HEAD: dict[str, Any] = {
    "place": PLACE.document(),
    "window": [0, 1000],
    "read": 10**11,
    "labels": [],
    "sections": {"floats": [0, 1, 0, 0, 0, 0]},
}
CHANGES: tuple[dict[str, Any], ...] = (
    {"window": [0]},
    {"window": "ab"},
    {"read": None},
    {"labels": 1},
    {"labels": [[1]]},
    {"sections": {}},
    {"sections": []},
    {"sections": {"floats": []}},
    {"sections": {"floats": [0, -1, "a"]}},
    {"sections": {"floats": [0, 0, 0, 0, 0, 1]}},
)


def checked(lead: bytes) -> bytes:
    """A value with these bytes inside and a right checksum."""
    head = struct.pack("<8sIII", b"PBBLOCK\n", FORMAT, google_crc32c.value(lead), len(lead))
    return head + lead


@pytest.mark.parametrize(
    "lead",
    [
        b"",
        b"not compressed",
        zlib.compress(b""),
        zlib.compress(b"[" * 100_000),
        zlib.compress(b"[]\n"),
        zlib.compress(b"{}\n"),
        *(
            zlib.compress(json.dumps(HEAD | changed).encode() + b"\n" + bytes(8))
            for changed in CHANGES
        ),
    ],
)
def test_whatever_else_has_a_right_checksum_is_foreign(lead: bytes) -> None:
    with pytest.raises(Foreign):
        unpacked(checked(lead), PLACE, Names(), Policy(CacheSettings()), Moment(10**12, 0))


@pytest.mark.parametrize(
    "value", [b"", b"\xff", b"[" * 100_000, b'["a",[],0,1,Infinity]', b'["a",[],NaN,1,2]', b"{}"]
)
def test_a_purge_that_cannot_be_understood_is_none(value: bytes) -> None:
    assert Purge.read(value) is None
