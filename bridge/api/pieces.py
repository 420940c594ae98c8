"""Long texts in consecutive pieces, which may be written in any order and by any thread."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from functools import partial
from threading import Lock
from typing import Final

from cachetools import LRUCache

# Writes one piece when it is called.
Piece = Callable[[], bytes]

# How many pieces of a text are kept for others who are sent it too: as many as are written ahead.
_KEPT: Final = 4


def framed(
    before: bytes, pieces: Sequence[Piece], behind: bytes, cut: int = 0
) -> tuple[Piece, ...]:
    """Pieces between two texts; the last one loses so many bytes at its end.

    The texts become part of the pieces: each piece of its own would cost a change of threads.
    """
    if not pieces:
        return (partial(bytes, before + behind),)
    *most, last = pieces
    ended = partial(_between, b"" if most else before, last, behind, cut)
    return (partial(_between, before, most[0], b"", 0), *most[1:], ended) if most else (ended,)


def _between(before: bytes, piece: Piece, behind: bytes, cut: int) -> bytes:
    text = piece()
    return b"".join((before, memoryview(text)[: len(text) - cut], behind))


def joined(pieces: Iterable[Piece]) -> bytes:
    """The whole text."""
    return b"".join(piece() for piece in pieces)


class Shared:
    """The pieces of a text that is sent to several at a time; those written last are kept for them.

    Who is alone with it keeps none.
    """

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self._pieces = pieces
        self._askers = 0
        self._lock = Lock()
        self._written: LRUCache[int, Future[bytes]] = LRUCache(_KEPT)

    def pieces(self) -> tuple[Piece, ...]:
        """The pieces, to be sent to one more."""
        self._askers += 1
        return tuple(partial(self._piece, number) for number in range(len(self._pieces)))

    def _piece(self, number: int) -> bytes:
        if self._askers < 2:
            return self._pieces[number]()
        with self._lock:
            known = self._written.get(number)
            text = known or self._written.setdefault(number, Future())
        if known is None:
            self._write(number, text)
        return text.result()

    def _write(self, number: int, text: Future[bytes]) -> None:
        try:
            text.set_result(self._pieces[number]())
        except BaseException as error:
            with self._lock:
                self._written.pop(number, None)
            text.set_exception(error)
            raise
