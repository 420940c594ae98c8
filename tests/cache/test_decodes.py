"""Blocks that are kept decoded: which, for how long, and how much they take."""

import numpy as np
import pytest

from bridge.cache.blocks import Block, encoded
from bridge.cache.decodes import Decodes
from bridge.cache.keys import Key
from bridge.cache.memory import Memory
from bridge.cache.names import Names
from bridge.cache.policy import Moment, Policy
from bridge.cache.settings import CacheSettings
from bridge.model.labels import Labels
from bridge.model.samples import Columns
from bridge.model.time import Window
from tests.cache.world import Clock

ROWS, SAMPLES = 4, 100
WINDOW = Window(0, 999)
SIZE = ROWS * SAMPLES * 16
MINUTE = 60_000


class Steady:
    """A clock that is moved by hand, ms."""

    now = 0

    def __call__(self) -> int:
        return self.now


def made() -> Block:
    times = np.tile(np.arange(SAMPLES) * 10, ROWS)
    offsets = np.arange(ROWS + 1) * SAMPLES
    columns = Columns.frozen(offsets, times, np.random.default_rng(1).random(ROWS * SAMPLES))
    numbers = Names().add(Labels.of({"row": str(row)}) for row in range(ROWS))
    (rows,) = encoded([(numbers, columns)], [WINDOW])
    return Block(WINDOW, Moment(0, 0), 999, 999, *rows)


def test_what_is_asked_for_again_is_decoded_once() -> None:
    decodes, block = Decodes(8 * SIZE, Steady()), made()
    assert decodes.find(block, WINDOW, ROWS) is None
    found = decodes.find(block, WINDOW, ROWS)
    assert found is not None
    assert len(found.timestamps) == block.samples
    # Once it is there it serves a part as well.
    assert decodes.find(block, Window(0, 10), 1) is found
    assert decodes.nbytes == SIZE


@pytest.mark.parametrize(("window", "rows"), [(Window(0, 400), ROWS), (WINDOW, 1)])
def test_a_small_part_of_a_block_is_not_worth_it(window: Window, rows: int) -> None:
    decodes, block = Decodes(8 * SIZE, Steady()), made()
    for _ in range(3):
        assert decodes.find(block, window, rows) is None
    assert decodes.nbytes == 0


def test_a_block_that_would_take_more_than_its_share_is_not_kept() -> None:
    decodes, block = Decodes(8 * SIZE - 1, Steady()), made()
    for _ in range(3):
        assert decodes.find(block, WINDOW, ROWS) is None


def test_what_is_in_use_does_not_make_room_and_what_is_idle_does() -> None:
    clock = Steady()
    decodes, blocks = Decodes(8 * SIZE, clock), [made() for _ in range(9)]
    for block in [*blocks[:8], *blocks[:8]]:
        decodes.find(block, WINDOW, ROWS)
    assert decodes.nbytes == 8 * SIZE
    for _ in range(3):
        decodes.find(blocks[8], WINDOW, ROWS)
    assert decodes.nbytes == 8 * SIZE
    clock.now = 4 * MINUTE
    for block in blocks[:7]:
        decodes.find(block, WINDOW, ROWS)
    clock.now = 6 * MINUTE
    decodes.find(blocks[8], WINDOW, ROWS)
    kept = [decodes.find(block, Window(0, 0), 0) is not None for block in blocks]
    assert kept == [True] * 7 + [False, True]


def test_those_not_used_for_longest_go_first_where_memory_is_short() -> None:
    clock = Steady()
    decodes, first, second = Decodes(8 * SIZE, clock), made(), made()
    for block in (first, first, second, second):
        clock.now += 1
        decodes.find(block, WINDOW, ROWS)
    decodes.find(first, WINDOW, ROWS)
    clock.now += 1
    decodes.find(first, WINDOW, ROWS)
    assert decodes.shrink()
    assert decodes.find(second, Window(0, 0), 0) is None
    assert decodes.nbytes == SIZE
    assert decodes.shrink()
    assert not decodes.shrink()
    assert decodes.nbytes == 0


def test_a_block_that_is_purged_is_no_more_held_decoded() -> None:
    clock = Clock()
    memory = Memory(CacheSettings(), clock)
    held = memory.begin(Key("store", "", ()), Policy(memory.settings))
    block = made()
    memory.keep(held, [block], again=True)
    for _ in range(2):
        memory.decodes.find(block, WINDOW, ROWS)
    assert memory.nbytes > SIZE
    memory.purge(held, WINDOW)
    assert memory.decodes.nbytes == 0
