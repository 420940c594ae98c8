"""Where kernels' machine code is kept on disk, and by what it is known again.

numba knows machine code by the file of its function alone: it does not notice an edited helper in
another file, and takes the same sources in another folder for new ones. Here a kernel is known by
what it is compiled from: its own byte code and constants and those of all functions it calls.
"""

import atexit
import enum
import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any, Final

import numba
import numba.core.config
import numpy as np

# What else decides how numba compiles, or whether.
_VARIABLES: Final = ("NUMBA_CPU_NAME", "NUMBA_BOUNDSCHECK", "NUMBA_DISABLE_JIT")
_HOME: Final = "PROMBRIDGE_KERNEL_CACHE"
_PACKAGE: Final = __name__.partition(".")[0]


@dataclass(frozen=True, slots=True)
class Locator:
    """What numba asks for the place of one function's machine code."""

    folder: Path
    digest: str

    @classmethod
    def from_function(cls, py_func: FunctionType, _py_file: str) -> "Locator":
        """The place of this function's machine code."""
        folder = Path(numba.core.config.CACHE_DIR)  # type: ignore[attr-defined]
        return cls(folder / py_func.__module__, digest(py_func))

    def get_cache_path(self) -> str:
        """The folder."""
        return str(self.folder)

    def ensure_cache_path(self) -> None:
        """Makes the folder."""
        self.folder.mkdir(parents=True, exist_ok=True)

    def get_source_stamp(self) -> str:
        """What tells the function's versions apart."""
        return self.digest

    def get_disambiguator(self) -> str:
        """The part of the file's name behind the function's: versions stand side by side."""
        return self.digest[:16]


def digest(function: FunctionType) -> str:
    """The hash of all that a function is compiled from."""
    found = hashlib.sha256()
    for part in _parts(function, set()):
        found.update(part)
        found.update(b"\0")
    return found.hexdigest()


def _parts(function: FunctionType, seen: set[object]) -> Iterator[bytes]:
    """A function, then whatever it names, in the order in which it does."""
    if function in seen:
        return
    seen.add(function)
    yield f"{function.__module__}.{function.__qualname__}".encode()
    yield repr(function.__defaults__).encode()
    for code in _codes(function.__code__):
        yield code.co_code
        yield repr([one for one in code.co_consts if not isinstance(one, CodeType)]).encode()
        names = (*code.co_names, *code.co_varnames, *code.co_freevars, *code.co_cellvars)
        yield " ".join(names).encode()
        yield from _named(code, function.__globals__, seen)
    for cell in function.__closure__ or ():
        yield from _value(cell.cell_contents, seen)


def _codes(code: CodeType) -> Iterator[CodeType]:
    """The code of a function and of those within it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _named(code: CodeType, scope: dict[str, Any], seen: set[object]) -> Iterator[bytes]:
    """The globals that code names, also as attributes of a module of ours."""
    ours = [
        value
        for name in code.co_names
        if isinstance(value := scope.get(name), ModuleType)
        and value.__name__.partition(".")[0] == _PACKAGE
    ]
    for name in code.co_names:
        for names in (scope, *map(vars, ours)):
            if name in names:
                yield from _value(names[name], seen)


def _value(value: object, seen: set[object]) -> Iterator[bytes]:
    """A global or a closed-over variable; modules and types count by name."""
    match value:
        case FunctionType():
            yield from _parts(value, seen)
        case np.ndarray():
            yield repr((value.dtype, value.shape)).encode() + value.tobytes()
        case enum.EnumMeta():
            yield repr(list(value)).encode()
        case ModuleType() | type():
            yield value.__name__.encode()
        case tuple():
            for item in value:
                yield from _value(item, seen)
        case _:
            # What numba compiles, and its intrinsics, wrap the function they are made of.
            inner = getattr(value, "py_func", None) or getattr(value, "_defn", None)
            if isinstance(inner, FunctionType):
                yield from _parts(inner, seen)
            else:
                yield _shown(value).encode()


def _shown(value: object) -> str:
    """The value in text, the same in every process."""
    text = repr(value)
    return type(value).__qualname__ if " at 0x" in text else text


@cache
def sources() -> str:
    """The hash of all files that declare kernels: what is compiled may differ where it does."""
    found = hashlib.sha256()
    for source in sorted(Path(__file__).parents[1].rglob("*.py")):
        text = source.read_bytes()
        if b"bridge.kernel" in text:
            found.update(text)
    return found.hexdigest()[:16]


def folder() -> Path:
    """The folder for machine code of this numba as it is set, made by these decorators.

    numba does not read from a folder that it may not write to, so a read-only one (an image's) is
    copied to a temporary one. This process shares that with its children, and takes it away.
    """
    told = hashlib.sha256(Path(__file__).with_name("__init__.py").read_bytes())
    told.update(repr((numba.__version__, *map(os.environ.get, _VARIABLES))).encode())
    found = _home() / told.hexdigest()[:16]
    try:
        found.mkdir(parents=True, exist_ok=True)
        usable = os.access(found, os.W_OK)
    except OSError:
        usable = False
    if usable:
        return found
    own = Path(tempfile.mkdtemp(prefix="prombridge-kernels-"))
    atexit.register(shutil.rmtree, own, ignore_errors=True)
    os.environ[_HOME] = str(own)
    kept = own / found.name
    if os.path.isdir(found):  # noqa: PTH112 - False also where nobody may look
        shutil.copytree(found, kept)
        for one in (kept, *filter(Path.is_dir, kept.rglob("*"))):
            one.chmod(0o700)
    else:
        kept.mkdir()
    return kept


def _home() -> Path:
    """Where machine code of all versions is kept."""
    if given := os.environ.get(_HOME):
        return Path(given)
    try:
        return Path.home() / ".cache/prombridge/kernels"
    except RuntimeError:
        # A user without an entry and without HOME: no folder can be made below this.
        return Path(os.devnull) / "home"


@contextmanager
def alone(mark: Path) -> Iterator[None]:
    """Waits until no other process is about to make this mark."""
    with mark.with_name(f"{mark.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def use() -> None:
    """Has numba keep machine code there."""
    numba.core.config.CACHE_DIR = str(folder())  # type: ignore[attr-defined]
    locator = f"{Locator.__module__}.{Locator.__qualname__}"
    numba.core.config.CACHE_LOCATOR_CLASSES = locator  # type: ignore[attr-defined]
