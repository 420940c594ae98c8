"""Debian's libfaketime: a process whose clock can be stepped while it runs."""

from dataclasses import dataclass
from pathlib import Path

from tests.servers.binaries import servers_folder
from tests.servers.debian import Package, unpack

_PACKAGE = Package("libfaketime")


@dataclass(frozen=True, slots=True)
class Clock:
    """The wall clock of the processes that are started in its `environment`."""

    file: Path

    @property
    def environment(self) -> dict[str, str]:
        """What lets a process go by this clock; its monotonic clock stays true."""
        folder = servers_folder()
        unpack([_PACKAGE], folder, lambda _: None)
        (library,) = (folder / _PACKAGE.name).glob("usr/lib/*/faketime/libfaketimeMT.so.1")
        return {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(self.file),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def step(self, seconds: int) -> None:
        """Goes so many seconds before the true time from about now on, or behind it."""
        # Renamed in place: a process may be reading it.
        part = self.file.with_suffix(".part")
        part.write_text(f"{seconds:+d}\n")
        part.rename(self.file)
