"""Arithmetic of native histograms: add, subtract, scale, reduce, compact.

Every function changes the histogram it is given first; with `kahan` it keeps what was lost as well.
Source: model/histogram/float_histogram.go of Prometheus.
"""

from typing import Final

from bridge.kernel import called, inlined
from bridge.model.bucket_bounds import CUSTOM_SCHEMA, exponential_bound, is_exponential
from bridge.model.histogram_custom import add_custom_buckets, same_bounds
from bridge.model.histogram_layout import (
    COUNT,
    GAUGE,
    HINT,
    SCHEMA,
    SUM,
    UNKNOWN,
    ZERO_COUNT,
    ZERO_THRESHOLD,
)
from bridge.model.histogram_scratch import LIMITS, SIZES, Scratch
from bridge.model.kahan import add as kahan_add
from bridge.model.kahan import is_infinite

# What an addition or subtraction has to report.
MIXED_SCHEMAS: Final = 1
COLLISION: Final = 2
RECONCILED: Final = 4


@inlined
def is_custom(scratch: Scratch) -> bool:
    """Whether the histogram has custom buckets."""
    return bool(scratch.facts[SCHEMA] == CUSTOM_SCHEMA)


@inlined
def upper_bound(scratch: Scratch, index: int) -> float:
    """The absolute upper bound of an exponential bucket."""
    return exponential_bound(index, scratch.facts[SCHEMA])


@called
def add(a: Scratch, b: Scratch, subtract: bool, kahan: bool) -> int:
    """Adds `b` to `a`, or subtracts it, and leaves `b` undefined; returns what there is to report.

    After MIXED_SCHEMAS `a` is as it was. `a` has room for `b`.
    """
    if is_custom(a) != is_custom(b):
        return MIXED_SCHEMAS
    report = COLLISION if join_hints(a, b.facts[HINT]) else 0
    sign = -1.0 if subtract else 1.0
    if not is_custom(a):
        count, lost = _reconcile_zero_buckets(a, b, kahan)
        add_number(a, ZERO_COUNT, sign * count, kahan)
        if kahan:
            add_number(a, ZERO_COUNT, lost, kahan)
    add_number(a, COUNT, sign * b.numbers[0, COUNT], kahan)
    add_number(a, SUM, sign * b.numbers[0, SUM], kahan)
    if is_custom(a) and not same_bounds(a, b):
        add_custom_buckets(a, b, sign, kahan)
        return report | RECONCILED
    if b.facts[SCHEMA] < a.facts[SCHEMA]:
        reduce(a, b.facts[SCHEMA], kahan)
    elif b.facts[SCHEMA] > a.facts[SCHEMA]:
        reduce(b, a.facts[SCHEMA], kahan)
    # A loop, as each call that names a side would be compiled by itself.
    for side in range(1 if is_custom(a) else 2):
        _add_buckets(a, b, side, sign, kahan)
    return report


@inlined
def join_hints(a: Scratch, theirs: int) -> bool:
    """Sets the hint of a sum with another; True if one says reset and the other says none."""
    ours = a.facts[HINT]
    if ours == theirs or ours in (GAUGE, UNKNOWN):
        if theirs == GAUGE:
            a.facts[HINT] = GAUGE
        return False
    if theirs in (GAUGE, UNKNOWN):
        a.facts[HINT] = theirs
        return False
    a.facts[HINT] = UNKNOWN
    return True


@inlined
def add_number(a: Scratch, which: int, value: float, kahan: bool) -> None:
    """Adds to the zero count, the count or the sum."""
    if kahan:
        a.numbers[0, which], a.numbers[1, which] = kahan_add(
            value, a.numbers[0, which], a.numbers[1, which]
        )
    else:
        a.numbers[0, which] += value


@called
def _reconcile_zero_buckets(a: Scratch, b: Scratch, kahan: bool) -> tuple[float, float]:
    """Widens a's zero bucket until it fits b's; returns what b's would count, and lose."""
    threshold, count, lost = b.numbers[0, ZERO_THRESHOLD], b.numbers[0, ZERO_COUNT], 0.0
    while threshold != a.numbers[0, ZERO_THRESHOLD]:
        wider = a.numbers[0, ZERO_THRESHOLD]
        if wider > threshold:
            count, threshold, lost = zero_count_within(b, wider, False)
        if threshold > wider:
            widened, wider, lost_of_a = zero_count_within(a, threshold, kahan)
            a.numbers[0, ZERO_COUNT], a.numbers[0, ZERO_THRESHOLD] = widened, wider
            if kahan:
                a.numbers[1, ZERO_COUNT] = lost_of_a
            _drop_within_zero_bucket(a, kahan)
    return count, lost


