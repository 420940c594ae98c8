"""The catalogues of several stores answer as one, also while one store cannot."""

import pytest

from bridge.catalogue.answers import Origin
from bridge.catalogue.catalogue import Catalogue
from bridge.catalogue.joint import JointCatalogue
from bridge.catalogue.settings import CatalogueSettings
from bridge.catalogue.sources import Source
from bridge.model.errors import StoreError, StoreFault
from bridge.storage.fanout import PartialResponse
from bridge.storage.view import View
from tests.catalogue.world import NOW, Store, lookup

FAILURE = StoreError("store b: no answer", StoreFault("b", 0, 0))
SETTINGS = CatalogueSettings(bootstrap=False)
FAIL, WARN = PartialResponse.FAIL, PartialResponse.WARN


def joint(*stores: Store, partial: PartialResponse = FAIL) -> JointCatalogue:
    """The catalogues of these stores, each known to honour the hint."""
    views = [View(store) for store in stores]
    parts = [Catalogue(one, [Source("s", one, None, True)], SETTINGS, lambda: NOW) for one in views]
    return JointCatalogue(tuple((one, partial) for one in parts))


def holding(*jobs: str) -> Store:
    store = Store()
    for job in jobs:
        store.put([NOW], name="up", job=job)
    return store


async def test_names_values_and_series_are_those_of_all_stores() -> None:
    catalogue = joint(holding("a", "b"), holding("b", "c"))
    values = await catalogue.values("job", lookup("up"))
    assert (values.items, values.origin, values.complete) == (["a", "b", "c"], Origin.PROBE, True)
    assert (await catalogue.names(lookup("up"))).items == ["__name__", "job"]
    found = await catalogue.series(lookup("up"))
    assert [one.get("job") for one in found.items] == ["a", "b", "c"]
    assert catalogue.types() == [("up", "unknown")]
    assert await catalogue.metadata() == {"up": [{"type": "unknown", "unit": "", "help": ""}]}


async def test_a_series_counts_once_for_each_store_and_a_value_once() -> None:
    catalogue = joint(holding("a", "b"), holding("b", "c"))
    await catalogue.names(lookup("up"))
    await catalogue.settled()
    counts = catalogue.cardinality(10)
    assert (counts.series, counts.series_by_metric) == (4, [("up", 4)])
    assert dict(counts.values_by_label) == {"__name__": 1, "job": 3}
    assert counts.series_by_pair[:2] == [("__name__=up", 4), ("job=b", 2)]


@pytest.mark.parametrize("partial", [FAIL, WARN])
async def test_a_store_that_fails_leaves_a_warning(partial: PartialResponse) -> None:
    failing = holding("b")
    failing.error = FAILURE
    found = await joint(holding("a"), failing, partial=partial).values("job", lookup("up"))
    assert (found.items, found.origin, found.complete) == (["a"], Origin.CATALOGUE, False)
    assert found.warnings == ("store b: no answer; the answer lacks its data",)


async def test_if_nothing_is_known_the_failure_is_the_answer_unless_it_is_allowed() -> None:
    failing, empty = holding("b"), Store()
    failing.error = FAILURE
    with pytest.raises(StoreError, match="no answer"):
        await joint(empty, failing).values("job", lookup("up"))
    found = await joint(empty, failing, partial=WARN).values("job", lookup("up"))
    assert (found.items, len(found.warnings)) == ([], 1)
    alone = await joint(failing, partial=WARN).values("job", lookup("up"))
    assert (alone.items, alone.complete) == ([], False)
