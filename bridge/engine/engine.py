"""A query from text to result: plan, fetch, evaluate, within time and budget."""

import asyncio
import copy
import os
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from contextvars import copy_context
from dataclasses import replace
from functools import partial
from typing import Final, TypeVar

from bridge.engine.effort import LONG, LONG_TEXT, fits_at_once, remembered_work, work_of
from bridge.engine.evaluate import evaluate
from bridge.engine.evaluation import Evaluation
from bridge.engine.function import Function
from bridge.engine.functions import FUNCTIONS
from bridge.engine.limits import Budget
from bridge.engine.names import settled
from bridge.engine.outcome import outcome
from bridge.engine.plan import Plan, Reads, Timing
from bridge.engine.prepared import Prepared, Prepareds
from bridge.engine.query import (
    EngineSettings,
    Progress,
    Query,
    QueryOptions,
    Result,
    Stats,
    Switches,
)
from bridge.engine.reading import fetched
from bridge.engine.seen import Seen
from bridge.engine.turns import IsSmall, Slots, Turns
from bridge.kernel.threads import behind
from bridge.model.annotations import Annotations, store_warning
from bridge.model.errors import BadData, Overloaded, QueryTimeout
from bridge.model.time import Steps
from bridge.model.vectors import Value, Windows
from bridge.promql.ast import Expr, ValueType, value_type
from bridge.promql.features import Features
from bridge.promql.parser import parse
from bridge.storage.allowance import BYTES_PER_SAMPLE, allow
from bridge.storage.interface import (
    Estimate,
    Provenance,
    Querier,
    ReadOptions,
    Select,
    Selection,
    estimated,
)
from bridge.storage.pool import CURRENT, Part, Share
from bridge.telemetry.trace import Stage, stage

_Made = TypeVar("_Made")

