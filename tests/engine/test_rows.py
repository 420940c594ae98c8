"""Long chains of operators cost as much an operator as short ones, in one part or in several."""

import threading
from types import FrameType

import pytest

from bridge.model.time import Steps
from bridge.storage.interface import Querier
from tests.engine.world import MINUTE, Cut, ask, random_store

_STORES = {"whole": random_store(1), "in parts": Cut(random_store(1), (2,))}


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
