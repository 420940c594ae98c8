"""What every program with a Prometheus client library says about itself."""

from collections.abc import Iterator

import numpy as np

from bridge.demo.exposition import Moment, Row, Writer
from bridge.demo.signals import noise
from bridge.model.samples import Float64s


def process(
    writer: Writer, moment: Moment, cpu: Float64s | float, memory: float, files: int
) -> Iterator[Row]:
    """A program that uses `cpu` seconds a second and about `memory` bytes."""
    wobble = noise(moment.ticks, f"{writer.instance} process", 120)
    resident = np.floor(memory * (1 + 0.08 * wobble) / 4096) * 4096
    yield writer.counter("process_cpu_seconds_total", cpu, parts=100)
    yield writer.gauge("process_resident_memory_bytes", resident)
    yield writer.gauge("process_virtual_memory_bytes", resident * 12)
    yield writer.gauge("process_open_fds", np.floor(files * (1 + 0.2 * wobble)))
    yield writer.gauge("process_max_fds", 1_048_576.0)
    # It starts a little after its machine.
    yield writer.gauge("process_start_time_seconds", moment.boot_seconds + 12.5)
