"""Native histograms and start timestamps are remembered as they were read, hints included."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.cache.blocks import Block, encoded
from bridge.cache.joining import joined
from bridge.cache.keys import Key, Place
from bridge.cache.memory import Memory
from bridge.cache.names import Names
from bridge.cache.policy import Moment, Policy
from bridge.cache.samples import SampleCache
from bridge.cache.segments import Read, Remembered, Segment
from bridge.cache.settings import CacheSettings
from bridge.cache.stored import packed, unpacked
from bridge.model.samples import SeriesBlock
from bridge.model.time import Window
from bridge.storage.interface import ReadOptions, Select, Selection
from bridge.storage.memory import MemoryStore
from tests.cache.world import HOUR, START, Clock
from tests.storage.mixed import assert_same, mixed_stores

OPTIONS = ReadOptions()
READ = Moment(START, 0)
LONG_AGO = START - 48 * HOUR
stores = mixed_stores(st.integers(LONG_AGO, LONG_AGO + HOUR), 10 * 60_000)
edges = st.lists(st.integers(LONG_AGO, LONG_AGO + 5 * HOUR), max_size=4, unique=True)


async def held(store: MemoryStore, window: Window) -> SeriesBlock:
    return (await store.select(Select((), window.start, window.end), OPTIONS)).block


def blocks_of(whole: SeriesBlock, windows: list[Window], names: Names) -> list[Block]:
    parts = [(names.add(labels), part.columns()) for labels, part in whole.row_ranges()]
    made = zip(windows, encoded(parts, windows), strict=True)
    return [Block(window, READ, START, START, *rows) for window, rows in made]


def windows_of(cuts: list[int]) -> list[Window]:
    bounds = [LONG_AGO - HOUR, *sorted(cuts), LONG_AGO + 12 * HOUR]
    return [Window(low, high - 1) for low, high in pairwise(bounds)]


@settings(deadline=None)
@given(stores, edges, st.data())
async def test_cut_encoded_and_joined_again_it_is_the_same(
    store: MemoryStore, cuts: list[int], data: st.DataObject
) -> None:
    windows, names = windows_of(cuts), Names()
    whole = await held(store, Window(windows[0].start, windows[-1].end))
    segments: list[Segment] = []
    for window, block in zip(windows, blocks_of(whole, windows, names), strict=True):
        if data.draw(st.booleans()):
            segments.append(Remembered.of(block, window, block.names))
        else:
            segments += [
                Read.of(part, window, names.add(labels)) for labels, part in whole.row_ranges()
            ]
    assert_same(joined(segments, names)[1], whole)


@settings(deadline=None)
@given(stores, edges, st.integers(LONG_AGO, LONG_AGO + 5 * HOUR))
async def test_a_part_of_a_block_is_that_part(
    store: MemoryStore, cuts: list[int], start: int
) -> None:
    windows, names = windows_of(cuts), Names()
    whole = await held(store, Window(windows[0].start, windows[-1].end))
    asked = Window(start, start + HOUR)
    segments = [
        Remembered.of(
            block,
            Window(max(asked.start, window.start), min(asked.end, window.end)),
            block.names,
        )
        for window, block in zip(windows, blocks_of(whole, windows, names), strict=True)
    ]
    assert_same(joined(segments, names)[1], await held(store, asked))


@settings(deadline=None)
@given(stores)
async def test_bytes_and_back_it_is_the_same(store: MemoryStore) -> None:
    window, names = Window(LONG_AGO - HOUR, LONG_AGO + 12 * HOUR), Names()
    whole = await held(store, window)
    (block,) = blocks_of(whole, [window], names)
    place, policy = Place(Key("a", "", ()), window), Policy(CacheSettings())
    value = packed(block, place, names.labels(block.names), policy)
    assert value is not None
    other = Names()
    found = unpacked(value, place, other, policy, Moment(START + 2 * HOUR, 0))
    assert_same(joined([Remembered.of(found, window, found.names)], other)[1], whole)


class Counted:
    """A store that counts its reads."""

    def __init__(self, store: MemoryStore) -> None:
        self.store = store
        self.reads = 0

    async def select(self, select: Select, options: ReadOptions) -> Selection:
        self.reads += 1
        return await self.store.select(select, options)


@given(stores, st.lists(st.tuples(*[st.integers(0, 6 * HOUR)] * 2), min_size=1, max_size=6))
async def test_a_cached_answer_is_the_uncached_answer(
    store: MemoryStore, asked: list[tuple[int, int]]
) -> None:
    counted = Counted(store)
    cache = SampleCache(counted, Memory(CacheSettings(), Clock()), "a")
    for one, other in asked:
        window = Window(LONG_AGO + min(one, other), LONG_AGO + max(one, other))
        select = Select((), window.start, window.end)
        assert_same((await cache.select(select, OPTIONS)).block, await held(store, window))
        await cache.settled()
        reads = counted.reads
        assert_same((await cache.select(select, OPTIONS)).block, await held(store, window))
        assert counted.reads == reads
    await cache.aclose()
