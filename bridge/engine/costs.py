"""What a query cost, put down while it goes on: what it read and evaluated, how long it took."""

from collections.abc import Sequence
from dataclasses import replace

from bridge.engine.evaluation import Evaluation
from bridge.engine.query import Stats
from bridge.engine.stretch import Stretch
from bridge.storage.interface import Provenance, Selection


def read(stats: Stats, answers: Sequence[Selection], seconds: float) -> None:
    """What was read, and how long preparation took; nothing is evaluated yet."""
    provenance = Provenance.total([answer.provenance for answer in answers])
    if any(answer.warnings for answer in answers):
        # What a store lacked or failed at may be different when it is asked again.
        provenance = provenance.unvouched()
    stats.timings = {"queryPreparationTime": seconds}
    stats.samples_read = sum(answer.block.samples for answer in answers)
    stats.received_bytes = sum(answer.received_bytes for answer in answers)
    stats.provenance = provenance
    stats.peak_samples = stats.queryable_samples = 0
    stats.queryable_per_step = ()


def evaluated(stats: Stats, on: Evaluation, seconds: float) -> None:
    """What evaluation took."""
    stats.timings["innerEvalTime"] = seconds
    stats.peak_samples = on.budget.peak
    stats.queryable_samples = on.seen.total
    if on.switches.per_step_stats:
        counts = zip(on.steps.times().tolist(), on.seen.counts.tolist(), strict=True)
        stats.queryable_per_step = tuple(counts)


def continued(stats: Stats, stretch: Stretch, known: int) -> None:
    """Of a stretch the values of so many steps were known."""
    held = stats.provenance
    # Known values rest on what is remembered.
    blocks = max(held.blocks, 1)
    stats.provenance = replace(held, blocks=blocks, warranties=stretch.warranties)
    stats.known_steps = known


def timed(stats: Stats, queued: float, total: float) -> None:
    """How long all of it took, under Prometheus' names, seconds."""
    stats.timings = {
        "queryPreparationTime": stats.timings.get("queryPreparationTime", 0.0),
        "innerEvalTime": stats.timings.get("innerEvalTime", 0.0),
        "evalTotalTime": total - queued,
        "resultSortTime": 0.0,
        "execQueueTime": queued,
        "execTotalTime": total,
    }
