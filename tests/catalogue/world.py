"""Catalogues of stores in memory that note what they are asked, and may ignore the series hint."""

import asyncio
from dataclasses import replace
from typing import Final

from bridge.catalogue.answers import Lookup
from bridge.catalogue.catalogue import Catalogue
from bridge.catalogue.seeds import NO_SEEDS, Seeds
from bridge.catalogue.settings import CatalogueSettings
from bridge.catalogue.sources import Source
from bridge.model.labels import Labels
from bridge.model.samples import SeriesBlock
from bridge.model.time import Window
from bridge.promql.selectors import parse_selector
from bridge.storage.fanout import Fanout, Member
from bridge.storage.interface import Purpose, ReadOptions, Select, Selection
from bridge.storage.memory import MemoryStore
from bridge.storage.view import View

HOUR: Final = 3_600_000
NOW: Final = 480_000 * HOUR + 1_800_000
DAY: Final = Window(NOW - 24 * HOUR, NOW)
DEFAULTS: Final = CatalogueSettings()


class Store:
    """A store in memory: reads wait while `gate` is closed, and raise `error` if that is set."""

    def __init__(self, *, hint: bool = True) -> None:
        self.memory = MemoryStore()
        self.asked: list[Select] = []
        self.error: Exception | None = None
        self.gate = asyncio.Event()
        self.gate.set()
        self._hint = hint

    def put(self, times: list[int], **labels: str) -> Labels:
        """Adds a series with samples at these times."""
        made = Labels.of({"__name__" if name == "name" else name: v for name, v in labels.items()})
        self.memory.append(made, times, [1.0] * len(times))
        return made

    async def select(self, select: Select, options: ReadOptions) -> Selection:
        self.asked.append(select)
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        purpose = select.purpose if self._hint else Purpose.SAMPLES
        return await self.memory.select(replace(select, purpose=purpose), options)


def catalogue_of(
    *stores: Store,
    hint: bool | None = None,
    settings: CatalogueSettings = DEFAULTS,
    seeds: Seeds = NO_SEEDS,
    now: int = NOW,
) -> Catalogue:
    """A catalogue of stores of which `hint` is known."""
    members = tuple(Member(store) for store in stores)
    sources = [Source(f"store{at}", View(one), None, hint) for at, one in enumerate(stores)]
    return Catalogue(Fanout(members), sources, settings, lambda: now, seeds)


def lookup(*selectors: str, window: Window = DAY) -> Lookup:
    """The question for the series of these selectors."""
    return Lookup(tuple(map(parse_selector, selectors)), window)


async def read(catalogue: Catalogue, selector: str, window: Window = DAY) -> SeriesBlock:
    """Reads samples through the catalogue, as a query does."""
    select = Select(parse_selector(selector), window.start, window.end)
    return (await catalogue.select(select, ReadOptions())).block
