"""Sorting by labels, numbers within their values counting as numbers.

Source: funcSortByLabel in promql/functions.go; Compare of facette/natsort, quirks included.
"""

import re
from collections.abc import Callable
from functools import cmp_to_key
from typing import Final, cast

import numpy as np

from bridge.engine.function import STRING, VECTOR, CallSite, Function, function
from bridge.model.annotations import sort_in_range_query
from bridge.model.labels import Labels
from bridge.model.vectors import Matrix, Value

_CHUNK: Final = re.compile(r"[0-9]+|[^0-9]+")
_GREATEST_INT: Final = 2**63 - 1
_DIGITS: Final = len(str(_GREATEST_INT))


def _sort_by_label(name: str, sign: int) -> Function:
    def apply(site: CallSite, values: tuple[Value, ...]) -> Value:
        vector = cast("Matrix", values[0])
        if site.steps.start != site.steps.end:
            site.annotations.add(sort_in_range_query(site.call.pos))
            return vector
        names = [site.text(index) for index in range(1, len(values))]
        key = cmp_to_key(_comparison(names, sign))
        rows: list[int] = np.flatnonzero(vector.occupied[:, 0]).tolist()
        rows.sort(key=lambda row: key(vector.labels[row]))
        return vector.take(np.array(rows, np.int64))

    arguments = (VECTOR, STRING)
    return function(name, arguments, variadic=-1, keeps_name=True, experimental=True)(apply)


sort_by_label = _sort_by_label("sort_by_label", 1)
sort_by_label_desc = _sort_by_label("sort_by_label_desc", -1)


def _comparison(names: list[str], sign: int) -> Callable[[Labels, Labels], int]:
    """Which of two label sets is first: by these labels in natural order, then by all labels.

    A `sign` of -1 turns the order round.
    """

    def compare(one: Labels, other: Labels) -> int:
        for name in names:
            value, against = one.get(name), other.get(name)
            if value != against:
                return -sign if precedes(value, against) else sign
        return sign * ((one.pairs > other.pairs) - (one.pairs < other.pairs))

    return compare


def precedes(one: str, other: str) -> bool:
    """Whether a text comes before another: chunk by chunk, digits compared as integers.

    Of two texts that only differ in leading zeros, each precedes the other.
    """
    chunks, against = _CHUNK.findall(one), _CHUNK.findall(other)
    for index, chunk in enumerate(chunks):
        if index >= len(against):
            return False
        number, rival = _integer(chunk), _integer(against[index])
        if number is not None and rival is not None:
            if number != rival:
                return number < rival
        elif chunk != against[index]:
            return bool(chunk < against[index])
        if index == len(chunks) - 1 or index == len(against) - 1:
            return index == len(chunks) - 1
    return False


def _integer(chunk: str) -> int | None:
    """The chunk as Go's Atoi reads it; None for what it refuses."""
    digits = chunk.lstrip("0") if "0" <= chunk[0] <= "9" else None
    if digits is None or len(digits) > _DIGITS:
        return None
    number = int(digits or "0")
    return number if number <= _GREATEST_INT else None
