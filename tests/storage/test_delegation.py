"""A query is given to a store only if the store alone can answer it, and may."""

import pytest

from bridge.model.labels import Matcher, MatchType
from bridge.model.time import Bound, Steps
from bridge.storage.delegation import Delegation, Pushdown, delegate_for
from bridge.storage.interface import Delegated, Select
from bridge.storage.memory import MemoryStore
from bridge.storage.view import View

STORE = MemoryStore()
REGION = Matcher("region", MatchType.EQUAL, "x")
UP = Select((Matcher("__name__", MatchType.EQUAL, "up"),), 0, 100)


class Evaluating:
    """A store that evaluates."""

    async def evaluate(
        self, text: str, steps: Steps, lookback: int, limit: int, within: int
    ) -> Delegated:
        return Delegated(b"{}", "far")


FAR = Evaluating()


def given(
    *stores: Delegation, over_limit: bool = True, selects: tuple[Select, ...] = (UP,)
) -> bool:
    return delegate_for(stores, selects, over_limit=over_limit) is not None


@pytest.mark.parametrize(
    ("pushdown", "over_limit", "wanted"),
    [
        (Pushdown.NEVER, True, False),
        (Pushdown.OVER_LIMIT, False, False),
        (Pushdown.OVER_LIMIT, True, True),
        (Pushdown.ALWAYS, False, True),
        (Pushdown.ALWAYS, True, True),
    ],
)
def test_the_setting_decides(pushdown: Pushdown, over_limit: bool, wanted: bool) -> None:
    assert given(Delegation(View(STORE), FAR, pushdown), over_limit=over_limit) is wanted


@pytest.mark.parametrize(
    "view",
    [
        View(STORE, labels=(("dc", "x"),)),
        View(STORE, dropped=frozenset(["replica"])),
        View(STORE, external_labels=(("dc", "x"),)),
        View(STORE, oldest=Bound(50)),
    ],
    ids=["labels set", "labels dropped", "labels filtered", "a part of the time"],
)
def test_a_store_that_sees_other_data_is_not_given_it(view: View) -> None:
    assert not given(Delegation(view, FAR, Pushdown.ALWAYS))


def test_a_query_of_several_stores_stays_here() -> None:
    one = Delegation(View(STORE), FAR, Pushdown.ALWAYS)
    other = Delegation(View(STORE, required_matchers=(("region", "x"),)))
    assert not given(one, one)
    assert given(one, other)
    both = Select((*UP.matchers, REGION), 0, 100)
    assert not given(one, other, selects=(UP, both))


def test_a_query_without_reads_stays_here() -> None:
    assert not given(Delegation(View(STORE), FAR, Pushdown.ALWAYS), selects=())
