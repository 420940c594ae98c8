"""What a table of label sets remembers."""

from collections.abc import Callable

from bridge.model.labels import Labels, LabelTable


def test_a_table_remembers_the_latest_and_a_bounded_number_of_things() -> None:
    table = LabelTable([Labels.of({"a": "1", "b": "2"})])
    made: list[int] = []

    def noted(number: int) -> Callable[[], None]:
        return lambda: made.append(number)

    for number in range(1000):
        table.remembered(number, noted(number))
    table.remembered(999, noted(-1))
    table.remembered(0, noted(-2))
    assert made == [*range(1000), -2]
