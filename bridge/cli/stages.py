"""How long each stage of a query took, for a terminal."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from bridge.cli.terminal import Table
from bridge.telemetry.trace import Stage

Json = Mapping[str, Any]

# These go on while the stage before them lasts, several reads side by side.
_WITHIN_FETCH: Final = (Stage.RECALL, Stage.READ, Stage.JOIN)
_BAR: Final = 20


def stage_lines(data: Json, width: int) -> Iterator[str]:
    """What the `stats` of an answer tell, in a terminal of so many columns."""
    stats = data.get("stats", {})
    seconds: Mapping[str, float] = stats.get("stages", {})
    if not seconds:
        yield "The server tells no stages: it is no prombridge, or a store evaluated the query."
        return
    total = sum(spent for stage, spent in seconds.items() if stage not in _WITHIN_FETCH)
    rows = tuple(_row(stage, seconds[stage], total) for stage in Stage if stage in seconds)
    yield from Table(("STAGE", "MS", "SHARE", ""), rows).lines(width)
    yield ""
    yield _sentence(stats["samples"], total)


def _row(stage: Stage, seconds: float, total: float) -> tuple[str, ...]:
    share = seconds / total if total else 0.0
    name = f"  {stage}" if stage in _WITHIN_FETCH else str(stage)
    bar = ("█" * min(_BAR, round(share * _BAR))).ljust(_BAR)
    return name, f"{seconds * 1000:.2f}", f"{share:.0%}", bar


def _sentence(samples: Json, total: float) -> str:
    read, seen, peak = (
        samples[name] for name in ("samplesRead", "totalQueryableSamples", "peakSamples")
    )
    return (
        f"{total * 1000:.1f} ms; {read:,} samples read, {seen:,} seen by all steps,"
        f" {peak:,} held at most."
    )
