"""Where each server's program is: named by the environment, on the PATH, or in a package."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.servers.debian import Package, Say, UnavailableError, unpack


@dataclass(frozen=True, slots=True)
class Binary:
    """A program: the variable that names it, its package, the major version it needs."""

    name: str
    variable: str
    package: Package
    least: int = 0

    def locate(self, say: Say = lambda _: None) -> Path:
        """The program's path, fetched if need be. Raises UnavailableError."""
        if named := os.environ.get(self.variable):
            return self._named(Path(named))
        if (found := shutil.which(self.name)) and self._new_enough(Path(found)):
            return Path(found)
        folder = servers_folder()
        unpack([self.package], folder, say)
        return folder / self.package.name / "usr/bin" / self.name

    def _named(self, path: Path) -> Path:
        if not os.access(path, os.X_OK):
            raise UnavailableError(f"{self.variable}={path} is not a program")
        return path

    def _new_enough(self, path: Path) -> bool:
        return self.least == 0 or version(path)[0] >= self.least


_NEWER = "forky"  # the first suite of Debian with a Prometheus 3

PROMETHEUS = Binary("prometheus", "PROMBRIDGE_PROMETHEUS", Package("prometheus", _NEWER), least=3)
PROMTOOL = Binary("promtool", "PROMBRIDGE_PROMTOOL", Package("promtool", _NEWER), least=3)
INFLUXD = Binary("influxd", "PROMBRIDGE_INFLUXD", Package("influxdb"))
NODE_EXPORTER = Binary(
    "prometheus-node-exporter", "PROMBRIDGE_NODE_EXPORTER", Package("prometheus-node-exporter")
)

_VICTORIA = Package("victoria-metrics", _NEWER)
VICTORIA_METRICS = Binary("victoria-metrics", "PROMBRIDGE_VICTORIA_METRICS", _VICTORIA)
VMCTL = Binary("vmctl", "PROMBRIDGE_VMCTL", _VICTORIA)

ALL = (PROMETHEUS, PROMTOOL, INFLUXD, NODE_EXPORTER, VICTORIA_METRICS, VMCTL)

_VERSION_FLAG: Mapping[str, str] = {"influxd": "version"}


def servers_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Where packages are unpacked: $PROMBRIDGE_SERVERS_DIR, or .cache/servers of the checkout."""
    checkout = Path(__file__).parents[2]
    return Path(environment.get("PROMBRIDGE_SERVERS_DIR") or checkout / ".cache/servers").absolute()


def version(path: Path) -> tuple[int, ...]:
    """The version a program prints, `(3, 5, 3)`; `(0,)` where it prints none."""
    flag = _VERSION_FLAG.get(path.name, "--version")
    done = subprocess.run([path, flag], capture_output=True, text=True, timeout=30, check=False)
    found = re.search(r"(\d+)\.(\d+)\.(\d+)", done.stdout + done.stderr)
    return tuple(int(part) for part in found.groups()) if found else (0,)


def locate_all(say: Say) -> Mapping[str, Path | UnavailableError]:
    """Every program's path, or why it cannot be had."""
    return {binary.name: _located(binary.locate, say) for binary in ALL}


def _located(locate: Callable[[Say], Path], say: Say) -> Path | UnavailableError:
    try:
        return locate(say)
    except UnavailableError as error:
        return error
