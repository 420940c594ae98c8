"""`prombridge check-web-config`: says what is wrong with a web configuration."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bridge.config.errors import ConfigError

if TYPE_CHECKING:
    from bridge.cli.flags import Commands


def register(commands: "Commands") -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "check-web-config",
        help="say what is wrong with a web configuration",
        description="Says what is wrong with web configurations, certificates and keys included.",
    )
    parser.add_argument("files", metavar="FILE", type=Path, nargs="+", help="a web.yml")
    parser.set_defaults(run=_run)


def _run(asked: argparse.Namespace) -> int:
    from bridge.config.web_file import check_web_file

    failed = False
    for file in asked.files:
        try:
            check_web_file(file)
        except ConfigError as error:
            failed = True
            sys.stderr.write(f"{file} FAILED: {error}\n")
        else:
            print(f"{file} SUCCESS")
    return int(failed)
