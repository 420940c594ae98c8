"""`prombridge serve`: answers queries over HTTP."""

import argparse
import logging
from importlib.metadata import version
from typing import TYPE_CHECKING

from bridge.cli.flags import add_files, add_logging, add_queries, add_reads, add_web, flags
from bridge.config.load import load
from bridge.telemetry.log import configure_logging

if TYPE_CHECKING:
    from bridge.cli.flags import Commands


def register(commands: "Commands") -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "serve", help="answer queries over HTTP", description="Answers queries over HTTP."
    )
    add_files(parser, required=True)
    add_web(parser)
    add_queries(parser)
    add_reads(parser)
    add_logging(parser)
    parser.set_defaults(run=_run)


def _run(asked: argparse.Namespace) -> int:
    given = vars(asked)
    loaded = load(given["config.file"], given["prombridge.config"], flags(asked))
    settings = loaded.settings
    configure_logging(settings.log.level, settings.log.format)
    log = logging.getLogger("bridge")
    for warning in loaded.warnings:
        log.warning(warning)

    from bridge.app import application
    from bridge.cli.serving import listen, serve

    listener = listen(application(settings), settings.web.host, settings.web.port)
    where = {"address": listener.address, "version": version("prombridge")}
    serve((listener,), lambda: log.info("listening", extra=where))
    return 0
