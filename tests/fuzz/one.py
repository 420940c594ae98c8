"""One harness under atheris: `python -m tests.fuzz.one MODULE NAME PACKAGES`, then libFuzzer's own.

Where NUMBA_DISABLE_JIT is set kernels are plain Python, and their branches guide the fuzzer;
compiled ones are left as they are. Nothing of other harnesses is imported: instrumenting costs.
"""

import importlib
import os
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from zlib import crc32

import atheris

from tests.fuzz.harness import Outcomes

_OUTCOMES = 1 << 12
_BRIDGE = Path(__file__).parents[2] / "bridge"


def _compiled() -> list[str]:
    """The modules whose functions numba compiles, if it does: what guides a fuzzer bars that."""
    if os.environ.get("NUMBA_DISABLE_JIT") == "1":
        return []
    return [
        ".".join(file.with_suffix("").relative_to(_BRIDGE.parent).parts).removesuffix(".__init__")
        for file in _BRIDGE.rglob("*.py")
        if b"bridge.kernel" in file.read_bytes()
    ]


def _guiding(check: Callable[[bytes], Outcomes]) -> Callable[[bytes], None]:
    """The check, for whose outcomes there are counters as for branches."""
    counters = [atheris._reserve_counter() for _ in range(_OUTCOMES)]

    def run(data: bytes) -> None:
        for outcome in check(data) or ():
            atheris._trace_branch(counters[crc32(outcome.encode()) % _OUTCOMES])

    return run


def main() -> None:
    """Runs until libFuzzer ends the process."""
    _, module, name, packages, *options = sys.argv
    with atheris.instrument_imports(include=packages.split(","), exclude=_compiled()):
        harnesses = importlib.import_module(module).HARNESSES
    (harness,) = (one for one in harnesses if one.name == name)
    # Kernels compile now: libFuzzer takes a slow input for one that never ends.
    for seed in harness.seeds():
        harness.check(seed)
    # To merge corpora libFuzzer starts itself again, by a shell.
    again = shlex.join([sys.executable, "-m", "tests.fuzz.one", module, name, packages])
    atheris.Setup([again, *options], _guiding(harness.check))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