@called
def zero_count_within(a: Scratch, threshold: float, kahan: bool) -> tuple[float, float, float]:
    """What the zero bucket would count with a wider threshold, that threshold, and what is lost.

    A threshold within a populated bucket is moved to that bucket's end.
    """
    lost = a.numbers[1, ZERO_COUNT] if kahan else 0.0
    count = a.numbers[0, ZERO_COUNT]
    if threshold == a.numbers[0, ZERO_THRESHOLD]:
        return count, threshold, lost
    side = 0
    while side < 2:
        if side == 0:
            count = a.numbers[0, ZERO_COUNT]
        side += 1
        for bucket in range(a.facts[SIZES + side - 1]):
            index = a.places[side - 1, bucket] >> 1
            if upper_bound(a, index - 1) >= threshold:
                break
            held = a.counts[side - 1, bucket]
            count, lost = kahan_add(held, count, lost)
            if kahan:
                count, lost = kahan_add(a.lost[side - 1, bucket], count, lost)
            if upper_bound(a, index) > threshold:
                if held != 0.0:
                    threshold = upper_bound(a, index)
                    # The positive buckets have to be looked at again.
                    side = side if side == 1 else 0
                break
    return count, threshold, lost


@called
def _drop_within_zero_bucket(a: Scratch, kahan: bool) -> None:
    threshold = a.numbers[0, ZERO_THRESHOLD]
    for side in range(2):
        for bucket in range(a.facts[SIZES + side]):
            if upper_bound(a, (a.places[side, bucket] >> 1) - 1) >= threshold:
                break
            a.counts[side, bucket] = 0.0
            a.lost[side, bucket] = 0.0
    compact(a, kahan)


@called
def _add_buckets(a: Scratch, b: Scratch, side: int, sign: float, kahan: bool) -> None:
    """Adds one side's buckets, but those that a's zero bucket covers."""
    first, size = _outside_zero_bucket(a, b, side), b.facts[SIZES + side]
    if first == 0 and _same_places(a, b, side):
        for bucket in range(size):
            _add_bucket(a, bucket, b, bucket, side, sign, kahan)
        return
    at, missing = 0, 0
    for bucket in range(first, size):
        index = b.places[side, bucket] >> 1
        while at < a.facts[SIZES + side] and a.places[side, at] >> 1 < index:
            at += 1
        if at < a.facts[SIZES + side] and a.places[side, at] >> 1 == index:
            _add_bucket(a, at, b, bucket, side, sign, kahan)
        else:
            missing += 1
    if missing:
        insert_buckets(a, b, side, first, sign)


@inlined
def _outside_zero_bucket(a: Scratch, b: Scratch, side: int) -> int:
    """The first of b's buckets that reaches beyond a's zero bucket."""
    if not is_exponential(a.facts[SCHEMA]):
        return 0
    bucket, threshold = 0, a.numbers[0, ZERO_THRESHOLD]
    while (
        bucket < b.facts[SIZES + side] and upper_bound(a, b.places[side, bucket] >> 1) <= threshold
    ):
        bucket += 1
    return bucket


@inlined
def _same_places(a: Scratch, b: Scratch, side: int) -> bool:
    size = a.facts[SIZES + side]
    if size != b.facts[SIZES + side]:
        return False
    same, bucket = True, 0
    while same and bucket < size:
        same = a.places[side, bucket] >> 1 == b.places[side, bucket] >> 1
        bucket += 1
    return same


@inlined
def _add_bucket(
    a: Scratch, at: int, b: Scratch, bucket: int, side: int, sign: float, kahan: bool
) -> None:
    if not kahan:
        a.counts[side, at] += sign * b.counts[side, bucket]
        return
    count, lost = kahan_add(sign * b.counts[side, bucket], a.counts[side, at], a.lost[side, at])
    if b.lost[side, bucket] != 0.0:
        count, lost = kahan_add(b.lost[side, bucket], count, lost)
    a.counts[side, at], a.lost[side, at] = count, lost


@called
def insert_buckets(a: Scratch, b: Scratch, side: int, first: int, sign: float) -> None:
    """Inserts those of b's buckets that `a` lacks; which span one joins is Prometheus' rule."""
    at, out, size, last = 0, 0, a.facts[SIZES + side], b.facts[SIZES + side]
    bucket, opens, previous = first, 1, -1
    while at < size or bucket < last:
        ours = a.places[side, at] >> 1 if at < size else 1 << 40
        theirs = b.places[side, bucket] >> 1 if bucket < last else 1 << 40
        if ours <= theirs:
            a.places[2, out] = a.places[side, at] & (-1 if opens else -2)
            a.counts[2, out], a.lost[2, out] = a.counts[side, at], a.lost[side, at]
            at += 1
            bucket += int(ours == theirs)
            opens = 1
        else:
            joins = out > 0 and previous == theirs - 1
            a.places[2, out] = 2 * theirs + int(not joins)
            a.counts[2, out], a.lost[2, out] = sign * b.counts[side, bucket], b.lost[side, bucket]
            bucket += 1
            # It takes over the beginning of a span that it stands directly before.
            opens = int(joins or ours != theirs + 1)
        previous = min(ours, theirs)
        out += 1
    _take_new_buckets(a, side, out)


