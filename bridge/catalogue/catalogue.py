"""Names, values and series of a set of stores: asked of them where that is cheap, else learned."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, TypeVar

import numpy as np
from cachetools import TLRUCache

from bridge.catalogue.answers import APPROXIMATE, Found, Lookup, Origin, is_narrow, is_selective
from bridge.catalogue.cardinality import Cardinality, cardinality
from bridge.catalogue.column import Ids, Mask
from bridge.catalogue.learned import Batch, Learned, batches
from bridge.catalogue.metadata import types_of
from bridge.catalogue.passed import Metadata, PassedNames
from bridge.catalogue.seeds import NO_SEEDS, Seeds
from bridge.catalogue.settings import CatalogueSettings
from bridge.catalogue.sources import Probed, Source
from bridge.model.errors import (
    BridgeError,
    BudgetUsedUp,
    ExecutionError,
    QueryTimeout,
    Unavailable,
)
from bridge.model.labels import METRIC_NAME, Labels, Matcher
from bridge.model.samples import SeriesBlock
from bridge.model.time import Window
from bridge.storage.fanout import FAILURES
from bridge.storage.interface import (
    CacheUse,
    Estimate,
    Querier,
    ReadOptions,
    Select,
    Selection,
    estimated,
)
from bridge.storage.payer import paid_by

T = TypeVar("T")

_LOG: Final = logging.getLogger(__name__)
# How long a probe serves those who ask the same, ms; and how many rows all of them may hold.
_PROBE_TTL: Final = 60_000
_PROBE_ROWS: Final = 4_000_000
# How long a request for all names waits for the first read of them, seconds.
_PATIENCE: Final = 10.0


@dataclass(frozen=True, slots=True, eq=False)
class _Remembered:
    """A probe's answer, good for as long as rows keep their numbers."""

    rows: Ids
    generation: int
    complete: bool
    expires: int


@dataclass(slots=True, eq=False)
class _Asked:
    """What the stores said of one lookup; `exact` holds the matcher sets that they settle."""

    origin: Origin = Origin.PROBE
    complete: bool = True
    exact: dict[tuple[Matcher, ...], list[_Remembered]] = field(default_factory=dict)
    warnings: dict[str, None] = field(default_factory=dict)
    errors: list[BridgeError] = field(default_factory=list)


