"""`python -m tests.fuzz`: each harness in turn for some time, guided by coverage.

Kernels are plain Python for that: their branches guide too. What was found, and for a tenth of the
time whatever comes of it unguided, is read by kernels compiled with bounds checks.
Inputs that reach something new stay in `build/fuzz/NAME`, an input with a finding beside it.
`--keep` takes the fewest that reach all of it into the tree, as far as there is room for them.
"""

import argparse
import os
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path

from tests.fuzz.harness import Harness
from tests.fuzz.targets import TARGETS

_BUILD = Path("build/fuzz")
_MOST_BYTES = 2048
# Of one harness in the tree, where a byte takes two: all of them together stay below 300 kB.
_KEPT_BYTES = 12_000
_OPTIONS = ("-timeout=20", "-rss_limit_mb=3000", f"-max_len={_MOST_BYTES}", "-print_final_stats=1")
_PLAIN = {"NUMBA_DISABLE_JIT": "1"}
_CHECKED = {"NUMBA_DISABLE_JIT": "0", "NUMBA_BOUNDSCHECK": "1"}


def _laid(harness: Harness) -> Path:
    """The folder of a harness' corpus, with what is known of it."""
    folder = _BUILD / harness.name
    folder.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate((*harness.seeds(), *harness.kept())):
        (folder / f"known-{number}").write_bytes(data)
    return folder


def _dictionary(harness: Harness) -> list[str]:
    """What makes libFuzzer write the harness' words."""
    if not harness.words:
        return []
    file = _BUILD / f"{harness.name}.dict"
    file.write_text("".join(f'"{word}"\n' for word in harness.words))
    return [f"-dict={file}"]


def _run(harness: Harness, environment: dict[str, str], *arguments: object) -> bool:
    """Whether libFuzzer ended without a finding."""
    print(f"{harness.name} {environment}", flush=True)
    which = (harness.module, harness.name, ",".join(harness.packages))
    options = (*_OPTIONS, *_dictionary(harness), *map(str, arguments))
    command = [sys.executable, "-m", "tests.fuzz.one", *which, *options]
    began, used = time.monotonic(), _processor_seconds()
    status = subprocess.run(command, env={**os.environ, **environment}, check=False).returncode
    took, used = time.monotonic() - began, _processor_seconds() - used
    print(f"{harness.name} took {took:.0f} s, {used:.0f} s of a processor", flush=True)
    return status == 0


def _processor_seconds() -> float:
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return ended.ru_utime + ended.ru_stime


def _fuzzed(harness: Harness, seconds: int) -> bool:
    folder = _laid(harness)
    known = (f"-artifact_prefix={folder}-", folder)
    return _run(harness, _PLAIN, f"-max_total_time={seconds}", *known) and (
        not harness.kernels
        # Nothing guides any more: each input is one to go on from.
        or _run(
            harness, _CHECKED, "-keep_seed=1", f"-max_total_time={max(1, seconds // 10)}", *known
        )
    )


def _keep(harness: Harness) -> None:
    """Seeds need no keeping; of what else is found short inputs go first, for there are more."""
    folder, fewest = _laid(harness), _BUILD / f"{harness.name}.fewest"
    shutil.rmtree(fewest, ignore_errors=True)
    fewest.mkdir()
    _run(harness, _PLAIN, "-set_cover_merge=1", fewest, folder)
    found = {file.read_bytes() for file in fewest.iterdir()} - {b"", *harness.seeds()}
    lines, room = [], _KEPT_BYTES
    for data in sorted(found, key=lambda it: (len(it), it)):
        room -= len(data)
        if room < 0:
            break
        lines.append(f"{data.hex()}\n")
    harness.file.parent.mkdir(exist_ok=True)
    harness.file.write_text("".join(lines))


def main() -> int:
    """How many harnesses had a finding."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(TARGETS))
    parser.add_argument("--minutes", type=float, default=30, help="for each harness")
    parser.add_argument("--keep", action="store_true")
    given = parser.parse_args()
    chosen = [TARGETS[name] for name in given.names or TARGETS]
    if given.keep:
        for harness in chosen:
            _keep(harness)
        return 0
    found = [harness.name for harness in chosen if not _fuzzed(harness, int(given.minutes * 60))]
    print(f"findings: {', '.join(found) or 'none'}")
    return len(found)


if __name__ == "__main__":
    sys.exit(main())
