"""What is evaluated in one part or in several costs the same, and is allowed the same memory."""

import threading
from dataclasses import replace
from types import FrameType

import pytest

from bridge.model.errors import LimitExceeded
from bridge.model.time import Steps
from bridge.storage.interface import Querier
from tests.engine.world import MINUTE, SECOND, SETTINGS, Cut, ask, random_store

_STORES: dict[str, Querier] = {"whole": random_store(1), "in parts": Cut(random_store(1), (2,))}


def calls(store: Querier, query: str) -> int:
    """How many Python functions are called in the engine's threads to answer."""
    count = 0

    def counted(_: FrameType, event: str, __: object) -> None:
        nonlocal count
        count += event == "call"

    threading.setprofile(counted)
    try:
        ask(store, query, Steps.at(5 * MINUTE))
    finally:
        threading.setprofile(None)
    return count


@pytest.mark.parametrize("link", [" + 1", " + on () group_left () vector(1)"])
@pytest.mark.parametrize("store", _STORES.values(), ids=_STORES)
def test_an_operator_more_costs_the_same_however_many_there_are(store: Querier, link: str) -> None:
    ask(store, "temperature" + link, Steps.at(5 * MINUTE))  # loads what is loaded once
    few, more, most = (calls(store, "temperature" + link * count) for count in (20, 60, 100))
    assert most - more < 1.2 * (more - few)


@pytest.mark.parametrize("query", ["temperature", "temperature * 2", "rate(temperature[1m])"])
@pytest.mark.parametrize("store", _STORES.values(), ids=_STORES)
def test_a_value_that_is_too_large_is_refused_however_small_its_parts(
    store: Querier, query: str
) -> None:
    steps = Steps(0, 39 * 15 * SECOND, 15 * SECOND)
    tight = replace(SETTINGS, max_bytes=5000)
    with pytest.raises(LimitExceeded, match="a value of 6 series at 40 steps needs 6000 bytes"):
        ask(store, query, steps, tight)


def test_parts_of_a_sum_are_never_held_together() -> None:
    steps = Steps(0, 39 * 15 * SECOND, 15 * SECOND)
    tight = replace(SETTINGS, max_bytes=5000)
    assert ask(_STORES["in parts"], "sum(temperature)", steps, tight).points