# From this length of time on it is worth to ask beforehand what a read would bring, ms.
_LONG_READ: Final = 6 * 3_600_000


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
        self._evaluators = ThreadPoolExecutor(threads, "evaluate")
        self._long_evaluators = behind(threads, "evaluate long")

    def over(self, querier: Querier, settings: EngineSettings | None = None) -> "Engine":
        """The same engine over another Querier: they share threads and turns.

        Other `settings` are those of queries there, and let no more of them run at a time.
        """
        sibling = copy.copy(self)
        sibling.querier = querier
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
        progress: Progress | None = None,
    ) -> Result:
        """The result at these steps; `progress` tells of it on the way, also if it fails.

        Raises BadData for the text, ExecutionError and its leaves, QueryTimeout, and what the
        Querier raises. Cancelling the task ends reads and evaluation.
        """
        progress = progress or Progress()
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
        small = partial(self._is_small, prepared, steps, options)
        queued: float | None = None
        try:
            async with asyncio.timeout(timeout), self._turn(small):
                queued = time.perf_counter() - started
                result = await self._run(query, prepared, options, budget, progress)
        except TimeoutError:
            raise QueryTimeout("query execution") from None
        finally:
            budget.stop()
            total = time.perf_counter() - started
            progress.stats = _timed(progress.stats, total if queued is None else queued, total)
        return replace(result, stats=progress.stats)

    def _turn(self, is_small: IsSmall) -> AbstractAsyncContextManager[None]:
        if self.own_turns is None:
            return self.turns.taken(is_small)
        return self._both_turns(self.own_turns, is_small)

    @asynccontextmanager
    async def _both_turns(self, own: Turns, is_small: IsSmall) -> AsyncIterator[None]:
        async with own.taken(is_small), self.turns.taken(is_small):
            yield

    async def _admitted(
        self, share: Share, selects: Sequence[Select], options: QueryOptions
    ) -> None:
        """Waits until there is memory for what a query is known to read; raises LimitExceeded.

        To know that takes time, so what is short is let in without a look while memory is free.
        """
        longest = max((one.end - one.start for one in selects), default=0)
        if longest < _LONG_READ and not share.crowded:
            return
        found = await self._estimates(selects, options)
        samples = sum(one.samples or 0 for one in found)
        allow(samples, ReadOptions(max_bytes=self.settings.max_bytes))
        wait = self.settings.turns.wait
        try:
            async with asyncio.timeout(wait / 1000 if wait else None):
                await share.admitted(samples * BYTES_PER_SAMPLE)
        except TimeoutError:
            text = (
                f"too little memory: none came free within query.max_queue_wait ({wait / 1000:g}s)"
            )
            raise Overloaded(text, max(wait // 1000, 1)) from None

    async def _estimates(self, selects: Sequence[Select], options: QueryOptions) -> list[Estimate]:
        reading = ReadOptions(options.nocache, options.fresh)
        asked = (estimated(self.querier, select, reading) for select in selects)
        return [one for estimates in await asyncio.gather(*asked) for one in estimates]

    async def _is_small(self, prepared: Prepared, steps: Steps, options: QueryOptions) -> bool:
        """Whether all that a query needs is remembered, and neither it nor its values are much."""
        selects = (await self._planned(prepared, steps, options.lookback)).selects
        found = await self._estimates(selects, options)
        known = [one for one in found if one.samples is not None and not one.gaps]
        work = sum(remembered_work(one, steps) for one in known)
        return len(known) == len(found) and work <= self.settings.turns.small_samples

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
        progress: Progress,
    ) -> Result:
        began = time.perf_counter()
        planned = await self._planned(prepared, query.steps, query.lookback)
        self.settings.limits.check_selects(planned.selects)
        with stage(Stage.FETCH, selects=len(planned.selects)):
            share = CURRENT.get()
            if share is not None:
                await self._admitted(share, planned.selects, options)
            answers = await self._fetch(planned, query.steps, options, budget)
            if share is not None:
                held = sum(answer.block.samples for answer in answers)
                share.set(Part.SAMPLES, held * BYTES_PER_SAMPLE)
        fetched = time.perf_counter()
        progress.stats = _read(answers, fetched - began)
        annotations = Annotations(
            store_warning(text) for answer in answers for text in answer.warnings
        )
        on = Evaluation(
            query.steps,
            Reads(zip(planned.selects, (answer.block for answer in answers), strict=True)),
            planned.timing,
            self._functions,
            annotations,
            budget,
            self._workers,
            Seen(len(query.steps)),
            switches=self.switches,
        )

        def computed() -> Result:
            with stage(Stage.EVALUATE):
                value = _evaluated(planned.expr, on)
            with stage(Stage.OUTCOME):
                return outcome(query, value, annotations, options.limit, progress.stats)

        try:
            blocks = [answer.block for answer in answers]
            if fits_at_once(prepared, query.steps, blocks):
                return computed()
            work = work_of(query.steps, blocks)
            async with self._slots.taken(work):
                return await self._in_thread(computed, long=work > LONG)
        finally:
            seconds = time.perf_counter() - fetched
            progress.stats = _evaluated_stats(progress.stats, on, seconds)

    async def _fetch(
        self, planned: Plan, steps: Steps, options: QueryOptions, budget: Budget
    ) -> list[Selection]:
        """What the plan reads, within the limits of a query."""
        limits = self.settings.limits
        reading = ReadOptions(
            options.nocache,
            options.fresh,
            max_bytes=self.settings.max_bytes,
            max_series=limits.series,
            max_read_bytes=limits.read_bytes,
        )
        return await fetched(self.querier, planned, steps, reading, budget)

    async def _in_thread(self, work: Callable[[], _Made], *, long: bool = False) -> _Made:
        run, threads = copy_context().run, self._long_evaluators if long else self._evaluators
        return await asyncio.get_running_loop().run_in_executor(threads, run, work)


def _evaluated(expr: Expr, on: Evaluation) -> Value:
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


def _read(answers: Sequence[Selection], seconds: float) -> Stats:
    """What was read, and how long preparation took."""
    provenance = Provenance.total(answer.provenance for answer in answers)
    if any(answer.warnings for answer in answers):
        # What a store lacked or failed at may be different when it is asked again.
        provenance = provenance.unvouched()
    return Stats(
        {"queryPreparationTime": seconds},
        samples_read=sum(answer.block.samples for answer in answers),
        received_bytes=sum(answer.received_bytes for answer in answers),
        provenance=provenance,
    )


def _evaluated_stats(stats: Stats, on: Evaluation, seconds: float) -> Stats:
    """The same with what evaluation took."""
    per_step: tuple[tuple[int, int], ...] = ()
    if on.switches.per_step_stats:
        per_step = tuple(zip(on.steps.times().tolist(), on.seen.counts.tolist(), strict=True))
    return replace(
        stats,
        timings={**stats.timings, "innerEvalTime": seconds},
        peak_samples=on.budget.peak,
        queryable_samples=on.seen.total,
        queryable_per_step=per_step,
    )


def _timed(stats: Stats, queued: float, total: float) -> Stats:
    """The same with Prometheus' remaining timings, seconds."""
    usual = {"queryPreparationTime": 0.0, "innerEvalTime": 0.0}
    timings = {
        **usual,
        **stats.timings,
        "evalTotalTime": total - queued,
        "resultSortTime": 0.0,
        "execQueueTime": queued,
        "execTotalTime": total,
    }
    return replace(stats, timings=timings)
