"""What is held of a window, what is missing of it, and how the two join.

A piece of time is a `Window`: from `start` to `end` in ms, both inclusive.
"""

from collections.abc import Iterable, Iterator
from itertools import pairwise

from bridge.model.time import Window


def common(one: Window, other: Window) -> Window | None:
    """The time that both have."""
    start, end = max(one.start, other.start), min(one.end, other.end)
    return Window(start, end) if start <= end else None


def covers(outer: Window, inner: Window) -> bool:
    """Whether all of `inner` is in `outer`."""
    return outer.start <= inner.start and inner.end <= outer.end


def without(window: Window, taken: Iterable[Window]) -> Iterator[Window]:
    """What is left of a window, in order, when pieces are taken out of it."""
    at = window.start
    for piece in sorted(taken, key=lambda one: one.start):
        if piece.start > window.end:
            break
        if piece.start > at:
            yield Window(at, piece.start - 1)
        at = max(at, piece.end + 1)
    if at <= window.end:
        yield Window(at, window.end)


def gaps(window: Window, held: Iterable[Window], near: int, most: int) -> list[Window]:
    """What must be read of a window of which these pieces are held.

    Gaps with less than `near` ms between them become one, and so do more than `most`: what lies
    between is read again.
    """
    joined: list[Window] = []
    for gap in without(window, held):
        if joined and gap.start - joined[-1].end <= near:
            joined[-1] = joined[-1].union(gap)
        else:
            joined.append(gap)
    return [joined[0].union(joined[-1])] if len(joined) > most else joined


def cut(window: Window, edges: Iterable[int]) -> list[Window]:
    """A window in pieces; each edge that lies in it begins one."""
    inside = {edge for edge in edges if window.start < edge <= window.end}
    starts = sorted({window.start, *inside, window.end + 1})
    return [Window(start, behind - 1) for start, behind in pairwise(starts)]


def outward(window: Window, grid: int) -> Window:
    """The smallest window that holds this one, starts on the grid and ends right before it."""
    return Window(window.start // grid * grid, -(-(window.end + 1) // grid) * grid - 1)


def touching(windows: Iterable[Window]) -> Iterator[Window]:
    """Windows in order, those that touch as one."""
    held: Window | None = None
    for window in windows:
        if held is not None and not held.overlaps(window):
            yield held
            held = None
        held = window if held is None else held.union(window)
    if held is not None:
        yield held
