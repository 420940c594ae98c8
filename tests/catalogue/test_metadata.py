"""Types by name."""

import pytest

from bridge.catalogue.metadata import types_of

PARTS = ("_bucket", "_count", "_sum")


def family(base: str) -> list[str]:
    return [base + part for part in PARTS]


@pytest.mark.parametrize(
    ("names", "types"),
    [
        (["a_total"], {"a_total": "counter"}),
        (["a_info"], {"a_info": "gauge"}),
        (["a"], {"a": "unknown"}),
        (family("a"), {"a": "histogram"}),
        (["a_bucket"], {"a_bucket": "unknown"}),
        (["a_count", "a_sum"], {"a_count": "unknown", "a_sum": "unknown"}),
        (["q", "q_count", "q_sum"], {"q": "summary"}),
        (["q"], {"q": "unknown"}),
        ([*family("a"), "a_total"], {"a": "histogram", "a_total": "counter"}),
    ],
)
def test_types(names: list[str], types: dict[str, str]) -> None:
    assert dict(types_of(names, summaries=["q"])) == types
