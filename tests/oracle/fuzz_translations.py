"""How a case of the older Prometheus is brought to the newer: what `differences.py` is made of."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, cast

import numpy as np

from bridge.engine.buckets import classic_buckets
from bridge.engine.function import CallSite
from bridge.engine.functions import FUNCTIONS
from bridge.model.samples import Float64s
from bridge.model.vectors import Bools, Matrix, Scalar, Value
from bridge.promql.ast import (
    AggregateExpr,
    BinaryExpr,
    Call,
    Expr,
    MatrixSelector,
    ParenExpr,
    UnaryExpr,
    VectorSelector,
    children,
)
from bridge.promql.tokens import AGGREGATORS, COMPARISONS
from tests.oracle.fuzz_replies import Reply


@dataclass(frozen=True, slots=True)
class Case:
    """A question's text and tree (None if it does not parse), what 3.5 said and what we say."""

    text: str
    expr: Expr | None
    theirs: Reply
    ours: Reply


def _edited(reply: Reply, edit: Callable[[str], str | None]) -> Reply:
    """The reply with each annotation edited; None takes one away."""
    edited = (edit(note) for note in reply.annotations)
    return replace(reply, annotations=frozenset(note for note in edited if note is not None))


def our_notes(edit: Callable[[str], str | None]) -> Callable[[Case], Case]:
    """Edits each of our annotations; None takes one away."""
    return lambda case: replace(case, ours=_edited(case.ours, edit))


def their_notes(edit: Callable[[str], str | None]) -> Callable[[Case], Case]:
    """Edits each annotation of the oracle; None takes one away."""
    return lambda case: replace(case, theirs=_edited(case.theirs, edit))


def _worded(reply: Reply, edit: Callable[[str], str]) -> Reply:
    if reply.error is None:
        return reply
    kind, text = reply.error
    return replace(reply, error=(kind, edit(text)))


def unnamed_buckets(case: Case) -> Case:
    """3.5 names the metric; where that makes too many remarks to show, none of them counts."""
    if not any(_OMITTED.match(note) for note in case.theirs.annotations):
        return their_notes(lambda note: _OF_BUCKETS.sub(r"\1", note))(case)
    if not any(map(_OF_BUCKETS.search, case.theirs.annotations)):
        return case

    def edit(note: str) -> str | None:
        return None if _OMITTED.match(note) or _BUCKETS.search(note) else note

    return replace(case, theirs=_edited(case.theirs, edit), ours=_edited(case.ours, edit))


def errors(edit: Callable[[str], str]) -> Callable[[Case], Case]:
    """Edits the error texts of both sides."""
    return lambda case: replace(
        case, theirs=_worded(case.theirs, edit), ours=_worded(case.ours, edit)
    )


FIXED_BUCKETS: Final = re.compile(
    r"(needed to be fixed for monotonicity .*?\))"
    r", from buckets \S+ to \S+, with a max diff of \S+, over \d+ samples from \S+ to \S+"
)
_BUCKETS: Final = re.compile(r'input to histogram_quantile|bucket label "le" is missing')
_OF_BUCKETS: Final = re.compile(rf'((?:{_BUCKETS.pattern}).*) for metric name "[^"]*"')
_OMITTED: Final = re.compile(r"\d+ more (warning|info) annotations omitted$")
_DUPLICATES: Final = re.compile(r"(found duplicate series .*?: \[)(\{.*\}), (\{.*\})(\];many)")
_LONGER_TEXTS: Final = (
    ('number, duration, step(), range(), or "]"', 'number or duration or "]"'),
    ("number, duration, step(), or range()", "number or duration"),
    ("subquery or range selector, expected number", "subquery selector, expected number"),
)
_NOT_UNIQUE: Final = (
    "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)",
    "multiple matches for labels: grouping labels must ensure unique matches",
)


def shortened(text: str) -> str:
    """What may stand in brackets in the words of 3.5."""
    for later, older in _LONGER_TEXTS:
        text = text.replace(later, older)
    return text


