"""`prombridge warm`: compiles all kernels into the disk cache."""

import argparse
import sys
from concurrent.futures import BrokenExecutor
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
    parser.add_argument(
        "--jobs",
        type=_positive,
        default=1,
        metavar="N",
        help="how many processes compile at a time; each takes up to 1 GB of memory",
    )
    parser.set_defaults(run=_run)


def _run(asked: argparse.Namespace) -> int:
    # Importing the application declares every kernel there is.
    import bridge.app  # noqa: F401
    from bridge import kernel

    extent = kernel.Extent.COMMON if asked.common else kernel.Extent.ALL
    try:
        for number, name in enumerate(kernel.warm(extent, asked.jobs), 1):
            if not asked.quiet:
                print(f"{number:4} {name}", flush=True)
    except BrokenExecutor:
        text = "a process that compiled kernels was ended; fewer --jobs need less memory"
        print(f"prombridge warm: {text}", file=sys.stderr)
        return 1
    return 0


def _positive(text: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f'"{text}" is not a number greater than 0')
    return number
