"""Machine code on disk: what it is known by, and where it is found again."""

import fcntl
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FunctionType, MappingProxyType
from typing import Any

import pytest

from bridge.kernel import disk

REPOSITORY = Path(__file__).parents[2]

KERNEL = """
import numpy as np
from bridge.kernel import i8_in, inlined, kernel

STEP = {step}
TABLE = np.array([1, {last}])


@inlined
def _helper(value):
    return value {sign} STEP


@kernel(i8_in)
def total(values):
    held = TABLE[1]
    for index in range(len(values)):
        held += _helper(values[index])
    return held
"""


def compiled(step: int = 1, last: int = 2, sign: str = "+") -> Callable[..., Any]:
    """The kernel of a module with such a text."""
    names: dict[str, Any] = {"__name__": "made"}
    exec(KERNEL.format(step=step, last=last, sign=sign), names)  # noqa: S102
    function: Callable[..., Any] = names["total"].py_func
    return function


def known_by(**text: Any) -> str:
    function = compiled(**text)
    assert isinstance(function, FunctionType)
    return disk.digest(function)


def test_the_same_text_is_the_same_kernel() -> None:
    assert known_by() == known_by()


def test_an_edited_helper_makes_another_kernel() -> None:
    assert known_by(sign="-") != known_by()


def test_another_constant_makes_another_kernel() -> None:
    assert known_by(step=3) != known_by()


def test_another_table_makes_another_kernel() -> None:
    assert known_by(last=3) != known_by()


def test_machine_code_is_found_again_from_another_folder(tmp_path: Path) -> None:
    counts = [_misses(tmp_path, tmp_path / place) for place in ("first", "second")]
    assert counts == [1, 0]


def test_what_several_processes_compiled_is_found_by_others(tmp_path: Path) -> None:
    code = "import made; from bridge.kernel import Extent, warm; print(*warm(Extent.COMMON, 2))"
    assert "made.total" in _printed(tmp_path, tmp_path / "first", code)
    assert _misses(tmp_path, tmp_path / "second") == 0


# As the image sets them: see Dockerfile.
FIXED = {"NUMBA_CPU_NAME": "x86-64-v3", "NUMBA_CPU_FEATURES": ""}
OTHER_MACHINE = (
    "import llvmlite.binding as llvm;"
    "llvm.get_host_cpu_name = lambda: 'x86-64-v2';"
    "llvm.get_host_cpu_features = llvm.FeatureMap;"
)


@pytest.mark.parametrize(("variables", "compiles_again"), [(FIXED, 0), ({}, 1)])
def test_machine_code_for_a_fixed_processor_serves_other_machines(
    tmp_path: Path, variables: dict[str, str], compiles_again: int
) -> None:
    assert _misses(tmp_path, tmp_path / "image", variables) == 1
    assert _misses(tmp_path, tmp_path / "other", variables, OTHER_MACHINE) == compiles_again


def test_each_processor_that_is_asked_for_has_machine_code_of_its_own(tmp_path: Path) -> None:
    assert _misses(tmp_path, tmp_path / "one", FIXED) == 1
    assert _misses(tmp_path, tmp_path / "two", FIXED | {"NUMBA_CPU_NAME": "generic"}) == 1
    assert _misses(tmp_path, tmp_path / "again", FIXED) == 0


def _misses(
    home: Path, place: Path, variables: Mapping[str, str] = MappingProxyType({}), before: str = ""
) -> int:
    """How often a new process compiles, with the module in this folder."""
    code = (
        f"{before}import numpy as np, made; made.total(np.arange(3));"
        "print(sum(made.total._compiled.stats.cache_misses.values()))"
    )
    return int(_printed(home, place, code, variables))


def _printed(
    home: Path, place: Path, code: str, variables: Mapping[str, str] = MappingProxyType({})
) -> str:
    """What a new process prints, with the module in this folder."""
    place.mkdir()
    (place / "made.py").write_text(KERNEL.format(step=1, last=2, sign="+"))
    environment = {
        **os.environ,
        "NUMBA_DISABLE_JIT": "0",
        "PROMBRIDGE_KERNEL_CACHE": str(home),
        "PYTHONPATH": f"{place}:{REPOSITORY}",
        **variables,
    }
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_one_process_compiles_while_others_wait(tmp_path: Path) -> None:
    mark = tmp_path / "made.common"
    with (
        disk.alone(mark),
        (tmp_path / "made.common.lock").open() as other,
        pytest.raises(BlockingIOError),
    ):
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