def in_order(text: str) -> str:
    """The two series of an error in the order of their texts."""
    return _DUPLICATES.sub(
        lambda found: found[1] + ", ".join(sorted(found.group(2, 3))) + found[4], text
    )


def impossible_k(case: Case) -> Case:
    """3.5 said that NaN overflows, and looked at k only where there were series to choose from."""
    if case.ours.error is None or not _IMPOSSIBLE_K.fullmatch(case.ours.error[1]):
        return case
    if case.theirs.error is None:
        return replace(case, theirs=case.ours)
    older, later = "Scalar value NaN overflows int64", "Parameter value is NaN"
    return replace(case, theirs=_worded(case.theirs, lambda text: text.replace(older, later)))


_IMPOSSIBLE_K: Final = re.compile(
    r"Parameter value is NaN|Scalar value \S+ (over|under)flows int64"
)
_NEWER_GRAMMAR: Final = re.compile(
    r": unexpected character: .*expected ':'|: function \"(start|end|step|range)\" is not enabled$"
)
_POSITION: Final = re.compile(r"( \()(\d+:\d+)(\))$")
_AT: Final = re.compile(r"\d+:\d+(?=: parse error)")
_AGGREGATION: Final = re.compile(rf"\b({'|'.join(sorted(AGGREGATORS))})\b", re.IGNORECASE)


def past_parentheses(case: Case) -> Case:
    """Positions at a parenthesis become those of what stands in it."""

    def edit(note: str) -> str:
        return _POSITION.sub(
            lambda found: f"{found[1]}{_inside(case.text, found[2])}{found[3]}", note
        )

    return replace(case, theirs=_edited(case.theirs, edit), ours=_edited(case.ours, edit))


def _inside(text: str, position: str) -> str:
    line, column = map(int, position.split(":"))
    at = text.encode().split(b"\n")[line - 1][column - 1 :]
    return f"{line}:{column + len(at) - len(at.lstrip(b'( '))}"


def behind_aggregations(case: Case) -> Case:
    """3.5 misplaced what stands in and behind an aggregation."""
    if not _AGGREGATION.search(case.text):
        return case
    sides = [_worded(one, lambda text: _AT.sub("?", text)) for one in (case.theirs, case.ours)]
    return Case(case.text, case.expr, *sides)


def newer_grammar(case: Case) -> Case:
    """What the newer grammar refuses with a reason of its own, 3.5 refuses with another."""
    theirs, ours = case.theirs.error, case.ours.error
    if theirs is None or "parse error" not in theirs[1]:
        return case
    older = "experimental duration expression is not enabled" in theirs[1]
    newer = ours is not None and _NEWER_GRAMMAR.search(ours[1]) is not None
    return replace(case, ours=case.theirs) if older or newer else case


def panic(case: Case) -> Case:
    """3.5 panicked over what it should have refused."""
    theirs, ours = case.theirs.error, case.ours.error
    panicked = theirs is not None and theirs[1].endswith(": unexpected error")
    return replace(case, ours=case.theirs) if panicked and ours is not None else case


def pinned_timestamp(case: Case) -> Case:
    """A parameter is evaluated once if the operand is, which `timestamp(x @ t)` was not in 3.5."""
    return replace(case, ours=case.theirs) if _pins(case.expr) else case


def _pins(expr: Expr | None) -> bool:
    match expr:
        case None:
            return False
        case AggregateExpr(param=Call() | BinaryExpr() | UnaryExpr() | ParenExpr()):
            return _has_pinned_timestamp(expr.expr) or _pins(expr.expr)
        case _:
            return any(map(_pins, children(expr)))


def _has_pinned_timestamp(expr: Expr) -> bool:
    return _anywhere(expr, _is_pinned_timestamp)


def _is_pinned_timestamp(expr: Expr) -> bool:
    match expr:
        case Call(func="timestamp", args=(VectorSelector() as selector,)):
            return selector.timestamp is not None or selector.bound is not None
        case _:
            return False


def _anywhere(expr: Expr, holds: Callable[[Expr], bool]) -> bool:
    return holds(expr) or any(_anywhere(child, holds) for child in children(expr))