class Catalogue:
    """A Querier around a Querier that learns series from what passes, and answers for all of them.

    `sources` are the stores behind it. `now` is the clock in ms.
    """

    def __init__(
        self,
        querier: Querier,
        sources: Sequence[Source],
        settings: CatalogueSettings,
        now: Callable[[], int],
        seeds: Seeds = NO_SEEDS,
        passed: PassedNames | None = None,
    ) -> None:
        self.learned = Learned(settings)
        self.sources = tuple(sources)
        self.seeds = seeds
        self.now = now
        self.settings = settings
        self._querier = querier
        self._passed = passed
        self._waiting: list[Batch] = []
        self._draining: asyncio.Task[None] | None = None
        self._probes: TLRUCache[object, _Remembered] = TLRUCache(
            _PROBE_ROWS, lambda _key, one, _now: one.expires, now, lambda one: len(one.rows) + 100
        )

    async def select(self, select: Select, options: ReadOptions) -> Selection:
        """The inner Querier's answer, learned from."""
        selection = await self._querier.select(select, options)
        remembered = selection.provenance.use is CacheUse.HIT
        self.learn(selection.block, Window(select.start, select.end), remembered=remembered)
        return selection

    async def estimate(self, select: Select, options: ReadOptions) -> tuple[Estimate, ...]:
        """What the inner Querier says, with the number of series that were learned."""
        found = await estimated(self._querier, select, options)
        if all(one.series is not None for one in found):
            return found
        there = self.learned.within(Window(select.start, select.end))
        known = int(np.count_nonzero(self.learned.index.matching(select.matchers, there)))
        return tuple(
            replace(one, series=known) if one.series is None and known else one for one in found
        )

    def learn(self, block: SeriesBlock, window: Window, *, remembered: bool = False) -> None:
        """Notes the series of a block that was read for a window, or `remembered` of earlier reads.

        New series beyond the first few are taken up behind the answer, in small slices.
        """
        now = self.now()
        window = Window(window.start, min(window.end, now))
        if self.learned.noted(block, window, now, remembered=remembered):
            return
        for batch in batches(block, window):
            fresh = self.learned.fresh(batch, now)
            self._waiting += list(fresh.slices())
        if self._draining is None and self._waiting:
            self._add()
        if self._draining is None and self._waiting:
            self._draining = asyncio.get_running_loop().create_task(self._drain())

    async def settled(self) -> None:
        """Waits until everything that was read is taken up."""
        while self._draining is not None:
            await asyncio.shield(self._draining)

    async def series(self, lookup: Lookup) -> Found[Labels]:
        """The label sets that match, in label order."""
        passed = await self._from_api(lambda one: one.series(lookup))
        if passed is not None:
            return passed
        asked = await self._asked(lookup)
        return _found(self.learned.index.series(self._mask(lookup, asked)), asked)

    async def names(self, lookup: Lookup) -> Found[str]:
        """The label names of the series that match, sorted."""
        passed = await self._from_api(lambda one: one.names(lookup))
        if passed is not None:
            return passed
        asked = await self._asked(lookup)
        return _found(self.learned.index.names(self._mask(lookup, asked)), asked)

    async def values(self, name: str, lookup: Lookup) -> Found[str]:
        """A label's values of the series that match, sorted."""
        passed = await self._from_api(lambda one: one.values(name, lookup))
        if passed is not None:
            return passed
        asked = await self._asked(lookup)
        values = self.learned.index.values(name, self._mask(lookup, asked))
        if name == METRIC_NAME and not asked.complete:
            values = sorted({*values, *self.seeds.matching(lookup.matcher_sets)})
        return _found(values, asked)

    def types(self) -> list[tuple[str, str]]:
        """Each metric family and its type, as far as names tell; sorted."""
        index = self.learned.index
        quantiles = index.column("quantile")
        having = np.zeros(len(index), np.bool_)
        if quantiles is not None:
            having[quantiles.rows] = True
        summaries = index.values(METRIC_NAME, having)
        names = {*index.values(METRIC_NAME), *self.seeds.names}
        return list(types_of(names, summaries))

    async def metadata(self) -> Metadata:
        """What is known of each metric: what the store's API says, else what its name does."""
        await self.settled()
        told = {name: [{"type": kind, "unit": "", "help": ""}] for name, kind in self.types()}
        passed = await self._from_api(lambda one: one.metadata_of(told))
        return told if passed is None else dict(passed.items)

    def cardinality(self, limit: int) -> Cardinality:
        """The counts of everything that is known, `limit` of each kind."""
        return cardinality([self.learned], limit)

    async def probe(
        self, source: Source, matchers: tuple[Matcher, ...], window: Window, options: ReadOptions
    ) -> Probed:
        """What a store says of a narrow selector, learned from."""
        probed = await source.probe(matchers, window, self.settings, options)
        await self.absorb(probed)
        return probed

    async def absorb(self, probed: Probed) -> None:
        """Learns what a store was asked."""
        for block, window in probed.blocks:
            self.learn(block, window)
        await self.settled()

    def refresh(self, source: Source, end: int) -> "asyncio.Task[None] | None":
        """The read of all names of a store that is under way, or begins now because it is due."""
        settings, now = self.settings, self.now()
        if source.task is not None and not source.task.done():
            return source.task
        if not (settings.bootstrap and source.hint):
            return None
        first, pause = source.attempted is None, settings.refresh
        late = source.covered is None or min(end, now) > source.covered.end + pause
        tried = source.attempted is not None and now < source.attempted + pause
        if first or (pause and late and not tried):
            source.task = asyncio.get_running_loop().create_task(self.survey(source))
            return source.task
        return None

    async def survey(self, source: Source) -> None:
        """Reads all names of a store that honours the hint, of the time since they were read."""
        now, held, width = self.now(), source.covered, self.settings.bootstrap_window
        source.attempted = now
        kept = held is not None and held.end > now - width
        start = held.end if held is not None and kept else now - width
        try:
            # What all names are is for all who ask.
            with paid_by(None):
                probed = await source.everything(Window(start, now))
            await self.absorb(probed)
        except BridgeError as error:
            _LOG.warning("reading all names failed", extra={"store": source.name, "error": error})
            return
        source.covered = Window(held.start if held is not None and kept else start, now)
        fields = {"store": source.name, "series": len(self.learned.index)}
        _LOG.info("read the names of all series", extra=fields)

    async def aclose(self) -> None:
        """Ends what goes on behind the answers."""
        tasks = [source.task for source in self.sources] + [self._draining]
        running = [task for task in tasks if task is not None and not task.done()]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _from_api(self, ask: Callable[[PassedNames], Awaitable[list[T]]]) -> Found[T] | None:
        """What the store's own API answers; None if there is none that works."""
        if self._passed is None or not await self._passed.usable():
            return None
        try:
            return Found(await ask(self._passed), Origin.API, complete=True)
        except BudgetUsedUp:
            return None
        except FAILURES as error:
            _LOG.warning("a metadata_url failed", extra={"error": error})
            return None

    def _add(self) -> None:
        self.learned.add(self._waiting.pop(0), self.now())

    async def _drain(self) -> None:
        try:
            while self._waiting:
                self._add()
                await asyncio.sleep(0)
        finally:
            self._draining = None

    async def _asked(self, lookup: Lookup) -> _Asked:
        """Asks the stores for what is narrow; waits for the first survey where that is needed."""
        asked = _Asked()
        if lookup.window.end >= lookup.window.start:
            wide = not lookup.matcher_sets
            for matchers in dict.fromkeys(lookup.matcher_sets):
                if is_narrow(matchers) or self._costs_no_samples(matchers):
                    await self._ask(matchers, lookup, asked)
                else:
                    wide = True
            if wide:
                await self._surveyed(lookup.window, asked)
        await self.settled()
        return asked

    def _costs_no_samples(self, matchers: tuple[Matcher, ...]) -> bool:
        """Whether no store is known to answer such a selector with samples."""
        return is_selective(matchers) and all(one.hint is not False for one in self.sources)

    def _mask(self, lookup: Lookup, asked: _Asked) -> Mask:
        """Which rows [S] the answer is made of; raises a store's error if nothing is known."""
        found = np.zeros(len(self.learned.index), np.bool_)
        if lookup.window.end < lookup.window.start:
            return found
        there = self.learned.within(lookup.window)
        for matchers in lookup.matcher_sets or ((),):
            probes = asked.exact.get(matchers)
            if probes is None or any(not self._stands(one) for one in probes):
                found |= self.learned.index.matching(matchers, there)
            else:
                for one in probes:
                    found[one.rows] = True
        if asked.errors and not found.any():
            raise asked.errors[0]
        return found

    async def _ask(self, matchers: tuple[Matcher, ...], lookup: Lookup, asked: _Asked) -> None:
        """Probes every store that a narrow selector concerns, at the same time."""
        select = Select(matchers, lookup.window.start, lookup.window.end)
        concerned = [source for source in self.sources if source.view.concerns(select)]
        answers = await asyncio.gather(
            *(self._probed(source, matchers, lookup) for source in concerned),
            return_exceptions=True,
        )
        exact = []
        for answer in answers:
            match answer:
                case (_Remembered() as one, tuple() as warnings):
                    asked.warnings |= dict.fromkeys(warnings)
                    asked.complete &= one.complete
                    exact.append(one)
                case Unavailable() | QueryTimeout() | ExecutionError() | BudgetUsedUp() as error:
                    asked.warnings[f"{error}; the answer is what was learned before"] = None
                    asked.errors.append(error)
                    asked.complete, asked.origin = False, Origin.CATALOGUE
                case BaseException() as error:
                    raise error
        if len(exact) == len(answers) and all(one.complete for one in exact):
            asked.exact[matchers] = exact

    async def _probed(
        self, source: Source, matchers: tuple[Matcher, ...], lookup: Lookup
    ) -> tuple[_Remembered, tuple[str, ...]]:
        """One store's answer; the same question within a minute is not asked again."""
        key = (source.name, frozenset(matchers), lookup.window)
        held = self._probes.get(key)
        again = lookup.options.nocache or lookup.options.fresh
        if held is not None and not again and self._stands(held):
            return held, ()
        probed = await self.probe(source, matchers, lookup.window, lookup.options)
        rows = self.learned.index.places(list(probed.labels))
        held_all = bool((rows >= 0).all())
        made = _Remembered(
            rows[rows >= 0],
            self.learned.generation,
            probed.complete and held_all,
            self.now() + _PROBE_TTL,
        )
        if len(rows) < _PROBE_ROWS // 2:
            self._probes[key] = made
        return made, probed.warnings

    def _stands(self, probe: _Remembered) -> bool:
        return probe.generation == self.learned.generation

    async def _surveyed(self, window: Window, asked: _Asked) -> None:
        """Sees to it that all names are known, as far as stores let us."""
        tasks = [(source, self.refresh(source, window.end)) for source in self.sources]
        first = [task for source, task in tasks if task is not None and source.covered is None]
        if first:
            await asyncio.wait(first, timeout=_PATIENCE)
        asked.origin = Origin.CATALOGUE
        # There is nothing yet after now, so nothing can be missing there.
        past = Window(window.start, min(window.end, self.now()))
        asked.complete &= all(_covers(source.covered, past) for source in self.sources)


def _covers(held: Window | None, window: Window) -> bool:
    return held is not None and held.start <= window.start and window.end <= held.end


def _found(items: Sequence[T], asked: _Asked) -> Found[T]:
    notes = asked.warnings if asked.complete else asked.warnings | {APPROXIMATE: None}
    return Found(list(items), asked.origin, asked.complete, tuple(notes))
