"""What is known of a query before its steps are, kept by its text: its checked tree."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from cachetools import LRUCache

from bridge.engine.function import Function
from bridge.engine.passes import Setting, rewritten
from bridge.engine.plan import Outline, Plan, Timing, plan
from bridge.engine.query import Switches
from bridge.engine.separable import Separable, separable
from bridge.model.time import Steps
from bridge.promql.ast import Call, Expr, MatrixSelector, ParenExpr, SubqueryExpr, children

# Bytes that are kept, about; no tree may take more than its share of them.
_KEPT: Final = 16 << 20
_SHARE: Final = _KEPT >> 4
# What a node takes with its twin in the rewritten tree, about.
_NODE: Final = 1000


@dataclass(slots=True, eq=False)
class Prepared:
    """The text of a query and its checked tree.

    `nodes`: how many it has; `nested`: whether a part is evaluated at other steps than the query's;
    `range`: the longest time (ms) of which every step looks at each sample, None if not known yet.
    """

    text: str
    expr: Expr
    nodes: int
    nested: bool
    range: int | None
    _timeless: Expr | None = None
    _separable: Separable | None = None
    _outline: tuple[Timing, Outline | None] | None = None

    @staticmethod
    def of(text: str, expr: Expr, functions: Mapping[str, Function]) -> "Prepared":
        """The same with what one walk tells of the tree."""
        nodes, nested, rest = 0, False, [expr]
        ranges: list[int | None] = [0]
        while rest:
            one = rest.pop()
            nodes += 1
            nested |= isinstance(one, SubqueryExpr)
            if isinstance(one, Call) and not functions[one.func].skims:
                ranges += map(_range, one.args)
            rest += children(one)
        known = [one for one in ranges if one is not None]
        return Prepared(text, expr, nodes, nested, max(known) if known == ranges else None)

    @property
    def nbytes(self) -> int:
        """Bytes of memory, about."""
        return 2 * len(self.text) + self.nodes * _NODE

    def rewritten(self, steps: Steps, functions: Mapping[str, Function]) -> Expr:
        """The tree as it is evaluated at these steps; made once where it is the same at all."""
        if self._timeless is not None:
            return self._timeless
        setting = Setting(steps, functions)
        made = rewritten(self.expr, setting)
        if setting.timeless:
            self._timeless = made
        return made

    def separable(
        self, steps: Steps, functions: Mapping[str, Function], switches: Switches
    ) -> Separable:
        """When each step has the same value whatever the other steps are.

        NEVER if the tree is another one at other steps than these.
        """
        if self._separable is None:
            tree = self.rewritten(steps, functions)
            timeless = self._timeless is not None
            self._separable = separable(tree, functions, switches) if timeless else Separable.NEVER
        return self._separable

    def plan(self, steps: Steps, timing: Timing, functions: Mapping[str, Function]) -> Plan:
        """The tree at these steps and its reads; what is the same at all steps is found once."""
        expr = self.rewritten(steps, functions)
        if self._timeless is None or not len(steps):
            return plan(expr, steps, timing)
        if self._outline is None or self._outline[0] != timing:
            self._outline = timing, Outline.of(expr, timing)
        outline = self._outline[1]
        return plan(expr, steps, timing) if outline is None else outline.plan(expr, steps)


def _range(expr: Expr) -> int | None:
    """The length of a range selector that moves on with the steps; 0 of anything else."""
    while isinstance(expr, ParenExpr):
        expr = expr.expr
    if not isinstance(expr, MatrixSelector):
        return 0
    still = expr.selector.timestamp is not None or expr.selector.bound is not None
    return None if still or expr.range_expr is not None else expr.range


class Prepareds:
    """The queries that were asked last, by text; of one thread."""

    def __init__(self) -> None:
        self._held: LRUCache[str, Prepared] = LRUCache(_KEPT, lambda one: one.nbytes)

    def find(self, text: str) -> Prepared | None:
        """What is known of a text; None if nothing."""
        return self._held.get(text)

    def keep(self, prepared: Prepared) -> None:
        """Keeps a query, unless it is too large."""
        if prepared.nbytes <= _SHARE:
            self._held[prepared.text] = prepared
