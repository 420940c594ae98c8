"""What is remembered, and its clock: set back it is believed, set forward it is not."""

from dataclasses import dataclass
from itertools import pairwise

from bridge.cache.keys import Key
from bridge.cache.memory import Memory, SystemClock
from bridge.cache.policy import Moment, Policy
from bridge.cache.settings import CacheSettings
from bridge.model.labels import Labels
from tests.cache.world import Clock

SECOND = 1_000_000_000


@dataclass
class Machine:
    wall: int = 1_000 * SECOND
    steady: int = 10 * SECOND

    def clock(self) -> SystemClock:
        return SystemClock(lambda: self.wall, lambda: self.steady)

    def passes(self, seconds: int) -> None:
        self.wall += seconds * SECOND
        self.steady += seconds * SECOND


def test_a_clock_that_is_let_alone_is_right() -> None:
    machine = Machine()
    clock = machine.clock()
    assert clock() == Moment(1_000_000, 10_000)
    machine.passes(5)
    assert clock() == Moment(1_005_000, 15_000)


def test_a_clock_set_forward_is_not_believed_and_one_set_right_again_is() -> None:
    machine = Machine()
    clock = machine.clock()
    machine.wall += 3600 * SECOND
    machine.passes(5)
    assert clock().wall == 1_005_000
    machine.wall -= 3600 * SECOND
    assert clock().wall == 1_005_000


def test_a_clock_set_back_is_believed_until_it_is_set_right_again() -> None:
    machine = Machine()
    clock = machine.clock()
    machine.wall -= 300 * SECOND
    assert clock().wall == 700_000
    machine.wall += 300 * SECOND
    assert clock().wall == 1_000_000


def test_both_clocks_go_on_alike_unless_one_is_set() -> None:
    machine = Machine(1_000 * SECOND + 999_999, 10 * SECOND)
    clock = machine.clock()
    for back in (0, 1_500_000):
        machine.wall -= back
        leads = set()
        for _ in range(20):
            machine.wall += 77_777
            machine.steady += 77_777
            leads.add(clock().lead)
        assert len(leads) == 1


def test_the_names_of_a_selector_without_blocks_rest_until_it_is_asked_for_again() -> None:
    memory = Memory(CacheSettings(), Clock())
    policy, key = Policy(memory.settings), Key("store", "", ())
    held = memory.begin(key, policy)
    held.names.add([Labels.of({"a": "1"})])
    memory.end(held)
    assert list(memory.selectors()) == []
    assert memory.nbytes == held.names.nbytes > 0
    again = memory.begin(key, policy)
    assert again is held
    assert list(memory.resting()) == []
    assert memory.nbytes == held.names.nbytes


def test_resting_names_take_a_small_part_of_the_budget() -> None:
    memory = Memory(CacheSettings(max_bytes=1 << 20), Clock())
    policy = Policy(memory.settings)
    for store in range(100):
        held = memory.begin(Key(str(store), "", ()), policy)
        held.names.add([Labels.of({"a": "1"})])
        memory.end(held)
    assert 0 < memory.nbytes <= 1 << 13
    assert next(memory.resting()).key.store != "0"


def test_shares_of_selectors_are_spread_evenly_however_many_there_are() -> None:
    memory, policy = Memory(CacheSettings(), Clock()), Policy(CacheSettings())
    for count in range(1, 60):
        memory.begin(Key(str(count), "", ()), policy)
        shares = sorted(held.share for held in memory.selectors())
        between = [b - a for a, b in pairwise([0.0, *shares, 1.0])]
        assert max(between) < 2 / count
