"""Number and duration literals: where one ends and what it is worth."""

import math
import re
from typing import Final

from bridge.model.time import parse_duration
from bridge.promql.tokens import DURATION, NUMBER

_DIGITS: Final = "0123456789"
_HEX_DIGITS: Final = "0123456789abcdefABCDEF"
_INTEGER: Final = re.compile(r"0[xX](_?[0-9a-fA-F])+|0(_?[0-7])*|[1-9](_?[0-9])*")
_STRAY_UNDERSCORE: Final = re.compile(r"(?<![0-9])_|_(?![0-9])")


class BadNumber(Exception):
    """Digits that are neither a number nor a duration; `args[0]` is where the scan stopped."""


class _Scan:
    """A place in the text that moves over accepted characters."""

    def __init__(self, text: str, at: int) -> None:
        self.text = text
        self.at = at

    def sees(self, valid: str) -> bool:
        char = self.text[self.at : self.at + 1]
        return char != "" and char in valid

    def accept(self, valid: str) -> bool:
        seen = self.sees(valid)
        self.at += seen
        return seen

    def at_end(self) -> bool:
        return self.at >= len(self.text)

    def in_word(self) -> bool:
        char = self.text[self.at : self.at + 1]
        return char.isascii() and (char.isalnum() or char == "_")


def scan_number(text: str, start: int) -> tuple[str, int]:
    """The kind and the end of the literal at `start`; raises BadNumber.

    Source: scanNumber and acceptRemainingDuration of promql/parser/lex.go.
    """
    scan = _Scan(text, start)
    if _scan_number(scan):
        return NUMBER, scan.at
    if _scan_units(scan):
        return DURATION, scan.at
    raise BadNumber(scan.at)


def _scan_number(scan: _Scan) -> bool:
    start, digits = scan.at, _DIGITS
    if scan.accept("0") and scan.accept("xX"):
        scan.accept("_")
        digits = _HEX_DIGITS
    scan.accept(".")
    scan.accept(digits)
    dot = exponent = False
    while scan.sees(digits + "._eE"):
        if (dot and scan.accept(".")) or (exponent and scan.accept("eE")):
            return False
        if scan.accept("."):
            dot = True
            if scan.accept("_.") or digits is _HEX_DIGITS:
                return False
        elif scan.accept("eE"):
            exponent = True
            scan.accept("+-")
            if scan.accept("._eE") or scan.at_end():
                return False
        elif scan.accept("_"):
            if scan.accept("._eE") or scan.at_end():
                return False
        else:
            while scan.accept(digits):
                pass
    return scan.at != start and not scan.in_word()


def _scan_units(scan: _Scan) -> bool:
    if not scan.accept("smhdwy"):
        return False
    scan.accept("s")
    while scan.accept(_DIGITS):
        while scan.accept(_DIGITS):
            pass
        if not scan.accept("smhdw"):
            return False
        scan.accept("s")
    if scan.in_word():
        scan.at += 1
        return False
    return True


def number_value(text: str) -> float:
    """What a number is worth: Go's ParseInt of base 0, else ParseFloat; raises ValueError."""
    # More digits than 64 bits have need no look: Python refuses to read thousands of them.
    if _INTEGER.fullmatch(text) and len(text.lstrip("0xX_")) <= 64:
        value = int(text.replace("_", ""), _base(text))
        if value < 1 << 63:
            return float(value)
    fault = f'strconv.ParseFloat: parsing "{text}": '
    try:
        value_as_float = float(text.replace("_", ""))
    except ValueError:
        raise ValueError(fault + "invalid syntax") from None
    if _STRAY_UNDERSCORE.search(text):
        raise ValueError(fault + "invalid syntax")
    if math.isinf(value_as_float) and text.lower() != "inf":
        raise ValueError(fault + "value out of range")
    return value_as_float


def _base(text: str) -> int:
    if text[:2] in ("0x", "0X"):
        return 16
    return 8 if text[0] == "0" else 10


def duration_value(text: str) -> float:
    """What a duration is worth in seconds, as Go's Duration.Seconds rounds; raises ValueError."""
    seconds, rest = divmod(parse_duration(text), 1000)
    return float(seconds) + float(rest * 1_000_000) / 1e9


def milliseconds(seconds: float) -> int:
    """Seconds of a literal as ms: rounded to ns, half away from zero, then cut to ms."""
    scaled = abs(seconds) * 1e9
    if not scaled < 2.0**63:
        # NaN and what is just too large, as amd64 converts them.
        return -(2**63 // 1_000_000)
    nanoseconds = math.floor(scaled)
    nanoseconds += scaled - nanoseconds >= 0.5
    return int(math.copysign(1, seconds)) * (nanoseconds // 1_000_000)


def out_of_range(seconds: float) -> bool:
    """Whether a duration does not fit into 64 bits of nanoseconds."""
    return abs(seconds) > 2.0**63 / 1e9
