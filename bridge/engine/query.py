"""A query as the engine takes it and a result as it gives it back."""

from dataclasses import dataclass, field
from typing import Final

from bridge.engine.demands import Limits, TurnSettings
from bridge.model.time import Steps
from bridge.model.vectors import Matrix, Scalar, String, Value, Windows
from bridge.promql.ast import Expr, ValueType
from bridge.storage.interface import Provenance, ReadOptions


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """What an operator decides for all queries; times in ms, sizes in bytes.

    `features` are the names given to `--enable-feature`; `evaluation_interval` is the default
    resolution of subqueries; a `max_bytes` of 0 means no limit. `max_total_bytes` may be held by
    all queries together, None for half of the machine's memory. `limits` are those of single
    queries; `turns` says how many there may be at a time, `cpu_slots` how many of them, of
    about the same size, evaluate at a time what is long (0: all, None: as many as processors).
    """

    timeout: int = 120_000
    max_samples: int = 50_000_000
    max_bytes: int = 4 << 30
    max_total_bytes: int | None = None
    turns: TurnSettings = field(default_factory=TurnSettings)
    cpu_slots: int | None = None
    limits: Limits = field(default_factory=Limits)
    lookback: int = 300_000
    evaluation_interval: int = 60_000
    features: frozenset[str] = frozenset()

    def reading(self, *, nocache: bool = False, fresh: bool = False) -> ReadOptions:
        """How a query reads: with these limits."""
        return ReadOptions(
            nocache,
            fresh,
            max_bytes=self.max_bytes,
            max_series=self.limits.series,
            max_read_bytes=self.limits.read_bytes,
        )


@dataclass(frozen=True, slots=True)
class Switches:
    """What `--enable-feature` changes in evaluation; the defaults are Prometheus 3.14's."""

    delayed_name_removal: bool = False
    type_and_unit_labels: bool = False
    use_start_timestamps: bool = False
    per_step_stats: bool = False


DEFAULTS: Final = Switches()


@dataclass(frozen=True, slots=True)
class QueryOptions:
    """What one request may decide; times in ms, 0 for the engine's own setting.

    `limit`: at most so many series in the result (0: all). `nocache`, `fresh`: see ReadOptions.
    `every_step`: evaluate also steps whose values are known, for what that costs is asked for.
    """

    timeout: int = 0
    lookback: int = 0
    limit: int = 0
    nocache: bool = False
    fresh: bool = False
    every_step: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed query: its text, its tree, its steps and lookback (ms)."""

    text: str
    expr: Expr
    steps: Steps
    lookback: int


@dataclass(slots=True)
class Stats:
    """What a query cost: `timings` in seconds under Prometheus' names, samples, bytes received.

    The engine brings it up to date while the query runs; nothing changes it later.
    `samples_read` came from the stores, or from memory as `provenance` says; `queryable_samples` is
    what selectors and ranges showed, over all steps; `queryable_per_step` the same step by step,
    with the step's time in ms, if it is switched on. Of `known_steps` the values were known from an
    earlier query; the rest is about the other steps only.
    """

    timings: dict[str, float] = field(default_factory=dict)
    samples_read: int = 0
    peak_samples: int = 0
    queryable_samples: int = 0
    queryable_per_step: tuple[tuple[int, int], ...] = ()
    received_bytes: int = 0
    known_steps: int = 0
    provenance: Provenance = field(default_factory=Provenance)


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """A query's answer.

    `type` tells how to show `value`: VECTOR and a Matrix of one step; MATRIX and a Matrix (range
    query) or Windows of one step (instant query of a range vector: the raw samples); SCALAR and a
    Scalar; STRING and a String. Rows are in the order to show and none is empty. `warnings` and
    `infos` are the texts to show, with their positions.
    """

    type: ValueType
    value: Value
    steps: Steps
    warnings: tuple[str, ...]
    infos: tuple[str, ...]
    stats: Stats

    @property
    def points(self) -> int:
        """How many points the answer shows, about: those of histograms count for one."""
        match self.value:
            case Matrix() | Windows():
                return len(self.value.labels) * len(self.steps)
            case Scalar():
                return len(self.value.values)
            case String():
                return 1
