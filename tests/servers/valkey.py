"""A Redis of Debian, which speaks as Valkey does."""

import contextlib
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from tests.servers.binaries import servers_folder
from tests.servers.debian import Package, unpack
from tests.servers.process import free_port

_PACKAGES = tuple(map(Package, ("redis-tools", "liblzf1", "libjemalloc2")))
_START_TIMEOUT = 10  # seconds


def valkey_command(folder: Path, port: int) -> tuple[list[str], dict[str, str]]:
    """How a server that keeps nothing on disk is started on a port: command and environment."""
    folder.mkdir(parents=True, exist_ok=True)
    root = servers_folder()
    unpack(_PACKAGES, root, lambda _: None)
    # One program is server and tools; its name tells which.
    program = folder / "redis-server"
    program.symlink_to(root / "redis-tools/usr/bin/redis-check-rdb")
    libraries = [str(one) for one in root.glob("lib*/usr/lib/*/")]
    command = [str(program), "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    return command, {**os.environ, "LD_LIBRARY_PATH": ":".join(libraries)}


@contextlib.contextmanager
def valkey(folder: Path) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """A server with nothing in it: its URL and its process, which a test may end early."""
    port = free_port()
    command, environment = valkey_command(folder, port)
    with (folder / "redis.log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT
        )
    try:
        _wait(folder / "redis.log", process)
        yield f"redis://127.0.0.1:{port}", process
    finally:
        process.kill()
        process.wait()


def _wait(log: Path, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + _START_TIMEOUT
    while b"Ready to accept connections" not in log.read_bytes():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(log.read_text())
        time.sleep(0.02)
