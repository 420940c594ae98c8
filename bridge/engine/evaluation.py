"""What evaluation has at hand at each node: steps, samples, budget, and which rows it is about."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from itertools import islice
from typing import Final, TypeVar

from bridge.engine.function import Function
from bridge.engine.limits import Budget, Tally
from bridge.engine.plan import Reads, Timing
from bridge.engine.query import DEFAULTS, Switches
from bridge.engine.seen import Seen
from bridge.model.annotations import Annotations
from bridge.model.labels import LabelTable
from bridge.model.time import Steps
from bridge.promql.ast import VectorSelector

_Item = TypeVar("_Item")
_Made = TypeVar("_Made")

# How many row ranges may be under way or finished ahead of the one whose turn it is.
_AHEAD: Final = 4


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """One part of the block of one selector: evaluation that is about these rows only."""

    selector: VectorSelector
    part: int
    tally: Tally


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """The surroundings of a node. `rows` is None unless evaluation goes by row ranges.

    With `counts_only` selectors give histograms without their buckets. `met` takes down the rows of
    every value, in the order of evaluation, where someone wants to compare them.
    """

    steps: Steps
    reads: Reads
    timing: Timing
    functions: Mapping[str, Function]
    annotations: Annotations
    budget: Budget
    pool: Executor
    seen: Seen
    rows: Rows | None = None
    switches: Switches = DEFAULTS
    counts_only: bool = False
    met: list[LabelTable] | None = None


def in_order(
    pool: Executor, make: Callable[[_Item], _Made], items: Iterable[_Item]
) -> Iterator[_Made]:
    """What `make` gives for each item, in the items' order, a bounded number of them at a time."""
    rest = iter(items)
    under_way: deque[Future[_Made]] = deque(
        pool.submit(make, item) for item in islice(rest, _AHEAD)
    )
    try:
        while under_way:
            made = under_way.popleft().result()
            under_way.extend(pool.submit(make, item) for item in islice(rest, 1))
            yield made
    finally:
        for future in under_way:
            future.cancel()