@inlined
def _take_new_buckets(a: Scratch, side: int, size: int) -> None:
    """Makes the buckets built in the third row those of a side."""
    for bucket in range(size):
        a.places[side, bucket] = a.places[2, bucket]
        a.counts[side, bucket] = a.counts[2, bucket]
        a.lost[side, bucket] = a.lost[2, bucket]
    a.facts[SIZES + side] = size


@called
def reduce(a: Scratch, schema: int, kahan: bool) -> None:
    """Merges exponential buckets to a coarser schema."""
    shift = a.facts[SCHEMA] - schema
    for side in range(2):
        size, last = 0, 0
        for bucket in range(a.facts[SIZES + side]):
            index = (((a.places[side, bucket] >> 1) - 1) >> shift) + 1
            count, lost = a.counts[side, bucket], a.lost[side, bucket]
            if size == 0 or index != last:
                a.places[side, size] = 2 * index + int(size == 0 or index != last + 1)
                a.counts[side, size], a.lost[side, size] = count, lost
                size, last = size + 1, index
                continue
            if not kahan:
                a.counts[side, size - 1] += count
                continue
            total, rest = kahan_add(count, a.counts[side, size - 1], a.lost[side, size - 1])
            a.counts[side, size - 1], a.lost[side, size - 1] = kahan_add(lost, total, rest)
        a.facts[SIZES + side] = size
    a.facts[SCHEMA] = schema


@called
def compact(a: Scratch, kahan: bool) -> None:
    """Drops empty buckets; what is left has as few spans as can be."""
    for side in range(2):
        size, last = 0, 0
        for bucket in range(a.facts[SIZES + side]):
            count, lost = a.counts[side, bucket], a.lost[side, bucket]
            if count == 0.0 and not (kahan and lost != 0.0):
                continue
            index = a.places[side, bucket] >> 1
            a.places[side, size] = 2 * index + int(size == 0 or index != last + 1)
            a.counts[side, size], a.lost[side, size] = count, lost
            size, last = size + 1, index
        a.facts[SIZES + side] = size


@called
def multiply(a: Scratch, factor: float) -> None:
    """Scales all counts and the sum; a negative factor makes a gauge."""
    for which in range(1, 4):
        a.numbers[0, which] *= factor
    for side in range(2):
        for bucket in range(a.facts[SIZES + side]):
            a.counts[side, bucket] *= factor
    if factor < 0.0:
        a.facts[HINT] = GAUGE


@called
def divide(a: Scratch, divisor: float) -> None:
    """Divides all counts and the sum; 0 removes all buckets, a negative divisor makes a gauge."""
    for which in range(1, 4):
        a.numbers[0, which] /= divisor
    if divisor == 0.0:
        a.facts[SIZES] = a.facts[SIZES + 1] = 0
        return
    for side in range(2):
        for bucket in range(a.facts[SIZES + side]):
            a.counts[side, bucket] /= divisor
    if divisor < 0.0:
        a.facts[HINT] = GAUGE


@called
def multiply_lost(a: Scratch, factor: float) -> None:
    """Scales what was lost."""
    for which in range(1, 4):
        a.numbers[1, which] *= factor
    for side in range(2):
        for bucket in range(a.facts[SIZES + side]):
            a.lost[side, bucket] *= factor


@called
def divide_lost(a: Scratch, divisor: float) -> None:
    """Divides what was lost."""
    for which in range(1, 4):
        a.numbers[1, which] /= divisor
    for side in range(2):
        for bucket in range(a.facts[SIZES + side]):
            a.lost[side, bucket] /= divisor


@called
def add_lost(a: Scratch) -> None:
    """Adds what was lost to the numbers and counts, as if it were a histogram."""
    for which in range(1, 4):
        a.numbers[0, which] += a.numbers[1, which]
    for side in range(2):
        for bucket in range(_outside_zero_bucket(a, a, side), a.facts[SIZES + side]):
            a.counts[side, bucket] += a.lost[side, bucket]


@called
def overflows(a: Scratch) -> bool:
    """Whether a number, a count or a custom bound is infinite."""
    found = False
    for which in range(1, 4):
        found |= is_infinite(a.numbers[0, which])
    for side in range(2):
        for bucket in range(a.facts[SIZES + side]):
            found |= is_infinite(a.counts[side, bucket])
    for bound in range(a.facts[LIMITS]):
        found |= is_infinite(a.bounds[0, bound])
    return found
