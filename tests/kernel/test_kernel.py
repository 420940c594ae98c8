"""Kernels: what they accept, and where their machine code is kept."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from bridge.kernel import f8_in, f8_out, inlined, kernel, window_kernel

# A user without rights to what root made; tests in containers often run as root.
_NOBODY = 65534


@inlined
def _ratio(dividend: float, divisor: float) -> float:
    return dividend / divisor


@kernel(f8_in, f8_in, f8_out)
def _ratios(dividends, divisors, out):  # type: ignore[no-untyped-def]
    for index in range(len(out)):
        out[index] = _ratio(dividends[index], divisors[index])


@window_kernel(params=1)
def _weighted(ts, vs, lo, hi, start, end, time, weight, out, present):  # type: ignore[no-untyped-def]
    total = 0.0
    for index in range(lo, hi):
        total += vs[index] * weight
    out[0] = total
    present[0] = hi > lo


def test_division_by_zero_is_ieee_division() -> None:
    out = np.empty(3)
    _ratios(np.array([1.0, -1.0, 0.0]), np.zeros(3), out)
    assert out.tolist()[:2] == [np.inf, -np.inf]
    assert np.isnan(out[2])


def test_read_only_arrays_are_accepted_as_input() -> None:
    dividends, out = np.ones(2), np.empty(2)
    dividends.flags.writeable = False
    _ratios(dividends, dividends, out)
    assert out.tolist() == [1.0, 1.0]


def test_arrays_of_another_type_are_refused() -> None:
    with pytest.raises(TypeError):
        _ratios(np.ones(2, np.int64), np.ones(2), np.empty(2))


def test_a_window_kernel_is_broadcast_over_windows() -> None:
    lo, hi = np.array([[0, 0], [2, 2]]), np.array([[1, 2], [2, 4]])
    times = np.array([10, 20])
    values, present = _weighted(
        np.arange(4), np.arange(4.0), lo, hi, times, times, times, np.array([1.0, 10.0])
    )
    assert present.tolist() == [[True, True], [False, True]]
    assert values[present].tolist() == [0.0, 10.0, 50.0]


@pytest.fixture
def seen_by_all() -> Iterator[Path]:
    """A folder that others may look into; pytest hides its own from them."""
    with tempfile.TemporaryDirectory() as made:
        Path(made).chmod(0o755)
        yield Path(made)


def test_machine_code_in_a_folder_that_is_read_only_is_copied_for_as_long_as_the_process(
    seen_by_all: Path,
) -> None:
    environment = {"PROMBRIDGE_KERNEL_CACHE": str(seen_by_all)}
    first, _ = _cache_folders(environment, as_nobody=False)
    (first / "some").touch()
    first.chmod(0o555)
    second, files = _cache_folders(environment, as_nobody=os.getuid() == 0)
    assert second != first
    assert files == ["some"]
    assert not second.parent.exists()


def test_a_user_without_a_home_has_machine_code_of_the_process() -> None:
    folder, files = _cache_folders({}, as_nobody=False, unknown=True)
    assert folder.parent.name.startswith("prombridge-kernels-")
    assert files == []
    assert not folder.parent.exists()


_CHOSEN = """
import os, pwd
if {unknown}:
    # As for a user of a container that no file knows.
    def getpwuid(uid):
        raise KeyError(uid)
    pwd.getpwuid = getpwuid
    del os.environ["HOME"]
from bridge.kernel import disk
if {nobody}:
    os.setuid({nobody})
found = disk.folder()
assert disk.folder() == found, "a child would choose another one"
print(found, *os.listdir(found))
"""


def _cache_folders(
    environment: dict[str, str], *, as_nobody: bool, unknown: bool = False
) -> tuple[Path, list[str]]:
    """What a new process chooses, perhaps without rights to write into it, and what is in there."""
    code = _CHOSEN.format(nobody=_NOBODY if as_nobody else 0, unknown=unknown)
    without = {key: value for key, value in os.environ.items() if key != "PROMBRIDGE_KERNEL_CACHE"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**without, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    folder, *files = done.stdout.split()
    return Path(folder), files
