"""`prombridge check-config`: says what is wrong with a configuration."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from bridge.cli.flags import add_own_file
from bridge.config.load import check

if TYPE_CHECKING:
    from bridge.cli.flags import Commands


def register(commands: "Commands") -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "check-config",
        help="say what is wrong with a configuration",
        description="Says what is wrong with a configuration.",
    )
    parser.add_argument("file", metavar="FILE", type=Path, help="a prometheus.yml")
    add_own_file(parser)
    parser.set_defaults(run=_run)


def _run(asked: argparse.Namespace) -> int:
    report = check(asked.file, vars(asked)["prombridge.config"])
    for warning in report.warnings:
        print(f"warning: {warning}")
    for error in report.errors:
        print(f"error: {error}")
    if report.errors:
        return 2
    print(f"{asked.file} can be used")
    return 0
