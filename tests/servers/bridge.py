"""prombridge itself, as its users start it: a child process in front of a store."""

import contextlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from tests.servers.process import Running, running


def bridge_command(
    folder: Path, config: Mapping[str, Any], port: int, flags: Sequence[str] = ()
) -> list[str]:
    """How a prombridge with `config` as its prometheus.yml is started on a port."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "prometheus.yml"
    file.write_text(yaml.safe_dump(dict(config), allow_unicode=True))
    return [
        sys.executable,
        "-m",
        "bridge.cli",
        "serve",
        f"--config.file={file}",
        f"--web.listen-address=127.0.0.1:{port}",
        *flags,
    ]


@contextlib.contextmanager
def prombridge(
    folder: Path, config: Mapping[str, Any], flags: Sequence[str] = (), prefix: str = ""
) -> Iterator[Running]:
    """A prombridge with `config` as its prometheus.yml; its log stays in `folder`.

    With a `prefix` such as `/prometheus` all its paths stand below that.
    """
    folder.mkdir(parents=True, exist_ok=True)
    given = [f"--web.route-prefix={prefix or '/'}", *flags]

    def command(port: int) -> Sequence[str]:
        return bridge_command(folder, config, port, given)

    with running(command, f"{prefix}/-/ready", folder / "prombridge.log") as server:
        yield server


def reading(*urls: str) -> Mapping[str, Any]:
    """The prometheus.yml that reads from these remote-read URLs."""
    return {"remote_read": [{"url": url, "read_recent": True} for url in urls]}
