"""What can be set about the catalogue; times in ms, sizes in bytes."""

from dataclasses import dataclass
from typing import Final

_MINUTE: Final = 60_000
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR


@dataclass(frozen=True, slots=True)
class CatalogueSettings:
    """How much is remembered of the series that are read, and how more is learned.

    `path`: the SQLite file that keeps it over a restart; empty keeps it in memory only.
    `max_series`, `max_bytes`: what is held at most; what no read has brought for longest goes
    first. `ttl`: what no read has brought for this long goes anyway.
    `seeds`: metric names, or regular expressions of them, known beforehand; `seed_files`: Grafana
    dashboards and rule files whose queries name more.
    `bootstrap`: read the names of all series once, without samples, from a store that is known to
    honour remote read's series hint: of the newest `bootstrap_window`, if they are not more than
    `bootstrap_max_series` and `bootstrap_max_bytes`. `refresh`: a request that needs all names
    makes the catalogue read those of the time since if that is longer ago than this (0: never).
    `probe_window`, `probes`: a store that does not honour the hint is asked for so many pieces of
    this length. `crawl`: so often the known names are probed in turn (0: never).
    """

    path: str = ""
    max_series: int = 500_000
    max_bytes: int = 512 << 20
    ttl: int = 30 * _DAY
    seeds: tuple[str, ...] = ()
    seed_files: tuple[str, ...] = ()
    bootstrap: bool = True
    bootstrap_window: int = 2 * _HOUR
    bootstrap_max_series: int = 500_000
    bootstrap_max_bytes: int = 256 << 20
    refresh: int = 10 * _MINUTE
    probe_window: int = 5 * _MINUTE
    probes: int = 3
    crawl: int = 0
