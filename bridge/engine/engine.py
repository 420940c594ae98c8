"""A query from text to result: plan, fetch, evaluate, within time and budget."""

import asyncio
import copy
import os
import time
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from contextvars import copy_context
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

from bridge.engine import costs
from bridge.engine.admission import admitted, estimates
from bridge.engine.begun import within
from bridge.engine.effort import LONG, LONG_TEXT, fits_at_once, remembered_work, work_of
from bridge.engine.evaluate import evaluate
from bridge.engine.evaluation import Evaluation
from bridge.engine.function import Function
from bridge.engine.functions import FUNCTIONS
from bridge.engine.limits import Budget, points
from bridge.engine.names import settled
from bridge.engine.outcome import outcome
from bridge.engine.plan import Plan, Reads, Timing
from bridge.engine.prepared import Prepared, Prepareds
from bridge.engine.query import EngineSettings, Query, QueryOptions, Result, Stats, Switches
from bridge.engine.reading import fetched
from bridge.engine.seen import Seen
from bridge.engine.separable import Separable
from bridge.engine.stretch import Place, Stretch, Stretches, StretchShelf, linked, stretch_of
from bridge.engine.turns import IsSmall, Slots, Turns
from bridge.kernel.threads import behind
from bridge.model.annotations import Annotations, store_warning
from bridge.model.errors import (
    BadData,
    ExecutionError,
    LimitExceeded,
    QueryTimeout,
    TooManySamples,
)
from bridge.model.time import Steps
from bridge.model.vectors import Value, Windows
from bridge.promql.ast import Expr, ValueType, value_type
from bridge.promql.features import Features
from bridge.promql.parser import parse
from bridge.storage.allowance import BYTES_PER_SAMPLE
from bridge.storage.interface import Querier, Select, Selection
from bridge.storage.pool import CURRENT, Part
from bridge.telemetry.trace import Stage, stage

_Made = TypeVar("_Made")


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """A query under way; unless `apart` is NEVER its steps' values may be known, and be kept."""

    query: Query
    prepared: Prepared
    options: QueryOptions
    budget: Budget
    stats: Stats
    apart: Separable


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """A result, and its values as they may be continued; None if they may not."""

    result: Result
    stretch: Stretch | None


