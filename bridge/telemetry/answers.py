"""The metrics of remembered answers."""

from collections.abc import Sized
from typing import Final, Protocol

from prometheus_client import CollectorRegistry, Gauge

from bridge.telemetry.totals import Totals

_PREFIX: Final = "prombridge_answers"
_HIT: Final = ("hit",)
_MISS: Final = ("miss",)


class Shelved(Sized, Protocol):
    """What tells how many answers or windows are remembered, and how many bytes they take."""

    @property
    def nbytes(self) -> int: ...


class AnswerMetrics:
    """The metrics of remembered answers."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._looked = Totals(
            f"{_PREFIX}_lookups_total",
            "Queries, by whether their answer was remembered.",
            ("result",),
            registry,
        )
        for result in (_HIT, _MISS):
            self._looked.add(result, 0)
        self._awaited = Totals(
            f"{_PREFIX}_awaited_total",
            "Queries that were given the answer of an equal one that was being evaluated.",
            (),
            registry,
        )
        self._awaited.add((), 0)
        self._limit = Gauge(
            f"{_PREFIX}_limit_bytes",
            "What remembered answers may own, and known values beside them.",
            registry=registry,
        )
        self._owned = Gauge(
            f"{_PREFIX}_owned_bytes", "Memory owned by remembered answers.", registry=registry
        )
        self._count = Gauge(f"{_PREFIX}", "Answers that are remembered.", registry=registry)
        self._steps = Totals(
            f"{_PREFIX}_steps_total",
            "Steps of range queries, by whether their values were known when they were asked for.",
            ("result",),
            registry,
        )
        self.steps(known=0, evaluated=0)
        self._windows = Gauge(
            f"{_PREFIX}_windows",
            "Range queries whose values are kept for when their window moves on.",
            registry=registry,
        )
        self._windows_owned = Gauge(
            f"{_PREFIX}_windows_owned_bytes", "Memory owned by these values.", registry=registry
        )

    def watch(self, answers: Shelved, windows: Shelved, limit: int) -> None:
        """Shows what is remembered from now on; both may own as much as the limit."""
        self._limit.set(limit)
        self._windows.set_function(lambda: len(windows))
        self._windows_owned.set_function(lambda: windows.nbytes)
        self._owned.set_function(lambda: answers.nbytes)
        self._count.set_function(lambda: len(answers))

    def looked(self, *, found: bool) -> None:
        """Counts a query whose answer was looked for."""
        self._looked.add(_HIT if found else _MISS)

    def awaited(self) -> None:
        """Counts a query that was given the answer for which it waited."""
        self._awaited.add(())

    def steps(self, known: int, evaluated: int) -> None:
        """Counts the steps of a range query."""
        self._steps.add(("known",), known)
        self._steps.add(("evaluated",), evaluated)
