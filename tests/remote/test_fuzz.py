"""Spoilt bytes never lead a kernel out of its arrays; compiled it does what plain Python does."""

import os
import subprocess
import sys

from tests.chunkenc.test_histogram import HISTOGRAM_CASES, payloads
from tests.remote.fuzz import HISTOGRAM_ENCODINGS, ROUNDS
from tests.remote.wires import Wire, sampled_body, streamed_body

SERIES = [
    Wire((("__name__", "up"), ("job", name)), [(1000 * at, at / 3) for at in range(size)])
    for name, size in (("a", 7), ("b", 1), ("c", 3))
]
BODIES = (
    streamed_body(SERIES, per_chunk=3, per_frame=2),
    sampled_body(SERIES, compressed=False),
    *(
        max(
            (payloads(case)[0] for case in HISTOGRAM_CASES if case["encoding"] == encoding), key=len
        )
        for encoding in HISTOGRAM_ENCODINGS
    ),
)


def run(*, plain: bool) -> list[str]:
    """What a process of its own makes of the spoilt bodies, kernels compiled or not."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.remote.fuzz"],
        env={**os.environ, "NUMBA_DISABLE_JIT": str(int(plain))},
        input="\n".join(body.hex() for body in BODIES),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_compiled_and_bounds_checked_kernels_agree_on_spoilt_bodies() -> None:
    compiled, plain = run(plain=False), run(plain=True)
    assert len(compiled) == ROUNDS
    assert compiled == plain
    # Some survive being spoilt, some do not; a fuzz that only ever fails at once proves little.
    assert len({line.split(" ", 1)[1] for line in compiled}) > 100
