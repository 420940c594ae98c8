"""The command `prombridge`."""

import argparse
import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any, Final, NoReturn

from bridge.cli import (
    check_config,
    check_web_config,
    compare,
    demo,
    doctor,
    query,
    replay,
    serve,
    warm,
)
from bridge.config.errors import ConfigError
from bridge.model.errors import BridgeError

_FAILED: Final = 1
_MISUSED: Final = 2
_INTERRUPTED: Final = 130


class _Parser(argparse.ArgumentParser):
    """Says in one sentence what is wrong with a command line; takes no abbreviated flags."""

    def __init__(self, *, prog: str | None = None, description: str | None = None) -> None:
        super().__init__(prog=prog, description=description, allow_abbrev=False)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> tuple[Any, list[str]]:
        """Refuses what it does not know itself, so that the command is named whose help tells."""
        known, others = super().parse_known_args(args, namespace)
        if others:
            self.error(f"unrecognized arguments: {' '.join(others)}")
        return known, others

    def error(self, message: str) -> NoReturn:
        sys.stderr.write(f"{self.prog}: {message}; see {self.prog} --help\n")
        raise SystemExit(_MISUSED)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command.

    The exit code is 0, 1 for a failure, 2 for a wrong command line or configuration.
    """
    asked = _parser().parse_args(arguments)
    try:
        return int(asked.run(asked))
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return _MISUSED
    except BridgeError as error:
        sys.stderr.write(f"prombridge: {error}\n")
        return _FAILED
    except KeyboardInterrupt:
        return _INTERRUPTED


def _parser() -> _Parser:
    parser = _Parser(
        prog="prombridge",
        description="The Prometheus HTTP API and PromQL for stores that speak only remote read.",
    )
    parser.add_argument(
        "--version", action="version", version=f"prombridge {version('prombridge')}"
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    known = (serve, query, replay, check_config, check_web_config, compare, doctor, demo, warm)
    for command in known:
        command.register(commands)
    return parser
