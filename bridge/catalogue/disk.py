"""The catalogue's SQLite file: what is known of each series, so that a restart forgets nothing."""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bridge.model.labels import Labels

# Raised when the tables change; a file of another version is emptied.
_VERSION: Final = 1
_BUSY_SECONDS: Final = 10.0
_TABLE: Final = """
CREATE TABLE IF NOT EXISTS series (
    stores TEXT NOT NULL, labels TEXT NOT NULL,
    first INTEGER NOT NULL, last INTEGER NOT NULL, seen INTEGER NOT NULL, hours BLOB NOT NULL,
    PRIMARY KEY (stores, labels)
) WITHOUT ROWID
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """One series: its first and last hour, the ms when it was last seen, its ring of hours.

    `newest` is the hour at which the ring ends.
    """

    labels: Labels
    first: int
    last: int
    seen: int
    hours: bytes


@dataclass(frozen=True, slots=True)
class Disk:
    """The part of a file that belongs to one set of stores; all methods work in a worker thread.

    They raise sqlite3.Error.
    """

    path: Path
    stores: str

    def load(self, oldest: int) -> Iterator[list[Entry]]:
        """What was saved and seen since `oldest`, ms, in batches, the latest first."""
        query = (
            "SELECT labels, first, last, seen, hours FROM series"
            " WHERE stores = ? AND seen >= ? ORDER BY seen DESC"
        )
        with self._open() as file:
            cursor = file.execute(query, (self.stores, oldest))
            while rows := cursor.fetchmany(1000):
                yield [Entry(_labels(row[0]), *row[1:]) for row in rows]

    def save(self, entries: Iterable[Entry], forgotten: Iterable[Labels]) -> None:
        """Writes and deletes in one transaction."""
        rows = ((self.stores, _text(e.labels), e.first, e.last, e.seen, e.hours) for e in entries)
        gone = ((self.stores, _text(labels)) for labels in forgotten)
        with self._open() as file:
            file.executemany("DELETE FROM series WHERE stores = ? AND labels = ?", gone)
            file.executemany("INSERT OR REPLACE INTO series VALUES (?, ?, ?, ?, ?, ?)", rows)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """A transaction; the tables are made if they are not there."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(self.path, timeout=_BUSY_SECONDS)) as file:
            file.execute("PRAGMA journal_mode = WAL")
            file.execute("PRAGMA synchronous = NORMAL")
            if file.execute("PRAGMA user_version").fetchone()[0] != _VERSION:
                file.execute("DROP TABLE IF EXISTS series")
                file.execute(f"PRAGMA user_version = {_VERSION}")
            file.execute(_TABLE)
            with file:
                yield file


def _text(labels: Labels) -> str:
    """A label set as JSON in ASCII: bytes that are no UTF-8 stay what they are."""
    return json.dumps(labels.pairs, separators=(",", ":"))


def _labels(text: str) -> Labels:
    return Labels.of((name, value) for name, value in json.loads(text))
