"""Sizes in bytes as text."""

import re
from decimal import Decimal
from typing import Final

_SIZE: Final = re.compile(r"(\d+(?:\.\d+)?)(?:([KMGTPE]?)i?B)?", re.ASCII)


def parse_size(text: str) -> int:
    """A size in bytes: `4GiB`, `512MB`, `1000`; units are powers of 1024, as in Prometheus."""
    found = _SIZE.fullmatch(text)
    if found is None:
        raise ValueError(f'not a valid size: "{text}"')
    number, unit = found.groups(default="")
    size = int(Decimal(number) * 1024 ** " KMGTPE".index(unit or " "))
    if size >= 1 << 63:
        raise ValueError(f'size out of range: "{text}"')
    return size


def parse_united_size(text: str) -> int:
    """A size as Prometheus takes it: with its unit, unless it is 0."""
    if text != "0" and not text.endswith("B"):
        raise ValueError(f"units: unknown unit in {text}")
    return parse_size(text)
