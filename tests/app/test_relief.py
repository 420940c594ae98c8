"""What the process gives back to the system."""

import subprocess
import sys

from bridge.app.relief import unchanged

LIBRARY = "/usr/lib/libllvmlite.so"


def mapping(edges: str, rights: str, file: str, anonymous: int) -> str:
    """A mapping as /proc shows it."""
    return (
        f"{edges} {rights} 00000000 fe:00 1234                  {file}\n"
        f"Size: 1024 kB\nRss: 512 kB\nAnonymous: {anonymous} kB\nVmFlags: rd ex mr mw me sd\n"
    )


def test_only_code_and_constants_that_are_as_in_the_file_are_idle() -> None:
    maps = "".join(
        (
            mapping("1000-3000", "r-xp", LIBRARY, 0),
            mapping("3000-4000", "r--p", LIBRARY, 4),
            mapping("4000-5000", "rw-p", LIBRARY, 0),
            mapping("5000-6000", "r-xp", "/usr/lib/libc.so.6", 0),
            "7000-8000 rw-p 00000000 00:00 0 \nAnonymous: 0 kB\n",
            mapping("8000-9000", "r--p", LIBRARY, 0),
        )
    )
    assert list(unchanged(maps)) == [(0x1000, 0x2000), (0x8000, 0x1000)]


# In a process of its own: how much the tests' process holds is anybody's guess.
RELIEVED = """
import asyncio, numpy as np
from pathlib import Path
import bridge.app
from bridge.app.relief import one_arena, relieve
from bridge.kernel import ready
from bridge.model import gomath

def held(what):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(what)) // 1024

one_arena()
ready.load()
blocks = [np.ones(1 << 14) for _ in range(1 << 9)]
keep = blocks[-1]
del blocks
code, memory = held("RssFile"), held("RssAnon")
relieve()
print(code - held("RssFile"), memory - held("RssAnon"))
print(gomath.maximum(np.array([1.0, 3.0]), 2.0).tolist(), float(gomath.sine(0.0)))
"""


def test_idle_code_and_free_memory_go_and_kernels_still_load() -> None:
    done = subprocess.run(
        [sys.executable, "-c", RELIEVED], capture_output=True, text=True, check=True, timeout=300
    )
    given, computed = done.stdout.splitlines()
    code, memory = map(int, given.split())
    assert code > 20
    assert memory > 40
    assert computed == "[2.0, 3.0] 0.0"
