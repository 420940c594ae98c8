"""Random expressions that mean something: well-typed text over the families of a data set.

The same `Random` gives the same text. Now and then an expression is damaged on purpose.
"""

from collections.abc import Callable, Sequence
from random import Random
from typing import Final, TypeVar

from bridge.promql.ast import Signature, ValueType
from tests.oracle import fuzz_words as fixed
from tests.oracle.fuzz_words import Family, Words

_T = TypeVar("_T")

_WORDS: Final = "( ) [ ] { } , + == bool on by (a) 5m ' \" @ offset sum # =~ ! é : 5mm [5m] ^"
_DAMAGE: Final = tuple(_WORDS.split(" "))
_OF_NATIVE: Final = (
    *("histogram_avg", "histogram_count", "histogram_stddev", "histogram_stdvar", "histogram_sum"),
)
_COUNTERS: Final = ("rate", "increase", "irate", "delta", "idelta")


def _weight(signature: Signature, native: bool) -> int:
    """How often a function is called: more often the more can go wrong with it."""
    if signature.name in _OF_NATIVE:
        return 8 if native else 1
    if native and signature.args == (ValueType.VECTOR,):
        return 1
    many = len(signature.args) > 1 or ValueType.MATRIX in signature.args
    return 6 if many else 2


class Expressions:
    """One expression after the other; most selectors of one are of the same two families."""

    def __init__(self, chance: Random, words: Words) -> None:
        self._chance = chance
        self._words = words
        self._home: tuple[Family, ...] = words.families[:1]

    def instant(self) -> str:
        """An expression of any type."""
        self._settle()
        kind = self._one_of("vector", "vector", "vector", "vector", "matrix", "scalar", "string")
        if kind == "matrix":
            return self.matrix(self._depth())
        if kind == "string":
            return self.string() if self._rarely(0.3) else self.vector(self._depth())
        return self.scalar(2) if kind == "scalar" else self._top()

    def ranged(self) -> str:
        """A vector, or now and then a scalar."""
        self._settle()
        return self.scalar(2) if self._rarely(0.04) else self._top()

    def damaged(self, text: str) -> str:
        """The text with something cut out, doubled or put in."""
        start = self._chance.randrange(len(text) + 1)
        end = start + self._chance.randrange(1, 6)
        word = self._pick(_DAMAGE)
        return text[:start] + self._one_of("", f" {word} ", text[start:end] * 2) + text[end:]

    def _top(self) -> str:
        text = self.vector(self._depth())
        return f"{self._one_of('sort', 'sort_desc')}({text})" if self._rarely(0.03) else text

    def _settle(self) -> None:
        families = self._words.families
        self._home = (self._pick(families), self._pick(families))

    def _depth(self) -> int:
        return self._one_of(0, 1, 1, 2, 2, 3, 3, 4, 5)

    # Types.

    def vector(self, depth: int) -> str:
        """An instant vector."""
        if depth <= 0:
            return self.selector(self._family())
        made = self._weighted(
            (1, lambda: self.selector(self._family())),
            (6, lambda: self._call(ValueType.VECTOR, depth)),
            (2, lambda: self._rate(self._family())),
            (4, lambda: self.aggregation(depth)),
            (5, lambda: self._binary(depth)),
            (1, lambda: f"({self.vector(depth - 1)})"),
            (1, lambda: f"{self._one_of('-', '+', '-')}{self._operand(self.vector(depth - 1))}"),
        )
        return f"{made} # remark\n" if self._rarely(0.002) else made

    def matrix(self, depth: int) -> str:
        """A range vector: of a selector or a subquery."""
        if depth <= 0 or self._rarely(0.5):
            return self.selector(self._family(), f"[{self._pick(fixed.RANGES)}]")
        inner = self.vector(depth - 1)
        if not inner.endswith(")") or inner.startswith(("-", "+", "(")):
            inner = f"({inner})"
        resolution = "" if self._rarely(0.3) else self._pick(fixed.RESOLUTIONS)
        return f"{inner}[{self._pick(fixed.SUBRANGES)}:{resolution}]{self._moved()}"

    def scalar(self, depth: int) -> str:
        """A number, or something that evaluates to one."""
        if depth <= 0 or self._rarely(0.4):
            return self._pick(fixed.NUMBERS)
        return self._weighted(
            (3, lambda: self._call(ValueType.SCALAR, depth)),
            (1, lambda: f"({self.scalar(depth - 1)})"),
            (1, lambda: f"-{self._operand(self.scalar(depth - 1))}"),
            (2, lambda: self._scalars(self._pick(fixed.ARITHMETIC), depth)),
            (1, lambda: self._scalars(f"{self._pick(fixed.COMPARISONS)} bool", depth)),
        )

    def string(self) -> str:
        """A string literal."""
        return self._one_of('"text"', "'it\\'s'", "`raw\\n`", '"\\u00e9<>&"', '""')

    # Selectors.

    def selector(self, family: Family, brackets: str = "") -> str:
        """A selector of the family, or now and then of several or none."""
        name, matchers = family.name, self._matchers(family)
        if self._rarely(0.04):
            other = self._pick(self._words.families).name
            name, matchers = "", [f'__name__=~"{family.name}|{other}"', *matchers]
        elif self._rarely(0.03):
            name, matchers = "", [f'"{family.name}"', *matchers]
        elif self._rarely(0.02):
            name = self._one_of("absent_metric", "{}", '{__name__=~".+"}', '{__name__!=""}', "sum")
            matchers = [] if "{" in name else matchers
        inside = f"{{{self._one_of(',', ', ').join(matchers)}}}" if matchers else ""
        return f"{name}{inside}{brackets}{self._moved()}"

    def _matchers(self, family: Family) -> list[str]:
        count = self._one_of(0, 0, 0, 0, 1, 1, 2) if family.labels else 0
        return [self._matcher(family, self._pick(list(family.labels))) for _ in range(count)]

    def _matcher(self, family: Family, label: str) -> str:
        if self._rarely(0.05):
            label = self._pick(self._words.labels)
        values = family.labels.get(label, ("", "a"))
        if self._rarely(0.35):
            pattern = self._one_of(self._pick(fixed.PATTERNS), "|".join(values[:2]), ".*", ".+")
            if self._rarely(0.1):
                pattern = self._pick(fixed.EXOTIC)
            return f'{label}{self._one_of("=~", "=~", "!~")}"{pattern}"'
        return f'{label}{self._one_of("=", "=", "!=")}"{self._pick(values)}"'

    def _moved(self) -> str:
        """Mostly nothing; else an offset, `@`, or both in either order."""
        offset = f" offset {self._pick(fixed.OFFSETS)}" if self._rarely(0.14) else ""
        at = f" @ {self._moment()}" if self._rarely(0.1) else ""
        return f"{at}{offset}" if self._rarely(0.5) else f"{offset}{at}"

    def _moment(self) -> str:
        if self._rarely(0.02):
            return self._one_of("0", "-1", "1e3", "-0.0005", "1e11", "+5")
        second = self._chance.randrange(self._words.start + 600_000, self._words.end) / 1000
        return self._one_of("start()", "end()", "end()", f"{second:.0f}", f"{second:.3f}")

    def _family(self) -> Family:
        return self._pick(self._words.families if self._rarely(0.1) else self._home)

    # Calls.

    def _rate(self, family: Family) -> str:
        range_ = self._one_of("5m", "1m", "2m30s", "10m", "45s", self._pick(fixed.RANGES))
        return f"{self._pick(_COUNTERS)}({self.selector(family, f'[{range_}]')})"

    def _call(self, returns: ValueType, depth: int) -> str:
        known = self._words.functions[returns]
        native = any(family.native for family in self._home)
        signature = self._chance.choices(known, [_weight(one, native) for one in known])[0]
        special = {
            "label_replace": self._label_replace,
            "label_join": self._label_join,
            "histogram_quantile": self._histogram_quantile,
            "histogram_fraction": self._histogram_fraction,
        }.get(signature.name)
        if special is not None:
            return special(depth)
        return f"{signature.name}({', '.join(self._arguments(signature, depth))})"

    def _arguments(self, signature: Signature, depth: int) -> list[str]:
        kinds = list(signature.args)
        if signature.variadic:
            most = signature.variadic if signature.variadic > 0 else 3
            kinds[-1:] = [kinds[-1]] * self._chance.randint(0, most)
        return [self._argument(kind, signature, depth) for kind in kinds]

    def _argument(self, kind: ValueType, signature: Signature, depth: int) -> str:
        if self._rarely(0.004):
            kind = self._pick(list(ValueType))
        match kind:
            case ValueType.MATRIX:
                return self.matrix(depth - 1)
            case ValueType.VECTOR:
                return self.vector(depth - 1)
            case ValueType.STRING:
                return self.string()
            case ValueType.SCALAR if "quantile" in signature.name and self._rarely(0.8):
                return self._pick(fixed.SHARES)
            case ValueType.SCALAR:
                return self.scalar(depth - 1)

    def _label_replace(self, depth: int) -> str:
        target, source = self._target(), self._pick(self._words.labels)
        template, pattern = self._pick(fixed.TEMPLATES), self._pick(fixed.SOURCES)
        if self._rarely(0.1):
            pattern = self._pick(fixed.EXOTIC)
        texts = ", ".join(f'"{text}"' for text in (target, template, source, pattern))
        return f"label_replace({self.vector(depth - 1)}, {texts})"

    def _label_join(self, depth: int) -> str:
        sources = [self._pick(self._words.labels) for _ in range(self._chance.randint(0, 3))]
        texts = ", ".join(f'"{x}"' for x in (self._target(), self._one_of("-", "", ","), *sources))
        return f"label_join({self.vector(depth - 1)}, {texts})"

    def _target(self) -> str:
        return "copy" if self._rarely(0.4) else self._pick(fixed.TARGETS)

    def _histogram_quantile(self, depth: int) -> str:
        share = self._pick(fixed.SHARES) if self._rarely(0.9) else self.scalar(depth - 1)
        return f"histogram_quantile({share}, {self._buckets(depth)})"

    def _histogram_fraction(self, depth: int) -> str:
        bounds = (self._one_of("-Inf", "0", "0.3", "1"), self._one_of("1", "0.2", "2.5", "Inf"))
        return f"histogram_fraction({bounds[0]}, {bounds[1]}, {self._buckets(depth)})"

    def _buckets(self, depth: int) -> str:
        if self._rarely(0.1):
            return self.vector(depth - 1)
        found = [one for one in self._words.families if "le" in one.labels or one.native]
        family = self._pick(found)
        inner = self._rate(family) if self._rarely(0.6) else self.selector(family)
        kept = ["le", *(x for x in family.labels if x != "le" and self._rarely(0.5))]
        return f"sum by ({', '.join(kept)}) ({inner})" if self._rarely(0.4) else inner

    # Aggregations.

    def aggregation(self, depth: int) -> str:
        """An aggregation with `by`, `without` or neither, before or behind."""
        inner = self.vector(depth - 1)
        operator, parameter = self._operator(depth)
        grouping = self._grouping()
        body = f"({parameter}{inner})"
        if self._rarely(0.2):
            return f"{operator}{body} {grouping}" if grouping else f"{operator}{body}"
        return f"{operator} {grouping} {body}" if grouping else f"{operator}{body}"

    def _operator(self, depth: int) -> tuple[str, str]:
        """The operator, and its parameter with a comma."""
        kind = self._chance.random()
        if kind < 0.7:
            name = self._pick(fixed.PLAIN_AGGREGATORS)
            return (name.upper() if self._rarely(0.02) else name), ""
        if kind < 0.8:
            return self._one_of("topk", "bottomk"), f"{self._parameter(fixed.SMALL, depth)}, "
        if kind < 0.9:
            return "quantile", f"{self._parameter(fixed.SHARES, depth)}, "
        return "count_values", f'"{self._one_of("value", "job", "copy", "größe")}", '

    def _parameter(self, numbers: Sequence[str], depth: int) -> str:
        return self.scalar(depth - 1) if self._rarely(0.15) else self._pick(numbers)

    def _grouping(self) -> str:
        word = self._one_of("by", "by", "without", "")
        return f"{word} ({self._labels()})" if word else ""

    def _labels(self) -> str:
        known = list(self._pick(self._home).labels) or list(self._words.labels)
        chosen = [x for x in known if self._rarely(0.5)]
        if self._rarely(0.06):
            chosen.append(self._one_of("__name__", self._pick(self._words.labels)))
        return ", ".join(chosen)

    # Operators.

    def _operand(self, text: str) -> str:
        """In parentheses or, where precedence may do what it will, not."""
        return text if self._rarely(0.25) else f"({text})"

    def _scalars(self, operator: str, depth: int) -> str:
        left, right = self._operand(self.scalar(depth - 1)), self._operand(self.scalar(depth - 1))
        return f"{left} {operator} {right}"

    def _binary(self, depth: int) -> str:
        return self._weighted(
            (3, lambda: self._with_scalar(depth)),
            (2, lambda: self._same_family(depth)),
            (2, lambda: self._grouped(depth)),
            (2, self._joined),
            (2, lambda: self._set(depth)),
            (1, lambda: self._free(depth)),
        )

    def _sign(self) -> str:
        if self._rarely(0.6):
            return self._pick(fixed.ARITHMETIC)
        return f"{self._pick(fixed.COMPARISONS)}{self._one_of('', '', ' bool')}"

    def _with_scalar(self, depth: int) -> str:
        sides = [self._operand(self.vector(depth - 1)), self._operand(self.scalar(depth - 1))]
        self._chance.shuffle(sides)
        return f" {self._sign()} ".join(sides)

    def _same_family(self, depth: int) -> str:
        """Both sides have the same labels, or one side has some of the other's series."""
        family = self._pick(self._home)
        make = self._one_of(self.selector, self._rate)
        left, right = make(family), make(family)
        matching = self._one_of("", "", f"on ({', '.join(family.labels)})", "ignoring ()")
        return f"{left} {self._sign()} {matching} {right}"

    def _grouped(self, depth: int) -> str:
        """Both sides are aggregated by the same labels."""
        left, right = self._home
        by = ", ".join(left.common(right))
        sides = [
            f"{self._pick(fixed.PLAIN_AGGREGATORS)} by ({by}) ({self._leaf(family)})"
            for family in (left, right)
        ]
        matching = self._one_of("", f"on ({by})", f"on ({by}) group_left ()", "ignoring (le)")
        return f"{sides[0]} {self._sign()} {matching} {sides[1]}"

    def _joined(self) -> str:
        """Many series of one family meet one each of another."""
        many, one = self._home
        by = many.common(one)
        extra = [x for x in one.labels if x not in by and self._rarely(0.7)]
        kept = ", ".join((*by, *extra))
        side = self._leaf(one)
        if self._rarely(0.8):
            side = f"{self._pick(fixed.PLAIN_AGGREGATORS)} by ({kept}) ({side})"
        include = ", ".join(extra)
        left = f"{self._leaf(many)} {self._sign()} on ({', '.join(by)}) group_left ({include}) "
        right = f"{side} {self._sign()} on ({', '.join(by)}) group_right ({include}) "
        return f"{left}{side}" if self._rarely(0.6) else f"{right}{self._leaf(many)}"

    def _leaf(self, family: Family) -> str:
        return self._rate(family) if self._rarely(0.3) else self.selector(family)

    def _set(self, depth: int) -> str:
        left, right = (self._operand(self.vector(depth - 1)) for _ in range(2))
        return f"{left} {self._pick(fixed.SETS)} {self._matching()} {right}"

    def _free(self, depth: int) -> str:
        left, right = (self._operand(self.vector(depth - 1)) for _ in range(2))
        group = self._one_of("", "", f"group_left ({self._labels()})", "group_right ()")
        matching = self._matching() or ("on ()" if group else "")
        return f"{left} {self._sign()} {matching} {group} {right}"

    def _matching(self) -> str:
        word = self._one_of("", "on", "ignoring")
        return f"{word} ({self._labels()})" if word else ""

    # Chance.

    def _pick(self, among: Sequence[_T]) -> _T:
        return among[self._chance.randrange(len(among))]

    def _one_of(self, *among: _T) -> _T:
        return self._pick(among)

    def _rarely(self, share: float) -> bool:
        return self._chance.random() < share

    def _weighted(self, *choices: tuple[int, Callable[[], str]]) -> str:
        weights = [weight for weight, _ in choices]
        return self._chance.choices(choices, weights)[0][1]()
