"""A store is asked for what concerns it, and its series bear the labels that are set."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.model.arrays import Int64s
from bridge.model.labels import Labels, Matcher, MatchType, matches_all
from bridge.model.samples import EMPTY_BLOCK
from bridge.model.time import Bound, Window
from bridge.storage.interface import (
    Provenance,
    Purpose,
    ReadOptions,
    Select,
    Selection,
)
from bridge.storage.memory import MemoryStore
from bridge.storage.view import View
from bridge.storage.warranty import Warranties, lasting
from tests.storage.blocks import Plain, labels, literal, plain

OPTIONS = ReadOptions()
EVERYTHING = Select((), 0, 100)
A, B = labels(__name__="m", job="a"), labels(__name__="m", job="b")
NOW = 1000


class Noting:
    """A store that notes what it is asked."""

    def __init__(self, memory: MemoryStore) -> None:
        self.memory = memory
        self.asked: list[Select] = []
        self.options: list[ReadOptions] = []

    async def select(self, select: Select, options: ReadOptions) -> Selection:
        self.asked.append(select)
        self.options.append(options)
        return await self.memory.select(select, options)


def equals(name: str, value: str) -> Matcher:
    return Matcher(name, MatchType.EQUAL, value)


async def seen(view: View, *matchers: Matcher, purpose: Purpose = Purpose.SAMPLES) -> Plain:
    """What a view shows of everything that satisfies these matchers."""
    return plain((await view.select(Select(matchers, 0, 100, purpose), OPTIONS)).block)


class Watching:
    """Somebody to whom nothing is shown."""

    def saw(self, labels: Sequence[Labels], offsets: Int64s, timestamps: Int64s) -> None:
        raise AssertionError


@pytest.mark.parametrize(
    ("settings", "shown"),
    [
        ({}, True),
        ({"external_labels": (("dc", "x"),)}, True),
        ({"enforced": (equals("job", "a"),)}, True),
        ({"dropped": frozenset({"job"})}, False),
        ({"labels": (("dc", "x"),)}, False),
    ],
)
async def test_a_read_is_watched_unless_series_may_become_the_same(
    settings: dict[str, Any], shown: bool
) -> None:
    store = Noting(MemoryStore())
    watching = Watching()
    await View(store, **settings).select(EVERYTHING, ReadOptions(watch=watching))
    assert [one.watch for one in store.options] == [watching if shown else None]


@pytest.mark.parametrize(
    ("matcher", "asked"),
    [
        (equals("job", "a"), True),
        (equals("job", "b"), False),
        (Matcher("job", MatchType.REGEXP, "a"), False),
    ],
)
async def test_required_matchers_decide_whether_a_store_is_asked(
    matcher: Matcher, asked: bool
) -> None:
    store = Noting(MemoryStore(literal({A: [(1, 1.0)]})))
    found = await seen(View(store, required_matchers=(("job", "a"),)), matcher)
    assert (bool(store.asked), found) == ((True, {A: [(1, 1.0)]}) if asked else (False, {}))


MINE, OTHER = labels(__name__="m", dc="x", job="a"), labels(__name__="m", dc="y", job="a")
EXTERNAL = View(
    MemoryStore(literal({MINE: [(1, 1.0)], OTHER: [(1, 2.0)]})), external_labels=(("dc", "x"),)
)


async def test_external_labels_are_asked_for_and_taken_off() -> None:
    assert await seen(EXTERNAL) == {A: [(1, 1.0)]}


async def test_external_labels_with_a_matcher_of_the_user_are_left_alone() -> None:
    found = await seen(EXTERNAL, Matcher("dc", MatchType.NOT_EQUAL, ""))
    assert list(found) == [MINE, OTHER]


async def test_a_label_that_is_set_stands_in_every_series_and_is_never_asked_for() -> None:
    store = Noting(MemoryStore(literal({A: [(1, 1.0)], OTHER: [(2, 2.0)]})))
    view = View(store, labels=(("dc", "x"), ("z", "1")))
    found = await seen(view, equals("dc", "x"), equals("job", "a"))
    assert found == {labels(__name__="m", dc="x", job="a", z="1"): [(1, 1.0), (2, 2.0)]}
    assert store.asked[0].matchers == (equals("job", "a"),)


async def test_a_store_whose_labels_do_not_fit_is_not_asked() -> None:
    store = Noting(MemoryStore(literal({A: [(1, 1.0)]})))
    assert await seen(View(store, labels=(("dc", "x"),)), equals("dc", "y")) == {}
    assert await seen(View(store, dropped=frozenset(["job"])), equals("job", "a")) == {}
    assert store.asked == []


async def test_series_that_differ_in_dropped_labels_only_are_one() -> None:
    one, two = labels(__name__="m", replica="1"), labels(__name__="m", replica="2")
    store = MemoryStore(literal({one: [(1, 1.0), (2, 2.0)], two: [(2, 9.0), (3, 3.0)]}))
    view = View(store, dropped=frozenset(["replica"]))
    merged = labels(__name__="m")
    assert await seen(view) == {merged: [(1, 1.0), (2, 2.0), (3, 3.0)]}
    assert await seen(view, purpose=Purpose.SERIES) == {merged: []}


values = st.sampled_from(["", "x", "y"])
matchers = st.builds(
    Matcher, st.sampled_from(["dc", "job", "gone"]), st.sampled_from(list(MatchType)), values
)


@given(
    st.lists(st.tuples(values, values, values), max_size=6, unique=True),
    st.lists(matchers, max_size=3),
)
async def test_matchers_mean_what_they_say_of_the_series_shown(
    rows: list[tuple[str, str, str]], asked: list[Matcher]
) -> None:
    held = [Labels.of({"__name__": "m", "dc": dc, "job": job, "gone": g}) for dc, job, g in rows]
    store = MemoryStore(literal({one: [(at, float(at))] for at, one in enumerate(held)}))
    view = View(store, labels=(("dc", "x"),), dropped=frozenset(["gone"]))
    everything = await seen(view)
    found = await seen(view, *asked)
    assert found == {one: held for one, held in everything.items() if matches_all(asked, one)}


@pytest.mark.parametrize(
    ("oldest", "newest", "asked"),
    [
        (None, None, Window(0, 100)),
        (Bound(20), None, Window(20, 100)),
        (None, Bound(20), Window(0, 20)),
        (Bound(-950, relative=True), Bound(-910, relative=True), Window(50, 90)),
        (Bound(101), None, None),
        (None, Bound(-1), None),
    ],
)
async def test_a_store_is_asked_for_its_own_time_only(
    oldest: Bound | None, newest: Bound | None, asked: Window | None
) -> None:
    store = Noting(MemoryStore(literal({A: [(at, 1.0) for at in range(101)]})))
    view = View(store, oldest=oldest, newest=newest, now=lambda: NOW)
    found = await seen(view)
    windows = [Window(one.start, one.end) for one in store.asked]
    assert windows == ([] if asked is None else [asked])
    assert view.covers(Window(0, 100)) is (asked == Window(0, 100))
    assert sum(map(len, found.values())) == (asked.end - asked.start + 1 if asked else 0)


async def test_labels_keep_their_order_and_samples_their_series() -> None:
    held = {labels(__name__=name, a=name): [(1, float(at))] for at, name in enumerate("zyx")}
    found = await seen(View(MemoryStore(literal(held)), labels=(("a", "1"),)))
    assert found == {
        Labels.of({"__name__": name, "a": "1"}): [(1, float(at))]
        for at, name in reversed(list(enumerate("zyx")))
    }
    assert list(found) == sorted(found)


class Vouching:
    """A store whose answers stay the same."""

    async def select(self, select: Select, options: ReadOptions) -> Selection:
        return Selection(EMPTY_BLOCK, provenance=Provenance(blocks=1, warranties=()))


async def vouched(view: View) -> Warranties:
    selection = await view.select(Select((), NOW - 200, NOW - 100), OPTIONS)
    assert selection.provenance.warranties is not None
    return selection.provenance.warranties


@pytest.mark.parametrize(
    ("oldest", "newest"),
    [
        (Bound(-150, relative=True), None),
        (Bound(-1000, relative=True), Bound(-150, relative=True)),
    ],
)
async def test_an_answer_lasts_only_while_edges_that_move_leave_it_alone(
    oldest: Bound, newest: Bound | None
) -> None:
    moments = [NOW]
    view = View(Vouching(), oldest=oldest, newest=newest, now=lambda: moments[-1])
    found = await vouched(view)
    assert await lasting(found)
    moments.append(NOW + 20)
    assert not await lasting(found)


async def test_an_answer_lasts_where_edges_stand_still() -> None:
    moments = [NOW]
    view = View(Vouching(), oldest=Bound(NOW - 150), now=lambda: moments[-1])
    found = await vouched(view)
    moments.append(NOW + 10_000)
    assert await lasting(found)
