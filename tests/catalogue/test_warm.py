"""What an answer takes that was given before: no read, and no work of Python's for each series."""

import sys
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from types import FrameType
from typing import Any, Final

import pytest

import bridge
from bridge.catalogue.answers import Found
from bridge.catalogue.catalogue import Catalogue
from tests.catalogue.world import NOW, Store, catalogue_of, lookup, read

Question = Callable[[Catalogue], Awaitable[Found[str]]]

SOURCES: Final = str(Path(bridge.__file__).parent)
QUESTIONS: Final[dict[str, Question]] = {
    "metrics": lambda one: one.values("__name__", lookup()),
    "names": lambda one: one.names(lookup()),
    "values": lambda one: one.values("pod", lookup()),
    "values of a metric": lambda one: one.values("pod", lookup("requests_7_total")),
    "values where a label is": lambda one: one.values("pod", lookup('{namespace="team-1"}')),
    "names by a pattern": lambda one: one.names(lookup('{__name__=~".*requests_1.*"}')),
}


def catalogue_with(places: Iterable[tuple[int, int]], *, hint: bool) -> tuple[Store, Catalogue]:
    """A catalogue of a store that has each metric of each pod at these places."""
    store = Store(hint=hint)
    for metric, pod, (rack, slot) in product(range(12), range(4), places):
        store.put(
            [NOW],
            name=f"requests_{metric}_total",
            pod=f"app-{pod}",
            namespace=f"team-{pod % 2}",
            rack=str(rack),
            slot=str(slot),
        )
    return store, catalogue_of(store, hint=hint)


@contextmanager
def lines_run() -> Iterator[list[int]]:
    """Counts the lines of our sources that are run, each again whenever a loop comes back to it."""
    count, before = [0], sys.gettrace()

    def traced(frame: FrameType, event: str, _: Any) -> Callable[..., Any] | None:
        count[0] += event == "line"
        return traced if frame.f_code.co_filename.startswith(SOURCES) else None

    sys.settrace(traced)
    try:
        yield count
    finally:
        sys.settrace(before)


@pytest.mark.parametrize("ask", QUESTIONS.values(), ids=QUESTIONS)
async def test_a_warm_answer_asks_no_store(ask: Question) -> None:
    store, catalogue = catalogue_with([(0, 0)], hint=True)
    first = await ask(catalogue)
    asked = len(store.asked)
    again = await ask(catalogue)
    assert asked == len(store.asked) == 1
    assert first.items == again.items != []


@pytest.mark.parametrize("ask", QUESTIONS.values(), ids=QUESTIONS)
@pytest.mark.parametrize("hint", [True, False])
async def test_a_warm_answer_runs_as_many_lines_for_ten_times_the_series(
    ask: Question, hint: bool
) -> None:
    racks = range(10)
    found = []
    for places in (list(zip(racks, racks, strict=True)), list(product(racks, racks))):
        _, catalogue = catalogue_with(places, hint=hint)
        await read(catalogue, '{__name__!=""}')
        await ask(catalogue)
        with lines_run() as count:
            answer = await ask(catalogue)
        found.append((answer.items, count[0]))
    few, many = found
    assert few == many
    assert few[1] > 0
