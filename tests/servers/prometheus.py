"""Prometheus as a test's store, oracle or predecessor."""

import contextlib
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.servers.binaries import PROMETHEUS
from tests.servers.process import Running, running


@dataclass(frozen=True, slots=True)
class PrometheusOptions:
    """What a test wants of its Prometheus; by default an empty one that accepts remote write."""

    config: Mapping[str, Any] = field(default_factory=dict)  # sections of prometheus.yml
    out_of_order: str = "0s"  # how old a sample may be that arrives after a newer one
    flags: Sequence[str] = ()

    def document(self) -> dict[str, Any]:
        """The prometheus.yml."""
        storage = {"tsdb": {"out_of_order_time_window": self.out_of_order}}
        return {"storage": storage, **self.config}


def prometheus_command(folder: Path, options: PrometheusOptions, port: int) -> list[str]:
    """How a Prometheus with its data below `folder` is started on a port."""
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "prometheus.yml"
    config.write_text(yaml.safe_dump(options.document(), allow_unicode=True))
    return [
        str(PROMETHEUS.locate()),
        f"--config.file={config}",
        f"--storage.tsdb.path={folder / 'data'}",
        "--storage.tsdb.retention.time=100y",
        "--web.enable-remote-write-receiver",
        f"--web.listen-address=127.0.0.1:{port}",
        *options.flags,
    ]


@contextlib.contextmanager
def prometheus(folder: Path, options: PrometheusOptions | None = None) -> Iterator[Running]:
    """A Prometheus with its data below `folder`; the data go when it ends, the log stays."""
    wanted = options or PrometheusOptions()
    folder.mkdir(parents=True, exist_ok=True)

    def command(port: int) -> Sequence[str]:
        return prometheus_command(folder, wanted, port)

    try:
        with running(command, "/-/ready", folder / "prometheus.log") as server:
            yield server
    finally:
        shutil.rmtree(folder / "data", ignore_errors=True)
