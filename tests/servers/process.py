"""A server as a child process: started on a free port, waited for, ended, its log kept."""

import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

_START_TIMEOUT = 180  # seconds until a server must be ready
_STOP_TIMEOUT = 15  # seconds it may take to end after SIGTERM
_POLL = 0.05  # seconds between two looks at a starting server
_ATTEMPTS = 5  # a free port may be taken by another before the server binds it


class ServerFailedError(Exception):
    """A server ended or stayed deaf while it started; the text holds the end of its log."""


@dataclass(frozen=True, slots=True)
class Running:
    """A started server: its base URL, its process id and its log."""

    url: str
    pid: int
    log: Path

    def peak_memory(self) -> int:
        """The most bytes of memory the process has held so far."""
        return self._status("VmHWM")

    def memory(self) -> int:
        """The bytes of memory that the process holds."""
        return self._status("VmRSS")

    def address_space(self) -> int:
        """Its address space in bytes."""
        return self._status("VmSize")

    def processor_seconds(self) -> float:
        """The processor time that the process has used so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        user, system = int(fields[11]), int(fields[12])
        return (user + system) / os.sysconf("SC_CLK_TCK")

    def _status(self, name: str) -> int:
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) * 1024
        raise ServerFailedError(f"process {self.pid} shows no {name}")


def free_port() -> int:
    """A loopback port that nothing listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def running(
    command: Callable[[int], Sequence[str]],
    ready: str,
    log: Path,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Running]:
    """Runs `command(port)` until the block ends, from the moment `GET ready` answers 2xx.

    Raises ServerFailedError with the end of the log if that moment does not come.
    """
    process, url = _started(command, ready, log, environment)
    try:
        yield Running(url, process.pid, log)
    finally:
        _stop(process)


def _started(
    command: Callable[[int], Sequence[str]],
    ready: str,
    log: Path,
    environment: Mapping[str, str] | None,
) -> tuple[subprocess.Popen[bytes], str]:
    for attempt in range(1, _ATTEMPTS + 1):
        port = free_port()
        with log.open("wb") as output:
            process = subprocess.Popen(
                command(port), stdout=output, stderr=subprocess.STDOUT, env=environment
            )
        try:
            _await(process, f"http://127.0.0.1:{port}{ready}", log)
        except ServerFailedError:
            _stop(process)
            if attempt < _ATTEMPTS and b"address already in use" in log.read_bytes().lower():
                continue
            raise
        except BaseException:
            _stop(process)
            raise
        return process, f"http://127.0.0.1:{port}"
    raise AssertionError("unreachable: the last attempt returns or raises")


def _await(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + _START_TIMEOUT
    with httpx.Client(timeout=5) as client:
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise ServerFailedError(f"ended with {process.returncode}: {_tail(log)}")
            with contextlib.suppress(httpx.TransportError):
                if client.get(url).is_success:
                    return
            time.sleep(_POLL)
    raise ServerFailedError(f"{url} did not answer within {_START_TIMEOUT} s: {_tail(log)}")


def _tail(log: Path) -> str:
    return log.read_text(errors="replace")[-4000:]


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_TIMEOUT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
