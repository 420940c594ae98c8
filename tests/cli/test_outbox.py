"""Short answers that are sent at the end of a turn of the event loop."""

import asyncio
from collections.abc import Iterable

import pytest

from bridge.cli.outbox import Outbox, Outgoing


class Line(asyncio.Transport):
    """A transport that notes, with its name, what it is told on a sheet that several may share."""

    def __init__(self, name: str, sheet: list[tuple[str, bytes]]) -> None:
        super().__init__()
        self._name = name
        self._sheet = sheet

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self._sheet.append((self._name, bytes(data)))

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        self.write(b"".join(list_of_data))

    def close(self) -> None:
        self._sheet.append((self._name, b"<closed>"))

    def abort(self) -> None:
        self._sheet.append((self._name, b"<aborted>"))


Sheet = list[tuple[str, bytes]]


@pytest.fixture
def sheet() -> Sheet:
    return []


@pytest.fixture
def lines(sheet: Sheet) -> tuple[Outgoing, Outgoing]:
    outbox = Outbox()
    return outbox.over(Line("a", sheet)), outbox.over(Line("b", sheet))


async def turn() -> None:
    """Lets the event loop end this turn."""
    await asyncio.sleep(0)


async def test_what_is_written_in_a_turn_is_sent_at_its_end_in_order(
    lines: tuple[Outgoing, Outgoing], sheet: Sheet
) -> None:
    a, b = lines
    a.write(b"one ")
    b.write(b"two ")
    a.write(b"three ")
    assert not sheet
    await turn()
    assert sheet == [("a", b"one three "), ("b", b"two ")]
    b.write(b"four")
    await turn()
    assert sheet[2:] == [("b", b"four")]


async def test_a_long_text_does_not_wait_and_comes_behind_what_did(
    lines: tuple[Outgoing, Outgoing], sheet: Sheet
) -> None:
    a, b = lines
    long = bytes(1 << 16)
    a.write(b"head")
    a.writelines((b"long ", b"body"))
    b.write(b"head")
    b.write(long)
    assert sheet == [("a", b"head"), ("a", b"long body"), ("b", b"head" + long)]
    await turn()
    assert len(sheet) == 3


async def test_whoever_writes_much_in_one_turn_holds_no_more_than_a_little_back(
    lines: tuple[Outgoing, Outgoing], sheet: Sheet
) -> None:
    for _ in range(1000):
        lines[0].write(bytes(1000))
    sent = sum(len(text) for _, text in sheet)
    assert 1_000_000 - (1 << 16) <= sent <= 1_000_000
    await turn()
    assert sum(len(text) for _, text in sheet) == 1_000_000


async def test_closing_sends_what_is_held_back_first(
    lines: tuple[Outgoing, Outgoing], sheet: Sheet
) -> None:
    lines[0].write(b"last words")
    lines[0].close()
    assert sheet == [("a", b"last words"), ("a", b"<closed>")]
    await turn()
    assert len(sheet) == 2


async def test_an_aborted_connection_sends_nothing_more(
    lines: tuple[Outgoing, Outgoing], sheet: Sheet
) -> None:
    lines[0].write(b"too late")
    lines[0].abort()
    await turn()
    assert sheet == [("a", b"<aborted>")]
