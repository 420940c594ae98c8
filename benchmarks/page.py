"""`python -m benchmarks.page`: measures everything and writes the results into the documentation.

What stands between the marks in docs/performance.md is replaced, and so are the charts. A busy
machine gives wrong figures: run it at rest.
"""

import argparse
import os
import platform
import re
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import httpx

from benchmarks import drawing, refresh
from benchmarks.growth import Curve, curves
from benchmarks.sides import (
    BEFORE,
    CACHED,
    COLD,
    LOCAL,
    NAMES,
    VICTORIA,
    WARM,
    Measured,
    Sides,
    measured,
    sides,
)
from benchmarks.workload import workloads
from benchmarks.yardstick import say
from tests.servers.binaries import PROMETHEUS, VICTORIA_METRICS, servers_folder, version

BEGIN, END = "<!-- measured -->", "<!-- end of what was measured -->"
_DOCS = Path(__file__).parents[1] / "docs"
_MEBIBYTE = 1 << 20
_CURVES = (BEFORE, COLD, WARM)


def main(arguments: Sequence[str]) -> int:
    """Measures and writes below `--docs`."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.page", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="rounds a query (default 5)")
    parser.add_argument("--growth-rounds", type=int, default=3, help="of growth (default 3)")
    parser.add_argument("--series", type=int, default=3000, help="default 3000")
    parser.add_argument("--docs", type=Path, default=_DOCS, help="the folder of the page")
    parser.add_argument("--only", choices=("queries",), help="leave out growth and refreshes")
    options = parser.parse_args(arguments)
    page = options.docs / "performance.md"
    if BEGIN not in page.read_text() or END not in page.read_text():
        print(f"{page} lacks the marks {BEGIN} and {END}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="page-") as name:
        folder = Path(name)
        with sides(folder, options.series, 6.0, say) as over:
            rows = [measured(over, one, options.rounds, say) for one in workloads(6.0)]
            parts = [_machine(options, over), _image("queries"), _queries(rows, over), _reads(rows)]
        _chart(options.docs, "queries", _dots(rows))
        if options.only is None:
            found = curves(folder, options.growth_rounds, say)
            _chart(options.docs, "growth", _lines(found))
            medians = f"Medians of {options.growth_rounds} rounds."
            parts += ["## Growth", medians, _image("growth"), _growth(found), "## A refresh"]
            parts += [refresh.measured(folder, options.series, options.rounds, say)]
    page.write_text(replaced(page.read_text(), "\n\n".join(part.strip() for part in parts)))
    return 0


def replaced(page: str, text: str) -> str:
    """The page with this text between its marks."""
    head, _, rest = page.partition(BEGIN)
    return f"{head}{BEGIN}\n\n{text}\n\n{END}{rest.partition(END)[2]}"


def _machine(options: argparse.Namespace, over: Sides) -> str:
    victoria = _victoria(over)
    prometheus = ".".join(map(str, version(PROMETHEUS.locate())))
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} CPUs ({_processor()}), "
        f"Python {platform.python_version()}, Prometheus {prometheus}, VictoriaMetrics {victoria}; "
        f"{options.series} counters over 6 h at 15 s, medians of {options.rounds} rounds, seconds."
    )


def _victoria(over: Sides) -> str:
    """Its version as its metrics tell it; Debian's build has none to tell on the command line."""
    text = httpx.get(f"{over.servers[VICTORIA].url}/metrics", timeout=60).text
    found = re.search(r'short_version="v?([^"]+)"', text)
    return found[1] if found else _packaged()


def _packaged() -> str:
    """The version of Debian's package, if the program comes from there."""
    told = servers_folder() / VICTORIA_METRICS.package.name / "PACKAGE"
    found = re.search(r"[0-9]+\.[0-9]+\.[0-9]+", told.read_text()) if told.exists() else None
    return found[0] if found else "of unknown version"


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _queries(rows: Sequence[Measured], over: Sides) -> str:
    ratios = ("cold / Prometheus", "warm / Prometheus", "warm / VictoriaMetrics")
    lines = [_table_line(["query", *NAMES, *ratios]), _table_line(["---"] * (len(NAMES) + 4))]
    for row in rows:
        seconds = [f"{row.median(name):.3f}" for name in NAMES]
        lines.append(_table_line([row.name, *seconds, *map("{:.2f}".format, _ratios(row))]))
    middle = [f"{median(each):.2f}" for each in zip(*map(_ratios, rows), strict=True)]
    lines.append(_table_line(["median", *[""] * len(NAMES), *middle]))
    peaks = {name: over.servers[name].peak_memory() // _MEBIBYTE for name in NAMES}
    shown = [str(peaks[name]) for name in NAMES]
    share = f"{peaks[COLD] / peaks[BEFORE]:.2f}"
    lines.append(_table_line(["peak memory, MiB", *shown, share, share, ""]))
    return "\n".join(lines)


def _ratios(row: Measured) -> tuple[float, float, float]:
    return row.ratio(COLD), row.ratio(WARM), row.ratio(WARM, VICTORIA)


def _reads(rows: Sequence[Measured]) -> str:
    read = (BEFORE, COLD, WARM)
    lines = [_table_line(["bytes read from the store", *read]), _table_line(["---"] * 4)]
    lines += [_table_line([row.name, *(f"{row.read[one]:,}" for one in read)]) for row in rows]
    return "\n".join(lines)


def _growth(found: Sequence[Curve]) -> str:
    lines = [
        _table_line(["query", "size", *_CURVES, "cold, ns each", "warm, ns each"]),
        _table_line(["---"] * 7),
    ]
    for curve in found:
        for index, size in enumerate(curve.sizes):
            seconds = [curve.seconds[name][index] for name in _CURVES]
            each = [f"{one / size * 1e9:,.0f}" for one in seconds[1:]]
            shown = [f"{one:.3f}" for one in seconds]
            lines.append(_table_line([curve.title, f"{size:,} {curve.unit}", *shown, *each]))
    return "\n".join(lines)


def _table_line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _dots(rows: Sequence[Measured]) -> str:
    order = (BEFORE, LOCAL, COLD, WARM, VICTORIA, CACHED)
    return drawing.dots(
        order, [(row.name, {name: row.median(name) for name in order}) for row in rows]
    )


def _lines(found: Sequence[Curve]) -> str:
    charts = [drawing.Lines(one.title, one.unit, one.sizes, one.seconds) for one in found]
    return drawing.lines(_CURVES, [NAMES.index(name) for name in _CURVES], charts)


def _image(name: str) -> str:
    return f"![{name}: seconds, on logarithmic scales](images/performance-{name}.svg)"


def _chart(docs: Path, name: str, svg: str) -> None:
    folder = docs / "images"
    folder.mkdir(exist_ok=True)
    (folder / f"performance-{name}.svg").write_text(svg)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
