"""What was met lately, by marks that take little room."""


class Met:
    """Marks of what was met: at least those of the last `most`/2 different ones, `most` at most.

    Two sets instead of an order of use: when the younger is half of all, the older one goes.
    """

    __slots__ = ("_half", "_older", "_younger")

    def __init__(self, most: int) -> None:
        self._half = most // 2
        self._younger: set[int] = set()
        self._older: set[int] = set()

    def __len__(self) -> int:
        return len(self._younger | self._older)

    def again(self, mark: int) -> bool:
        """Notes a mark; whether it was met before."""
        if mark in self._younger:
            return True
        again = mark in self._older
        if len(self._younger) >= self._half:
            self._older, self._younger = self._younger, set()
        self._younger.add(mark)
        return again
