"""An index answers as a walk over all label sets does."""

from random import Random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bridge.catalogue.column import Mask
from bridge.catalogue.index import Index
from bridge.model.labels import Labels, Matcher, MatchType, matches_all

NAMES = st.sampled_from(["__name__", "a", "b"])
VALUES = st.sampled_from(["", "x", "xy", "y", "z.z"])
LABELS = st.dictionaries(NAMES, VALUES).map(Labels.of)
PATTERNS = st.sampled_from(["", "x", "x|y", "x.*", ".*y", ".+", "[xz].*", "(x|)"])
MATCHERS = st.lists(
    st.builds(Matcher, NAMES | st.just("c"), st.sampled_from(list(MatchType)), VALUES | PATTERNS),
    max_size=3,
)
ROWS = st.lists(LABELS, unique=True, max_size=30)


def index_of(rows: list[Labels]) -> Index:
    index = Index()
    for labels in rows:
        index.add(labels)
    return index


def everything(index: Index) -> Mask:
    return np.ones(len(index), np.bool_)


@given(ROWS, MATCHERS)
def test_what_matches_is_what_a_walk_finds(rows: list[Labels], matchers: list[Matcher]) -> None:
    index = index_of(rows)
    found = index.matching(matchers, everything(index))
    walked = [labels for labels in rows if matches_all(matchers, labels)]
    assert index.series(found) == sorted(walked)
    assert index.names(found) == sorted({name for one in walked for name, _ in one.pairs})
    for name in ("__name__", "a", "b", "c"):
        values = {labels.get(name) for labels in walked} - {""}
        assert index.values(name, found) == sorted(values)


@given(ROWS, MATCHERS, st.randoms())
def test_only_rows_among_those_given_are_found(
    rows: list[Labels], matchers: list[Matcher], random: Random
) -> None:
    index = index_of(rows)
    among = np.array([random.random() < 0.5 for _ in rows], np.bool_)
    found = index.matching(matchers, among)
    assert not (found & ~among).any()
    assert (found == index.matching(matchers, everything(index)) & among).all()


@given(ROWS, ROWS, st.randoms())
def test_what_is_kept_stays_as_if_it_had_been_alone(
    rows: list[Labels], more: list[Labels], random: Random
) -> None:
    index = index_of(rows)
    keep = np.array([random.random() < 0.5 for _ in rows], np.bool_)
    kept = index.series(keep)
    index.compact(keep)
    for labels in more:
        index.add(labels)
    alone = index_of([*kept, *more])
    assert index.series(everything(index)) == alone.series(everything(alone))
    assert index.names() == alone.names()
    assert all(index.values(name) == alone.values(name) for name in alone.names())
    assert len(index) == len({*kept, *more})


def test_a_label_set_is_one_row_and_is_known_by_its_identity() -> None:
    index, one = Index(), Labels.of({"a": "x"})
    assert (index.add(one), index.add(Labels.of({"a": "x"})), len(index)) == (0, 0, 1)
    assert index.places([one, Labels.of({"a": "y"})]).tolist() == [0, -1]


def test_bytes_grow_with_rows_and_texts_and_shrink_when_rows_go() -> None:
    rows = [Labels.of({"a": f"{number:050}"}) for number in range(100)]
    index = index_of(rows[:50])
    half = index.nbytes
    whole = index_of(rows)
    assert whole.nbytes >= 2 * half * 0.99
    whole.compact(np.arange(100) < 50)
    assert whole.nbytes == half
