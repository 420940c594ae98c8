"""The demo as its users start it: a bridge and its store in one child process."""

import contextlib
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.servers.process import Running, running


@contextlib.contextmanager
def demo(folder: Path) -> Iterator[Running]:
    """A demo on a loopback port; what it says stays in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)

    def command(port: int) -> Sequence[str]:
        address = f"--web.listen-address=127.0.0.1:{port}"
        return [sys.executable, "-u", "-m", "bridge.cli", "demo", address]

    with running(command, "/-/ready", folder / "demo.log") as server:
        yield server