def forgotten_offset(case: Case) -> Case:
    """`timestamp(x offset d @ t)` looks at `t` among the samples that were read for `t - d`."""
    forgets = case.expr is not None and _anywhere(case.expr, _forgets)
    return replace(case, ours=case.theirs) if forgets else case


def _forgets(expr: Expr) -> bool:
    match expr:
        case Call(func="timestamp", args=(VectorSelector(offset=offset),)) if offset:
            return _is_pinned_timestamp(expr)
        case _:
            return False


def sorted_matchers(case: Case) -> Case:
    """The labels of `absent` hang on the order of matchers, which a local TSDB sorts in place."""
    return replace(case, ours=case.theirs) if _contradicts(case.expr) else case


def _contradicts(expr: Expr | None) -> bool:
    """Whether an absent function's selector has matchers of several kinds about one label."""
    match expr:
        case None:
            return False
        case Call(func="absent" | "absent_over_time", args=(VectorSelector() as selector,)):
            return _mixes(selector)
        case Call(func="absent_over_time", args=(MatrixSelector(selector=selector),)):
            return _mixes(selector)
        case _:
            return any(map(_contradicts, children(expr)))


def _mixes(selector: VectorSelector) -> bool:
    kinds = {(matcher.name, matcher.type) for matcher in selector.matchers}
    return len(kinds) > len({name for name, _ in kinds})


def unchecked_filter(case: Case) -> Case:
    """3.5 gave an answer if a comparison left at most one of the series that match."""
    refused = case.ours.error is not None and case.ours.error[1] in _NOT_UNIQUE
    unchecked = refused and case.theirs.error is None and _filters(case.expr)
    return replace(case, ours=case.theirs) if unchecked else case


def unsigned_zeros(case: Case) -> Case:
    """Quantiles sort, and neither side's order of -0 and 0 is more than an accident."""
    if not _sorts(case.expr):
        return case
    sides = [
        replace(one, data=one.data.replace(b'"-0"', b'"0"')) for one in (case.theirs, case.ours)
    ]
    return Case(case.text, case.expr, *sides)


def _sorts(expr: Expr | None) -> bool:
    match expr:
        case None:
            return False
        case Call(func="quantile_over_time") | AggregateExpr(op="quantile"):
            return True
        case _:
            return any(map(_sorts, children(expr)))


def _filters(expr: Expr | None) -> bool:
    if expr is None:
        return False
    if isinstance(expr, BinaryExpr) and expr.op in COMPARISONS and not expr.return_bool:
        return expr.matching is not None or any(map(_filters, children(expr)))
    return any(map(_filters, children(expr)))


def fraction(site: CallSite, values: tuple[Value, ...]) -> Value:
    """NaN where either bound is finite and lies below the upper bound of the first bucket.

    That of classic buckets: the rows of native histograms, which come first, stay as they are.
    """
    made = cast("Matrix", FUNCTIONS["histogram_fraction"].apply(site, values))
    lower, upper = cast("Scalar", values[0]).values, cast("Scalar", values[1]).values
    classic = _first_bounds(cast("Matrix", values[2]).without_histograms())
    native = np.full((len(made) - len(classic), made.steps), -np.inf)
    first = np.concatenate([native, classic])
    inside = (lower < upper) & (_within(lower, first) | _within(upper, first))
    return Matrix(made.labels, np.where(inside, np.nan, made.values), made.present)


def _within(bound: Float64s, first: Float64s) -> Bools:
    result: Bools = np.isfinite(bound) & (bound < first)
    return result


def _first_bounds(vector: Matrix) -> Float64s:
    """The upper bound of the first bucket of each histogram at each step."""
    buckets = classic_buckets(vector)
    first = np.full((len(buckets.labels), vector.steps), np.inf)
    for row in range(len(buckets.labels)):
        span = slice(buckets.starts[row], buckets.starts[row + 1])
        shown = vector.present[buckets.members[span]]
        bounds = buckets.bounds[span, None]
        first[row] = np.where(shown, bounds, np.inf).min(axis=0)
    return first
