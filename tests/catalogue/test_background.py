"""What the catalogue does by itself: find out, read all names, survive a restart."""

import asyncio
import contextlib
from pathlib import Path

import pytest

from bridge.catalogue.background import Background
from bridge.catalogue.catalogue import Catalogue
from bridge.catalogue.seeds import Seeds
from bridge.catalogue.settings import CatalogueSettings
from bridge.model.errors import StoreError, StoreFault
from bridge.model.labels import Matcher, MatchType
from bridge.model.time import Window
from bridge.storage.interface import Purpose
from tests.catalogue.world import DAY, DEFAULTS, HOUR, NOW, Store, catalogue_of, lookup, read
from tests.waiting import until


def at(path: Path, bootstrap: bool = False) -> CatalogueSettings:
    return CatalogueSettings(path=str(path), bootstrap=bootstrap)


async def survey(catalogue: Catalogue) -> None:
    for source in catalogue.sources:
        await Background(catalogue, "").survey(source)


async def test_a_store_that_is_found_to_honour_the_hint_tells_all_its_names() -> None:
    store = Store()
    store.put([NOW], name="up", job="a")
    store.put([NOW - HOUR], name="other", job="b")
    catalogue = catalogue_of(store)
    await survey(catalogue)
    assert (await catalogue.values("job", lookup())).items == ["a", "b"]
    first, everything = store.asked
    assert (str(first.matchers[0]), first.start) == ('__name__="up"', NOW - 300_000)
    assert (str(everything.matchers[0]), everything.purpose) == ('__name__!=""', Purpose.SERIES)


async def test_a_store_that_ignores_the_hint_is_never_asked_for_everything() -> None:
    store = Store(hint=False)
    store.put([NOW], name="up", job="a")
    store.put([NOW], name="other", job="b")
    catalogue = catalogue_of(store)
    await survey(catalogue)
    assert (await catalogue.values("job", lookup())).items == ["a"]
    assert [str(one.matchers[0]) for one in store.asked] == ['__name__="up"']


async def test_patterns_among_the_seeds_are_read_once_from_a_store_that_ignores_the_hint() -> None:
    store = Store(hint=False)
    store.put([NOW], name="node_load1", job="a")
    seeds = Seeds(patterns=(Matcher("__name__", MatchType.REGEXP, "node_.*"),))
    catalogue = catalogue_of(store, seeds=seeds)
    await survey(catalogue)
    assert (await catalogue.values("job", lookup())).items == ["a"]


async def test_seeds_are_tried_where_nothing_else_is_known() -> None:
    store = Store()
    store.put([NOW], name="mine", job="a")
    catalogue = catalogue_of(store, seeds=Seeds(("mine",)))
    await survey(catalogue)
    assert catalogue.sources[0].hint
    assert [str(one.matchers[0]) for one in store.asked] == ['__name__="mine"', '__name__!=""']


async def test_a_probe_that_shows_the_hint_makes_the_next_question_read_all_names() -> None:
    store = Store()
    store.put([NOW], name="mine", job="a")
    store.put([NOW], name="other", job="b")
    catalogue = catalogue_of(store)
    await survey(catalogue)
    assert (await catalogue.values("job", lookup())).items == []
    await catalogue.names(lookup("mine"))
    assert (await catalogue.values("job", lookup())).items == ["a", "b"]


async def test_who_asks_while_all_names_are_read_for_the_first_time_waits_for_them() -> None:
    store = Store()
    store.put([NOW], name="up", job="a")
    store.gate.clear()
    catalogue = catalogue_of(store, hint=True)
    asking = [asyncio.create_task(catalogue.values("job", lookup())) for _ in range(2)]
    await until(lambda: bool(store.asked))
    store.gate.set()
    assert [one.items for one in await asyncio.gather(*asking)] == [["a"], ["a"]]
    assert len(store.asked) == 1


async def test_without_bootstrap_nothing_is_read() -> None:
    store = Store()
    store.put([NOW], name="up")
    catalogue = catalogue_of(store, hint=True, settings=CatalogueSettings(bootstrap=False))
    await survey(catalogue)
    assert store.asked == []


