"""The cast of the demo: four machines, of which one reboots and one is cut off, and a service."""

from typing import Final

from bridge.demo.machine import GIB, Filesystem, Machine
from bridge.demo.scrape import Outage, Target
from bridge.demo.service import Service
from bridge.demo.signals import TICKS_PER_DAY, TICKS_PER_HOUR

_ROOT: Final = Filesystem("/dev/nvme0n1p2", "ext4", "/", 100 * GIB, 0.41, 0.25)
_BOOT: Final = Filesystem("/dev/nvme0n1p1", "vfat", "/boot/efi", 0.5 * GIB, 0.02)
_RUN: Final = Filesystem("tmpfs", "tmpfs", "/run", 1.6 * GIB, 0.01)
_DATA: Final = Filesystem("/dev/sda1", "xfs", "/srv", 2000 * GIB, 0.72, 0.14)

_MACHINES: Final = (
    Machine("web-1:9100", "web-1", 4, 16 * GIB, 0.26, 13.5, ("nvme0n1",), (_ROOT, _BOOT, _RUN)),
    Machine("web-2:9100", "web-2", 4, 16 * GIB, 0.24, 13.8, ("nvme0n1",), (_ROOT, _BOOT, _RUN)),
    Machine("db-1:9100", "db-1", 8, 64 * GIB, 0.31, 14.5, ("nvme0n1", "sda"), (_ROOT, _RUN, _DATA)),
    Machine("batch-1:9100", "batch-1", 2, 8 * GIB, 0.38, 2.0, ("nvme0n1",), (_ROOT, _RUN)),
)
_REPLICAS: Final = (
    Service("web-1:8080", 1.0),
    Service("web-2:8080", 0.9),
)


def targets(first: int) -> tuple[Target, ...]:
    """Everything scraped from tick `first` on; all outages lie in the first day."""
    outages = {
        # Seven minutes down for a new kernel: counters restart, the boot time changes.
        "web-2:9100": (
            Outage(first + 13 * TICKS_PER_HOUR, first + 13 * TICKS_PER_HOUR + 28, True),
        ),
        # Half an hour without network: a gap, after which counters have grown on.
        "batch-1:9100": (
            Outage(first + 18 * TICKS_PER_HOUR, first + 18 * TICKS_PER_HOUR + 120, False),
        ),
    }
    outages["web-2:8080"] = outages["web-2:9100"]
    expositions = [
        *(("node", machine.instance, machine.exposition("node")) for machine in _MACHINES),
        *(("shop", replica.instance, replica.exposition("shop")) for replica in _REPLICAS),
    ]
    return tuple(
        Target(
            job,
            instance,
            offset=1009 + 1733 * number,
            booted=first - (17 + 5 * number) * TICKS_PER_DAY,
            exposition=exposition,
            outages=outages.get(instance, ()),
        )
        for number, (job, instance, exposition) in enumerate(expositions)
    )
