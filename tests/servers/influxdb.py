"""InfluxDB 1.x as a store that answers remote read with samples only."""

import contextlib
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.servers.binaries import INFLUXD
from tests.servers.process import Running, free_port, running

_CONFIG = """\
reporting-disabled = true
bind-address = "127.0.0.1:{rpc}"

[meta]
  dir = "{folder}/meta"
  logging-enabled = false

[data]
  dir = "{folder}/data"
  wal-dir = "{folder}/wal"
  query-log-enabled = false
  max-series-per-database = 0
  max-values-per-tag = 0

[monitor]
  store-enabled = false

[http]
  enabled = true
  bind-address = "127.0.0.1:{port}"
  log-enabled = false
  max-body-size = 0
"""


@contextlib.contextmanager
def influxd(folder: Path) -> Iterator[Running]:
    """An InfluxDB with its data below `folder`; the data go when it ends, the log stays."""
    folder.mkdir(parents=True, exist_ok=True)
    config, store = folder / "influxdb.conf", folder / "store"
    binary = INFLUXD.locate()

    def command(port: int) -> Sequence[str]:
        config.write_text(_CONFIG.format(folder=store, port=port, rpc=free_port()))
        return [str(binary), "-config", str(config)]

    try:
        with running(command, "/ping", folder / "influxdb.log") as server:
            yield server
    finally:
        shutil.rmtree(store, ignore_errors=True)
