"""Well-typed expressions over a chosen vocabulary, as hypothesis strategies."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from bridge.model.labels import METRIC_NAME, Matcher, MatchType, quoted
from bridge.promql.ast import (
    AggregateExpr,
    BinaryExpr,
    Bound,
    Call,
    Cardinality,
    DurationExpr,
    Expr,
    MatrixSelector,
    NumberLiteral,
    ParenExpr,
    Signature,
    StringLiteral,
    SubqueryExpr,
    UnaryExpr,
    ValueType,
    VectorMatching,
    VectorSelector,
)
from bridge.promql.features import Features
from bridge.promql.printer import float_text, label_text
from bridge.promql.tokens import (
    AGGREGATORS,
    COMPARISONS,
    EXPERIMENTAL_AGGREGATORS,
    PARAMETRIC_AGGREGATORS,
    SET_OPERATORS,
)

_ARITHMETIC = ("+", "-", "*", "/", "%", "^", "atan2")
_TRIMS = ("</", ">/")
STANDARD = Features()


@dataclass(frozen=True)
class Vocabulary:
    """What generated expressions are made of; durations in ms, `times` for `@` in ms."""

    signatures: tuple[Signature, ...]
    metrics: tuple[str, ...] = ("up", "http_requests_total", "job:rate:5m", "sum")
    labels: tuple[str, ...] = ("job", "instance", "le", "by")
    values: tuple[str, ...] = ("", "api", "0.5", 'a"b\\c\n', "é")
    patterns: tuple[str, ...] = (".*", ".+", "a|b", "api-[0-9]+")
    strings: tuple[str, ...] = ("dst", "$1", "(.*)", ",", "")
    numbers: tuple[float, ...] = (0.0, 1.0, 2.5, -1.0, 1e-9, 1e21, 0.1, float("inf"))
    ranges: tuple[int, ...] = (1, 1000, 60_000, 300_000, 5_400_000, 604_800_000)
    offsets: tuple[int, ...] = (0, 0, 0, 60_000, -60_000, 3_600_000)
    times: tuple[int, ...] = (0, 1_000, 1_600_000_000_123, -1)
    features: Features = STANDARD
    depth: int = 3


def vocabulary(signatures: Mapping[str, Signature], features: Features) -> Vocabulary:
    """The default vocabulary with those functions that the features allow."""
    allowed = tuple(
        signature
        for signature in signatures.values()
        if features.experimental_functions or not signature.experimental
    )
    return Vocabulary(allowed, features=features)


def expressions(words: Vocabulary) -> SearchStrategy[Expr]:
    """Expressions that an instant query accepts: of all four types, mostly vectors."""
    vectors = typed(words, ValueType.VECTOR, words.depth)
    others = [typed(words, kind, words.depth) for kind in ValueType]
    return st.one_of(vectors, vectors, *others)


def range_expressions(words: Vocabulary) -> SearchStrategy[Expr]:
    """Expressions that a range query accepts: scalars and, mostly, vectors."""
    vectors = typed(words, ValueType.VECTOR, words.depth)
    return st.one_of(vectors, vectors, typed(words, ValueType.SCALAR, words.depth))


@lru_cache(maxsize=1024)
def typed(words: Vocabulary, kind: ValueType, depth: int) -> SearchStrategy[Expr]:
    """Expressions of one type, at most about `depth` compound nodes deep."""
    match kind:
        case ValueType.SCALAR:
            return _scalars(words, depth)
        case ValueType.VECTOR:
            return _vectors(words, depth)
        case ValueType.MATRIX:
            return _matrices(words, depth)
        case ValueType.STRING:
            return _string_expressions(words, depth)


def _string_expressions(words: Vocabulary, depth: int) -> SearchStrategy[Expr]:
    plain: SearchStrategy[Expr] = st.sampled_from(words.strings).map(StringLiteral)
    return plain if depth <= 0 else st.one_of(plain, plain.map(ParenExpr))


def _scalars(words: Vocabulary, depth: int) -> SearchStrategy[Expr]:
    numbers: SearchStrategy[Expr] = st.sampled_from(words.numbers).map(NumberLiteral)
    literals = st.one_of(numbers, st.sampled_from(words.ranges).map(_duration_literal))
    if depth <= 0:
        return literals
    inner = typed(words, ValueType.SCALAR, depth - 1)
    return st.one_of(
        literals,
        _calls(words, ValueType.SCALAR, depth),
        inner.map(ParenExpr),
        st.builds(_unary, st.sampled_from("+-"), inner),
        st.builds(_scalar_binary, st.sampled_from(_ARITHMETIC), inner, inner),
        st.builds(_scalar_comparison, st.sampled_from(sorted(COMPARISONS)), inner, inner),
    )


def _vectors(words: Vocabulary, depth: int) -> SearchStrategy[Expr]:
    if depth <= 0:
        return selectors(words)
    inner = typed(words, ValueType.VECTOR, depth - 1)
    return st.one_of(
        selectors(words),
        _calls(words, ValueType.VECTOR, depth),
        _calls(words, ValueType.VECTOR, depth),
        _aggregations(words, depth),
        _vector_binaries(words, depth),
        inner.map(ParenExpr),
        st.builds(_unary, st.sampled_from("+-"), inner),
    )


def _matrices(words: Vocabulary, depth: int) -> SearchStrategy[Expr]:
    ranges = _optional(_range_arithmetic(words))
    plain = st.builds(_matrix, selectors(words), st.sampled_from(words.ranges), ranges)
    if depth <= 0:
        return plain
    return st.one_of(plain, plain, _subqueries(words, depth))


@st.composite
def selectors(draw: st.DrawFn, words: Vocabulary) -> VectorSelector:
    """A vector selector with all its modifiers."""
    named = draw(st.booleans())
    matchers = draw(st.lists(_matchers(words), max_size=3))
    name = draw(st.sampled_from(words.metrics))
    bare = Matcher(METRIC_NAME, MatchType.EQUAL, name)
    chosen = (*_sorted(matchers), bare) if named else _sorted([bare, *matchers])
    anchored, smoothed = draw(_extended(words))
    offset, offset_expr, timestamp, bound = draw(_times(words))
    return VectorSelector(
        name if named else "",
        chosen,
        offset,
        offset_expr,
        timestamp,
        bound,
        anchored,
        smoothed,
    )


def _sorted(matchers: list[Matcher]) -> tuple[Matcher, ...]:
    """Matchers in the order in which they are printed."""
    return tuple(sorted(matchers, key=lambda m: f"{label_text(m.name)}{m.type}{quoted(m.value)}"))


def _matchers(words: Vocabulary) -> SearchStrategy[Matcher]:
    labels = st.sampled_from(words.labels)
    equal = st.sampled_from((MatchType.EQUAL, MatchType.NOT_EQUAL))
    regexp = st.sampled_from((MatchType.REGEXP, MatchType.NOT_REGEXP))
    return st.one_of(
        st.builds(Matcher, labels, equal, st.sampled_from(words.values)),
        st.builds(Matcher, labels, regexp, st.sampled_from(words.patterns)),
    )


def _extended(words: Vocabulary) -> SearchStrategy[tuple[bool, bool]]:
    if not words.features.extended_range_selectors:
        return st.just((False, False))
    return st.sampled_from(((False, False), (False, False), (True, False), (False, True)))


_Times = tuple[int, DurationExpr | None, int | None, Bound | None]


@st.composite
def _times(draw: st.DrawFn, words: Vocabulary) -> _Times:
    """Offset, its arithmetic, and the `@` time."""
    offset: int = draw(st.sampled_from(words.offsets))
    arithmetic = draw(_optional(_offset_arithmetic(words)))
    choice = draw(st.integers(0, 5))
    timestamp = draw(st.sampled_from(words.times)) if choice == 0 else None
    bound = {1: Bound.START, 2: Bound.END}.get(choice)
    return (0 if arithmetic else offset), arithmetic, timestamp, bound


def _optional(
    strategy: SearchStrategy[DurationExpr] | None,
) -> SearchStrategy[DurationExpr | None]:
    """None, and now and then a duration expression where the features allow them."""
    nothing = st.none()
    return nothing if strategy is None else st.one_of(nothing, nothing, nothing, strategy)


def _duration_literal(milliseconds: int) -> NumberLiteral:
    return NumberLiteral(float(milliseconds // 1000) + milliseconds % 1000 / 1000, duration=True)


@lru_cache(maxsize=64)
def _durations(words: Vocabulary, depth: int) -> SearchStrategy[DurationExpr | NumberLiteral]:
    literals = st.sampled_from(words.ranges).map(_duration_literal)
    words_ = st.sampled_from(("step", "range")).map(lambda op: DurationExpr(op, None, None))
    if depth <= 0:
        return st.one_of(literals, words_)
    inner = _durations(words, depth - 1)
    return st.one_of(
        literals,
        words_,
        st.builds(_duration_binary, st.sampled_from("+-*/%^"), inner, inner),
        st.builds(DurationExpr, st.sampled_from(("min_of", "max_of")), inner, inner),
        inner.map(_wrapped),
    )


def _range_arithmetic(words: Vocabulary) -> SearchStrategy[DurationExpr] | None:
    if not words.features.duration_expressions:
        return None
    compound = _durations(words, 2).filter(lambda made: isinstance(made, DurationExpr))
    return compound.map(_as_duration_expr)


def _offset_arithmetic(words: Vocabulary) -> SearchStrategy[DurationExpr] | None:
    """Behind `offset` arithmetic stands in parentheses."""
    if not words.features.duration_expressions:
        return None
    return _durations(words, 2).map(_wrapped)


def _as_duration_expr(made: DurationExpr | NumberLiteral) -> DurationExpr:
    assert isinstance(made, DurationExpr)
    return made


def _wrapped(inner: DurationExpr | NumberLiteral) -> DurationExpr:
    if isinstance(inner, DurationExpr):
        return replace(inner, wrapped=True)
    return DurationExpr("+", None, inner, wrapped=True)


def _duration_binary(
    op: str, lhs: DurationExpr | NumberLiteral, rhs: DurationExpr | NumberLiteral
) -> DurationExpr:
    return DurationExpr(op, _wrapped(lhs), _wrapped(rhs))


def _matrix(
    selector: VectorSelector, range_: int, range_expr: DurationExpr | None
) -> MatrixSelector:
    return MatrixSelector(selector, 0 if range_expr else range_, range_expr)


@st.composite
def _subqueries(draw: st.DrawFn, words: Vocabulary, depth: int) -> SubqueryExpr:
    inner = draw(typed(words, ValueType.VECTOR, depth - 1))
    range_expr, step_expr = (draw(_optional(_range_arithmetic(words))) for _ in range(2))
    if range_expr is not None and not _has_number(range_expr):
        # The lexer wants to have seen a number before the colon.
        range_expr = DurationExpr("+", None, _duration_literal(words.ranges[0]), wrapped=True)
    range_ = draw(st.sampled_from(words.ranges))
    step = draw(st.sampled_from((0, *words.ranges)))
    offset, offset_expr, timestamp, bound = draw(_times(words))
    return SubqueryExpr(
        # What a modifier would reach into needs parentheses too.
        inner if isinstance(inner, Call | AggregateExpr | ParenExpr) else ParenExpr(inner),
        0 if range_expr else range_,
        0 if step_expr else step,
        offset,
        timestamp,
        bound,
        range_expr,
        step_expr,
        offset_expr,
    )


def _has_number(expr: DurationExpr | NumberLiteral | None) -> bool:
    if isinstance(expr, DurationExpr):
        return _has_number(expr.lhs) or _has_number(expr.rhs)
    return expr is not None


def _operand(expr: Expr) -> Expr:
    """An operand in parentheses where precedence could tear it apart."""
    match expr:
        case BinaryExpr() | UnaryExpr():
            torn = True
        case NumberLiteral():
            torn = float_text(expr.value)[0] in "+-"
        case VectorSelector() | SubqueryExpr():
            # An operator behind a duration in parentheses belongs to the duration.
            torn = expr.offset_expr is not None
        case _:
            torn = False
    return ParenExpr(expr) if torn else expr


def _unary(op: str, expr: Expr) -> Expr:
    # A sign before a literal is part of it.
    return UnaryExpr(op, ParenExpr(expr) if isinstance(expr, NumberLiteral) else _operand(expr))


def _scalar_binary(op: str, lhs: Expr, rhs: Expr) -> BinaryExpr:
    return BinaryExpr(op, _operand(lhs), _operand(rhs))


def _scalar_comparison(op: str, lhs: Expr, rhs: Expr) -> BinaryExpr:
    return BinaryExpr(op, _operand(lhs), _operand(rhs), return_bool=True)


@st.composite
def _calls(draw: st.DrawFn, words: Vocabulary, returns: ValueType, depth: int) -> Expr:
    found = [made for made in words.signatures if made.returns is returns]
    if not found:
        return draw(typed(words, returns, 0))
    signature = draw(st.sampled_from(found))
    kinds = list(signature.args)
    if signature.variadic:
        most = signature.variadic if signature.variadic > 0 else 3
        kinds[-1:] = [kinds[-1]] * draw(st.integers(0, most))
    args = [
        draw(_label_selectors(words))
        if index == signature.labels_argument
        else draw(typed(words, kind, depth - 1))
        for index, kind in enumerate(kinds)
    ]
    return Call(signature.name, tuple(args), returns)


def _label_selectors(words: Vocabulary) -> SearchStrategy[VectorSelector]:
    # Prometheus prints no matchers at all as nothing.
    matchers = st.lists(_matchers(words), min_size=1, max_size=2).map(_sorted)
    return matchers.map(lambda chosen: VectorSelector("", chosen))


def _label_lists(words: Vocabulary) -> SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(words.labels), max_size=2, unique=True).map(tuple)


@st.composite
def _aggregations(draw: st.DrawFn, words: Vocabulary, depth: int) -> AggregateExpr:
    allowed = AGGREGATORS
    if not words.features.experimental_functions:
        allowed = AGGREGATORS - EXPERIMENTAL_AGGREGATORS
    op = draw(st.sampled_from(sorted(allowed)))
    expr = draw(typed(words, ValueType.VECTOR, depth - 1))
    param: Expr | None = None
    if op == "count_values":
        param = StringLiteral(draw(st.sampled_from(words.labels)))
    elif op in PARAMETRIC_AGGREGATORS:
        param = draw(typed(words, ValueType.SCALAR, depth - 2))
    return AggregateExpr(op, expr, param, draw(_label_lists(words)), draw(st.booleans()))


@st.composite
def _vector_binaries(draw: st.DrawFn, words: Vocabulary, depth: int) -> BinaryExpr:
    operators = (*_ARITHMETIC, *_TRIMS, *sorted(COMPARISONS), *sorted(SET_OPERATORS))
    op = draw(st.sampled_from(operators))
    lhs = _operand(draw(typed(words, ValueType.VECTOR, depth - 1)))
    rhs = _operand(draw(typed(words, ValueType.VECTOR, depth - 1)))
    return_bool = op in COMPARISONS and draw(st.booleans())
    if op not in SET_OPERATORS and draw(st.booleans()):
        scalar = _operand(draw(typed(words, ValueType.SCALAR, depth - 1)))
        lhs, rhs = (scalar, rhs) if draw(st.booleans()) else (lhs, scalar)
        return BinaryExpr(op, lhs, rhs, return_bool)
    return BinaryExpr(op, lhs, rhs, return_bool, draw(_matchings(words, op)))


@st.composite
def _matchings(draw: st.DrawFn, words: Vocabulary, op: str) -> VectorMatching:
    labels, on = draw(_label_lists(words)), draw(st.booleans())
    if op in SET_OPERATORS:
        return VectorMatching(Cardinality.MANY_TO_MANY, labels, on)
    card = draw(st.sampled_from(list(Cardinality)[:3]))
    include: tuple[str, ...] = ()
    if card is not Cardinality.ONE_TO_ONE:
        include = tuple(x for x in draw(_label_lists(words)) if not on or x not in labels)
    lhs = rhs = None
    if words.features.fill_modifiers:
        fills = st.one_of(st.none(), st.sampled_from((0.0, -1.0, 2.5, 1e7)))
        lhs, rhs = draw(fills), draw(fills)
    return VectorMatching(card, labels, on, include, lhs, rhs)
