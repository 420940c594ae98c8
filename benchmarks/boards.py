"""What dashboards and alerts ask at once, and the data they ask it of."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from urllib.parse import urlencode

from tests.oracle.datasets import END, HOURS, everyday
from tests.oracle.queries import expressions
from tests.oracle.series import Dataset, SeriesData


@dataclass(frozen=True, slots=True)
class Panel:
    """One query; `span` and `step` in seconds, a `span` of 0 is an instant query."""

    expr: str
    span: int
    step: int

    def request(self, end: float) -> tuple[str, bytes]:
        """Path and form of the query whose window ends at `end`, Unix seconds."""
        if not self.span:
            return "/api/v1/query", urlencode({"query": self.expr, "time": f"{end:.3f}"}).encode()
        last = end // self.step * self.step
        times = {"start": last - self.span, "end": last, "step": self.step}
        return "/api/v1/query_range", urlencode({"query": self.expr, **times}).encode()


@dataclass(frozen=True, slots=True)
class Board:
    """Panels that are asked at once, again every `refresh` seconds."""

    name: str
    panels: Sequence[Panel]
    refresh: int
    headers: Mapping[str, str]


def boards() -> tuple[Board, ...]:
    """The four loads."""
    nodes = expressions("nodes.promql")
    cluster = _cluster()
    # Over a day a panel of 800 pixels asks every 60 s: as many samples a step as here.
    ranges = [Panel(expr, HOURS * 3600 - 600, 60) for expr in nodes]
    # Of the 44 queries of a cluster's board 32 are of tables and stats.
    mixed = [Panel(expr, 0 if n < 32 else 3600, 15) for n, expr in enumerate(cluster)]
    many = [Panel(expr, 3600, 15) for expr in islice(chain(nodes, cluster), 60)]
    alerts = [Panel(expr, 10_800, 1) for expr in nodes[:3]]
    shown = {"X-Dashboard-Uid": "board"}
    return (
        Board("28 queries of a node's board over 6 h", ranges, 60, shown),
        Board("44 queries of a cluster's board, 32 of them instant", mixed, 10, shown),
        Board("60 queries at once over 1 h", many, 60, shown),
        Board("alert rules over 3 h at 1 s", alerts, 60, {"FromAlert": "true"}),
    )


def _cluster() -> Sequence[str]:
    files = ("pods.promql", "services.promql", "aggregations.promql")
    return tuple(islice(chain.from_iterable(map(expressions, files)), 44))


def data(copies: int) -> Dataset:
    """The oracle's six hours, with so many times its machines and pods."""
    held = everyday()
    return replace(held, series=tuple(chain.from_iterable(_copied(held, copies))))


def _copied(held: Dataset, copies: int) -> Iterator[tuple[SeriesData, ...]]:
    yield held.series
    for number in range(2, copies + 1):
        yield tuple(_renamed(one, number) for one in held.series if _name(one))


def _name(series: SeriesData) -> str:
    """The label that tells a machine's or a pod's series from another's."""
    if "pod" in series.labels:
        return "pod"
    return "instance" if series.labels.get("job") == "node" else ""


def _renamed(series: SeriesData, number: int) -> SeriesData:
    name = _name(series)
    return replace(series, labels={**series.labels, name: f"{series.labels[name]}-{number}"})


LAST: float = END / 1000
