"""What the catalogue does by itself: recall, find out what stores can, read all names, save."""

import asyncio
import logging
import sqlite3
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final

from bridge.catalogue.catalogue import Catalogue
from bridge.catalogue.disk import Disk, Entry
from bridge.catalogue.presence import HOUR
from bridge.catalogue.sources import Source
from bridge.model.errors import BridgeError
from bridge.model.labels import METRIC_NAME, Matcher, MatchType
from bridge.model.time import Window
from bridge.storage.interface import ReadOptions

_LOG: Final = logging.getLogger(__name__)
_SAVE_SECONDS: Final = 30.0
# Nearly every store has one of these: asked for to find out whether the series hint is honoured.
_EVERYWHERE: Final = ("up", "scrape_duration_seconds", "process_start_time_seconds")
_TRIED: Final = 10
# What one probe of the crawler may bring.
_CRAWL_SAMPLES: Final = 1_000_000


class Background:
    """What goes on around a catalogue without a request; `stores` names its set of stores."""

    def __init__(self, catalogue: Catalogue, stores: str) -> None:
        self._catalogue = catalogue
        self._learned = catalogue.learned
        path = catalogue.settings.path
        self._disk = Disk(Path(path), stores) if path else None

    async def run(self) -> None:
        """Works until it is cancelled; then saves."""
        await self.recall()
        try:
            async with asyncio.TaskGroup() as group:
                for source in self._catalogue.sources:
                    # Who asks for all names now waits for it.
                    source.task = group.create_task(self.survey(source))
                    group.create_task(self._crawl(source))
                group.create_task(self._keep_saving())
        finally:
            await asyncio.shield(self.save())

    async def survey(self, source: Source) -> None:
        """Reads all names of a store that honours the series hint, or is found to."""
        catalogue, now = self._catalogue, self._catalogue.now()
        window = Window(now - catalogue.settings.probe_window, now)
        for name in islice(self._known(), _TRIED):
            if source.hint is not None:
                break
            await self._probe(source, _named(name), window)
        if not (source.hint and catalogue.settings.bootstrap):
            for pattern in catalogue.seeds.patterns:
                await self._probe(source, pattern, window)
        if source.hint and catalogue.settings.bootstrap:
            await catalogue.survey(source)

    async def recall(self) -> None:
        """Takes up what was saved."""
        if self._disk is None:
            return
        now = self._catalogue.now()
        self._learned.presence.advance(now // HOUR + 1)
        try:
            batches = self._disk.load(now - self._catalogue.settings.ttl)
            while batch := await asyncio.to_thread(next, batches, None):
                for entry in batch:
                    self._restore(entry)
        except (sqlite3.Error, OSError, ValueError) as error:
            self._failed("reading", error)

    async def save(self) -> None:
        """Writes what changed since the last time."""
        learned = self._learned
        if self._disk is None or not (learned.changed or learned.forgotten):
            return
        entries, forgotten = list(self._entries()), list(learned.forgotten)
        learned.changed.clear()
        learned.forgotten.clear()
        try:
            await asyncio.to_thread(self._disk.save, entries, forgotten)
        except (sqlite3.Error, OSError) as error:
            learned.changed.update(entry.labels for entry in entries)
            learned.forgotten.update(forgotten)
            self._failed("writing", error)

    def _entries(self) -> Iterator[Entry]:
        presence = self._learned.presence
        changed = list(self._learned.changed)
        for labels, row in zip(changed, self._learned.index.places(changed).tolist(), strict=True):
            if row >= 0:
                first, last = int(presence.first[row]), int(presence.last[row])
                hours = presence.hours[row].tobytes()
                yield Entry(labels, first, last, int(presence.seen[row]), hours)

    def _restore(self, entry: Entry) -> None:
        self._learned.restore(entry.labels, entry.first, entry.last, entry.seen, entry.hours)

    def _failed(self, what: str, error: Exception) -> None:
        assert self._disk is not None
        fields = {"file": str(self._disk.path), "error": error}
        _LOG.warning("%s the catalogue's file failed; it is kept in memory", what, extra=fields)

    async def _keep_saving(self) -> None:
        while self._disk is not None:
            await asyncio.sleep(_SAVE_SECONDS)
            await self.save()

    async def _crawl(self, source: Source) -> None:
        """Asks a store for one known name after the other, each once in a while."""
        every = self._catalogue.settings.crawl
        while every:
            names = list(self._known())
            for name in names:
                now = self._catalogue.now()
                window = Window(now - self._catalogue.settings.probe_window, now)
                await self._probe(source, _named(name), window)
                await asyncio.sleep(every / 1000 / max(len(names), 1))
            if not names:
                await asyncio.sleep(every / 1000)

    def _known(self) -> Iterator[str]:
        """Names worth asking for: seeds, those learned, those that are everywhere."""
        learned = self._learned.index.values(METRIC_NAME)
        yield from dict.fromkeys((*self._catalogue.seeds.names, *_EVERYWHERE, *learned))

    async def _probe(self, source: Source, matcher: Matcher, window: Window) -> None:
        matchers = (matcher, *source.view.required)
        options = ReadOptions(nocache=True, max_samples=_CRAWL_SAMPLES)
        try:
            await self._catalogue.probe(source, matchers, window, options)
        except BridgeError as error:
            fields = {"store": source.name, "matcher": str(matcher), "error": error}
            _LOG.info("probing for names failed", extra=fields)


def _named(name: str) -> Matcher:
    return Matcher(METRIC_NAME, MatchType.EQUAL, name)
