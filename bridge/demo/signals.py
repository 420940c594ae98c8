"""Signals that come out the same however time is cut: daily shapes and stateless noise."""

from typing import Final
from zlib import crc32

import numpy as np

from bridge.model.samples import Float64s, Int64s

TICK_MS: Final = 15_000
TICK_SECONDS: Final = 15.0
TICKS_PER_HOUR: Final = 240
TICKS_PER_DAY: Final = 5760

_GOLDEN_GAMMA: Final = 0x9E3779B97F4A7C15
_MASK: Final = (1 << 64) - 1


def uniform(numbers: Int64s, seed: str) -> Float64s:
    """A number from 0 to 1 for each of these and the seed: the finalizer of splitmix64."""
    start = np.uint64(crc32(seed.encode()) * _GOLDEN_GAMMA & _MASK)
    mixed = numbers.astype(np.uint64) * np.uint64(_GOLDEN_GAMMA) + start
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return (mixed >> np.uint64(11)).astype(np.float64) * 2.0**-53


def noise(ticks: Int64s, seed: str, period: int = 1) -> Float64s:
    """Noise from -1 to 1 that changes over about `period` ticks."""
    knot, within = np.divmod(ticks, period)
    here, there = uniform(knot, seed), uniform(knot + 1, seed)
    blend = within / period
    blend = blend * blend * (3 - 2 * blend)
    return 2 * (here + (there - here) * blend) - 1


def day(ticks: Int64s, peak_hour: float) -> Float64s:
    """A working day from 0 (deep night) to 1, highest at `peak_hour` UTC."""
    angle = 2 * np.pi * (ticks / TICKS_PER_DAY - peak_hour / 24)
    wave: Float64s = (1 + np.cos(angle)) / 2
    return wave**1.5


def bursts(ticks: Int64s, seed: str, share: float, length: int) -> Float64s:
    """1 during about this share of all spans of `length` ticks, else 0."""
    return (uniform(ticks // length, seed) < share).astype(np.float64)
