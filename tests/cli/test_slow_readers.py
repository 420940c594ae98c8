"""Clients that read slowly, and clients that do not read."""

from typing import Any

from bridge.cli.slow_readers import SlowReaders


class Connection:
    """A connection with so many bytes that wait; as those of TLS, it takes no weak reference."""

    __slots__ = ("waiting",)

    def __init__(self, waiting: int) -> None:
        self.waiting = waiting

    def get_write_buffer_size(self) -> int:
        return self.waiting


class World:
    """Slow readers whose clock is turned by hand."""

    def __init__(self) -> None:
        self.now = 0.0
        self.readers = SlowReaders(lambda: self.now)

    def dropped(self, *connections: Connection, after: float = 0.0) -> list[Any]:
        self.now += after
        return self.readers.stalled(connections)


def test_who_takes_nothing_for_30_s_is_dropped() -> None:
    world, stuck = World(), Connection(100_000)
    assert world.dropped(stuck) == []
    assert world.dropped(stuck, after=29.9) == []
    assert world.dropped(stuck, after=0.1) == [stuck]


def test_who_takes_a_byte_now_and_then_is_not() -> None:
    world, slow = World(), Connection(100)
    for _ in range(50):
        slow.waiting -= 1
        assert world.dropped(slow, after=29) == []


def test_more_that_waits_is_no_progress() -> None:
    world, stuck = World(), Connection(1000)
    assert world.dropped(stuck) == []
    for _ in range(2):
        stuck.waiting += 1000
        assert world.dropped(stuck, after=14) == []
    stuck.waiting += 1000
    assert world.dropped(stuck, after=14) == [stuck]


def test_an_idle_connection_is_left_alone() -> None:
    world, idle = World(), Connection(0)
    for _ in range(5):
        assert world.dropped(idle, after=100) == []
    idle.waiting = 10
    assert world.dropped(idle, after=100) == []
    idle.waiting = 0
    assert world.dropped(idle, after=100) == []


def test_a_connection_that_is_gone_leaves_nothing_behind() -> None:
    world = World()
    for _ in range(1000):
        world.dropped(Connection(10))
    assert len(world.readers._waiting) <= 1
