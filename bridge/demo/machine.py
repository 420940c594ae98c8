"""One machine as a node exporter shows it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from bridge.demo.exposition import Exposition, Gauge, Moment, Row, Writer
from bridge.demo.process import process
from bridge.demo.signals import bursts, day, noise
from bridge.model.samples import Float64s

GIB: Final = float(1 << 30)
_WEEK_SECONDS: Final = 604_800


@dataclass(frozen=True, slots=True)
class Filesystem:
    """A mounted file system: size in bytes, share used, share that a week of logs fills."""

    device: str
    fstype: str
    mountpoint: str
    size: float
    used: float
    growth: float = 0.0


@dataclass(frozen=True, slots=True)
class Machine:
    """What makes one machine different from the others; `busy` is its mean share of CPU in use."""

    instance: str
    nodename: str
    cpus: int
    memory: float
    busy: float
    peak_hour: float
    disks: tuple[str, ...]
    filesystems: tuple[Filesystem, ...]
    release: str = "6.1.0-37-amd64"

    def exposition(self, job: str) -> Exposition:
        """The rows of this machine at any time."""

        def rows(moment: Moment) -> Iterator[Row]:
            writer = Writer(job, self.instance, len(moment.ticks))
            activity = _activity(self, moment)
            yield from _cpu(self, writer, moment, activity)
            yield from _memory(self, writer, moment, activity)
            for filesystem in self.filesystems:
                yield from _filesystem(filesystem, writer, moment)
            for disk in self.disks:
                yield from _disk(disk, writer, activity)
            yield from _network("eth0", writer, activity.network)
            yield from _network("lo", writer, activity.network * 0.04)
            yield from _pressure(writer, activity)
            yield from _kernel(self, writer, moment, activity)
            yield from _sensors(writer, activity)
            yield from process(writer, moment, cpu=0.004, memory=21e6, files=9)

        return rows


@dataclass(frozen=True, slots=True, eq=False)
class _Activity:
    """How busy a machine is [T]: shares from 0 to 1, bytes a second for disk and network."""

    cpu: Float64s
    waiting: Float64s
    memory: Float64s
    disk: Float64s
    network: Float64s


def _activity(machine: Machine, moment: Moment) -> _Activity:
    ticks, name = moment.ticks, machine.nodename
    wave = day(ticks, machine.peak_hour)
    job = bursts(ticks, f"{name} job", 0.08, 40)
    cpu = machine.busy * (0.35 + 1.3 * wave) + 0.18 * job
    cpu = cpu + 0.05 * noise(ticks, f"{name} slow", 60) + 0.02 * noise(ticks, f"{name} cpu")
    waiting = 0.004 + 0.03 * job + 0.003 * noise(ticks, f"{name} wait", 4)
    memory = 0.38 + 0.2 * wave + 0.04 * noise(ticks, f"{name} memory", 240)
    disk = (0.6 + wave + 9 * job) * (1 + 0.4 * noise(ticks, f"{name} disk", 2)) * 1.5e6
    network = (0.2 + 1.6 * wave) * (1 + 0.25 * noise(ticks, f"{name} net", 3)) * 2.4e6
    return _Activity(np.clip(cpu, 0.01, 0.97), waiting, memory, disk, network)


_MODE_SHARES: Final = {
    "user": 0.66,
    "system": 0.24,
    "softirq": 0.04,
    "nice": 0.03,
    "steal": 0.02,
    "irq": 0.01,
}


def _cpu(machine: Machine, writer: Writer, moment: Moment, activity: _Activity) -> Iterator[Row]:
    for cpu in range(machine.cpus):
        tilt = 1 + 0.12 * noise(moment.ticks, f"{machine.nodename} cpu{cpu}", 20)
        busy = np.minimum(activity.cpu * tilt, 1 - activity.waiting)
        shares = {mode: busy * share for mode, share in _MODE_SHARES.items()}
        shares["iowait"] = activity.waiting
        shares["idle"] = 1 - busy - activity.waiting
        for mode, share in shares.items():
            yield writer.counter(
                "node_cpu_seconds_total", share, {"cpu": str(cpu), "mode": mode}, parts=100
            )
    running = activity.cpu * machine.cpus
    for minutes in (1, 5, 15):
        wobble = 1 + 0.3 / minutes * noise(moment.ticks, f"{machine.nodename} load", 4 * minutes)
        yield writer.gauge(f"node_load{minutes}", np.round(running * wobble, 2))
    yield writer.gauge("node_procs_running", np.ceil(running))
    yield writer.gauge("node_procs_blocked", np.floor(activity.waiting * 60))


def _memory(
    machine: Machine, writer: Writer, moment: Moment, activity: _Activity
) -> Iterator[Gauge]:
    total = machine.memory
    used = activity.memory * total
    # The page cache fills over the hours after a boot.
    hours = (moment.seconds - moment.boot_seconds) / 3600
    cached = (total - used) * 0.7 * (1 - np.exp(-np.maximum(hours, 0) / 3))
    parts = {
        "MemTotal": np.full_like(used, total),
        "MemFree": total - used - cached,
        "MemAvailable": total - used + cached * 0.02 - 0.01 * total,
        "Buffers": cached * 0.06,
        "Cached": cached * 0.84,
        "SReclaimable": cached * 0.1,
        "Slab": cached * 0.1 + 0.012 * total,
        "Active": used * 0.8,
        "Inactive": used * 0.2 + cached * 0.5,
        "Dirty": activity.disk * 1.7,
        "SwapTotal": np.full_like(used, 2 * GIB),
        "SwapFree": 2 * GIB * (1 - 0.1 * activity.memory),
    }
    for part, size in parts.items():
        # The kernel counts memory in KiB.
        yield writer.gauge(f"node_memory_{part}_bytes", np.floor(size / 1024) * 1024)


def _filesystem(filesystem: Filesystem, writer: Writer, moment: Moment) -> Iterator[Gauge]:
    of = {
        "device": filesystem.device,
        "fstype": filesystem.fstype,
        "mountpoint": filesystem.mountpoint,
    }
    # Logs grow through the week and are rotated when it ends.
    week = moment.seconds / _WEEK_SECONDS % 1
    share = filesystem.used + filesystem.growth * week
    free = np.floor(filesystem.size * (1 - share) / 4096) * 4096
    yield writer.gauge("node_filesystem_size_bytes", filesystem.size, of)
    yield writer.gauge("node_filesystem_free_bytes", free, of)
    yield writer.gauge("node_filesystem_avail_bytes", np.floor(free * 0.95), of)
    yield writer.gauge("node_filesystem_files", filesystem.size / 16384, of)
    yield writer.gauge("node_filesystem_files_free", np.floor(free / 20000), of)
    yield writer.gauge("node_filesystem_readonly", 0.0, of)


def _disk(device: str, writer: Writer, activity: _Activity) -> Iterator[Row]:
    read, written = activity.disk * 0.35, activity.disk * 0.65
    busy = np.clip(activity.disk / 4e7, 0, 1)
    of = {"device": device}
    yield writer.counter("node_disk_read_bytes_total", read, of, parts=1 / 4096)
    yield writer.counter("node_disk_written_bytes_total", written, of, parts=1 / 4096)
    yield writer.counter("node_disk_reads_completed_total", read / 24_000, of)
    yield writer.counter("node_disk_writes_completed_total", written / 16_000, of)
    yield writer.counter("node_disk_read_time_seconds_total", busy * 0.5, of, parts=1e3)
    yield writer.counter("node_disk_write_time_seconds_total", busy * 0.9, of, parts=1e3)
    yield writer.counter("node_disk_io_time_seconds_total", busy, of, parts=1e3)
    yield writer.gauge("node_disk_io_now", np.floor(busy * 6), of)


def _network(device: str, writer: Writer, rate: Float64s) -> Iterator[Row]:
    of = {"device": device}
    for way, share in (("receive", 0.45), ("transmit", 0.55)):
        yield writer.counter(f"node_network_{way}_bytes_total", rate * share, of)
        yield writer.counter(f"node_network_{way}_packets_total", rate * share / 820, of)
        yield writer.counter(f"node_network_{way}_drop_total", rate * share / 9e9, of)
        yield writer.counter(f"node_network_{way}_errs_total", 0.0, of)
    yield writer.gauge("node_network_up", float(device != "lo"), of)


def _pressure(writer: Writer, activity: _Activity) -> Iterator[Row]:
    crowded = np.maximum(activity.cpu - 0.5, 0) * 0.6 + 0.002
    squeezed = np.maximum(activity.memory - 0.55, 0) * 0.05
    seconds = {
        "cpu_waiting": crowded,
        "io_waiting": activity.waiting,
        "io_stalled": activity.waiting * 0.8,
        "memory_waiting": squeezed,
        "memory_stalled": squeezed * 0.6,
    }
    for resource, share in seconds.items():
        yield writer.counter(f"node_pressure_{resource}_seconds_total", share, parts=1e6)


def _kernel(machine: Machine, writer: Writer, moment: Moment, activity: _Activity) -> Iterator[Row]:
    switches = (900 + 9000 * activity.cpu) * machine.cpus
    yield writer.counter("node_context_switches_total", switches)
    yield writer.counter("node_intr_total", switches * 0.6)
    yield writer.counter("node_forks_total", 0.4 + 6 * activity.cpu)
    yield writer.gauge("node_boot_time_seconds", moment.boot_seconds)
    yield writer.gauge("node_time_seconds", moment.seconds)
    yield writer.gauge("node_filefd_allocated", np.floor(1200 + 2500 * activity.cpu))
    yield writer.gauge("node_filefd_maximum", 9.223372036854775807e18)
    yield writer.gauge("node_netstat_Tcp_CurrEstab", np.floor(activity.network / 24_000))
    yield writer.gauge("node_timex_offset_seconds", 4e-5 * (activity.cpu - 0.5))
    yield writer.gauge(
        "node_uname_info",
        1.0,
        {
            "nodename": machine.nodename,
            "sysname": "Linux",
            "machine": "x86_64",
            "release": machine.release,
            "domainname": "(none)",
        },
    )
    yield writer.gauge(
        "node_exporter_build_info", 1.0, {"version": "1.9.1", "goos": "linux", "goarch": "amd64"}
    )


def _sensors(writer: Writer, activity: _Activity) -> Iterator[Row]:
    of = {"chip": "platform_coretemp_0"}
    yield writer.gauge("node_hwmon_chip_names", 1.0, {**of, "chip_name": "coretemp"})
    for sensor in range(2):
        at = {**of, "sensor": f"temp{sensor + 1}"}
        heat = np.round(38 + 34 * activity.cpu + sensor)
        yield writer.gauge("node_hwmon_temp_celsius", heat, at)
        yield writer.gauge("node_hwmon_temp_crit_celsius", 100.0, at)
