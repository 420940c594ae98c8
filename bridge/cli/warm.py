"""`prombridge warm`: compiles all kernels into the disk cache."""

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bridge.cli.flags import Commands


def register(commands: "Commands") -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "warm",
        help="compile all kernels into the disk cache",
        description="Compiles all kernels into the disk cache, so that the first start is fast.",
    )
    parser.add_argument("--quiet", action="store_true", help="show no progress")
    parser.add_argument(
        "--common",
        action="store_true",
        help="only what nearly every query needs, not native histograms",
    )
    parser.set_defaults(run=_run)


def _run(asked: argparse.Namespace) -> int:
    # Importing the application declares every kernel there is.
    import bridge.app  # noqa: F401
    from bridge import kernel

    extent = kernel.Extent.COMMON if asked.common else kernel.Extent.ALL
    for number, name in enumerate(kernel.warm(extent), 1):
        if not asked.quiet:
            print(f"{number:4} {name}", flush=True)
    return 0
