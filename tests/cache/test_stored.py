"""Values that others wrote where blocks and purges are looked for."""

import json
import struct
import zlib
from typing import Any

import google_crc32c
import numpy as np
import pytest

from bridge.cache.blocks import Block
from bridge.cache.foreign import LARGEST_LEAD, Foreign
from bridge.cache.keys import Key, Place
from bridge.cache.names import Names
from bridge.cache.policy import Moment, Policy
from bridge.cache.purges import Purge
from bridge.cache.settings import CacheSettings
from bridge.cache.stored import FORMAT, unpacked
from bridge.model.time import Window
from tests.chunkenc.test_xor import Row, encoded

PLACE = Place(Key("store", "", ()), Window(0, 1000))
HEAD: dict[str, Any] = {
    "place": PLACE.document(),
    "window": [0, 1000],
    "read": 10**11,
    "sealed": 10**11,
    "closing": 3_600_001,
    "labels": [],
    "sections": {"floats": [0, 1, 0, 0, 0, 0]},
}
CHANGES: tuple[dict[str, Any], ...] = (
    {"window": [0]},
    {"window": "ab"},
    {"read": None},
    {"sealed": None},
    {"sealed": 999},
    {"sealed": 10**12},
    {"closing": "1h"},
    {"closing": 3_600_000},
    {"labels": 1},
    {"labels": [[1]]},
    {"sections": {}},
    {"sections": []},
    {"sections": {"floats": []}},
    {"sections": {"floats": [0, -1, "a"]}},
    {"sections": {"floats": [0, 0, 0, 0, 0, 1]}},
)


def checked(lead: bytes, data: bytes = b"") -> bytes:
    """A value with these bytes inside and a right checksum."""
    checksum = google_crc32c.value(lead + data)
    return struct.pack("<8sIII", b"PBBLOCK\n", FORMAT, checksum, len(lead)) + lead + data


def read(value: bytes) -> Block:
    return unpacked(value, PLACE, Names(), Policy(CacheSettings()), Moment(10**12, 0))


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
def test_what_has_a_right_checksum_but_no_block_inside_is_foreign(lead: bytes) -> None:
    with pytest.raises(Foreign):
        read(checked(lead))


def test_a_small_value_that_grows_without_end_is_foreign() -> None:
    lead = zlib.compress(b" " * LARGEST_LEAD + b"{}\n", 9)
    assert len(lead) < LARGEST_LEAD // 500
    with pytest.raises(Foreign, match="larger than any block"):
        read(checked(lead))


def one_row(
    labels: object = (("__name__", "up"),),
    times: tuple[int, ...] = (1000, 2000, 5000),
    oldest: int = 1000,
    newest: int = 5000,
) -> bytes:
    """A value with one row of one chunk, and what is said of it."""
    (chunk,) = encoded([Row(times, range(len(times)))])
    sections = {"floats": [len(chunk), 2, 1, 1, 1, 1]}
    head = json.dumps(HEAD | {"labels": [labels], "sections": sections}).encode()
    facts = np.array([0, 1, len(chunk), oldest, newest, len(times)], "<i8")
    return checked(zlib.compress(head + b"\n" + facts.tobytes()), chunk)


def test_a_row_that_is_what_is_said_of_it_is_read() -> None:
    assert read(one_row()).samples == 3


@pytest.mark.parametrize(
    "labels",
    [[["a", 1]], [[1, "a"]], [["a", None]], [["a", ""]], [["b", "1"], ["a", "1"]], [["a"]]],
)
def test_a_row_whose_labels_are_none_is_foreign(labels: object) -> None:
    with pytest.raises(Foreign):
        read(one_row(labels))


@pytest.mark.parametrize(
    "facts",
    [
        {"newest": 5001},
        {"oldest": 999},
        {"times": (1000, 1000, 5000)},
        {"times": (1000, 7000, 5000)},
    ],
    ids=str,
)
def test_a_row_whose_samples_are_not_what_is_said_of_them_is_foreign(facts: dict[str, Any]) -> None:
    with pytest.raises(Foreign):
        read(one_row(**facts))


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"\xff",
        b"[" * 100_000,
        b'["a",[],0,1,Infinity]',
        b'["a",[],NaN,1,2]',
        b"{}",
        b'["a",[["b","=~",1]],0,1,2]',
    ],
)
def test_a_purge_that_cannot_be_understood_is_none(value: bytes) -> None:
    assert Purge.read(value) is None
