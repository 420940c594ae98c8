"""Ranges in which native histograms lie beside floats: what each window holds, in which order."""

import pytest

from bridge.engine.mixed import is_histogram_at, last_pairs, numbers
from bridge.model.histogram import Histogram, Histograms
from bridge.model.labels import Labels
from bridge.model.time import Steps
from bridge.model.vectors import Matrix, Windows
from bridge.storage.memory import MemoryStore
from tests.engine.world import MINUTE, SECOND, ask

NATIVE = Histogram(count=1.0, sum=1.0, positive_spans=((0, 1),), positive=(1.0,))


def store(kinds: str) -> MemoryStore:
    """A series with a float (f) or a histogram (h) every ten seconds, from ten seconds on."""
    held, labels = MemoryStore(), Labels.of({"__name__": "x"})
    for at, kind in enumerate(kinds, 1):
        if kind == "f":
            held.append(labels, [at * 10 * SECOND], [float(at)])
        else:
            held.append_histograms(labels, [at * 10 * SECOND], Histograms.of([NATIVE]))
    return held


def windows(kinds: str) -> Windows:
    """The one window over all of them."""
    found = ask(store(kinds), "x[1m]", Steps.at(MINUTE)).value
    assert isinstance(found, Windows)
    return found


@pytest.mark.parametrize(("kinds", "held"), [("f", 1), ("hh", 2), ("fhfh", 4)])
def test_samples_of_either_kind_are_counted(kinds: str, held: int) -> None:
    assert numbers(windows(kinds)).tolist() == [[held]]


@pytest.mark.parametrize("kinds", ["fh", "hf", "hh", "fhf", "hfh"])
def test_the_ends_of_a_window_are_of_the_kind_of_their_sample(kinds: str) -> None:
    found = windows(kinds)
    assert is_histogram_at(found, last=False).tolist() == [[kinds[0] == "h"]]
    assert is_histogram_at(found, last=True).tolist() == [[kinds[-1] == "h"]]


@pytest.mark.parametrize(
    ("kinds", "floats", "histograms"),
    [("hff", True, False), ("fhh", False, True), ("ffh", False, False), ("hfh", False, False)],
)
def test_the_last_two_samples_are_a_pair_if_they_are_of_one_kind(
    kinds: str, floats: bool, histograms: bool
) -> None:
    assert [pair.tolist() for pair in last_pairs(windows(kinds))] == [[[floats]], [[histograms]]]


@pytest.mark.parametrize(("kinds", "changed"), [("hffh", 3.0), ("hhf", 1.0), ("hh", 0.0)])
def test_neighbours_of_either_kind_are_compared_in_order_of_time(
    kinds: str, changed: float
) -> None:
    found = ask(store(kinds), "changes(x[1m])", Steps.at(MINUTE)).value
    assert isinstance(found, Matrix)
    assert found.values.tolist() == [[changed]]


@pytest.mark.parametrize("call", ["rate(x[1m])", "sum_over_time(x[1m])"])
def test_a_window_with_both_kinds_has_no_result_and_is_warned_of(call: str) -> None:
    found = ask(store("ffhh"), call, Steps.at(MINUTE))
    assert isinstance(found.value, Matrix)
    assert len(found.value) == 0
    assert "a mix of histograms and floats" in found.warnings[0]
