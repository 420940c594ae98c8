"""Tests of Prometheus' hash of label sets."""

import pytest

from bridge.model.label_hash import encoded, label_hashes, xxh64
from bridge.model.labels import Labels, LabelTable

# Of the xxHash project and of the Go package that Prometheus uses.
KNOWN = {
    b"": 0xEF46DB3751D8E999,
    b"a": 0xD24EC4F1A98C6E5B,
    b"as": 0x1C330FB2D66BE179,
    b"asd": 0x631C37CE72A97393,
    b"asdf": 0x415872F599CEA71E,
    b"Call me Ishmael. Some years ago--never mind how long precisely-": 0x02A2E85470D6FD96,
}


def test_xxh64() -> None:
    assert xxh64(list(KNOWN)).tolist() == list(KNOWN.values())


@pytest.mark.parametrize(
    ("labels", "text"),
    [
        ({}, b""),
        ({"b": "2", "a": "x"}, b"\x01a\x01x\x01b\x012"),
        ({"a": "x" * 254}, b"\x01a\xfe" + b"x" * 254),
        ({"a": "x" * 255}, b"\x01a\xff\xff\x00\x00" + b"x" * 255),
        ({"a": "\u00e9" * 300}, b"\x01a\xff\x58\x02\x00" + b"\xc3\xa9" * 300),
        ({"a": "\udcff"}, b"\x01a\x01\xff"),
    ],
)
def test_labels_as_one_string(labels: dict[str, str], text: bytes) -> None:
    assert encoded(Labels.of(labels)) == text


def test_hashes_are_made_once() -> None:
    table = LabelTable([Labels.of({"a": "x"}), Labels.of({})])
    assert label_hashes(table) is label_hashes(table)
    assert label_hashes(table)[1] == KNOWN[b""]
