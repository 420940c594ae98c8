"""The words of PromQL: kinds of tokens, keywords, and how error texts name a token."""

from typing import Final, NamedTuple

from bridge.model.labels import quoted

# A kind is the token's own text in lower case, except for these.
IDENTIFIER: Final = "identifier"
METRIC_IDENTIFIER: Final = "metric identifier"
STRING: Final = "string literal"
NUMBER: Final = "number"
DURATION: Final = "duration"
END: Final = "end of input"
ERROR: Final = "error"

SET_OPERATORS: Final = frozenset({"and", "or", "unless"})
COMPARISONS: Final = frozenset({"==", "!=", "<", "<=", ">", ">="})
OPERATORS: Final = (
    SET_OPERATORS
    | COMPARISONS
    | {"+", "-", "*", "/", "%", "^", "</", ">/", "=~", "!~", "@", "atan2"}
)

PARAMETRIC_AGGREGATORS: Final = frozenset(
    {"topk", "bottomk", "count_values", "quantile", "limitk", "limit_ratio"}
)
EXPERIMENTAL_AGGREGATORS: Final = frozenset({"limitk", "limit_ratio"})
AGGREGATORS: Final = PARAMETRIC_AGGREGATORS | {
    "avg",
    "count",
    "group",
    "max",
    "min",
    "stddev",
    "stdvar",
    "sum",
}

FILLS: Final = frozenset({"fill", "fill_left", "fill_right"})
MODIFIERS: Final = FILLS | {
    "anchored",
    "bool",
    "by",
    "group_left",
    "group_right",
    "ignoring",
    "offset",
    "on",
    "smoothed",
    "without",
}
# Words that are functions in an expression and keywords in a duration.
DURATION_WORDS: Final = frozenset({"step", "range", "max_of", "min_of"})
PREPROCESSORS: Final = DURATION_WORDS | {"start", "end"}

_WORDS: Final = SET_OPERATORS | {"atan2"} | AGGREGATORS | MODIFIERS | PREPROCESSORS
KEYWORDS: Final = {word: word for word in _WORDS} | {"inf": NUMBER, "nan": NUMBER}

METRIC_NAMES: Final = (_WORDS | {IDENTIFIER, METRIC_IDENTIFIER}) - {
    "atan2",
    "bool",
    "group_left",
    "group_right",
    "ignoring",
    "on",
}
OPERAND_STARTS: Final = METRIC_NAMES | {NUMBER, DURATION, STRING, "(", "+", "-", "{"}
GROUPING_LABELS: Final = (_WORDS | {IDENTIFIER, METRIC_IDENTIFIER}) - {"without"}


class Token(NamedTuple):
    """A word of the query; `start` is a byte offset, `text` is Latin-1: a character is a byte."""

    kind: str
    start: int
    text: str

    @property
    def end(self) -> int:
        """The byte offset behind the token."""
        return self.start + len(self.text)


def decoded(text: str) -> str:
    """What these bytes (as Latin-1) mean in UTF-8; wrong bytes become surrogate escapes."""
    return text if text.isascii() else text.encode("latin-1").decode("utf-8", "surrogateescape")


def described(token: Token) -> str:
    """A token as `unexpected …` names it; Item.desc of promql/parser/lex.go."""
    kind, text = token.kind, token.text
    if kind in MODIFIERS:
        return f"<{text}>"
    if kind in OPERATORS:
        return f"<op:{text}>"
    if kind in AGGREGATORS:
        return f"<aggr:{text}>"
    if kind == END:
        return kind
    if kind in (IDENTIFIER, METRIC_IDENTIFIER):
        return f"{kind} {quoted(text)}"
    name = {STRING: "string ", NUMBER: "number ", DURATION: "duration "}.get(kind, "")
    return name + (quoted(decoded(text)[:10]) + "..." if len(text) > 10 else quoted(decoded(text)))
