"""The few kinds of protobuf fields that the oracle's writer needs, as bytes."""

import struct


def field(number: int, content: bytes) -> bytes:
    """A length-delimited field."""
    return bytes([number << 3 | 2]) + varint(len(content)) + content


def whole(number: int, value: int) -> bytes:
    """A number as an unsigned varint."""
    return tag(number, 0) + varint(value)


def zigzag(number: int, value: int) -> bytes:
    """A signed number as sint."""
    return tag(number, 0) + varint(_zigzag(value))


def double(number: int, value: float) -> bytes:
    """A float64."""
    return tag(number, 1) + struct.pack("<d", value)


def doubles(number: int, values: tuple[float, ...]) -> bytes:
    """Many float64, packed; nothing if there are none."""
    return _packed(number, struct.pack(f"<{len(values)}d", *values))


def zigzags(number: int, values: list[int]) -> bytes:
    """Many signed numbers, packed; nothing if there are none."""
    return _packed(number, b"".join(varint(_zigzag(value)) for value in values))


def tag(number: int, kind: int) -> bytes:
    """What a field begins with."""
    return varint(number << 3 | kind)


def varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first."""
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def _packed(number: int, content: bytes) -> bytes:
    return tag(number, 2) + varint(len(content)) + content if content else b""


def _zigzag(value: int) -> int:
    return value << 1 if value >= 0 else (-value << 1) - 1
