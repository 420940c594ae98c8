"""A read's matchers as the selector that a query would write."""

import re
from collections.abc import Sequence
from typing import Final

from bridge.model.labels import METRIC_NAME, Matcher, MatchType
from bridge.promql.ast import VectorSelector
from bridge.promql.printer import to_text

_PLAIN_NAME: Final = re.compile("[a-zA-Z_:][a-zA-Z0-9_:]*")


def selector_text(matchers: Sequence[Matcher]) -> str:
    """`up{job="node"}` for these matchers."""
    equal = (one for one in matchers if one.type is MatchType.EQUAL)
    names = (one.value for one in equal if one.name == METRIC_NAME)
    name = next(filter(_PLAIN_NAME.fullmatch, names), "")
    return to_text(VectorSelector(name, tuple(matchers))) or "{}"
