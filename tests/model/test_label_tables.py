"""What a table of label sets remembers, and tests of many label sets."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from hypothesis import given
from hypothesis import strategies as st

from bridge.model.labels import (
    EMPTY_LABELS,
    Grouping,
    Labels,
    LabelTable,
    Matcher,
    MatchType,
    matches_all,
)
from bridge.model.selecting import selecting


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


def test_threads_get_the_same_of_a_table() -> None:
    table = LabelTable([Labels.of({"name": "x", "pod": str(pod)}) for pod in range(1000)])
    names = frozenset({"name"})
    with ThreadPoolExecutor(4) as threads:
        made = list(threads.map(lambda _: table.without(names), range(8)))
    assert all(one is made[0] for one in made)


def test_rows_are_distinct_without_labels_that_tell_none_apart() -> None:
    metadata = frozenset({"name", "unit"})

    def distinct(*rows: dict[str, str]) -> bool:
        return LabelTable(map(Labels.of, rows)).distinct_without(metadata)

    assert distinct()
    assert distinct({"name": "x", "pod": "1"}, {"name": "x", "pod": "2"})
    assert distinct({"name": "x", "pod": "1"}, {"name": "y", "pod": "2"})
    assert not distinct({"name": "x", "pod": "1"}, {"name": "y", "pod": "1"})
    assert not distinct({"name": "x", "pod": "1"}, {"name": "x", "unit": "s", "pod": "1"})
    assert not distinct({"name": "x", "pod": "1"}, {"name": "x", "pod": "1"})


def test_one_group_of_all_rows() -> None:
    everything = Grouping((), without=False)
    groups = LabelTable([Labels.of({"a": "1"}), Labels.of({"a": "2"})]).grouped(everything)
    assert groups.ids.tolist() == [0, 0]
    assert groups.labels.rows == (EMPTY_LABELS,)
    assert not len(LabelTable(()).grouped(everything).labels)


_TEXTS = st.sampled_from(("", "1", "2", ".*", "1|"))
_MATCHERS = st.lists(
    st.builds(Matcher, st.sampled_from("ab"), st.sampled_from(MatchType), _TEXTS), max_size=4
)


@given(_MATCHERS, st.dictionaries(st.sampled_from("abc"), _TEXTS))
def test_a_test_of_many_series_says_what_each_matcher_says(
    matchers: list[Matcher], pairs: dict[str, str]
) -> None:
    labels = Labels.of(pairs)
    assert selecting(matchers)(labels) == matches_all(matchers, labels)
