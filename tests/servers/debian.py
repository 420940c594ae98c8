"""Debian packages, downloaded and unpacked without touching the machine's own apt state."""

import os
import platform
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.servers.lock import FileLock

_APT = Path("/etc/apt")
_INSTALLED = Path("/var/lib/dpkg/status")
_KEYRINGS = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_TIMEOUT = 300  # seconds for one apt or dpkg command
_KEPT_OPTIONS = ("Signed-By", "Trusted", "Check-Valid-Until")

Say = Callable[[str], None]


class UnavailableError(Exception):
    """A server's package cannot be had here; the text says why."""


@dataclass(frozen=True, slots=True)
class Package:
    """A Debian package, of the machine's own suite or of a named one.

    `whole`: together with the packages that it needs and the machine lacks.
    """

    name: str
    suite: str | None = None
    whole: bool = False


@dataclass(frozen=True, slots=True)
class _Source:
    """The machine's own entry for Debian's main archive."""

    uri: str
    codename: str
    options: tuple[tuple[str, str], ...]

    def stanza(self, suites: Sequence[str]) -> str:
        fields = [
            ("Types", "deb"),
            ("URIs", self.uri),
            ("Suites", " ".join(suites)),
            ("Components", "main"),
            *self.options,
        ]
        return "".join(f"{name}: {value}\n" for name, value in fields)


def unpack(packages: Iterable[Package], into: Path, say: Say) -> None:
    """Unpacks each package below `into/<name>`; those already there cost nothing.

    Safe to call from several processes. Raises UnavailableError where a package cannot be had.
    """
    wanted = tuple(packages)
    if not _missing(wanted, into):
        return
    into.mkdir(parents=True, exist_ok=True)
    with FileLock(into / "lock"):
        missing = _missing(wanted, into)
        if missing:
            _download(missing, into, say)


def _missing(packages: Sequence[Package], into: Path) -> tuple[Package, ...]:
    return tuple(package for package in packages if not (into / package.name).is_dir())


def _download(packages: Sequence[Package], into: Path, say: Say) -> None:
    source = _machine_source()
    suites = sorted({package.suite or source.codename for package in packages})
    apt = _Apt(into / "apt")
    say(f"reading the package lists of {', '.join(suites)} …")
    apt.update(source.stanza(suites))
    for package in packages:
        suite = package.suite or source.codename
        say(f"downloading {package.name} of {suite} …")
        fetch = apt.download_whole if package.whole else apt.download
        archives = fetch(f"{package.name}/{suite}")
        _extract(archives, into / package.name)
        for archive in archives:
            say(f"{archive.name} unpacked")
            archive.unlink()
    shutil.rmtree(into / "apt")


def _extract(archives: Sequence[Path], folder: Path) -> None:
    """Unpacks beside the folder and renames, so that a folder that exists is complete."""
    part = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    for archive in archives:
        _run(["dpkg", "-x", str(archive), str(part)], cwd=archive.parent)
    (part / "PACKAGE").write_text("".join(f"{archive.stem}\n" for archive in archives))
    part.rename(folder)


class _Apt:
    """apt-get with lists, cache and sources of its own."""

    def __init__(self, folder: Path) -> None:
        if shutil.which("apt-get") is None or shutil.which("dpkg") is None:
            raise UnavailableError("this machine has no apt-get and dpkg")
        self._folder = folder
        for part in ("state/lists/partial", "cache/archives/partial", "download", "parts"):
            (folder / part).mkdir(parents=True, exist_ok=True)
        (folder / "status").touch()

    def update(self, sources: str) -> None:
        (self._folder / "debian.sources").write_text(sources)
        _run([*self._command(), "update"], cwd=self._folder)

    def download(self, package: str) -> tuple[Path, ...]:
        folder = self._folder / "download"
        _run([*self._command(), "download", package], cwd=folder)
        return tuple(folder.glob("*.deb"))

    def download_whole(self, package: str) -> tuple[Path, ...]:
        """The package and what it needs, except what the machine has installed."""
        asked = ("install", "--download-only", "--no-install-recommends", "--yes", package)
        _run([*self._command(_INSTALLED), "-o", "Debug::NoLocking=1", *asked], cwd=self._folder)
        return tuple(sorted((self._folder / "cache/archives").glob("*.deb")))

    def _command(self, installed: Path | None = None) -> list[str]:
        folder = self._folder.resolve()
        options = {
            "Dir::State": folder / "state",
            "Dir::State::status": installed or folder / "status",
            "Dir::Cache": folder / "cache",
            "Dir::Etc::sourcelist": folder / "debian.sources",
            "Dir::Etc::sourceparts": folder / "parts",
            "APT::Sandbox::User": "",
            "APT::Get::Update::SourceListWarnings": "false",
            "APT::Update::Error-Mode": "any",
            "Acquire::Languages": "none",
            "Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled": "false",
            "Acquire::Retries": "2",
            "Acquire::http::Timeout": "20",
        }
        flags = [part for name, value in options.items() for part in ("-o", f"{name}={value}")]
        return ["apt-get", "--quiet=2", *flags]


def _run(command: Sequence[str], cwd: Path) -> None:
    environment = {**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(
            command,
            cwd=cwd,
            env=environment,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnavailableError(f"{command[0]}: {error}") from error
    if done.returncode:
        raise UnavailableError(f"{command[0]} {command[-1]}: {done.stderr.strip() or done.stdout}")


def _machine_source() -> _Source:
    release = platform.freedesktop_os_release()
    codename = release.get("VERSION_CODENAME", "")
    if release.get("ID") != "debian" or not codename:
        raise UnavailableError(f"this machine runs {release.get('NAME')}, not a Debian release")
    for fields in _entries():
        if codename in fields["Suites"].split() and "main" in fields["Components"].split():
            uri = fields["URIs"].split()[0]
            kept = {name: fields[name] for name in _KEPT_OPTIONS if name in fields}
            if _KEYRINGS.exists():
                kept.setdefault("Signed-By", str(_KEYRINGS))
            return _Source(uri, codename, tuple(kept.items()))
    raise UnavailableError(f"no entry for {codename} main in {_APT}/sources.list*")


def _entries() -> Iterator[dict[str, str]]:
    for path in sorted(_APT.glob("sources.list.d/*.sources")):
        for stanza in path.read_text().split("\n\n"):
            fields = _deb822(stanza)
            if {"URIs", "Suites", "Components"} <= fields.keys():
                yield fields
    for path in [_APT / "sources.list", *sorted(_APT.glob("sources.list.d/*.list"))]:
        if path.exists():
            yield from filter(None, map(_one_line, path.read_text().splitlines()))


def _deb822(stanza: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    name = ""
    for line in stanza.splitlines():
        if line.startswith("#"):
            continue
        if line[:1].isspace() and name:
            fields[name] += f"\n{line}"
        elif ":" in line:
            name, _, value = line.partition(":")
            fields[name] = value.strip()
    return fields


def _one_line(line: str) -> dict[str, str] | None:
    """`deb [signed-by=…] uri suite component …` as the fields of the newer form."""
    words = line.partition("#")[0].split()
    if words[:1] != ["deb"]:
        return None
    fields: dict[str, str] = {}
    rest = words[1:]
    if rest and rest[0].startswith("["):
        end = next(n for n, word in enumerate(rest) if word.endswith("]"))
        for option in " ".join(rest[: end + 1]).strip("[]").split():
            name, _, value = option.partition("=")
            fields[name.title()] = value
        rest = rest[end + 1 :]
    if len(rest) < 3:
        return None
    return {**fields, "URIs": rest[0], "Suites": rest[1], "Components": " ".join(rest[2:])}
