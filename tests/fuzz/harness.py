"""What a fuzzer needs to know of one reader of foreign bytes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

_CORPUS = Path(__file__).with_name("corpora")


@dataclass(frozen=True, slots=True)
class Harness:
    """`check` takes any bytes and raises where the reader does what it may not.

    `seeds` are bytes that the reader accepts, made by ourselves. The branches of `packages` guide
    the fuzzer. Where `kernels` read, they run as plain Python and compiled with bounds checks.
    """

    name: str
    check: Callable[[bytes], None]
    seeds: Callable[[], Iterator[bytes]]
    packages: tuple[str, ...]
    kernels: bool = False

    def kept(self) -> Iterator[bytes]:
        """Inputs that earlier runs found worth keeping: a line each, in hexadecimal."""
        if self.file.exists():
            yield from map(bytes.fromhex, self.file.read_text().splitlines())

    @property
    def module(self) -> str:
        """Where it is declared: what a process needs to import that runs this one alone."""
        return self.check.__module__

    @property
    def file(self) -> Path:
        """Where they are kept."""
        return _CORPUS / f"{self.name}.txt"
