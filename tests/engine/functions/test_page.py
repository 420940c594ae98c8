"""docs/promql.md shows every function as its record declares it."""

from bridge.config.flags import FEATURES
from bridge.engine.functions import FUNCTIONS
from tests.engine.functions.page import PAGE, rows, with_table


def test_the_table_of_functions_is_that_of_the_records() -> None:
    text = PAGE.read_text()
    assert with_table(text) == text
    assert len(list(rows())) == len(FUNCTIONS)


def test_every_feature_of_the_language_is_told_of() -> None:
    text = PAGE.read_text()
    assert not [name for name in FEATURES if f"`{name}`" not in text]
