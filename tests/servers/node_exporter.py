"""The node exporter: real metrics of the machine the tests run on."""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.servers.binaries import NODE_EXPORTER
from tests.servers.process import Running, running


@contextlib.contextmanager
def node_exporter(folder: Path) -> Iterator[Running]:
    """A node exporter on a loopback port; its log stays in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    binary = NODE_EXPORTER.locate()

    def command(port: int) -> Sequence[str]:
        return [str(binary), f"--web.listen-address=127.0.0.1:{port}"]

    with running(command, "/metrics", folder / "node_exporter.log") as server:
        yield server
