"""A tree over as many lines as it takes: what `format_query` answers."""

from typing import Final

from bridge.promql.ast import (
    AggregateExpr,
    BinaryExpr,
    Call,
    Expr,
    ParenExpr,
    StepInvariantExpr,
    SubqueryExpr,
    UnaryExpr,
    children,
)
from bridge.promql.printer import aggregation_head, operator_text, subquery_text, to_text

_WIDTH: Final = 100
_INDENT: Final = "  "


def prettified(expr: Expr) -> str:
    """The expression with every node that is longer than 100 bytes split over lines.

    Source: promql/parser/prettier.go.
    """
    return _Pretty().lines(expr, 0)


class _Pretty:
    """Writes one tree; which nodes fit on a line is found out once for each node."""

    def __init__(self) -> None:
        self._fitting: dict[int, str | None] = {}

    def fitting(self, expr: Expr) -> str | None:
        """The node's text if it is not too long for a line; what holds a long node is long."""
        key = id(expr)
        if key not in self._fitting:
            inside = [self.fitting(child) for child in children(expr)]
            text = None if None in inside else to_text(expr)
            fits = text is not None and len(text.encode("utf-8", "surrogateescape")) <= _WIDTH
            self._fitting[key] = text if fits else None
        return self._fitting[key]

    def lines(self, expr: Expr, level: int) -> str:
        """The node at a depth of indentation; at depth 0 its parent has not begun a line."""
        text = self.fitting(expr)
        if text is not None and not isinstance(expr, UnaryExpr | StepInvariantExpr):
            # Prometheus does not indent a subquery that fits.
            return text if isinstance(expr, SubqueryExpr) else _INDENT * level + text
        return self._split(expr, level)

    def _split(self, expr: Expr, level: int) -> str:
        indent, inner = _INDENT * level, level + 1
        match expr:
            case AggregateExpr():
                param = "" if expr.param is None else self.lines(expr.param, inner) + ",\n"
                body = f"{param}{self.lines(expr.expr, inner)}"
                return f"{indent}{aggregation_head(expr)}(\n{body}\n{indent})"
            case BinaryExpr():
                lhs, rhs = self.lines(expr.lhs, inner), self.lines(expr.rhs, inner)
                return f"{lhs}\n{indent}{operator_text(expr)}\n{rhs}"
            case Call():
                args = ",\n".join([self.lines(arg, inner) for arg in expr.args])
                return f"{indent}{expr.func}(\n{args}\n{indent})"
            case ParenExpr():
                return f"{indent}(\n{self.lines(expr.expr, inner)}\n{indent})"
            case UnaryExpr():
                return f"{indent}{expr.op}{self.lines(expr.expr, level).strip()}"
            case StepInvariantExpr():
                return self.lines(expr.expr, level)
            case SubqueryExpr():
                return self.lines(expr.expr, level) + subquery_text(expr)
            case _:
                return indent + to_text(expr)
