"""Grafana's own Prometheus library in a Node process: how it is installed, and how it is asked."""

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.servers.debian import UnavailableError
from tests.servers.lock import FileLock

CLIENT: Final = Path(__file__).parent / "client"

_MADE_FROM: Final = ("package.json", "package-lock.json", ".npmrc")
_INSTALL_TIMEOUT: Final = 600  # seconds

Json = Any


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request that reached the data source, and its answer."""

    method: str
    target: str
    form: str | None
    headers: dict[str, str]
    status: int
    type: str
    body: str

    @property
    def path(self) -> str:
        """The target without its parameters."""
        return self.target.partition("?")[0]

    def __str__(self) -> str:
        return f"{self.method} {self.target} [{self.form or ''}]"


@dataclass(frozen=True, slots=True)
class Said:
    """What the library made of a command: its result or its error."""

    result: Json
    error: str | None
    exchanges: Sequence[Exchange]


@dataclass(slots=True)
class Library:
    """The library of one Node process. `exchanges` holds all it has asked the data source."""

    process: subprocess.Popen[str]
    exchanges: list[Exchange] = field(default_factory=list)

    def ask(self, command: str, **given: Json) -> Said:
        """Sends one command and waits for its answer."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"command": command, **given}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, f"Node has ended with {self.process.wait()}"
        said = json.loads(line)
        exchanges = [Exchange(**one) for one in said["exchanges"]]
        self.exchanges += exchanges
        return Said(said.get("result"), said.get("error"), exchanges)


@contextlib.contextmanager
def library(url: str, log: Path) -> Iterator[Library]:
    """The library with a data source at `url`; what it says on the side goes to `log`.

    Raises UnavailableError where it cannot be installed.
    """
    environment = {**os.environ, "NODE_PATH": str(installed())}
    command = [_program("node"), str(CLIENT / "main.cjs"), url]
    pipe = subprocess.PIPE
    with (
        log.open("w") as remarks,
        subprocess.Popen(
            command, stdin=pipe, stdout=pipe, stderr=remarks, text=True, env=environment
        ) as process,
    ):
        try:
            yield Library(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()


def installed() -> Path:
    """The folder of the installed packages: made once for each state of the lock file."""
    state = hashlib.sha256(b"".join((CLIENT / name).read_bytes() for name in _MADE_FROM))
    checkout = Path(__file__).parents[2]
    folder = checkout / ".cache" / "grafana-client" / state.hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    done = folder / ".done"
    with FileLock(folder / ".lock"):
        if not done.exists():
            _install(folder)
            done.touch()
    return folder / "node_modules"


def _install(folder: Path) -> None:
    for name in _MADE_FROM:
        shutil.copy(CLIENT / name, folder)
    try:
        made = subprocess.run(
            [_program("npm"), "ci"],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=_INSTALL_TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnavailableError(f"npm ci: {error}") from error
    if made.returncode:
        raise UnavailableError(f"npm ci: {made.stderr.strip() or made.stdout.strip()}")


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise UnavailableError(f"{name} is not on the PATH")
    return found
