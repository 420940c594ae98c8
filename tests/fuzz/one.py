"""One harness under atheris: `python -m tests.fuzz.one MODULE NAME PACKAGES`, then libFuzzer's own.

Where NUMBA_DISABLE_JIT is set kernels are plain Python, and their branches guide the fuzzer;
compiled ones are left as they are. Nothing of other harnesses is imported: instrumenting costs.
"""

import importlib
import os
import shlex
import sys
from pathlib import Path

import atheris

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


def main() -> None:
    """Runs until libFuzzer ends the process."""
    _, module, name, packages, *options = sys.argv
    with atheris.instrument_imports(include=packages.split(","), exclude=_compiled()):
        harnesses = importlib.import_module(module).HARNESSES
    (harness,) = (one for one in harnesses if one.name == name)
    # To merge corpora libFuzzer starts itself again, by a shell.
    again = shlex.join([sys.executable, "-m", "tests.fuzz.one", module, name, packages])
    atheris.Setup([again, *options], harness.check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
