"""What a fuzzer needs to know of the readers of one kind of foreign bytes."""

from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path

_CORPUS = Path(__file__).with_name("corpora")

# What came of reading. A new one guides the fuzzer as a new branch does: for compiled readers.
Outcomes = AbstractSet[str] | None


@dataclass(frozen=True, slots=True)
class Reader:
    """`check` takes any bytes and raises where the reader does what it may not.

    `seeds` are bytes that the reader accepts, made by ourselves.
    """

    check: Callable[[bytes], Outcomes]
    seeds: Callable[[], Iterator[bytes]]


@dataclass(frozen=True, slots=True)
class Harness:
    """Readers that one process fuzzes; where there are several, the first byte says which reads.

    The branches of `packages` guide the fuzzer, `words` are what it likes to write. Where `kernels`
    read, they run as plain Python, then compiled with bounds checks.
    """

    name: str
    readers: tuple[Reader, ...]
    packages: tuple[str, ...]
    words: tuple[str, ...] = ()
    kernels: bool = False

    def check(self, data: bytes) -> Outcomes:
        """Raises where the reader that these bytes are for does what it may not."""
        if len(self.readers) == 1:
            return self.readers[0].check(data)
        return self.readers[data[0] % len(self.readers)].check(data[1:]) if data else None

    def seeds(self) -> Iterator[bytes]:
        """Bytes that the readers accept."""
        for number, reader in enumerate(self.readers):
            lead = bytes([number]) if len(self.readers) > 1 else b""
            yield from (lead + seed for seed in reader.seeds())

    def kept(self) -> Iterator[bytes]:
        """Inputs that earlier runs found worth keeping: a line each, in hexadecimal."""
        if self.file.exists():
            yield from map(bytes.fromhex, self.file.read_text().splitlines())

    @property
    def module(self) -> str:
        """Where it is declared: what a process needs to import that runs this one alone."""
        return self.readers[0].check.__module__

    @property
    def file(self) -> Path:
        """Where they are kept."""
        return _CORPUS / f"{self.name}.txt"
