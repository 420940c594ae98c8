"""How Prometheus 3.5, the oracle, differs from 3.14, which prombridge follows: all of it, here.

Each entry names the line of Prometheus' changelog, or the pull request, it comes from. An entry's
`translate` brings two replies closer where it applies: what is left must be equal.
`FUNCTIONS_OF_3_5` are functions as they were: with them the engine must answer like the oracle.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from bridge.engine.function import Function
from bridge.engine.functions import FUNCTIONS
from bridge.promql.ast import Call, Expr, children
from tests.oracle import fuzz_native
from tests.oracle import fuzz_translations as translations
from tests.oracle.fuzz_translations import Case


@dataclass(frozen=True, slots=True)
class Difference:
    """One change since 3.5; `translate` gives the case without it, or the same case."""

    name: str
    since: str
    change: str
    translate: Callable[[Case], Case]


@dataclass(frozen=True, slots=True)
class OlderFunction:
    """A function that answered otherwise in 3.5."""

    since: str
    change: str
    function: Function


SUMS_OF_HISTOGRAMS: Final = Difference(
    "sums of histograms",
    "3.10.0",
    "promql: use Kahan summation for Native Histograms. #15687",
    fuzz_native.rounded,
)
"""Shown to be the reason by `histogram_sums.explained`."""

DIFFERENCES: Final = (
    Difference(
        "sort warning",
        "3.12.0",
        "Emit a warning when `sort`, `sort_by_label` or `sort_by_label_desc` is used within range "
        "(matrix) queries, as these functions do not have effect in that context. #18498",
        translations.our_notes(
            lambda note: None if ": sort is ineffective for range queries" in note else note
        ),
    ),
    Difference(
        "monotonicity detail",
        "3.10.0",
        "Add more detail to histogram quantile monotonicity info annotations. #15578",
        translations.our_notes(lambda note: translations.FIXED_BUCKETS.sub(r"\1", note)),
    ),
    Difference(
        "metric name of buckets",
        "3.7.0",
        "Avoid empty metric names in annotations for `histogram_quantile()`. #16794",
        translations.unnamed_buckets,
    ),
    Difference(
        "order of duplicates",
        "after 3.14.0",
        "promql: make duplicate series error message deterministic. #18810",
        translations.errors(translations.in_order),
    ),
    Difference(
        "impossible k",
        "3.6.0",
        "Fail when `NaN` is passed as parameter to `topk()`, `bottomk()`, `limitk()` and "
        "`limit_ratio()`. #16725",
        translations.impossible_k,
    ),
    Difference(
        "many-to-one in filters",
        "3.9.0",
        "Check more consistently for many-to-one matching in filter binary operators. #17668",
        translations.unchecked_filter,
    ),
    Difference(
        "words of durations",
        "3.6.0",
        "Add `step()`, and `min()` and `max()` on durations. #16777; with #18623, #18687",
        translations.errors(translations.shortened),
    ),
    Difference(
        "inside parentheses",
        "3.7.0",
        "promql: Move more work to preprocessing step. #16896, which unwraps parentheses",
        translations.past_parentheses,
    ),
    Difference(
        "positions behind aggregations",
        "3.7.0",
        "Correct inaccurate character positions in errors for some aggregate expressions. "
        "#16996 #17031",
        translations.behind_aggregations,
    ),
    Difference(
        "duration expressions",
        "3.14.0",
        "Enable duration expressions by default. #19033; with #16777, and #17877 for `start()`, "
        "`end()`, `range()` and `step()`, other words about brackets and these names",
        translations.newer_grammar,
    ),
    Difference(
        "panics of the parser",
        "3.13.0",
        "Fix panic when using a parenthesised plain number as an offset. #18768, also #17735",
        translations.panic,
    ),
    Difference(
        "timestamp at a fixed time",
        "3.11.0",
        "promql: allow timestamp() to be wrapped as a step invariant depending on arguments. "
        "#17313",
        translations.pinned_timestamp,
    ),
    Difference(
        "offset of a timestamp at a fixed time",
        "all versions",
        "promql/engine.go puts the distance to @ in the offset's place for timestamp() alone.",
        translations.forgotten_offset,
    ),
    Difference(
        "matchers of absent",
        "all versions",
        "With remote_read Prometheus copies the matchers for each store: they keep their order.",
        translations.sorted_matchers,
    ),
    Difference(
        "zeros in quantiles",
        "all versions",
        "Go's sort.Sort leaves equal numbers in an order that depends on how many there are.",
        translations.unsigned_zeros,
    ),
    Difference(
        "histograms in subqueries",
        "3.6.0",
        "Fix inconsistencies when using native histograms in subqueries. #16879",
        fuzz_native.in_subqueries,
    ),
    Difference(
        "gauges of negative factors",
        "3.7.0",
        "Set native histogram to gauge type when subtracting or multiplying/dividing with "
        "negative factors. #17004",
        fuzz_native.negated,
    ),
    Difference(
        "mixed buckets in statistics",
        "3.12.0",
        "Fix missing warning when mixing exponential and custom-bucket histograms in stats "
        "queries. #18660",
        fuzz_native.unnoticed_mix,
    ),
    SUMS_OF_HISTOGRAMS,
    Difference(
        "name of @",
        "3.8.0",
        "promql/parser: Add string representation for AT token. #17380",
        translations.errors(lambda text: text.replace('"<Item 57400>" ', "")),
    ),
)


_OLDER: Final = (
    OlderFunction(
        "3.8.0",
        "Fix `histogram_fraction` for classic histograms and NHCB if lower bound is in the first "
        "bucket. #17424",
        replace(FUNCTIONS["histogram_fraction"], apply=translations.fraction),
    ),
    *(
        OlderFunction(
            "3.6.0",
            "Fix extrapolation for native counter histograms. #16828",
            fuzz_native.unlimited(name),
        )
        for name in ("rate", "increase")
    ),
)
FUNCTIONS_OF_3_5: Final[Mapping[str, Function]] = MappingProxyType(
    {older.function.name: older.function for older in _OLDER}
)


def called_otherwise(expr: Expr | None) -> tuple[str, ...]:
    """The functions in an expression that answered otherwise in 3.5."""
    if expr is None:
        return ()
    here = (expr.func,) if isinstance(expr, Call) and expr.func in FUNCTIONS_OF_3_5 else ()
    inside = (name for child in children(expr) for name in called_otherwise(child))
    return tuple(sorted({*here, *inside}))
