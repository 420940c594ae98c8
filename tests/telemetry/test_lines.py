"""Files that grow by lines."""

from pathlib import Path

import pytest

from bridge.telemetry.lines import LineFile


def test_lines_are_added_to_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "query.log"
    path.write_text("old\n")
    file = LineFile(path, lambda: None)
    for number in range(100):
        file.add(b"line %d" % number)
    file.close()
    assert path.read_text().splitlines() == ["old", *(f"line {number}" for number in range(100))]


def test_a_file_that_cannot_be_opened_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        LineFile(tmp_path / "nothing/query.log", lambda: None)


def test_a_full_disk_is_counted_and_stops_nobody() -> None:
    dropped: list[int] = []
    file = LineFile(Path("/dev/full"), lambda: dropped.append(1))
    file.add(b"a")
    file.add(b"b")
    file.close()
    assert len(dropped) == 2
