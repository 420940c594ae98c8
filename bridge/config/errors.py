"""What is wrong with a configuration: every problem with its file and line."""

from collections.abc import Iterable
from dataclasses import dataclass

from bridge.model.errors import BridgeError


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One sentence about one place; `file` and `line` are empty and 0 for a command-line flag."""

    file: str
    line: int
    text: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}: " if self.line else f"{self.file}: " if self.file else ""
        return f"{place}{self.text}"


class ConfigError(BridgeError):
    """A configuration that cannot be used; `problems` are all that were found, one a line."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(map(str, self.problems)))
