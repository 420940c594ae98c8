"""Kernels: what they accept, and where their machine code is kept."""

import os
import subprocess
import sys
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


def test_machine_code_in_a_folder_that_is_read_only_is_copied(tmp_path: Path) -> None:
    first = _cache_folder(tmp_path, as_nobody=False)
    (first / "some").touch()
    first.chmod(0o555)
    for folder in (tmp_path, *tmp_path.parents):
        if folder.owner() == tmp_path.owner() and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o055)
    second = _cache_folder(tmp_path, as_nobody=os.getuid() == 0)
    assert second != first
    assert (second / "some").exists()


def _cache_folder(home: Path, *, as_nobody: bool) -> Path:
    """What a new process chooses, without rights to write into the folder if wanted."""
    drop = f"os.setuid({_NOBODY}); " if as_nobody else ""
    code = f"import os; from bridge.kernel import disk; {drop}print(disk.folder())"
    environment = {**os.environ, "PROMBRIDGE_KERNEL_CACHE": str(home)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    return Path(done.stdout.strip())
