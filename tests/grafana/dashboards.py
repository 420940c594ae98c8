"""The dashboards as Grafana uses them: panels, targets, variables and what replaces them."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

REPOSITORY: Final = Path(__file__).parents[2]
FOLDER: Final = REPOSITORY / "grafana" / "dashboards"

Json = dict[str, Any]

# What Grafana puts in for its own variables: a range of 6 h at a step of 15 s.
BUILT_IN: Final = {
    "__rate_interval": "1m0s",
    "__interval": "15s",
    "__interval_ms": "15000",
    "__range": "21600s",
    "__range_s": "21600",
    "__range_ms": "21600000",
}


@dataclass(frozen=True, slots=True)
class Question:
    """One expression of a panel, as it is written in the file."""

    dashboard: str
    panel: str
    ref: str
    expr: str
    instant: bool

    def __str__(self) -> str:
        return f"{self.dashboard}: {self.panel} {self.ref}"


@dataclass(frozen=True, slots=True, eq=False)
class Dashboard:
    """One file of `grafana/dashboards`."""

    file: Path
    json: Json

    def panels(self) -> Iterator[Json]:
        """Every panel, those inside collapsed rows too."""
        for panel in self.json["panels"]:
            yield panel
            yield from panel.get("panels", ())

    def questions(self) -> Iterator[Question]:
        """Every expression."""
        for panel in self.panels():
            for target in panel.get("targets", ()):
                yield Question(
                    self.file.stem,
                    panel["title"],
                    target["refId"],
                    target["expr"],
                    target["instant"],
                )

    def variables(self) -> list[Json]:
        """The variables, in their order."""
        variables: list[Json] = self.json["templating"]["list"]
        return variables


def dashboards() -> list[Dashboard]:
    """All dashboards of the repository."""
    return [Dashboard(file, json.loads(file.read_text())) for file in sorted(FOLDER.glob("*.json"))]


def filled(text: str, variables: Mapping[str, str]) -> str:
    """The text with `$name` and `${name}` replaced; a name that is not known stays."""
    known = {**variables, **BUILT_IN}

    def value(found: re.Match[str]) -> str:
        return known.get(found[1] or found[2], found[0])

    return re.sub(r"\$(?:\{(\w+)\}|(\w+))", value, text)
