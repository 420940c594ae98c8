"""What is asked of stores, what is learned, and what an answer says of itself."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.catalogue.answers import APPROXIMATE, Origin
from bridge.catalogue.catalogue import Catalogue
from bridge.catalogue.seeds import Seeds
from bridge.catalogue.settings import CatalogueSettings
from bridge.catalogue.sources import Source
from bridge.model.errors import StoreError, StoreFault
from bridge.model.labels import Labels, matches_all
from bridge.model.time import Window
from bridge.promql.selectors import parse_selector
from bridge.storage.interface import Purpose, Selection
from bridge.storage.view import View
from tests.catalogue.world import DAY, DEFAULTS, HOUR, NOW, Store, catalogue_of, lookup, read

NO_SURVEY = CatalogueSettings(bootstrap=False)
FAILURE = StoreError("store a: no answer", StoreFault("a", 0, 0))
MINUTE = 60_000


def windows(store: Store) -> list[tuple[int, int]]:
    return [(one.start, one.end) for one in store.asked]


async def test_a_known_hint_makes_one_probe_of_the_whole_range() -> None:
    store = Store()
    store.put([NOW - 20 * HOUR], name="up", job="a")
    found = await catalogue_of(store, hint=True).values("job", lookup("up"))
    assert (found.items, found.origin, found.complete) == (["a"], Origin.PROBE, True)
    assert found.warnings == ()
    assert windows(store) == [(DAY.start, DAY.end)]
    assert store.asked[0].purpose is Purpose.SERIES


async def test_an_answer_without_samples_shows_the_hint_and_the_whole_range_follows() -> None:
    store = Store()
    store.put([NOW - 20 * HOUR], name="up", job="old")
    store.put([NOW], name="up", job="new")
    found = await catalogue_of(store).values("job", lookup("up"))
    assert (found.items, found.complete) == (["new", "old"], True)
    assert windows(store) == [(NOW - 5 * MINUTE, NOW), (DAY.start, DAY.end)]


async def test_a_store_that_ignores_the_hint_is_read_in_pieces_and_the_answer_says_so() -> None:
    store = Store(hint=False)
    store.put([NOW - 20 * HOUR], name="up", job="missed")
    store.put([NOW], name="up", job="new")
    store.put([DAY.start], name="up", job="first")
    catalogue = catalogue_of(store)
    found = await catalogue.values("job", lookup("up"))
    assert (found.items, found.complete) == (["first", "new"], False)
    assert found.warnings == (APPROXIMATE,)
    width = 5 * MINUTE
    middle = DAY.start + (DAY.end - width - DAY.start) // 2
    assert windows(store) == [
        (NOW - width, NOW),
        (DAY.start, DAY.start + width),
        (middle, middle + width),
    ]


async def test_a_short_range_is_read_as_a_whole() -> None:
    store = Store(hint=False)
    store.put([NOW - 9 * MINUTE], name="up", job="a")
    short = Window(NOW - 10 * MINUTE, NOW)
    found = await catalogue_of(store).values("job", lookup("up", window=short))
    assert (found.items, found.complete, windows(store)) == (["a"], True, [(short.start, NOW)])


async def test_the_same_question_is_not_asked_again() -> None:
    store = Store()
    store.put([NOW], name="up", job="a")
    catalogue = catalogue_of(store, hint=True)
    for _ in range(3):
        assert (await catalogue.names(lookup("up"))).items == ["__name__", "job"]
        assert (await catalogue.values("job", lookup("up"))).items == ["a"]
    assert len(store.asked) == 1
    await catalogue.names(replace(lookup("up"), window=Window(DAY.start, NOW - 1)))
    assert len(store.asked) == 2


@pytest.mark.parametrize(
    "selector",
    ['{job="a"}', '{__name__=~".*u.*"}', '{__name__!=""}', '{__name__=~"u.+",job="a"}', ""],
)
async def test_what_names_no_metric_never_asks_a_store_that_ignores_the_hint(selector: str) -> None:
    store = Store(hint=False)
    store.put([NOW], name="up", job="a")
    catalogue = catalogue_of(store, hint=False)
    question = lookup(*filter(None, [selector]))
    assert (await catalogue.series(question)).items == []
    await read(catalogue, "up")
    found = await catalogue.values("job", question)
    assert (found.items, found.origin, found.complete) == (["a"], Origin.CATALOGUE, False)
    assert len(store.asked) == 1


@pytest.mark.parametrize("hint", [True, None])
async def test_what_leaves_series_out_is_asked_where_that_costs_no_samples(
    hint: bool | None,
) -> None:
    store = Store()
    store.put([NOW - 9 * HOUR], name="up", job="a")
    store.put([NOW], name="down", job="a")
    catalogue = catalogue_of(store, hint=hint)
    found = await catalogue.values("__name__", lookup('{job="a"}'))
    assert (found.items, found.origin, found.complete) == (["down", "up"], Origin.PROBE, True)


@pytest.mark.parametrize("selector", ['{__name__!=""}', '{__name__=~".+"}', '{job!=""}', ""])
async def test_what_leaves_nothing_out_never_asks_a_store_whose_hint_is_unknown(
    selector: str,
) -> None:
    store = Store()
    store.put([NOW], name="up", job="a")
    assert (await catalogue_of(store).series(lookup(*filter(None, [selector])))).items == []
    assert not store.asked


async def test_all_names_are_read_once_from_a_store_that_honours_the_hint() -> None:
    store = Store()
    store.put([NOW - HOUR], name="up", job="a")
    store.put([NOW - 3 * HOUR], name="gone", job="b")
    catalogue = catalogue_of(store, hint=True)
    recent = Window(NOW - HOUR, NOW + MINUTE)
    found = await catalogue.values("__name__", lookup(window=recent))
    assert (found.items, found.origin, found.complete) == (["up"], Origin.CATALOGUE, True)
    found = await catalogue.values("__name__", lookup())
    assert (found.items, found.complete) == (["up"], False)
    assert [(one.purpose, one.start, one.end) for one in store.asked] == [
        (Purpose.SERIES, NOW - 2 * HOUR, NOW)
    ]


async def test_names_of_the_time_since_are_read_when_they_are_needed_again() -> None:
    store, clock = Store(), [NOW]
    source = Source("a", View(store), hint=True)
    catalogue = Catalogue(store, [source], DEFAULTS, lambda: clock[0])
    store.put([NOW], name="up")
    assert (await catalogue.values("__name__", lookup())).items == ["up"]
    clock[0] = later = NOW + 11 * MINUTE
    store.put([later], name="late")
    await catalogue.values("__name__", lookup(window=Window(NOW, later)))
    assert source.task is not None
    await source.task
    found = await catalogue.values("__name__", lookup(window=Window(NOW, later)))
    assert (found.items, found.complete) == (["late", "up"], True)
    assert windows(store) == [(NOW - 2 * HOUR, NOW), (NOW, later)]


async def test_a_survey_that_fails_leaves_what_was_learned() -> None:
    store = Store()
    store.put([NOW], name="up", job="a")
    catalogue = catalogue_of(store, hint=True)
    await read(catalogue, "up")
    store.error = FAILURE
    found = await catalogue.values("job", lookup())
    assert (found.items, found.complete) == (["a"], False)


async def test_a_failing_store_is_stood_in_for_by_what_was_learned() -> None:
    store = Store()
    store.put([NOW], name="up", job="a")
    catalogue = catalogue_of(store, settings=NO_SURVEY)
    await read(catalogue, "up")
    store.error = FAILURE
    found = await catalogue.values("job", lookup("up"))
    assert (found.items, found.origin, found.complete) == (["a"], Origin.CATALOGUE, False)
    assert found.warnings[0] == "store a: no answer; the answer is what was learned before"
    with pytest.raises(StoreError, match="no answer"):
        await catalogue.values("job", lookup("down"))


async def test_several_stores_and_selectors_are_one_answer() -> None:
    one, other = Store(), Store()
    one.put([NOW], name="up", job="a")
    other.put([NOW], name="down", job="b")
    catalogue = catalogue_of(one, other, hint=True)
    assert (await catalogue.values("job", lookup("up", "down"))).items == ["a", "b"]
    assert (await catalogue.values("job", lookup("up", 'down{job="c"}'))).items == ["a"]


async def test_a_store_with_required_matchers_is_asked_only_by_those_who_have_them() -> None:
    store = Store()
    store.put([NOW], name="up", region="x")
    view = View(store, required_matchers=(("region", "x"),))
    source = Source("a", view, hint=True)
    catalogue = Catalogue(view, [source], NO_SURVEY, lambda: NOW)
    assert (await catalogue.names(lookup("up"))).items == []
    assert store.asked == []
    assert (await catalogue.names(lookup('up{region="x"}'))).items == ["__name__", "region"]


async def test_a_survey_has_the_required_matchers() -> None:
    store = Store()
    store.put([NOW], name="up", region="x")
    view = View(store, required_matchers=(("region", "x"),))
    source = Source("a", view, hint=True)
    catalogue = Catalogue(view, [source], DEFAULTS, lambda: NOW)
    assert (await catalogue.names(lookup())).items == ["__name__", "region"]
    assert [str(one) for one in store.asked[0].matchers] == ['__name__!=""', 'region="x"']


async def test_seeds_are_names_as_long_as_something_may_be_missing() -> None:
    store = Store()
    store.put([NOW], name="up")
    seeds = Seeds(("node_load1", "up"))
    catalogue = catalogue_of(store, settings=NO_SURVEY, seeds=seeds)
    assert (await catalogue.values("__name__", lookup())).items == ["node_load1", "up"]
    matching = lookup('{__name__=~"node_.*"}')
    assert (await catalogue.values("__name__", matching)).items == ["node_load1"]
    other = lookup('{__name__=~"node_.*",job="a"}')
    assert (await catalogue.values("__name__", other)).items == []
    assert (await catalogue.values("job", matching)).items == []
    assert (await catalogue.series(matching)).items == []


async def test_more_than_fits_is_said_to_be_incomplete() -> None:
    store = Store()
    for number in range(30):
        store.put([NOW], name="up", n=str(number))
    catalogue = catalogue_of(store, hint=True, settings=replace(NO_SURVEY, max_series=10))
    found = await catalogue.values("n", lookup("up"))
    assert len(catalogue.learned.index) <= 10
    assert not found.complete


async def test_an_empty_range_asks_nothing() -> None:
    store = Store()
    store.put([NOW], name="up")
    catalogue = catalogue_of(store, hint=True)
    for question in (lookup(window=Window(2, 1)), lookup("up", window=Window(2, 1))):
        assert (await catalogue.names(question)).items == []
    assert store.asked == []


async def test_a_large_answer_is_learned_behind_it_and_known_to_the_next_question() -> None:
    store = Store()
    for number in range(2000):
        store.put([NOW], name="up", n=str(number))
    catalogue = catalogue_of(store, settings=NO_SURVEY)
    await read(catalogue, "up")
    assert len(catalogue.learned.index) < 2000
    assert len((await catalogue.values("n", lookup())).items) == 2000


SERIES = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "ab"]),
        st.sampled_from(["", "x", "y", "xy"]),
        st.lists(st.integers(NOW - 30 * HOUR, NOW), min_size=1, max_size=4, unique=True),
    ),
    unique_by=lambda one: one[:2],
    max_size=8,
)
SPANS = st.tuples(*[st.integers(NOW - 30 * HOUR, NOW)] * 2).map(
    lambda pair: Window(min(pair), max(pair))
)
SELECTORS = st.sampled_from(
    [
        '{__name__!=""}',
        "a",
        '{__name__=~"a.*"}',
        '{l="x"}',
        'a{l!="x"}',
        '{l=~".*y"}',
        '{__name__="b"}',
    ]
)


@given(
    SERIES,
    st.lists(st.tuples(SELECTORS, SPANS), max_size=3),
    st.lists(SELECTORS, max_size=2),
    SPANS,
    st.booleans(),
    st.sampled_from([None, True]),
)
async def test_what_was_read_is_known_and_only_what_matches_is_told(
    series: list[tuple[str, str, list[int]]],
    reads: list[tuple[str, Window]],
    selectors: list[str],
    asked: Window,
    honours: bool,
    hint: bool | None,
) -> None:
    store, held = Store(hint=honours), dict[Labels, list[int]]()
    for name, value, times in series:
        held[store.put(sorted(times), name=name, l=value)] = times
    known = hint if honours else None
    settings = replace(DEFAULTS, bootstrap=honours)
    catalogue = catalogue_of(store, hint=known, settings=settings)
    for selector, window in reads:
        await read(catalogue, selector, window)
    found = await catalogue.series(lookup(*selectors, window=asked))
    sets = [parse_selector(one) for one in selectors] or [()]
    fitting = {one for one in held if any(matches_all(held_set, one) for held_set in sets)}

    def there(labels: Labels, *spans: Window) -> bool:
        low, high = max(one.start for one in spans), min(one.end for one in spans)
        return any(low <= time <= high for time in held[labels])

    assert set(found.items) <= fitting
    present = {one for one in fitting if there(one, asked)}
    if found.complete:
        assert present <= set(found.items)
    brought = {
        one
        for one in present
        for selector, window in reads
        if matches_all(parse_selector(selector), one) and there(one, asked, window)
    }
    assert brought <= set(found.items)
    assert found.complete == (not found.warnings)


async def test_a_select_passes_unchanged() -> None:
    store = Store()
    store.put([NOW - 1, NOW], name="up")
    block = await read(catalogue_of(store), "up")
    assert (len(block), block.samples) == (1, 2)
    assert isinstance(await store.select(store.asked[0], lookup().options), Selection)
