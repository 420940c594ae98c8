"""Runs scripts against the engine and keeps count."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final, cast

from bridge.engine.engine import Engine
from bridge.engine.query import EngineSettings, QueryOptions, Result
from bridge.model.errors import BridgeError, ParseError
from bridge.model.time import Steps
from bridge.model.vectors import Matrix
from bridge.promql.ast import Expr
from bridge.storage.interface import Querier
from tests.promqltest.compare import check, check_error, check_scalar, check_vector, rows
from tests.promqltest.nhcb import native_series
from tests.promqltest.script import Clear, Command, Eval, Kind, Load
from tests.promqltest.shifted import at_forms, has_range_form
from tests.promqltest.store import ScriptStore

FEATURES: Final = frozenset(
    {
        "promql-experimental-functions",
        "promql-extended-range-selectors",
        "promql-binop-fill-modifiers",
        "promql-delayed-name-removal",
        "use-start-timestamps",
    }
)
SETTINGS: Final = EngineSettings(
    timeout=100_000,
    max_samples=10_000,
    lookback=300_000,
    evaluation_interval=60_000,
    features=FEATURES,
)


@dataclass(frozen=True, slots=True)
class Failure:
    """A case whose result is not the expected one."""

    script: str
    case: Eval
    query: str
    text: str

    def __str__(self) -> str:
        return f"{self.script}:{self.case.line}: {self.query}\n{self.text}"


@dataclass(slots=True)
class Count:
    """What came out of the cases of one or more scripts.

    `not_carried` are cases besides, with data that the way they go has no place for.
    """

    cases: int = 0
    passed: int = 0
    failures: list[Failure] = field(default_factory=list)
    queries: int = 0
    not_carried: int = 0

    def add(self, other: "Count") -> None:
        """Takes in another count."""
        self.cases += other.cases
        self.passed += other.passed
        self.failures += other.failures
        self.queries += other.queries
        self.not_carried += other.not_carried


class Runner:
    """Runs one script after the other; `shifted` adds the other forms of instant queries.

    `before` makes what stands before the samples in each case.
    """

    def __init__(
        self,
        workers: ThreadPoolExecutor,
        *,
        shifted: bool = False,
        before: Callable[[Querier], Querier] = lambda store: store,
    ) -> None:
        self._workers = workers
        self._shifted = shifted
        self._before = before

    async def run(self, name: str, commands: Iterable[Command]) -> Count:
        """Runs the commands of the script of that name."""
        count, store = Count(), ScriptStore()
        for command in commands:
            match command:
                case Clear():
                    store = ScriptStore()
                case Load():
                    add_series(command, store)
                case Eval():
                    await self._case(name, command, store, count)
        return count

    async def _case(self, name: str, case: Eval, store: ScriptStore, count: Count) -> None:
        count.cases += 1
        engine = Engine(self._before(store), SETTINGS, self._workers)
        one = _Case(engine, case, count)
        try:
            expr = engine.parse(case.text)
            failed = await one.check(case.text, case.steps)
            if failed is None and self._shifted and case.steps.instant:
                failed = await one.check_shifted(expr)
        except ParseError as error:
            failed = (case.text, f"does not parse: {error}")
        finally:
            engine.close()
        if failed is None:
            count.passed += 1
        else:
            count.failures.append(Failure(name, case, *failed))


def add_series(load: Load, store: ScriptStore) -> None:
    """Adds the series of a load command."""
    for one in load.series:
        store.add(one, load.gap)
    for made in native_series(load.series) if load.custom_buckets else ():
        store.add(made, load.gap)


@dataclass(frozen=True, slots=True)
class _Case:
    """One case under way; a failed check gives the query and what is wrong."""

    engine: Engine
    case: Eval
    count: Count

    async def check(self, text: str, steps: Steps) -> tuple[str, str] | None:
        """The query as it is, or a form of it that must give the same."""
        outcome = await self._query(text, steps)
        failed = (
            check(self.case, outcome)
            if isinstance(outcome, Result)
            else check_error(self.case, outcome)
        )
        return None if failed is None else (f"{text} {when(steps)}", failed)

    async def check_shifted(self, expr: Expr) -> tuple[str, str] | None:
        """The forms with `@`, and for each form the middle of a range query."""
        for text, time in ((self.case.text, self.case.steps.start), *at_forms(self.case, expr)):
            failed = await self.check(text, Steps.at(time))
            if (
                failed is None
                and not self.case.expects(Kind.FAIL)
                and has_range_form(self.case, text)
            ):
                failed = await self._check_range(text, time)
            if failed is not None:
                return failed
        return None

    async def _check_range(self, text: str, time: int) -> tuple[str, str] | None:
        steps = Steps(time - 60_000, time + 60_000, 60_000)
        where = f"{text} {when(steps)}"
        outcome = await self._query(text, steps)
        if isinstance(outcome, BridgeError):
            return where, f"failed: {outcome}"
        if self.case.expects(Kind.ORDERED):
            return None
        assert isinstance(outcome.value, Matrix)
        middle = [
            (labels, {time: points[time]}) for labels, points in rows(outcome) if time in points
        ]
        failed = (
            check_vector(self.case, middle)
            if self.case.scalar is None
            else check_scalar(self.case, cast("float", middle[0][1][time]))
        )
        return None if failed is None else (where, failed)

    async def _query(self, text: str, steps: Steps) -> Result | BridgeError:
        self.count.queries += 1
        try:
            return await self.engine.query(text, steps, QueryOptions())
        except BridgeError as error:
            return error
        except Exception as error:  # noqa: BLE001 - a crash is one more failed case
            return BridgeError(f"crashed with {error!r}")


def when(steps: Steps) -> str:
    """The times of a query as failures name them."""
    if steps.instant:
        return f"[at {steps.start} ms]"
    return f"[from {steps.start} to {steps.end} step {steps.interval} ms]"
