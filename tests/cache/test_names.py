"""The numbers of label sets, and which of them a narrower selector has."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bridge.cache.names import Names
from bridge.model.labels import Labels, LabelTable, Matcher, MatchType, matches_all

LABELS = [Labels.of({"__name__": "x", "pod": str(pod), "job": str(pod % 3)}) for pod in range(30)]
MATCHERS = [
    (Matcher("job", MatchType.EQUAL, "1"),),
    (Matcher("job", MatchType.REGEXP, "0|2"), Matcher("pod", MatchType.NOT_EQUAL, "3")),
    (Matcher("pod", MatchType.EQUAL, "none"),),
]


@given(st.lists(st.tuples(st.sampled_from(LABELS), st.sampled_from(MATCHERS)), max_size=40))
def test_those_that_match_are_found_among_all_that_were_ever_added(
    steps: list[tuple[Labels, tuple[Matcher, ...]]],
) -> None:
    wider, narrower = Names(), {matchers: Names() for matchers in MATCHERS}
    for labels, matchers in steps:
        wider.add([labels])
        every = wider.labels_from(0)
        expected = [at for at, one in enumerate(every) if matches_all(matchers, one)]
        assert wider.matching(matchers).tolist() == expected
        own = narrower[matchers]
        view = own.view(wider, matchers)
        assert np.flatnonzero(view >= 0).tolist() == expected
        assert own.labels(view[expected]) == [every[at] for at in expected]


def test_label_sets_that_are_added_again_are_known_by_the_same_numbers() -> None:
    names = Names()
    numbers = names.add(LABELS)
    assert not numbers.flags.writeable
    taken = names.nbytes
    # A refresh brings the same ones, in a table of its own.
    assert names.add(LabelTable(LABELS)) is numbers
    assert names.add(LABELS[5:2:-1]).tolist() == [5, 4, 3]
    assert names.add([]).tolist() == []
    assert names.add(LABELS).tolist() == numbers.tolist()
    assert names.nbytes == taken


def test_the_matchers_of_one_dashboard_after_the_other_do_not_pile_up() -> None:
    names = Names()
    names.add(LABELS)
    for number in range(500):
        assert names.matching((Matcher("pod", MatchType.EQUAL, str(number)),)).size == (number < 30)
    assert len(names._matching) < 50


def test_rows_that_are_numbered_anew_are_the_same_array_each_time() -> None:
    wider, narrower = Names(), Names()
    numbers = wider.add(LABELS)
    first = narrower.renamed(wider, MATCHERS[0], numbers)
    wider.add([Labels.of({"__name__": "x", "pod": "later", "job": "1"})])
    again = narrower.renamed(wider, MATCHERS[0], numbers)
    assert again.kept is first.kept
    assert first.rows is not None
    assert narrower.labels(first.kept) == [LABELS[row] for row in first.rows.tolist()]
    assert all(one.get("job") == "1" for one in narrower.labels(first.kept))
    # What is left out has no number, what is kept its own.
    assert np.flatnonzero(first.numbers >= 0).tolist() == first.rows.tolist()
    assert first.numbers[first.rows].tolist() == first.kept.tolist()
    for _ in range(50):
        narrower.renamed(wider, MATCHERS[0], numbers.copy())
    assert len(narrower._renamed) < 50
