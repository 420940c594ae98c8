"""Files that are read again when they change."""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, Generic, TypeVar

from bridge.config.errors import ConfigError, Problem

T = TypeVar("T")

_HASHED: Final = "sha256:"


class Watched(Generic[T]):
    """What `read` makes of a file, made anew when the file's time, size or inode changes.

    An error of `read` is raised each time until the file is right again.
    """

    def __init__(self, path: Path, read: Callable[[Path], T]) -> None:
        self._path = path
        self._read = read
        self._stamp: tuple[int, ...] | None = None
        self._held: T | ConfigError

    def __call__(self) -> T:
        """What it holds now; raises ConfigError."""
        stamp = self._now()
        if stamp is None or stamp != self._stamp:
            try:
                self._held = self._read(self._path)
            except ConfigError as error:
                self._held = error
            self._stamp = stamp
        if isinstance(self._held, ConfigError):
            raise self._held
        return self._held

    def _now(self) -> tuple[int, ...] | None:
        try:
            held = self._path.stat()
        except OSError:
            return None
        return (held.st_mtime_ns, held.st_size, held.st_ino)


def read_tokens(path: Path) -> Mapping[str, bytes]:
    """The tokens of a file, `NAME: TOKEN` a line, as their SHA-256 digests; raises ConfigError.

    A token may stand there as its digest, `sha256:` and hexadecimal digits. Lines that are empty or
    begin with # count for nothing.
    """
    try:
        lines = path.read_bytes().decode().splitlines()
    except OSError as error:
        reason = (error.strerror or "cannot be read").lower()
        raise ConfigError([Problem(str(path), 0, reason)]) from None
    except UnicodeDecodeError:
        raise ConfigError([Problem(str(path), 0, "expected text in UTF-8")]) from None
    tokens: dict[str, bytes] = {}
    for number, line in enumerate(lines, 1):
        if line.strip() and not line.startswith("#"):
            name, _, token = (part.strip() for part in line.partition(":"))
            digest = _digest(token)
            if not name or digest is None or name in tokens:
                text = "expected NAME: TOKEN with a name of its own"
                raise ConfigError([Problem(str(path), number, text)])
            tokens[name] = digest
    return tokens


def _digest(token: str) -> bytes | None:
    if not token:
        return None
    if not token.startswith(_HASHED):
        return hashlib.sha256(token.encode()).digest()
    try:
        digest = bytes.fromhex(token.removeprefix(_HASHED))
    except ValueError:
        return None
    return digest if len(digest) == hashlib.sha256().digest_size else None
