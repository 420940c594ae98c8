"""What a query cost, put down while it goes on: what it read and evaluated, how long it took."""

from collections.abc import Sequence
from dataclasses import replace

from bridge.engine.evaluation import Evaluation
from bridge.engine.query import Stats
from bridge.engine.stretch import Stretch
from bridge.storage.interface import Provenance, Selection


def read(answers: Sequence[Selection], seconds: float) -> Stats:
    """What was read, and how long preparation took."""
    provenance = Provenance.total(answer.provenance for answer in answers)
    if any(answer.warnings for answer in answers):
        # What a store lacked or failed at may be different when it is asked again.
        provenance = provenance.unvouched()
    return Stats(
        {"queryPreparationTime": seconds},
        samples_read=sum(answer.block.samples for answer in answers),
        received_bytes=sum(answer.received_bytes for answer in answers),
        provenance=provenance,
    )


def continued(stats: Stats, stretch: Stretch, known: int) -> Stats:
    """The same of a query of which the values of so many steps were known."""
    held = stats.provenance
    # Known values rest on what is remembered.
    provenance = replace(held, blocks=max(held.blocks, 1), warranties=stretch.warranties)
    return replace(stats, known_steps=known, provenance=provenance)


def evaluated(stats: Stats, on: Evaluation, seconds: float) -> Stats:
    """The same with what evaluation took."""
    per_step: tuple[tuple[int, int], ...] = ()
    if on.switches.per_step_stats:
        per_step = tuple(zip(on.steps.times().tolist(), on.seen.counts.tolist(), strict=True))
    return replace(
        stats,
        timings={**stats.timings, "innerEvalTime": seconds},
        peak_samples=on.budget.peak,
        queryable_samples=on.seen.total,
        queryable_per_step=per_step,
    )


def timed(stats: Stats, queued: float, total: float) -> Stats:
    """The same with Prometheus' remaining timings, seconds."""
    usual = {"queryPreparationTime": 0.0, "innerEvalTime": 0.0}
    timings = {
        **usual,
        **stats.timings,
        "evalTotalTime": total - queued,
        "resultSortTime": 0.0,
        "execQueueTime": queued,
        "execTotalTime": total,
    }
    return replace(stats, timings=timings)