class Engine:
    """Evaluates PromQL over a Querier.

    What takes less than a change of threads is evaluated at once, all else in threads of the
    engine's own, what is long in such that give way; row ranges of one query share `workers`. At
    most so many queries as its settings say run at a time, the others wait for their turn.
    """

    def __init__(
        self,
        querier: Querier,
        settings: EngineSettings,
        workers: Executor,
        functions: Mapping[str, Function] = FUNCTIONS,
        stretches: Stretches | None = None,
    ) -> None:
        self.settings = settings
        self.querier = querier
        self._workers = workers
        self._functions = functions
        self._signatures = {name: one.signature for name, one in functions.items()}
        self.features = _features(settings.features)
        self.switches = Switches(
            delayed_name_removal="promql-delayed-name-removal" in settings.features,
            type_and_unit_labels="type-and-unit-labels" in settings.features,
            use_start_timestamps="use-start-timestamps" in settings.features,
            per_step_stats="promql-per-step-stats" in settings.features,
        )
        self.turns = Turns(settings.turns)
        self.own_turns: Turns | None = None
        slots = settings.cpu_slots
        self._slots = Slots(os.cpu_count() or 1 if slots is None else slots)
        threads = settings.turns.concurrency + settings.turns.lane
        self._prepareds = Prepareds()
        self.stretches = stretches or Stretches(StretchShelf(0))
        self._evaluators = ThreadPoolExecutor(threads, "evaluate")
        self._long_evaluators = behind(threads, "evaluate long")

    def over(self, querier: Querier, settings: EngineSettings | None = None) -> "Engine":
        """The same engine over another Querier: they share threads and turns.

        Other `settings` are those of queries there, and let no more of them run at a time.
        """
        sibling = copy.copy(self)
        sibling.querier, sibling.stretches = querier, self.stretches.apart()
        if settings is not None:
            sibling.settings = settings
            sibling.own_turns = (
                None if settings.turns == self.settings.turns else Turns(settings.turns)
            )
        return sibling

    def close(self) -> None:
        """Lets the threads end."""
        for threads in (self._evaluators, self._long_evaluators):
            threads.shutdown(wait=False, cancel_futures=True)

    def parse(self, text: str) -> Expr:
        """The checked tree of a query; raises ParseError."""
        return parse(text, self._signatures, self.features)

    async def query(
        self,
        text: str,
        steps: Steps,
        options: QueryOptions,
        stats: Stats | None = None,
    ) -> Result:
        """The result at these steps; `stats` tell of it on the way, also if it fails.

        Raises BadData for the text, ExecutionError and its leaves, QueryTimeout, and what the
        Querier raises. Cancelling the task ends reads and evaluation.
        """
        stats = Stats() if stats is None else stats
        prepared = await self._prepared(text)
        started = time.perf_counter()
        _require_type(prepared.expr, steps)
        timeout = min(options.timeout or self.settings.timeout, self.settings.timeout) / 1000
        budget = Budget(
            self.settings.max_samples,
            self.settings.max_bytes,
            time.monotonic() + timeout,
            time.monotonic,
            partial(share.reach, Part.VALUES) if (share := CURRENT.get()) else None,
        )
        query = Query(text, prepared.expr, steps, options.lookback or self.settings.lookback)
        small = partial(self._is_small, query, prepared, options)
        queued: float | None = None

        async def run() -> Result:
            nonlocal queued
            async with self._turn(small):
                queued = time.perf_counter() - started
                return await self._run(query, prepared, options, budget, stats)

        try:
            return await within(timeout, run())
        except TimeoutError:
            raise QueryTimeout("query execution") from None
        finally:
            budget.stop()
            total = time.perf_counter() - started
            costs.timed(stats, total if queued is None else queued, total)

    def _turn(self, is_small: IsSmall) -> AbstractAsyncContextManager[None]:
        if self.own_turns is None:
            return self.turns.taken(is_small)
        return self._both_turns(self.own_turns, is_small)

    @asynccontextmanager
    async def _both_turns(self, own: Turns, is_small: IsSmall) -> AsyncIterator[None]:
        async with own.taken(is_small), self.turns.taken(is_small):
            yield

    async def _is_small(self, query: Query, prepared: Prepared, options: QueryOptions) -> bool:
        """Whether all that a query needs is remembered, and neither it nor its values are much."""
        apart = await self._apart(query, prepared, options)
        known = await self._known(query, apart)
        steps = query.steps if known is None else known.behind(query.steps)
        selects = (await self._planned(prepared, steps, query.lookback)).selects
        found = await estimates(self.querier, selects, options)
        remembered = [one for one in found if one.samples is not None and not one.gaps]
        work = sum(remembered_work(one, steps) for one in remembered)
        return len(remembered) == len(found) and work <= self.settings.turns.small_samples

    async def selects(self, text: str, steps: Steps, options: QueryOptions) -> tuple[Select, ...]:
        """What a query would read; raises BadData for its text."""
        prepared = await self._prepared(text)
        _require_type(prepared.expr, steps)
        return (await self._planned(prepared, steps, options.lookback)).selects

    async def _prepared(self, text: str) -> Prepared:
        """The checked tree, kept from when the same was asked before."""
        self.settings.limits.check_text(text)
        prepared = self._prepareds.find(text)
        if prepared is None:
            prepared = await self._unless_long(text, lambda: self._parsed(text))
            self._prepareds.keep(prepared)
        return prepared

    def _parsed(self, text: str) -> Prepared:
        return Prepared.of(text, self.parse(text), self._functions)

    async def _planned(self, prepared: Prepared, steps: Steps, lookback: int) -> Plan:
        timing = Timing(lookback or self.settings.lookback, self.settings.evaluation_interval)

        def planned() -> Plan:
            with stage(Stage.PLAN):
                return prepared.plan(steps, timing, self._functions)

        return await self._unless_long(prepared.text, planned)

    async def _unless_long(self, text: str, work: Callable[[], _Made]) -> _Made:
        """Work on a text; with a long one in a thread, for it would hold up everything else."""
        return work() if len(text) < LONG_TEXT else await self._in_thread(work)

    async def _run(
        self,
        query: Query,
        prepared: Prepared,
        options: QueryOptions,
        budget: Budget,
        stats: Stats,
    ) -> Result:
        """The result; only steps whose values are not known are evaluated."""
        apart = await self._apart(query, prepared, options)
        if apart is not Separable.NEVER and not self.stretches.expect(Place.of(query)):
            apart = Separable.NEVER
        asked = _Asked(query, prepared, options, budget, stats, apart)
        known = await self._known(query, apart)
        found = None if known is None else await self._continued(known, asked)
        if found is None:
            found = await self._evaluated(asked, query.steps)
        if found.stretch is not None:
            self.stretches.keep(Place.of(query), found.stretch)
        return found.result

    async def _apart(self, query: Query, prepared: Prepared, options: QueryOptions) -> Separable:
        """When values of steps may be given that are known, and be kept for that."""
        alone = query.steps.instant or options.limit or options.every_step
        if alone or options.nocache or options.fresh or not self.stretches.shelf.max_bytes:
            return Separable.NEVER
        steps, functions, switches = query.steps, self._functions, self.switches
        return await self._unless_long(
            query.text, lambda: prepared.separable(steps, functions, switches)
        )

    async def _known(self, query: Query, apart: Separable) -> Stretch | None:
        """The values of a query's first steps, if they may be given and those of most are known."""
        stretch = None if apart is Separable.NEVER else self.stretches.find(Place.of(query))
        if stretch is None:
            return None
        count = await stretch.known(query.steps)
        return stretch.first(query.steps, count) if 2 * count > len(query.steps) else None

    async def _continued(self, known: Stretch, asked: "_Asked") -> "_Found | None":
        """What is known and the steps behind it; None if these are not alike.

        Remarks are about a query as a whole: they are the same of all steps if they are of both.
        """
        rest = known.behind(asked.query.steps)
        if not len(rest):
            return _Found(_given(known, asked, len(known.steps)), None)
        try:
            found = await self._evaluated(asked, rest)
        except (TooManySamples, LimitExceeded):
            raise
        except ExecutionError:
            # It may be another error, or another text, when all steps are looked at.
            return None
        if found.stretch is None or not found.stretch.like(known):
            return None
        stretch = known.followed_by(found.stretch)
        given = _given(stretch, asked, len(known.steps))
        noted = replace(given, warnings=found.result.warnings, infos=found.result.infos)
        return _Found(noted, stretch)

    async def _evaluated(self, asked: "_Asked", steps: Steps) -> "_Found":
        """The result at some steps of a query, as if it were for these."""
        planned = await self._planned(asked.prepared, steps, asked.query.lookback)
        self.settings.limits.check_selects(planned.selects)
        query, options, budget = replace(asked.query, steps=steps), asked.options, asked.budget
        stats, began = asked.stats, time.perf_counter()
        with stage(Stage.FETCH, selects=len(planned.selects)):
            share = CURRENT.get()
            if share is not None:
                await admitted(share, self.querier, planned.selects, options, self.settings)
            answers = await self._fetch(planned, steps, options, budget)
            if share is not None:
                held = sum(answer.block.samples for answer in answers)
                share.set(Part.SAMPLES, held * BYTES_PER_SAMPLE)
        fetched = time.perf_counter()
        costs.read(stats, answers, fetched - began)
        annotations = Annotations(
            store_warning(text) for answer in answers for text in answer.warnings
        )
        on = Evaluation(
            steps,
            Reads(zip(planned.selects, (answer.block for answer in answers), strict=True)),
            planned.timing,
            self._functions,
            annotations,
            budget,
            self._workers,
            Seen(len(steps)),
            switches=self.switches,
            met=[] if asked.apart is Separable.ALIKE else None,
        )

        def computed() -> Result:
            with stage(Stage.EVALUATE):
                value = _value(planned.expr, on)
            with stage(Stage.OUTCOME):
                return outcome(query, value, annotations, options.limit, stats)

        try:
            blocks = [answer.block for answer in answers]
            if fits_at_once(asked.prepared, steps, blocks):
                result = computed()
            else:
                work = work_of(steps, blocks)
                async with self._slots.taken(work):
                    result = await self._in_thread(computed, long=work > LONG)
        finally:
            seconds = time.perf_counter() - fetched
            costs.evaluated(stats, on, seconds)
        never = asked.apart is Separable.NEVER
        link = None if never else linked(planned, steps, answers)
        rows = () if on.met is None else (*(one.block.labels for one in answers), *on.met)
        return _Found(result, stretch_of(result, annotations, link, rows))

    async def _fetch(
        self, planned: Plan, steps: Steps, options: QueryOptions, budget: Budget
    ) -> list[Selection]:
        """What the plan reads, within the limits of a query."""
        reading = self.settings.reading(nocache=options.nocache, fresh=options.fresh)
        return await fetched(self.querier, planned, steps, reading, budget)

    async def _in_thread(self, work: Callable[[], _Made], *, long: bool = False) -> _Made:
        run, threads = copy_context().run, self._long_evaluators if long else self._evaluators
        return await asyncio.get_running_loop().run_in_executor(threads, run, work)


