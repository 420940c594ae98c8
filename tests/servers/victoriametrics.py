"""VictoriaMetrics: a store that others' data are migrated to, or measured against."""

import contextlib
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.servers.binaries import VICTORIA_METRICS
from tests.servers.process import Running, running


@contextlib.contextmanager
def victoriametrics(folder: Path, flags: Sequence[str] = ()) -> Iterator[Running]:
    """A single node with its data below `folder`; the data go when it ends, the log stays."""
    folder.mkdir(parents=True, exist_ok=True)
    binary, data = VICTORIA_METRICS.locate(), folder / "data"

    def command(port: int) -> Sequence[str]:
        return [
            str(binary),
            f"-httpListenAddr=127.0.0.1:{port}",
            f"-storageDataPath={data}",
            "-retentionPeriod=100y",
            "-search.latencyOffset=0s",
            "-memory.allowedBytes=256MB",
            *flags,
        ]

    try:
        with running(command, "/health", folder / "victoriametrics.log") as server:
            yield server
    finally:
        shutil.rmtree(data, ignore_errors=True)
