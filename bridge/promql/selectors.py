"""Vector selectors, label matchers and lists of labels."""

from typing import Final

from bridge.model.errors import BadData
from bridge.model.labels import METRIC_NAME, Matcher, MatchType, quoted
from bridge.model.posrange import PosRange
from bridge.promql.ast import VectorSelector
from bridge.promql.cursor import Cursor
from bridge.promql.strings import unquoted
from bridge.promql.tokens import (
    END,
    GROUPING_LABELS,
    IDENTIFIER,
    METRIC_NAMES,
    STRING,
    Token,
)

_MATCHING: Final = "label matching"
_GROUPING: Final = "grouping opts"
_MATCH_TYPES: Final = {kind.value: kind for kind in MatchType}


def parse_selector(text: str) -> tuple[Matcher, ...]:
    """The matchers of a `match[]` parameter; raises ParseError.

    As Prometheus' ParseMetricSelector it does not mind a selector that selects everything.
    """
    cursor = Cursor(text)
    name = cursor.advance() if cursor.kind in METRIC_NAMES else None
    if name is None and cursor.kind != "{":
        raise cursor.unexpected()
    selector = vector_selector(cursor, name)
    if cursor.kind != END:
        raise cursor.unexpected()
    return selector.matchers


def vector_selector(cursor: Cursor, name: Token | None) -> VectorSelector:
    """The selector behind a metric name, or without one at a brace."""
    start = cursor.token.start if name is None else name.start
    end = start if name is None else name.end
    matchers: tuple[Matcher, ...] = ()
    if cursor.kind == "{":
        matchers = _matchers(cursor)
        end = cursor.end
    if name is None:
        return VectorSelector("", matchers, pos=PosRange(start, end))
    named = Matcher(METRIC_NAME, MatchType.EQUAL, name.text)
    return VectorSelector(name.text, (*matchers, named), pos=PosRange(start, end))


def _matchers(cursor: Cursor) -> tuple[Matcher, ...]:
    cursor.advance()
    matchers: list[Matcher] = []
    while cursor.kind != "}":
        if cursor.kind not in (IDENTIFIER, STRING):
            raise cursor.unexpected(_MATCHING, 'identifier or "}"')
        matchers.append(_matcher(cursor))
        if cursor.kind == ",":
            cursor.advance()
        elif cursor.kind != "}":
            raise cursor.unexpected(_MATCHING, '"," or "}"')
    cursor.advance()
    return tuple(matchers)


def _matcher(cursor: Cursor) -> Matcher:
    label = cursor.advance()
    kind = _MATCH_TYPES.get(cursor.kind)
    if label.kind == STRING and kind is None:
        return Matcher(METRIC_NAME, MatchType.EQUAL, unquoted(label.text))
    if kind is None:
        raise cursor.unexpected(_MATCHING, "label matching operator")
    cursor.advance()
    value = cursor.expect(STRING, _MATCHING, "string")
    name = unquoted(label.text) if label.kind == STRING else label.text
    try:
        return Matcher.checked(name, kind, unquoted(value.text))
    except BadData as bad:
        raise cursor.error(str(bad), label.start, value.end) from None


def label_list(cursor: Cursor) -> tuple[str, ...]:
    """The labels in parentheses of `by`, `on`, `group_left` and their kin, in order of the text."""
    cursor.expect("(", _GROUPING, '"("')
    labels: list[str] = []
    while cursor.kind != ")":
        labels.append(_label(cursor))
        if cursor.kind == ",":
            cursor.advance()
        elif cursor.kind != ")":
            raise cursor.unexpected(_GROUPING, '"," or ")"')
    cursor.advance()
    return tuple(labels)


def _label(cursor: Cursor) -> str:
    if cursor.kind in GROUPING_LABELS:
        return cursor.advance().text
    if cursor.kind != STRING:
        raise cursor.unexpected(_GROUPING, "label")
    token = cursor.advance()
    label = unquoted(token.text)
    if not _valid_name(label):
        text = f"invalid label name for grouping: {quoted(label)}"
        raise cursor.error(text, token.start, token.end)
    return label


def _valid_name(label: str) -> bool:
    """Whether a label name is not empty and valid UTF-8."""
    return label != "" and not any("\ud800" <= char <= "\udfff" for char in label)
