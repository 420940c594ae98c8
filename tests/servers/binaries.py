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
    """A program: the variable that names it, its package, the major version it needs.

    `path` is where the package has it, unless in `usr/bin` under the program's name.
    """

    name: str
    variable: str
    package: Package
    least: int = 0
    path: str = ""

    def locate(self, say: Say = lambda _: None) -> Path:
        """The program's path, fetched if need be. Raises UnavailableError."""
        if named := os.environ.get(self.variable):
            return self._named(Path(named))
        if (found := shutil.which(self.name)) and self._new_enough(Path(found)):
            return Path(found)
        folder = servers_folder()
        unpack([self.package], folder, say)
        return folder / self.package.name / (self.path or f"usr/bin/{self.name}")

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
CHROMIUM = Binary(
    "chromium",
    "PROMBRIDGE_CHROMIUM",
    Package("chromium-headless-shell", whole=True),
    path="usr/lib/chromium/chromium-headless-shell",
)

_VICTORIA = Package("victoria-metrics", _NEWER)
VICTORIA_METRICS = Binary("victoria-metrics", "PROMBRIDGE_VICTORIA_METRICS", _VICTORIA)
VMCTL = Binary("vmctl", "PROMBRIDGE_VMCTL", _VICTORIA)

NGINX = Binary("nginx", "PROMBRIDGE_NGINX", Package("nginx"), path="usr/sbin/nginx")

ALL = (PROMETHEUS, PROMTOOL, INFLUXD, NODE_EXPORTER, VICTORIA_METRICS, VMCTL, NGINX, CHROMIUM)

_VERSION_FLAG: Mapping[str, str] = {"influxd": "version", "nginx": "-v"}


def servers_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Where packages are unpacked: $PROMBRIDGE_SERVERS_DIR, or .cache/servers of the checkout."""
    checkout = Path(__file__).parents[2]
    return Path(environment.get("PROMBRIDGE_SERVERS_DIR") or checkout / ".cache/servers").absolute()


def version(path: Path) -> tuple[int, ...]:
    """The version a program prints, `(3, 5, 3)`; `(0,)` where it prints none."""
    flag = _VERSION_FLAG.get(path.name, "--version")
    command = [str(path), flag]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=30, check=False, env=environment(path)
    )
    found = re.search(r"(\d+)\.(\d+)\.(\d+)", done.stdout + done.stderr)
    return tuple(int(part) for part in found.groups()) if found else (0,)


def environment(program: Path) -> dict[str, str]:
    """The environment in which a program finds the libraries that were unpacked with it."""
    found = dict(os.environ)
    root = servers_folder()
    if program.is_relative_to(root):
        package = root / program.relative_to(root).parts[0]
        folders = {str(library.parent) for library in package.glob("usr/lib/*/**/*.so*")}
        found["LD_LIBRARY_PATH"] = ":".join(sorted(folders))
    return found


def locate_all(say: Say) -> Mapping[str, Path | UnavailableError]:
    """Every program's path, or why it cannot be had."""
    return {binary.name: _located(binary.locate, say) for binary in ALL}


def _located(locate: Callable[[Say], Path], say: Say) -> Path | UnavailableError:
    try:
        return locate(say)
    except UnavailableError as error:
        return error
