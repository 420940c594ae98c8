"""A query over fewer series: matchers put into every selector of its tree."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from bridge.model.labels import METRIC_NAME, Matcher
from bridge.promql.ast import Call, Expr, Signature, VectorSelector, rewrite


class NotNarrowable(Exception):
    """A query that reads series which no selector of its text names."""


def narrowed(expr: Expr, matchers: Sequence[Matcher], signatures: Mapping[str, Signature]) -> Expr:
    """The same query over the series that satisfy these matchers too.

    Raises NotNarrowable for functions that take bare label matchers, as `info` does: what they read
    stands in no selector, and a matcher more would choose among labels.
    """
    match expr:
        case VectorSelector():
            both = tuple(dict.fromkeys((*matchers, *expr.matchers)))
            # Before the braces of a matcher of names no name may stand.
            named = any(one.name == METRIC_NAME for one in matchers)
            return replace(expr, name="" if named else expr.name, matchers=both)
        case Call() if signatures[expr.func].labels_argument is not None:
            raise NotNarrowable(expr.func)
        case _:
            return rewrite(expr, lambda child: narrowed(child, matchers, signatures))
