"""Tests of label tables whose rows differ in one label's value."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bridge.model.labels import Labels, LabelTable
from bridge.model.valued_labels import ValuedLabels

_names = st.sampled_from(["a", "m", "mm", "z"])
_pairs = st.dictionaries(_names.filter(lambda name: name != "m"), st.sampled_from("xyz"))


@st.composite
def tables(draw: st.DrawFn) -> ValuedLabels:
    groups = LabelTable(map(Labels.of, draw(st.lists(_pairs, min_size=1, unique_by=str))))
    texts = sorted(draw(st.sets(st.text("019-.", min_size=1), min_size=1, max_size=9)))
    size = len(groups) * len(texts)
    pairs = np.array(draw(st.lists(st.integers(0, size - 1), unique=True)), np.int64)
    groups = LabelTable(dict.fromkeys(groups))
    group_of, text_of = np.divmod(pairs % (len(groups) * len(texts)), len(texts))
    return ValuedLabels(groups, "m", texts, group_of, text_of)


def plain(table: ValuedLabels) -> LabelTable:
    places = zip(table.group_of.tolist(), table.text_of.tolist(), strict=True)
    return LabelTable(
        table.groups[group].with_label(table.name, table.texts[text]) for group, text in places
    )


@given(tables())
def test_rows_are_the_groups_labels_and_the_value(table: ValuedLabels) -> None:
    assert len(table) == len(plain(table))
    assert table.rows == plain(table).rows


@given(tables())
def test_the_order_is_that_of_the_labels(table: ValuedLabels) -> None:
    assert table.take(table.order()).rows == plain(table).take(plain(table).order()).rows


def test_a_label_before_the_value_counts_first() -> None:
    groups = LabelTable([Labels.of({}), Labels.of({"a": "9"}), Labels.of({"z": "1"})])
    table = ValuedLabels(groups, "m", ["1", "2"], np.array([0, 1, 2, 0]), np.array([1, 1, 0, 0]))
    assert table.order().tolist() == [1, 3, 2, 0]


def test_no_rows_are_no_rows() -> None:
    none = np.empty(0, np.int64)
    table = ValuedLabels(LabelTable(()), "m", [], none, none)
    assert (len(table), table.rows, table.order().tolist()) == (0, (), [])
    assert table.distinct()