async def test_a_restart_forgets_nothing(tmp_path: Path) -> None:
    store, settings = Store(), at(tmp_path / "below" / "names.db")
    store.put([NOW - 9 * HOUR], name="up", job="a", odd='b"\udcffc\n')
    store.put([NOW], name="up", job="b")
    before = catalogue_of(store, settings=settings)
    await read(before, "up")
    await Background(before, "here").save()
    after = catalogue_of(store, settings=settings, now=NOW + HOUR)
    await Background(after, "here").recall()
    assert (await after.series(lookup())).items == (await before.series(lookup())).items
    early = lookup(window=Window(DAY.start, NOW - 8 * HOUR))
    assert (await after.values("job", early)).items == ["a"]


async def test_sets_of_stores_keep_apart_in_one_file(tmp_path: Path) -> None:
    store, settings = Store(), at(tmp_path / "names.db")
    store.put([NOW], name="up", job="a")
    before = catalogue_of(store, settings=settings)
    await read(before, "up")
    await Background(before, "here").save()
    other = catalogue_of(store, settings=settings)
    await Background(other, "there").recall()
    assert (await other.series(lookup())).items == []


async def test_what_was_forgotten_goes_from_the_file_and_the_old_is_not_recalled(
    tmp_path: Path,
) -> None:
    store, path = Store(), tmp_path / "names.db"
    for job in "abc":
        store.put([NOW], name=f"up_{job}", job=job)
    before = catalogue_of(store, settings=CatalogueSettings(path=str(path), max_series=2))
    background = Background(before, "here")
    await read(before, "up_a")
    await background.save()
    await read(before, "up_b")
    await read(before, "up_c")
    await background.save()
    after = catalogue_of(store, settings=at(path))
    await Background(after, "here").recall()
    held = (await after.values("job", lookup())).items
    assert (await before.values("job", lookup())).items == held
    assert "c" in held
    assert "a" not in held
    late = catalogue_of(store, settings=at(path), now=NOW + DEFAULTS.ttl + 1)
    await Background(late, "here").recall()
    assert len(late.learned.index) == 0


@pytest.mark.parametrize("content", [b"no database at all" * 99, None])
async def test_a_file_that_cannot_be_used_is_said_and_done_without(
    tmp_path: Path, content: bytes | None, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "names.db"
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    store = Store()
    store.put([NOW], name="up", job="a")
    catalogue = catalogue_of(store, settings=at(path))
    background = Background(catalogue, "here")
    await background.recall()
    await read(catalogue, "up")
    await background.save()
    assert (await catalogue.values("job", lookup())).items == ["a"]
    texts = [record.getMessage() for record in caplog.records]
    assert texts == [
        f"{what} the catalogue's file failed; it is kept in memory"
        for what in ("reading", "writing")
    ]


async def test_it_saves_at_the_end_and_ends_when_told(tmp_path: Path) -> None:
    store, settings = Store(), at(tmp_path / "names.db", bootstrap=True)
    store.put([NOW], name="up", job="a")
    catalogue = catalogue_of(store, settings=settings)
    task = asyncio.create_task(Background(catalogue, "here").run())
    await until(lambda: catalogue.sources[0].covered is not None)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    after = catalogue_of(store, settings=settings)
    await Background(after, "here").recall()
    assert (await after.values("job", lookup())).items == ["a"]


async def test_the_crawler_asks_for_every_known_name() -> None:
    store = Store(hint=False)
    store.put([NOW], name="mine", job="a")
    store.put([NOW], name="other", job="b")
    settings = CatalogueSettings(crawl=10)
    catalogue = catalogue_of(store, settings=settings, seeds=Seeds(("mine", "other")))
    task = asyncio.create_task(Background(catalogue, "").run())
    await until(lambda: catalogue.learned.index.values("job") == ["a", "b"])
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_failing_store_does_not_end_the_background() -> None:
    store = Store()
    store.error = StoreError("store a: no answer", StoreFault("a", 0, 0))
    catalogue = catalogue_of(store)
    await survey(catalogue)
    store.error = None
    store.put([NOW], name="up")
    await survey(catalogue)
    assert (await catalogue.names(lookup())).items == ["__name__"]
