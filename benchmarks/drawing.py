"""Charts of the measurements as SVG, drawn by hand: one file, no fonts, for both themes."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape

# Distinct also for those who see no red or no green (Okabe and Ito).
_COLOURS = ("#d55e00", "#e69f00", "#56b4e9", "#0072b2", "#009e73", "#999999")
_INK, _FAINT = "#57606a", "#d0d7de"
_FONT = 'font-family="system-ui, sans-serif" font-size="12"'


@dataclass(slots=True)
class _Canvas:
    """What is drawn, in the order in which it is."""

    parts: list[str] = field(default_factory=list)

    def text(self, x: float, y: float, text: str, anchor: str = "start") -> None:
        shown = escape(text.replace("`", ""))
        self.parts.append(
            f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{_INK}">{shown}</text>'
        )

    def line(self, points: Sequence[tuple[float, float]], colour: str, width: float = 1) -> None:
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self.parts.append(
            f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width}"/>'
        )

    def dot(self, x: float, y: float, colour: str, label: str) -> None:
        self.parts.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{colour}">'
            f"<title>{escape(label)}</title></circle>"
        )

    def legend(self, names: Sequence[str], y: float) -> None:
        """Two rows of three."""
        for index, name in enumerate(names):
            x, row = 20 + index % 3 * 240, y + index // 3 * 20
            self.dot(x, row, _COLOURS[index], name)
            self.text(x + 10, row + 4, name)

    def svg(self, width: float, height: float) -> str:
        inside = "\n".join(self.parts)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}"'
            f' width="{width:.0f}" height="{height:.0f}" {_FONT}>\n'
            f'<rect width="100%" height="100%" fill="#ffffff"/>\n{inside}\n</svg>\n'
        )


@dataclass(frozen=True, slots=True)
class _Scale:
    """A logarithmic scale from `low` to `high` over pixels from `start` to `stop`."""

    low: float
    high: float
    start: float
    stop: float

    @staticmethod
    def around(values: Sequence[float], start: float, stop: float) -> "_Scale":
        low = 10.0 ** math.floor(math.log10(min(values)))
        return _Scale(low, max(10.0 ** math.ceil(math.log10(max(values))), low * 10), start, stop)

    def at(self, value: float) -> float:
        share = math.log(value / self.low) / math.log(self.high / self.low)
        return self.start + share * (self.stop - self.start)

    def decades(self) -> list[float]:
        count = round(math.log10(self.high / self.low))
        return [self.low * 10.0**power for power in range(count + 1)]


def dots(names: Sequence[str], rows: Sequence[tuple[str, Mapping[str, float]]]) -> str:
    """Seconds of each name in each row (title, seconds by name), on a logarithmic scale."""
    canvas, top, step = _Canvas(), 60.0, 26.0
    bottom = top + step * len(rows)
    scale = _Scale.around([one for _, row in rows for one in row.values()], 330, 740)
    canvas.legend(names, 16)
    for decade in scale.decades():
        x = scale.at(decade)
        canvas.line([(x, top), (x, bottom)], _FAINT)
        canvas.text(x, bottom + 16, _duration(decade), "middle")
    for index, (title, seconds) in enumerate(rows):
        y = top + step * (index + 0.5)
        canvas.text(320, y + 4, title, "end")
        canvas.line([(330, y), (740, y)], _FAINT, 0.5)
        for name, colour in zip(names, _COLOURS, strict=False):
            label = f"{name}: {_duration(seconds[name])}"
            canvas.dot(scale.at(seconds[name]), y, colour, label)
    return canvas.svg(760, bottom + 30)


@dataclass(frozen=True, slots=True)
class Lines:
    """One chart of lines: seconds by name at each size."""

    title: str
    unit: str
    sizes: Sequence[int]
    seconds: Mapping[str, Sequence[float]]


def lines(names: Sequence[str], colours: Sequence[int], charts: Sequence[Lines]) -> str:
    """Charts below each other, both axes logarithmic; `colours` are those that dots have."""
    canvas, height, top = _Canvas(), 210.0, 50.0
    for place, (name, colour) in enumerate(zip(names, colours, strict=True)):
        canvas.dot(20 + place * 240, 16, _COLOURS[colour], name)
        canvas.text(30 + place * 240, 20, name)
    for index, chart in enumerate(charts):
        _chart(canvas, chart, names, colours, top + index * (height + 70), height)
    return canvas.svg(760, top + len(charts) * (height + 70))


def _chart(
    canvas: _Canvas,
    chart: Lines,
    names: Sequence[str],
    colours: Sequence[int],
    top: float,
    height: float,
) -> None:
    bottom = top + height
    x = _Scale(chart.sizes[0], chart.sizes[-1], 90, 720)
    y = _Scale.around([one for each in chart.seconds.values() for one in each], bottom, top + 14)
    canvas.text(90, top + 4, f"{chart.title}, by {chart.unit}")
    for decade in y.decades():
        canvas.line([(90, y.at(decade)), (720, y.at(decade))], _FAINT)
        canvas.text(80, y.at(decade) + 4, _duration(decade), "end")
    for size in chart.sizes:
        canvas.text(x.at(size), bottom + 18, f"{size:,}", "middle")
    for name, colour in zip(names, colours, strict=True):
        points = [
            (x.at(size), y.at(one))
            for size, one in zip(chart.sizes, chart.seconds[name], strict=True)
        ]
        canvas.line(points, _COLOURS[colour], 2)
        for (across, down), one in zip(points, chart.seconds[name], strict=True):
            canvas.dot(across, down, _COLOURS[colour], f"{name}: {_duration(one)}")


def _duration(seconds: float) -> str:
    return f"{seconds:g} s" if seconds >= 1 else f"{seconds * 1000:.3g} ms"