def _given(stretch: Stretch, asked: _Asked, known: int) -> Result:
    """The result that a query's values make, of which so many were known, without remarks."""
    matrix, query, stats = stretch.matrix, asked.query, asked.stats
    asked.budget.room_for(len(matrix), len(query.steps))
    asked.budget.settle(0, points(matrix))
    costs.continued(stats, stretch, known)
    return Result(ValueType.MATRIX, matrix, query.steps, (), (), stats)


def _value(expr: Expr, on: Evaluation) -> Value:
    value = evaluate(expr, on)
    if isinstance(value, Windows):
        on.budget.hold(int((value.hi - value.lo).sum()))
    return settled(value) if on.switches.delayed_name_removal else value


def _features(names: frozenset[str]) -> Features:
    """The language that `--enable-feature` switches on."""
    return Features(
        experimental_functions="promql-experimental-functions" in names,
        extended_range_selectors="promql-extended-range-selectors" in names,
        fill_modifiers="promql-binop-fill-modifiers" in names,
    )


def _require_type(expr: Expr, steps: Steps) -> None:
    kind = value_type(expr)
    if not steps.instant and kind not in (ValueType.SCALAR, ValueType.VECTOR):
        raise BadData(
            f'invalid expression type "{kind.documented}" for range query, must be Scalar or'
            " instant Vector"
        )
