"""Prometheus' hash of a label set: XXH64, seed 0, over its labels as one string.

Source: model/labels/labels_stringlabels.go of Prometheus; the xxHash specification for the hash.
"""

import numpy as np
import numpy.typing as npt
from numba import types, uint64

from bridge.kernel import i8_in, inlined, kernel, u1_in
from bridge.model.labels import Labels, LabelTable

Hashes = npt.NDArray[np.uint64]

_PRIME_1 = np.uint64(0x9E3779B185EBCA87)
_PRIME_2 = np.uint64(0xC2B2AE3D27D4EB4F)
_PRIME_3 = np.uint64(0x165667B19E3779F9)
_PRIME_4 = np.uint64(0x85EBCA77C2B2AE63)
_PRIME_5 = np.uint64(0x27D4EB2F165667C5)
# The sum of the first two primes, and what is left of 0 without the first, modulo 2**64.
_FIRST_LANE = np.uint64(0x60EA27EEADC0B5D6)
_LAST_LANE = np.uint64(0x61C8864E7A143579)
_LONG_LENGTH = 255


def label_hashes(labels: LabelTable) -> Hashes:
    """The hash of every row, uint64 [S]; remembered."""
    return labels.remembered("hashes", lambda: xxh64([encoded(row) for row in labels]))


def encoded(labels: Labels) -> bytes:
    """A label set as one string: names and values in order, each after its length."""
    parts = []
    for pair in labels.pairs:
        for text in pair:
            piece = text.encode("utf-8", "surrogateescape")
            size = len(piece)
            short = size < _LONG_LENGTH
            parts.append(bytes((size,)) if short else b"\xff" + size.to_bytes(3, "little"))
            parts.append(piece)
    return b"".join(parts)


def xxh64(texts: list[bytes]) -> Hashes:
    """The XXH64 of each text, seed 0."""
    offsets = np.zeros(len(texts) + 1, np.int64)
    np.cumsum([len(text) for text in texts], out=offsets[1:])
    out = np.empty(len(texts), np.uint64)
    _hashes(np.frombuffer(b"".join(texts), np.uint8), offsets, out)
    out.flags.writeable = False
    return out


@kernel(u1_in, i8_in, types.Array(uint64, 1, "C"))
def _hashes(data, offsets, out):  # type: ignore[no-untyped-def]
    for row in range(len(out)):
        at, stop = offsets[row], offsets[row + 1]
        length = np.uint64(stop - at)
        if stop - at >= 32:
            one, two = _FIRST_LANE, _PRIME_2
            three, four = np.uint64(0), _LAST_LANE
            while at + 32 <= stop:
                one = _round(one, _word(data, at, 8))
                two = _round(two, _word(data, at + 8, 8))
                three = _round(three, _word(data, at + 16, 8))
                four = _round(four, _word(data, at + 24, 8))
                at += 32
            value = _turned(one, 1) + _turned(two, 7) + _turned(three, 12) + _turned(four, 18)
            for lane in (one, two, three, four):
                value = (value ^ _round(np.uint64(0), lane)) * _PRIME_1 + _PRIME_4
        else:
            value = _PRIME_5
        value += length
        while at + 8 <= stop:
            value ^= _round(np.uint64(0), _word(data, at, 8))
            value = _turned(value, 27) * _PRIME_1 + _PRIME_4
            at += 8
        if at + 4 <= stop:
            value ^= _word(data, at, 4) * _PRIME_1
            value = _turned(value, 23) * _PRIME_2 + _PRIME_3
            at += 4
        while at < stop:
            value ^= np.uint64(data[at]) * _PRIME_5
            value = _turned(value, 11) * _PRIME_1
            at += 1
        out[row] = _mixed(value)


@inlined
def _mixed(value):  # type: ignore[no-untyped-def]
    value = (value ^ (value >> np.uint64(33))) * _PRIME_2
    value = (value ^ (value >> np.uint64(29))) * _PRIME_3
    return value ^ (value >> np.uint64(32))


@inlined
def _word(data, at, size):  # type: ignore[no-untyped-def]
    """So many bytes as one number, the first one least."""
    word = np.uint64(0)
    for i in range(size):
        word |= np.uint64(data[at + i]) << np.uint64(8 * i)
    return word


@inlined
def _turned(value, bits):  # type: ignore[no-untyped-def]
    """The bits turned to the left."""
    return (value << np.uint64(bits)) | (value >> np.uint64(64 - bits))


@inlined
def _round(lane, word):  # type: ignore[no-untyped-def]
    return _turned(lane + word * _PRIME_2, 31) * _PRIME_1
