"""Both sides of the fuzzer, Prometheus and the engine in front of it, and how they are judged."""

import asyncio
import contextlib
import os
import traceback
import zlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Final

import httpx

from bridge.api.encode import encode_data
from bridge.api.errors import ErrorType, failure_of
from bridge.api.params import parameter
from bridge.engine.engine import Engine
from bridge.engine.functions import FUNCTIONS
from bridge.engine.query import EngineSettings, QueryOptions
from bridge.model.errors import ParseError
from bridge.model.samples import DecodedPart, SeriesBlock
from bridge.model.time import Steps
from bridge.promql.ast import Expr
from bridge.promql.printer import to_text
from bridge.remote.client import RemoteStore
from bridge.remote.settings import ResponseType, StoreSettings
from bridge.storage.interface import Querier, ReadOptions, Select, Selection
from tests.oracle.differences import DIFFERENCES, FUNCTIONS_OF_3_5, called_otherwise
from tests.oracle.fuzz_replies import (
    Reply,
    explained_by_chance,
    first_difference,
    reply,
    same,
    vary,
)
from tests.oracle.fuzz_shrink import smaller
from tests.oracle.fuzz_translations import Case

# How often Prometheus is asked while its answers are other than ours, and how often once they
# differ among themselves: some sums of a random order are rare.
_ANSWERS: Final = 12
_MORE_ANSWERS: Final = 100
_SETTINGS: Final = EngineSettings(features=frozenset({"promql-experimental-functions"}))
_ATTEMPTS: Final = 150  # how many smaller expressions are tried for a difference


Before = Callable[[Querier], Querier]


@dataclass(frozen=True, slots=True)
class Question:
    """A range query if `step` is set, else an instant query at `end`; ms, 0 for no own lookback."""

    expr: str
    start: int
    end: int
    step: int = 0
    lookback: int = 0

    @property
    def path(self) -> str:
        """The end point."""
        return "/api/v1/query_range" if self.step else "/api/v1/query"

    @property
    def parameters(self) -> Mapping[str, str]:
        """The form."""
        form = {"query": self.expr}
        if self.step:
            times = {"start": self.start, "end": self.end, "step": self.step}
            form |= {name: _seconds(value) for name, value in times.items()}
        else:
            form["time"] = _seconds(self.end)
        return form | ({"lookback_delta": _seconds(self.lookback)} if self.lookback else {})

    @property
    def steps(self) -> Steps:
        """The steps as the engine takes them."""
        return Steps(self.start, self.end, self.step) if self.step else Steps.at(self.end)


