"""A server on one port that is killed and started again."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from tests.servers.process import Running, ServerFailedError

_START_TIMEOUT: Final = 120  # seconds
_POLL: Final = 0.05


@dataclass(slots=True)
class Killable:
    """A server, as often as it is started; `ready` says whether it answers."""

    command: Sequence[str]
    url: str
    ready: Callable[[], bool]
    log: Path
    environment: Mapping[str, str] | None = None
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def running(self) -> Running:
        """The process of this moment."""
        assert self.process is not None
        return Running(self.url, self.process.pid, self.log)

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self.process is not None and self.process.poll() is None

    def launch(self) -> None:
        """Starts it, and does not wait."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, stdout=log, stderr=subprocess.STDOUT, env=self.environment
            )

    def start(self, ready: Callable[[], bool] | None = None) -> None:
        """Starts it, and waits until it is ready, or so far; raises ServerFailedError."""
        self.launch()
        deadline = time.monotonic() + _START_TIMEOUT
        while time.monotonic() < deadline and self.alive:
            if (ready or self.ready)():
                return
            time.sleep(_POLL)
        assert self.process is not None
        code, log = self.process.poll(), self.log.read_text(errors="replace")
        raise ServerFailedError(f"not ready, exit code {code}: {log[-2000:]}")

    def kill(self) -> None:
        """Ends it at once, whatever it is doing."""
        self._end(signal.SIGKILL)

    def stop(self, seconds: float) -> int:
        """Asks it to end, and gives its exit code; raises TimeoutExpired if it does not."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(seconds)

    def _end(self, number: signal.Signals) -> None:
        if self.process is not None:
            if self.alive:
                os.kill(self.process.pid, number)
            self.process.wait()
            self.process = None


def answers(url: str) -> Callable[[], bool]:
    """Whether a URL is answered with 2xx."""

    def ready() -> bool:
        try:
            return httpx.get(url, timeout=2).is_success
        except httpx.TransportError:
            return False

    return ready


def listens(port: int) -> Callable[[], bool]:
    """Whether somebody listens on a port of loopback."""

    def ready() -> bool:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return True
        except OSError:
            return False

    return ready
