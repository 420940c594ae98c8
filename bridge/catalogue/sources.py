"""One store as a source of names: whether it honours the series hint, and what follows from it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from bridge.catalogue.settings import CatalogueSettings
from bridge.model.labels import METRIC_NAME, Labels, Matcher, MatchType
from bridge.model.samples import SeriesBlock
from bridge.model.time import Window
from bridge.storage.interface import Purpose, Querier, ReadOptions, Select
from bridge.storage.view import View

EVERYTHING: Final = Matcher(METRIC_NAME, MatchType.NOT_EQUAL, "")


@dataclass(frozen=True, slots=True, eq=False)
class Probed:
    """What a store was asked about names; `complete` if no series can be missing.

    Each block goes with the window that it was read for.
    """

    blocks: tuple[tuple[SeriesBlock, Window], ...]
    complete: bool
    warnings: tuple[str, ...] = ()

    @property
    def labels(self) -> set[Labels]:
        """The series found."""
        return {labels for block, _ in self.blocks for labels in block.labels.rows}


@dataclass(slots=True, eq=False)
class Source:
    """A store that is asked for series; times in ms.

    `view` answers narrow probes, `survey` reads of all names: the same store with limits of its
    own. `hint`: whether it honours the series hint; None as long as that is not known. `covered`:
    the window of which all series are known.
    """

    name: str
    view: View
    survey: Querier | None = None
    hint: bool | None = None
    covered: Window | None = None
    attempted: int | None = None
    task: "asyncio.Task[None] | None" = field(default=None)

    async def probe(
        self,
        matchers: tuple[Matcher, ...],
        window: Window,
        settings: CatalogueSettings,
        options: ReadOptions,
    ) -> Probed:
        """The series of a narrow selector: in the whole window if that costs no samples.

        Otherwise in pieces of it: its end, its start and what lies between. Raises what a read of
        the store raises.
        """
        held = self.view.within(window)
        if held.end < held.start:
            return Probed((), complete=True)
        window = held
        pieces = [window] if self.hint else _pieces(window, settings)
        whole = pieces == [window]
        found = [await self._read(matchers, pieces[0], options)]
        if self.hint and not whole:
            return await self.probe(matchers, window, settings, options)
        found += [await self._read(matchers, piece, options) for piece in pieces[1:]]
        if self.hint and not whole:
            return await self.probe(matchers, window, settings, options)
        warnings = dict.fromkeys(text for one in found for text in one.warnings)
        blocks = tuple(block for one in found for block in one.blocks)
        return Probed(blocks, whole, tuple(warnings))

    async def everything(self, window: Window) -> Probed:
        """All series of a window; only for a store that honours the hint."""
        assert self.hint, "a store that ignores the hint would send all its samples"
        view = replace(self.view, querier=self.survey or self.view.querier)
        matchers = (EVERYTHING, *view.required)
        select = Select(matchers, window.start, window.end, Purpose.SERIES)
        selection = await view.select(select, ReadOptions(nocache=True))
        return Probed(((selection.block, window),), complete=True)

    async def _read(
        self, matchers: tuple[Matcher, ...], window: Window, options: ReadOptions
    ) -> Probed:
        select = Select(matchers, window.start, window.end, Purpose.SERIES)
        selection = await self.view.select(select, options)
        if self.hint is None and len(selection.block):
            self.hint = not selection.block.samples
        return Probed(((selection.block, window),), False, selection.warnings)


def _pieces(window: Window, settings: CatalogueSettings) -> Sequence[Window]:
    """The pieces of a window that are probed, the most telling first."""
    width, count = settings.probe_window, max(settings.probes, 1)
    if window.end - window.start < width * count:
        return [window]
    starts = [window.end - width]
    step = (window.end - width - window.start) // max(count - 1, 1)
    starts += [window.start + number * step for number in range(count - 1)]
    return [Window(start, start + width) for start in starts]
