"""Whether a counter histogram was reset since the one before, and whether two are equal.

Source: DetectReset and Equals in model/histogram/float_histogram.go of Prometheus.
"""

import math

import numpy as np

from bridge.kernel import called, inlined
from bridge.model.bucket_bounds import is_exponential
from bridge.model.histogram_custom import same_bounds
from bridge.model.histogram_layout import (
    BOUNDS,
    BOUNDS_SIZE,
    COUNT,
    COUNTS,
    HINT,
    NOT_RESET,
    PLACES,
    RESET,
    SCHEMA,
    SIDE,
    SIZE,
    ZERO_COUNT,
    ZERO_THRESHOLD,
    Arrays,
)
from bridge.model.histogram_math import is_custom, reduce, upper_bound, zero_count_within
from bridge.model.histogram_scratch import LIMITS, SIZES, Scratch


@called
def was_reset(now: Scratch, before: Scratch) -> bool:
    """Whether a counter was reset between two histograms; `before` is undefined afterwards."""
    if now.facts[HINT] == RESET or now.facts[HINT] == NOT_RESET:
        return bool(now.facts[HINT] == RESET)
    if now.numbers[0, COUNT] < before.numbers[0, COUNT]:
        return True
    if is_custom(now):
        if not is_custom(before):
            return True
        if not same_bounds(now, before):
            return _fewer_in_shared_bounds(now, before)
    if now.facts[SCHEMA] > before.facts[SCHEMA]:
        return True
    threshold = now.numbers[0, ZERO_THRESHOLD]
    if threshold < before.numbers[0, ZERO_THRESHOLD]:
        return True
    zero_count, wider, _ = zero_count_within(before, threshold, False)
    if wider != threshold or now.numbers[0, ZERO_COUNT] < zero_count:
        return True
    if before.facts[SCHEMA] != now.facts[SCHEMA]:
        reduce(before, now.facts[SCHEMA], False)
    return _fewer(now, before)


@inlined
def _fewer(now: Scratch, before: Scratch) -> bool:
    """Whether a bucket outside the zero bucket counts less than before, or is missing."""
    fewer = False
    for side in range(2):
        fewer = fewer or _fewer_of_side(now, before, side)
    return fewer


@inlined
def _fewer_of_side(now: Scratch, before: Scratch, side: int) -> bool:
    at, size = _beyond_zero(now, now, side), now.facts[SIZES + side]
    for bucket in range(_beyond_zero(now, before, side), before.facts[SIZES + side]):
        index, count = before.places[side, bucket] >> 1, before.counts[side, bucket]
        while at < size and now.places[side, at] >> 1 < index:
            at += 1
        if at < size and now.places[side, at] >> 1 == index:
            if now.counts[side, at] < count:
                return True
        elif count != 0.0:
            return True
    return False


@inlined
def _beyond_zero(now: Scratch, histogram: Scratch, side: int) -> int:
    """The first bucket of a histogram that reaches beyond the zero bucket."""
    threshold = now.numbers[0, ZERO_THRESHOLD]
    if threshold == 0.0 or not is_exponential(now.facts[SCHEMA]):
        return 0
    bucket = 0
    while (
        bucket < histogram.facts[SIZES + side]
        and upper_bound(now, histogram.places[side, bucket] >> 1) <= threshold
    ):
        bucket += 1
    return bucket


@called
def _fewer_in_shared_bounds(now: Scratch, before: Scratch) -> bool:
    """The same for custom buckets of other bounds: compared on the bounds that both have."""
    i, j, ours, theirs = 0, 0, 0, 0
    while i <= now.facts[LIMITS] and j <= before.facts[LIMITS]:
        bound, other = _custom_bound(now, i), _custom_bound(before, j)
        if bound == other:
            count, ours = _up_to(now, ours, bound)
            count_before, theirs = _up_to(before, theirs, bound)
            if count < count_before:
                return True
        i += int(bound <= other)
        j += int(not bound < other)
    return False


@inlined
def _custom_bound(a: Scratch, index: int) -> float:
    return a.bounds[0, index] if index < a.facts[LIMITS] else math.inf


@inlined
def _up_to(a: Scratch, bucket: int, bound: float) -> tuple[float, int]:
    """What the buckets from `bucket` on count that end at or below a bound, and the next one."""
    count = 0.0
    while bucket < a.facts[SIZES] and _custom_bound(a, a.places[0, bucket] >> 1) <= bound:
        count += a.counts[0, bucket]
        bucket += 1
    return count, bucket


@called
def equal(a: Arrays, i: int, b: Arrays, j: int) -> bool:
    """Whether two rows are equal bit for bit, their layouts included; hints do not count."""
    ours, theirs = a.rows[i], b.rows[j]
    same = ours[SCHEMA] == theirs[SCHEMA] and ours[BOUNDS_SIZE] == theirs[BOUNDS_SIZE]
    same &= a.numbers[i, ZERO_THRESHOLD] == b.numbers[j, ZERO_THRESHOLD]
    for which in range(1, 4):
        same &= _bits(a.numbers[i, which]) == _bits(b.numbers[j, which])
    for side in range(2):
        size = ours[SIZE + SIDE * side]
        same &= size == theirs[SIZE + SIDE * side]
        place, other_place = ours[PLACES + SIDE * side], theirs[PLACES + SIDE * side]
        count, other_count = ours[COUNTS + SIDE * side], theirs[COUNTS + SIDE * side]
        bucket = 0
        while same and bucket < size:
            same &= a.places[place + bucket] == b.places[other_place + bucket]
            same &= _bits(a.counts[count + bucket]) == _bits(b.counts[other_count + bucket])
            bucket += 1
    bound = 0
    while same and bound < ours[BOUNDS_SIZE]:
        same &= a.bounds[ours[BOUNDS] + bound] == b.bounds[theirs[BOUNDS] + bound]
        bound += 1
    return bool(same)


@inlined
def _bits(value: float) -> int:
    return int(np.float64(value).view(np.int64))
