"""How Prometheus adds floats: Neumaier's variant of Kahan summation, and the mean built on it.

A running value is a pair: the sum and its compensation. Source: util/kahansum and promql/engine.go.
"""

import sys
from typing import Final

from bridge.kernel import inlined

_LARGEST: Final = sys.float_info.max


@inlined
def is_infinite(value: float) -> bool:
    """Whether a value is +Inf or -Inf."""
    return value > _LARGEST or value < -_LARGEST


@inlined
def add(value: float, total: float, lost: float) -> tuple[float, float]:
    """The pair after adding `value`; an infinite sum has no compensation."""
    new = total + value
    # Both errors and a choice rather than a branch: which value is larger is hard to foresee.
    if_smaller, if_larger = (total - new) + value, (value - new) + total
    kept = lost + (if_smaller if abs(total) >= abs(value) else if_larger)
    return new, 0.0 if is_infinite(new) else kept


@inlined
def add_to_mean(
    value: float, count: float, total: float, lost: float, incremental: bool
) -> tuple[float, float, bool]:
    """The state of a mean after its `count`-th value.

    The state is a sum until that would overflow; from then on `incremental` is true and it is
    the mean itself. Start with the first value itself as sum and no loss.
    """
    if not incremental:
        new, new_lost = add(value, total, lost)
        if not is_infinite(new):
            return new, new_lost, False
        total /= count - 1.0
        lost /= count - 1.0
    share = (count - 1.0) / count
    mean, mean_lost = add(value / count, share * total, share * lost)
    return mean, mean_lost, True


@inlined
def mean(count: float, total: float, lost: float, incremental: bool) -> float:
    """The mean that such a state stands for."""
    if incremental:
        return total + lost
    return total / count + lost / count
