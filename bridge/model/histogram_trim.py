"""What is left of a native histogram below or above a value: the operators `</` and `>/`.

Source: TrimBuckets in model/histogram/float_histogram.go of Prometheus.
"""

import math

from bridge.kernel import called, inlined
from bridge.model.histogram_layout import COUNT, SUM, ZERO_COUNT, ZERO_THRESHOLD
from bridge.model.histogram_math import compact, is_custom, upper_bound
from bridge.model.histogram_quantile import fraction_below
from bridge.model.histogram_scratch import LIMITS, SIZES, Scratch
from bridge.model.kahan import is_infinite


@called
def trim(a: Scratch, value: float, keep_below: bool) -> None:
    """Keeps what is below a value, or above; count and sum are estimated anew if anything goes."""
    count, total, trimmed = 0.0, 0.0, False
    has_positive, has_negative = False, False
    for side in range(2):
        for bucket in range(a.facts[SIZES + side]):
            held = a.counts[side, bucket]
            if held == 0.0:
                continue
            has_positive |= side == 0
            has_negative |= side == 1
            lower, upper = _bounds(a, side, a.places[side, bucket] >> 1)
            kept, middle = _kept(a, side, lower, upper, held, value, keep_below)
            if kept != held or _is_outside(lower, upper, value, keep_below):
                a.counts[side, bucket] = kept
                trimmed = True
            count += kept
            total += middle * kept
    if a.numbers[0, ZERO_COUNT] > 0.0:
        kept, middle = _kept_zeros(a, has_negative, has_positive, value, keep_below)
        trimmed |= a.numbers[0, ZERO_COUNT] != kept
        a.numbers[0, ZERO_COUNT] = kept
        total += middle * kept
        count += kept
    if trimmed:
        a.numbers[0, COUNT], a.numbers[0, SUM] = count, total
        compact(a, False)


@inlined
def _bounds(a: Scratch, side: int, index: int) -> tuple[float, float]:
    """Where a bucket begins and ends, by the schema alone."""
    if side == 1:
        return -upper_bound(a, index), -upper_bound(a, index - 1)
    if not is_custom(a):
        return upper_bound(a, index - 1), upper_bound(a, index)
    lower = a.bounds[0, index - 1] if index > 0 else -math.inf
    return lower, a.bounds[0, index] if index < a.facts[LIMITS] else math.inf


@inlined
def _is_outside(lower: float, upper: float, value: float, keep_below: bool) -> bool:
    """Whether nothing of a bucket is kept; nothing is if the value is NaN."""
    if keep_below:
        return not (upper <= value or lower < value)
    return not (lower >= value or upper > value)


@called
def _kept(
    a: Scratch, side: int, lower: float, upper: float, held: float, value: float, keep_below: bool
) -> tuple[float, float]:
    """How many observations of a bucket are kept, and the value that stands for them."""
    linear = is_custom(a)
    if _is_outside(lower, upper, value, keep_below):
        return 0.0, 0.0
    if (keep_below and upper <= value) or (not keep_below and lower >= value):
        return held, _middle(lower, upper, side, linear)
    if lower == -math.inf:
        return _kept_from_below(upper, held, value, keep_below)
    if upper == math.inf:
        # How they spread is unknown: all that may be above are, none is surely below.
        return (0.0, 0.0) if keep_below else (held, value)
    below = held * fraction_below(lower, upper, value, linear)
    if keep_below:
        return below, _middle(lower, value, side, linear)
    return held - below, _middle(value, upper, side, linear)


@inlined
def _kept_from_below(
    upper: float, held: float, value: float, keep_below: bool
) -> tuple[float, float]:
    """The same of a bucket without lower bound; 0 is taken for it if the bucket ends above 0."""
    finite = upper > 0.0 and upper != math.inf
    if keep_below:
        if value > 0.0 and finite:
            return held * value / upper, value / 2.0
        return (held, value) if upper <= 0.0 else (0.0, 0.0)
    if value >= 0.0 and upper > value and upper != math.inf:
        return held * (1.0 - value / upper), (value + upper) / 2.0
    return 0.0, 0.0


@called
def _kept_zeros(
    a: Scratch, has_negative: bool, has_positive: bool, value: float, keep_below: bool
) -> tuple[float, float]:
    """The same of the zero bucket, which ends at 0 where only one side is populated."""
    held, upper = a.numbers[0, ZERO_COUNT], a.numbers[0, ZERO_THRESHOLD]
    lower = -upper
    if has_negative and not has_positive:
        upper = 0.0
    if has_positive and not has_negative:
        lower = 0.0
    if value <= lower or value >= upper:
        # Below first, as the two are the same where the bucket has no width.
        all_kept = not keep_below if value <= lower else keep_below
        return (held, (lower + upper) / 2.0) if all_kept else (0.0, 0.0)
    share = (value - lower if keep_below else upper - value) / (upper - lower)
    return held * share, (lower + value if keep_below else value + upper) / 2.0


@inlined
def _middle(lower: float, upper: float, side: int, linear: bool) -> float:
    """The value that stands for a bucket's observations: a mean, geometric if exponential."""
    if is_infinite(lower):
        if is_infinite(upper):
            return 0.0
        return upper / 2.0 if upper > 0.0 else upper
    if is_infinite(upper):
        return lower
    if linear:
        return (lower + upper) / 2.0
    mean = math.sqrt(abs(lower * upper))
    return mean if side == 0 else -mean
