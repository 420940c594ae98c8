"""How much work an evaluation is: done at once, in a thread, or behind everything else."""

from collections.abc import Sequence
from typing import Final

from bridge.engine.prepared import Prepared
from bridge.model.samples import SeriesBlock
from bridge.model.time import Steps
from bridge.storage.interface import Estimate

# Characters that may take 5 ms to parse: every one may be a token.
LONG_TEXT: Final = 500
# Samples and points from which on an evaluation is long: a few milliseconds of work.
LONG: Final = 200_000
# What is evaluated at once rather than in a thread, a millisecond of work at most: how often a node
# looks at a sample. What a node costs in any case, and in the place of a float a histogram, in
# such looks.
_AT_ONCE: Final = 100_000
_NODE: Final = 1000
_HISTOGRAM: Final = 100
# What a point takes of evaluation and of writing it, in samples read from memory.
_SAMPLES_OF_POINT: Final = 10


def fits_at_once(prepared: Prepared, steps: Steps, blocks: Sequence[SeriesBlock]) -> bool:
    """Whether a change of threads would cost about as much as the evaluation."""
    if prepared.nested or prepared.range is None or len(prepared.text) >= LONG_TEXT:
        return False
    cells = sum(map(len, blocks)) * len(steps)
    # In how many steps' ranges a sample is.
    looks = min(len(steps), prepared.range // steps.interval + 1) if prepared.range else 1
    samples = sum(block.samples for block in blocks) * looks
    dear = _HISTOGRAM if any(block.has_histograms for block in blocks) else 1
    return (prepared.nodes * (cells + _NODE) + samples) * dear <= _AT_ONCE


def work_of(steps: Steps, blocks: Sequence[SeriesBlock]) -> int:
    """How many samples and points evaluation goes over."""
    return sum(block.samples + len(block) * len(steps) for block in blocks)


def remembered_work(estimate: Estimate, steps: Steps) -> int:
    """About what it takes to answer with what is remembered, in samples read from memory."""
    samples = estimate.samples or 0
    # No series is without samples.
    series = samples if estimate.series is None else min(estimate.series, samples)
    return samples + _SAMPLES_OF_POINT * series * len(steps)
