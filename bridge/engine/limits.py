"""What a query may use: samples held, time, and whether it is still wanted."""

import threading
from collections.abc import Callable
from typing import Final, NoReturn

import numpy as np

from bridge.model.errors import LimitExceeded, QueryCanceled, QueryTimeout, TooManySamples
from bridge.model.vectors import Matrix, Scalar, String, Value, Windows
from bridge.promql.ast import BinaryExpr, Call, Expr, SubqueryExpr, children

_WHERE: Final = "expression evaluation"

# A cell of a value holds a float64, a presence flag, and two int64 indices while it is made.
_CELL: Final = 25
# Bytes that are not worth to be counted among all requests.
_NOTEWORTHY: Final = 1 << 16


def points(value: Value) -> int:
    """How many points a value holds; a range vector only shows samples that others hold.

    A histogram counts for several, by its size.
    """
    match value:
        case Matrix():
            floats = int(np.count_nonzero(value.present))
            return floats if value.histograms is None else floats + value.histograms.points
        case Scalar():
            return len(value.values)
        case String() | Windows():
            return 0


def account(expr: Expr, count: int, held: int, budget: "Budget") -> None:
    """Counts the points of an expression's value; `held` were held before its operands.

    Operands are held while a result is made of them; an aggregation's result takes their place. The
    points of a subquery are held until the function over them is done.
    """
    if isinstance(expr, SubqueryExpr):
        return
    if isinstance(expr, BinaryExpr | Call):
        budget.hold(count)
    budget.settle(held, count)


class Tally:
    """The points of each node of an expression whose row ranges are evaluated apart."""

    __slots__ = ("_budget", "_counts", "_lock")

    def __init__(self, budget: "Budget") -> None:
        self._budget = budget
        self._counts: dict[int, int] = {}
        self._lock = threading.Lock()

    def add(self, expr: Expr, value: Value) -> None:
        """Counts a node's value for one row range; raises TooManySamples."""
        count = points(value)
        with self._lock:
            before = 0 if isinstance(value, Scalar) else self._counts.get(id(expr), 0)
            self._counts[id(expr)] = total = before + count
        if 0 < self._budget.max_samples < total:
            raise TooManySamples("query execution")

    def settle(self, expr: Expr) -> None:
        """Accounts for the expression as if it had been evaluated as a whole."""
        held = self._budget.current
        for child in children(expr):
            self.settle(child)
        account(expr, self._counts.get(id(expr), 0), held, self._budget)


class Budget:
    """The running account of one query, shared by the threads that evaluate it.

    Samples are counted as Prometheus does: the points of every value that is held at the time;
    more than `max_samples` fails the query (0: no limit). What is really allocated is limited by
    `max_bytes` (0: no limit). `clock` gives seconds; `deadline` is a moment on it. `reach` is told
    how many bytes values take, before they are made; it may refuse.
    """

    __slots__ = (
        "_clock",
        "_deadline",
        "_lock",
        "_max_bytes",
        "_reach",
        "_stopped",
        "_values",
        "_written",
        "current",
        "max_samples",
        "peak",
    )

    def __init__(
        self,
        max_samples: int,
        max_bytes: int,
        deadline: float,
        clock: Callable[[], float],
        reach: Callable[[int], None] | None = None,
    ) -> None:
        self.max_samples = max_samples
        self._max_bytes = max_bytes
        self._deadline = deadline
        self._clock = clock
        self._reach = reach
        self._lock = threading.Lock()
        self._stopped = False
        self._values = 0
        self._written = 0
        self.current = 0
        self.peak = 0

    def hold(self, samples: int) -> None:
        """Counts samples that are held from now on; raises TooManySamples."""
        with self._lock:
            self.current += samples
            self.peak = max(self.peak, self.current)
            exceeded = 0 < self.max_samples < self.current
        if exceeded:
            raise TooManySamples("query execution")

    def settle(self, held_before: int, samples: int) -> None:
        """Counts what was held before a value's inputs, which are let go, and the value."""
        with self._lock:
            self.current = held_before
        self.hold(samples)

    def room_for(self, series: int, steps: int) -> None:
        """Whether a value of so many cells may be made at all; raises LimitExceeded."""
        needed = series * steps * _CELL
        if 0 < self._max_bytes < needed:
            raise self._too_large(str(series), steps, needed)
        if self._reach is not None and needed > _NOTEWORTHY:
            # Whatever is made of a value stands beside it.
            self._values = max(self._values, 2 * needed)
            self._reach(self._values + self._written)

    def write(self, size: int) -> None:
        """Whether values of labels may be made that have so many bytes; raises LimitExceeded."""
        with self._lock:
            # The bytes, and the text that they become.
            self._written += 2 * size
            written = self._written
        if 0 < self._max_bytes < written:
            raise LimitExceeded(
                f"the values of labels that the query makes need {written} bytes, more than the"
                f" {self._max_bytes} that query.max_bytes allows"
            )
        if self._reach is not None and written > _NOTEWORTHY:
            self._reach(self._values + written)

    def most_series(self, steps: int) -> int:
        """How many series a value of so many steps may have; 0 for any number."""
        return self._max_bytes // (steps * _CELL) if steps else 0

    def refuse(self, series: int, steps: int) -> NoReturn:
        """Raises LimitExceeded for a value of which so many series, too many, are known so far."""
        raise self._too_large(f"at least {series}", steps, series * steps * _CELL)

    def _too_large(self, series: str, steps: int, needed: int) -> LimitExceeded:
        return LimitExceeded(
            f"a value of {series} series at {steps} steps needs {needed} bytes, more than the"
            f" {self._max_bytes} that query.max_bytes allows"
        )

    def stop(self) -> None:
        """The client is gone: evaluation ends at the next check."""
        self._stopped = True

    def check(self) -> None:
        """Raises QueryCanceled or QueryTimeout when there is no point in going on."""
        if self._stopped:
            raise QueryCanceled(_WHERE)
        if self._clock() > self._deadline:
            raise QueryTimeout(_WHERE)
