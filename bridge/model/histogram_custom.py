"""Addition of native histograms with custom buckets whose bounds differ.

Source: model/histogram/float_histogram.go of Prometheus.
"""

from bridge.kernel import called, inlined
from bridge.model.histogram_scratch import LIMITS, SIZES, Scratch
from bridge.model.kahan import add as kahan_add


@inlined
def same_bounds(a: Scratch, b: Scratch) -> bool:
    """Whether two histograms have the same custom bounds."""
    if a.facts[LIMITS] != b.facts[LIMITS]:
        return False
    same, bound = True, 0
    while same and bound < a.facts[LIMITS]:
        same = a.bounds[0, bound] == b.bounds[0, bound]
        bound += 1
    return same


@called
def add_custom_buckets(a: Scratch, b: Scratch, sign: float, kahan: bool) -> None:
    """Adds custom buckets of other bounds: both are laid out on the bounds they share."""
    shared = _shared_bounds(a, b)
    for bucket in range(shared + 1):
        a.counts[2, bucket] = a.lost[2, bucket] = 0.0
    _lay_out(a, a, shared, 1.0, kahan)
    _lay_out(a, b, shared, sign, False)
    size, previous = 0, -2
    for index in range(shared + 1):
        count, lost = a.counts[2, index], a.lost[2, index]
        if count == 0.0 and lost == 0.0:
            continue
        a.places[0, size] = 2 * index + int(index != previous + 1)
        a.counts[0, size], a.lost[0, size] = count, lost
        size, previous = size + 1, index
    a.facts[SIZES], a.facts[LIMITS] = size, shared
    for bound in range(shared):
        a.bounds[0, bound] = a.bounds[1, bound]


@inlined
def _shared_bounds(a: Scratch, b: Scratch) -> int:
    """Writes the bounds in both to the second row; returns how many there are."""
    i, j, shared = 0, 0, 0
    while i < a.facts[LIMITS] and j < b.facts[LIMITS]:
        ours, theirs = a.bounds[0, i], b.bounds[0, j]
        if ours == theirs:
            a.bounds[1, shared] = ours
            shared += 1
        i += int(ours <= theirs)
        j += int(not ours < theirs)
    return shared


@inlined
def _lay_out(a: Scratch, source: Scratch, shared: int, sign: float, lost: bool) -> None:
    """Adds buckets to those built in a's third row, each where the next shared bound ends."""
    at = 0
    for bucket in range(source.facts[SIZES]):
        index, target = source.places[0, bucket] >> 1, shared
        if index < source.facts[LIMITS]:
            while at < shared and a.bounds[1, at] < source.bounds[0, index]:
                at += 1
            target = at
        total, rest = kahan_add(
            sign * source.counts[0, bucket], a.counts[2, target], a.lost[2, target]
        )
        if lost:
            total, rest = kahan_add(source.lost[0, bucket], total, rest)
        a.counts[2, target], a.lost[2, target] = total, rest
