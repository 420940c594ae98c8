"""Texts in pieces: what stands around them, and who writes them when several are sent the same."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Event

import pytest

from bridge.api.pieces import Piece, Shared, framed, joined


def pieces(texts: Sequence[bytes]) -> list[Piece]:
    return [partial(bytes, text) for text in texts]


class Written:
    """Pieces that tell in which order they were written."""

    def __init__(self, count: int) -> None:
        self.order: list[int] = []
        self.shared = Shared([partial(self._write, number) for number in range(count)])

    def _write(self, number: int) -> bytes:
        self.order.append(number)
        return b"%d," % number


@pytest.mark.parametrize("texts", [[], [b"1,"], [b"1,", b"2,"], [b"1,", b"2,", b"3,"]])
def test_what_stands_around_pieces_adds_none(texts: Sequence[bytes]) -> None:
    made = framed(b"[", pieces(texts), b"]", cut=1)
    assert joined(made) == b"[" + b"".join(texts)[:-1] + b"]"
    assert len(made) == max(len(texts), 1)
    assert joined(framed(b"", pieces(texts), b"")) == b"".join(texts)


def test_who_is_alone_has_each_piece_written_when_it_is_due() -> None:
    written = Written(3)
    alone = written.shared.pieces()
    assert joined(alone) == joined(alone) == b"0,1,2,"
    assert written.order == [0, 1, 2] * 2


def test_several_who_are_sent_the_same_have_each_piece_written_once() -> None:
    written = Written(10)
    askers = [written.shared.pieces() for _ in range(5)]
    for texts in zip(*askers, strict=True):
        assert len({piece() for piece in texts}) == 1
    assert written.order == list(range(10))


def test_of_a_text_only_the_last_pieces_are_kept() -> None:
    written = Written(10)
    first, second = written.shared.pieces(), written.shared.pieces()
    assert joined(first) == joined(second)
    assert written.order == [*range(10), *range(10)]
    assert joined(second[6:]) == b"6,7,8,9,"
    assert len(written.order) == 20


def test_who_comes_while_a_piece_is_written_waits_for_it() -> None:
    begun, may, count = Event(), Event(), 0

    def slow() -> bytes:
        nonlocal count
        count += 1
        begun.set()
        assert may.wait(60)
        return b"x"

    shared = Shared([slow])
    (first,), (second,) = shared.pieces(), shared.pieces()
    with ThreadPoolExecutor(2) as threads:
        texts = [threads.submit(first)]
        assert begun.wait(60)
        texts.append(threads.submit(second))
        may.set()
        assert [one.result() for one in texts] == [b"x", b"x"]
    assert count == 1


def test_a_piece_that_failed_is_tried_again() -> None:
    outcomes = [RuntimeError("no room"), RuntimeError("no room yet"), None]

    def piece() -> bytes:
        if error := outcomes.pop(0):
            raise error
        return b"x"

    shared = Shared([piece])
    (first,), (second,) = shared.pieces(), shared.pieces()
    for one in (first, second):
        with pytest.raises(RuntimeError, match="no room"):
            one()
    assert first() == second() == b"x"