def _seconds(milliseconds: int) -> str:
    sign = "-" if milliseconds < 0 else ""
    whole, rest = divmod(abs(milliseconds), 1000)
    return f"{sign}{whole}.{rest:03d}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`reasons` name the known differences; `detail` tells of others and is empty if equal."""

    empty: bool
    reasons: tuple[str, ...] = ()
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Sides:
    """Prometheus and the engine in front of it; `older` has functions as they were in 3.5."""

    client: httpx.AsyncClient
    engine: Engine
    older: Engine

    async def theirs(self, asked: Question) -> Reply:
        """Prometheus' reply."""
        answer = await self.client.post(asked.path, data=dict(asked.parameters))
        return reply(answer.status_code, answer.content)

    async def ours(self, asked: Question, engine: Engine | None = None) -> Reply:
        """The reply that the API would give; a crash is told with its traceback."""
        try:
            with parameter("query"):
                engine, options = engine or self.engine, QueryOptions(lookback=asked.lookback)
                result = await engine.query(asked.expr, asked.steps, options)
            data = encode_data(result)
        except Exception as error:  # noqa: BLE001 - a crash is one more difference
            failed = failure_of(error)
            crashed = failed.type is ErrorType.INTERNAL
            text = "".join(traceback.format_exception(error)[-4:]) if crashed else failed.text
            return Reply(failed.status, b"", (failed.type.value, text), frozenset())
        return Reply(200, data, None, frozenset((*result.warnings, *result.infos)))

    def parsed(self, text: str) -> Expr | None:
        """The tree, or None if there is none."""
        try:
            return self.engine.parse(text)
        except ParseError:
            return None

    async def judged(self, asked: Question) -> Verdict:
        """Compares; Prometheus is asked again for as long as another answer may be its own too."""
        ours, first = await asyncio.gather(self.ours(asked), self.theirs(asked))
        verdict = await self._compared(asked, first, ours)
        older = called_otherwise(self.parsed(asked.expr)) if verdict.detail else ()
        if older:
            changed = await self._compared(asked, first, await self.ours(asked, self.older))
            if not changed.detail:
                return replace(changed, reasons=(*changed.reasons, *older))
        return verdict

    async def _compared(self, asked: Question, first: Reply, ours: Reply) -> Verdict:
        expr, said = self.parsed(asked.expr), [first]
        while True:
            reasons, case = _explained(Case(asked.expr, expr, said[-1], ours))
            if same(expr, case.theirs, case.ours):
                return Verdict(first.empty, reasons)
            if len(said) >= (_MORE_ANSWERS if vary(said) else _ANSWERS):
                break
            said.append(await self.theirs(asked))
        cases = [_explained(Case(asked.expr, expr, one, ours))[1] for one in said]
        if explained_by_chance([one.theirs for one in cases], case.ours):
            return Verdict(first.empty, (*reasons, "chance"))
        return Verdict(first.empty, reasons, first_difference(case.theirs, case.ours))

    async def shrunk(self, asked: Question, verdict: Verdict) -> tuple[Question, Verdict]:
        """A smaller question that is answered differently, if one is found soon."""
        left, expr = _ATTEMPTS, self.parsed(asked.expr)
        candidates = smaller(expr) if expr is not None else iter(())
        for candidate in candidates:
            attempt = replace(asked, expr=to_text(candidate))
            parsed, left = self.parsed(attempt.expr), left - 1
            if left < 0:
                break
            if parsed is None or len(attempt.expr) >= len(asked.expr):
                continue
            found = await self.judged(attempt)
            if found.detail:
                return await self.shrunk(attempt, found)
        return asked, verdict


def _explained(case: Case) -> tuple[tuple[str, ...], Case]:
    """The names of the differences that apply, and what is left of the case without them."""
    names = []
    if same(case.expr, case.theirs, case.ours):
        return (), case
    for difference in DIFFERENCES:
        translated = difference.translate(case)
        if translated != case:
            names.append(difference.name)
            case = translated
    return tuple(names), case


@dataclass(frozen=True, slots=True)
class _Cut:
    """A store whose every other answer is cut into parts of a few rows, as large ones are."""

    store: RemoteStore

    async def select(self, select: Select, options: ReadOptions) -> Selection:
        """The whole answer; which are cut depends on the question only."""
        answer = await self.store.select(select, options)
        chance, block = zlib.crc32(repr(select).encode()), answer.block
        if chance % 2:
            return answer
        columns, rows = block.columns(), 1 + chance // 2 % 7
        starts = range(0, len(block), rows)
        parts = (DecodedPart(columns.rows(at, min(at + rows, len(block)))) for at in starts)
        return replace(answer, block=SeriesBlock(block.labels, tuple(parts)))


@contextlib.asynccontextmanager
async def sides(
    url: str, forms: Sequence[ResponseType], before: Before = lambda store: store
) -> AsyncIterator[Sides]:
    """Both sides, of the Prometheus at `url`, which is asked for these forms of an answer.

    `before` makes what stands before its samples.
    """
    settings = StoreSettings("oracle", f"{url}/api/v1/read", response_types=tuple(forms))
    store = RemoteStore(settings)
    querier = before(_Cut(store))
    with ThreadPoolExecutor(os.cpu_count()) as workers:
        tables = (FUNCTIONS, {**FUNCTIONS, **FUNCTIONS_OF_3_5})
        engines = [Engine(querier, _SETTINGS, workers, table) for table in tables]
        async with httpx.AsyncClient(base_url=url, timeout=120, trust_env=False) as client:
            yield Sides(client, *engines)
        await store.aclose()
        for engine in engines:
            engine.close()
