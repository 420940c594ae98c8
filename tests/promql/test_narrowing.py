"""A query over fewer series is a query still: its text parses to the same selectors."""

import pytest

from bridge.engine.functions import signatures
from bridge.promql.ast import VectorSelector
from bridge.promql.narrowing import narrowed
from bridge.promql.parser import parse
from bridge.promql.printer import to_text
from bridge.promql.selectors import parse_selector


@pytest.mark.parametrize(
    "tenant", ['{__name__=~"up|a.*"}', 'up{job="a"}', '{"a.b"}', '{"t m"="a"}']
)
@pytest.mark.parametrize("text", ["up", '{"a.b"}', 'up{job="b"} offset 5m', '{job!=""} @ 1.000'])
def test_a_bare_name_goes_into_the_braces_where_names_are_narrowed(tenant: str, text: str) -> None:
    matchers = parse_selector(tenant)
    given = parse(text, signatures())
    again = parse(to_text(narrowed(given, matchers, signatures())), signatures())
    assert isinstance(given, VectorSelector)
    assert isinstance(again, VectorSelector)
    assert set(again.matchers) == {*matchers, *given.matchers}
    assert (again.offset, again.timestamp) == (given.offset, given.timestamp)
