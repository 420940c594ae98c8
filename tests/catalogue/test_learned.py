"""What is learned stays within its bounds, and what was not seen for long goes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.catalogue.learned import Batch, Learned
from bridge.catalogue.settings import CatalogueSettings
from bridge.model.labels import Labels, LabelTable
from bridge.model.samples import Columns, DecodedPart, SeriesBlock
from bridge.model.time import Window

NOW = 1_700_000_000_000
DAY = 86_400_000
HOUR = 3_600_000


def batch(*numbers: int) -> Batch:
    labels = [Labels.of({"n": f"{number:040}"}) for number in numbers]
    times = np.full(len(labels), NOW)
    return Batch(labels, times, times)


def take(learned: Learned, numbers: list[int], now: int) -> None:
    for piece in learned.fresh(batch(*numbers), now).slices():
        learned.add(piece, now)


def known(learned: Learned) -> set[int]:
    return {int(value) for value in learned.index.values("n")}


@given(st.lists(st.lists(st.integers(0, 40), unique=True, max_size=15), max_size=8))
def test_there_are_never_more_than_allowed_and_the_latest_are_there(reads: list[list[int]]) -> None:
    learned = Learned(CatalogueSettings(max_series=20))
    for at, numbers in enumerate(reads):
        take(learned, numbers, NOW + at)
        assert len(learned.index) == learned.presence.count <= 20
        assert set(numbers) <= known(learned)


def test_who_was_not_seen_for_longest_goes_first() -> None:
    learned = Learned(CatalogueSettings(max_series=10))
    take(learned, [*range(10)], NOW)
    take(learned, [0, 1, 2], NOW + 1)
    take(learned, [10, 11], NOW + 2)
    assert {0, 1, 2, 10, 11} <= known(learned)
    assert learned.generation == 1


def test_bytes_are_bounded() -> None:
    learned = Learned(CatalogueSettings(max_bytes=100_000))
    for at in range(0, 2000, 100):
        take(learned, [*range(at, at + 100)], NOW + at)
    assert learned.index.nbytes <= 100_000 + 100 * 1000
    assert set(range(1950, 2000)) <= known(learned)


def test_who_was_not_seen_for_the_ttl_goes() -> None:
    learned = Learned(CatalogueSettings(ttl=DAY))
    take(learned, [1, 2], NOW)
    take(learned, [2], NOW + DAY)
    take(learned, [3], NOW + DAY + 3_600_000)
    assert known(learned) == {2, 3}


def test_the_same_table_of_labels_is_known_after_others_went() -> None:
    learned, one = Learned(CatalogueSettings(max_series=4)), batch(1, 2, 3)
    for piece in learned.fresh(one, NOW).slices():
        learned.add(piece, NOW)
    assert not learned.fresh(one, NOW).labels
    take(learned, [4, 5, 6], NOW + 1)
    assert {one.get("n")[-1] for one in learned.fresh(one, NOW + 2).labels} <= {"1", "2", "3"}


class Encoded:
    """Rows whose samples nobody has looked at."""

    series = samples = 1
    nbytes = 0
    has_histograms = False

    def columns(self) -> Columns:
        raise AssertionError("learning decodes nothing")


@pytest.mark.parametrize(
    ("window", "later", "noted"),
    [
        (Window(NOW, NOW + 1), 0, True),
        (Window(NOW, NOW + 1), 9_999, True),
        (Window(NOW, NOW + 1), 10_000, False),
        (Window(NOW - HOUR, NOW + 1), 0, False),
        (Window(NOW, NOW + HOUR), 0, False),
    ],
)
def test_the_same_read_a_moment_later_says_nothing_new(
    window: Window, later: int, noted: bool
) -> None:
    learned = Learned(CatalogueSettings())
    block = SeriesBlock(LabelTable([Labels.of({"n": "1"})]), (Encoded(),))
    assert not learned.noted(block, Window(NOW, NOW + 1), NOW)
    assert learned.noted(block, window, NOW + later) is noted


def test_reads_of_other_hours_in_turn_say_nothing_new_either() -> None:
    learned = Learned(CatalogueSettings())
    block = SeriesBlock(LabelTable([Labels.of({"n": "1"})]), (Encoded(),))
    windows = [Window(NOW - hours * HOUR, NOW) for hours in range(5)]
    assert not any(learned.noted(block, window, NOW) for window in windows)
    assert all(learned.noted(block, window, NOW) for window in windows)


@pytest.mark.parametrize("remembered", [True, False])
def test_a_read_with_exact_times_says_something_unless_it_is_remembered(remembered: bool) -> None:
    learned = Learned(CatalogueSettings())
    times = np.array([NOW])
    held = Columns.frozen(np.array([0, 1]), times, np.array([1.0]))
    block = SeriesBlock(LabelTable([Labels.of({"n": "1"})]), (DecodedPart(held),))
    window = Window(NOW, NOW + 1)
    assert not learned.noted(block, window, NOW, remembered=remembered)
    assert learned.noted(block, window, NOW, remembered=remembered) is remembered
