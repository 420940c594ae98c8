"""The clock of what is remembered: set back it is believed, set forward it is not."""

from dataclasses import dataclass

from bridge.cache.memory import SystemClock
from bridge.cache.policy import Moment

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
