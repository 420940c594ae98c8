"""Answers of the query API for a terminal: tables, and plots in braille."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from bridge.cli.buckets import bars, cell
from bridge.model.labels import METRIC_NAME, quoted

_PLOT_ROWS: Final = 12
_MOST_ROWS: Final = 200
_MOST_LINES: Final = 20
_MOST_PICTURES: Final = 5
# The bit of each dot of a braille character, by row and column.
_DOTS: Final = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
_BLANK: Final = 0x2800

Point = tuple[float, float]
Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text below a header; the first `words` columns are aligned to the left."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: int = 1

    def lines(self, width: int) -> Iterator[str]:
        """The table's lines; the first column gives way where `width` is too small."""
        shown = (self.header, *self.rows[:_MOST_ROWS])
        columns = [max(map(len, column)) for column in zip(*shown, strict=True)]
        columns[0] = min(columns[0], max(20, width - sum(columns[1:]) - 2 * len(columns[1:])))
        for row in shown:
            cells = (_cut(row[0], columns[0]), *row[1:])
            yield "  ".join(
                cell.ljust(size) if number < self.words else cell.rjust(size)
                for number, (cell, size) in enumerate(zip(cells, columns, strict=True))
            ).rstrip()
        if len(self.rows) > _MOST_ROWS:
            yield f"… and {len(self.rows) - _MOST_ROWS} more"


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def answer_lines(data: Json, width: int) -> Iterator[str]:
    """What `data` of a query's answer looks like in a terminal of so many columns."""
    match data["resultType"]:
        case "vector":
            yield from _vector(data["result"]).lines(width)
            yield from _bars(data["result"], width)
        case "matrix":
            yield from _matrix_lines(data["result"], width)
        case _:
            time, value = data["result"]
            yield f"{value}  at {moment(time)}"


def _vector(result: Sequence[Json]) -> Table:
    rows = ((series_name(one["metric"]), _shown(one)) for one in result)
    return Table(("SERIES", "VALUE"), tuple(rows))


def _shown(one: Json) -> str:
    return cell(one["histogram"][1]) if "histogram" in one else one["value"][1]


def _bars(result: Sequence[Json], width: int) -> Iterator[str]:
    """The buckets of histograms, if there are few."""
    held = [one for one in result if "histogram" in one]
    for one in held if len(held) <= _MOST_PICTURES else ():
        yield from ("", series_name(one["metric"]))
        yield from bars(one["histogram"][1], width)


def _matrix_lines(result: Sequence[Json], width: int) -> Iterator[str]:
    lines = [
        [(float(time), _number(value)) for time, value in one.get("values", ())] for one in result
    ]
    drawn = [[point for point in line if math.isfinite(point[1])] for line in lines]
    if sum(map(len, drawn)) > 1:
        yield from plot(drawn[:_MOST_LINES], width)
        yield ""
    summaries = (
        (series_name(one["metric"]), *_summary(line, one.get("histograms", ())))
        for one, line in zip(result, lines, strict=True)
    )
    yield from Table(("SERIES", "POINTS", "MIN", "MAX", "LAST"), tuple(summaries)).lines(width)


def _number(text: str) -> float:
    return float(text.replace("Inf", "inf"))


def _summary(line: Sequence[Point], native: Sequence[tuple[float, Json]]) -> tuple[str, ...]:
    """Of a series its points, the least, greatest and last of them; histograms have no order."""
    values = [value for _, value in line if not math.isnan(value)]
    least, most = (f"{end(values):g}" if values else "NaN" for end in (min, max))
    if not native:
        return str(len(line)), least, most, f"{line[-1][1]:g}" if values else "NaN"
    last = cell(native[-1][1])
    if line and line[-1][0] > native[-1][0]:
        last = f"{line[-1][1]:g}"
    bounds = (least, most) if line else ("", "")
    return str(len(line) + len(native)), *bounds, last


def series_name(metric: Mapping[str, str]) -> str:
    """A series as PromQL writes it."""
    labels = ", ".join(
        f"{name}={quoted(value)}" for name, value in metric.items() if name != METRIC_NAME
    )
    name = metric.get(METRIC_NAME, "")
    return f"{name}{{{labels}}}" if labels or not name else name


def plot(lines: Sequence[Sequence[Point]], width: int) -> Iterator[str]:
    """A picture of several lines of finite points; at least one line is not empty."""
    points = [point for line in lines for point in line]
    times, values = [time for time, _ in points], [value for _, value in points]
    bottom, top = min(values), max(values)
    if bottom == top:
        bottom, top = bottom - 1, top + 1
    scale = (f"{top:.4g}", f"{top / 2 + bottom / 2:.4g}", f"{bottom:.4g}")
    margin = max(map(len, scale))
    columns = max(10, width - margin - 3)
    canvas = _Canvas(columns, _PLOT_ROWS, (min(times), max(times)), (bottom, top))
    for line in lines:
        canvas.draw(line)
    labels = {0: scale[0], _PLOT_ROWS // 2: scale[1], _PLOT_ROWS - 1: scale[2]}
    for row, text in enumerate(canvas.rows()):
        yield f"{labels.get(row, ''):>{margin}} ┤{text}".rstrip()
    first, last = moment(min(times)), moment(max(times))
    yield f"{'':>{margin}}  {first}{last:>{max(1, columns - len(first))}}"


class _Canvas:
    """A grid of braille characters, each two dots wide and four high."""

    def __init__(
        self, columns: int, rows: int, times: tuple[float, float], values: tuple[float, float]
    ) -> None:
        self._cells = [[_BLANK] * columns for _ in range(rows)]
        self._width, self._height = columns * 2 - 1, rows * 4 - 1
        self._times, self._values = times, values

    def draw(self, line: Iterable[Point]) -> None:
        """A line through these points; neighbours in time are joined."""
        before: tuple[int, int] | None = None
        for x, y in map(self._dot, line):
            for row in self._between(before, (x, y)):
                self._cells[row // 4][x // 2] |= _DOTS[row % 4][x % 2]
            before = (x, y)

    def rows(self) -> Iterator[str]:
        """The picture, from top to bottom."""
        for cells in self._cells:
            yield "".join(map(chr, cells)).replace(chr(_BLANK), " ")

    def _dot(self, point: Point) -> tuple[int, int]:
        across = _share(point[0], *self._times)
        down = 1 - _share(point[1], *self._values)
        return round(across * self._width), round(down * self._height)

    @staticmethod
    def _between(before: tuple[int, int] | None, dot: tuple[int, int]) -> range:
        """The rows to fill in a dot's column so that it meets the dot before."""
        x, y = dot
        if before is None or x - before[0] > 2 or before[1] == y:
            return range(y, y + 1)
        return range(y, before[1]) if y < before[1] else range(before[1] + 1, y + 1)


def _share(value: float, low: float, high: float) -> float:
    # Halves keep the difference of two huge numbers finite.
    span = high / 2 - low / 2
    return (value / 2 - low / 2) / span if span > 0 else 0.0


def counted(count: int, noun: str) -> str:
    """So many of something, in words."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def moment(seconds: float) -> str:
    """A time in Unix seconds, in UTC; as a number where the calendar ends."""
    try:
        moment = datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return str(seconds)
    return moment.strftime("%Y-%m-%d %H:%M:%SZ")
