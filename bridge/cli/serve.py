"""`prombridge serve`: answers queries over HTTP."""

import argparse
import logging
from importlib.metadata import version
from typing import TYPE_CHECKING

from bridge.cli.flags import add_files, add_logging, add_queries, add_reads, add_web, flags
from bridge.config.errors import ConfigError, Problem
from bridge.config.load import Loaded, load
from bridge.telemetry.log import configure_logging

if TYPE_CHECKING:
    from bridge.cli.flags import Commands
    from bridge.config.settings import Settings


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
    loaded = _loaded(asked)
    settings = loaded.settings
    configure_logging(settings.log.level, settings.log.format)
    _warn(loaded)
    log = logging.getLogger("bridge")

    from bridge.app.relief import one_arena

    one_arena()
    from bridge.app.door import Door
    from bridge.app.service import Service
    from bridge.cli.connections import ConnectionLimits
    from bridge.cli.serving import Hooks, Servers, listen

    def leave() -> None:
        servers.stop()

    web = settings.web
    service = Service(settings, load=lambda: _reloaded(asked), leave=leave)
    door = Door(web)
    limits = ConnectionLimits(web.max_connections, web.read_timeout / 1000)
    listener = listen(door.gate(service), web.host, web.port, door.tls(), limits)
    hooks = Hooks(service.stop, service.metrics.slow_readers.inc, service.reload)
    servers = Servers((listener,), hooks)
    secured = "enabled" if listener.tls else "disabled"
    where = {"address": listener.address, "version": version("prombridge"), "tls": secured}
    servers.run(lambda: log.info("listening", extra=where))
    return 0


def _loaded(asked: argparse.Namespace) -> Loaded:
    given = vars(asked)
    return load(given["config.file"], given["prombridge.config"], flags(asked))


def _warn(loaded: Loaded) -> None:
    for warning in loaded.warnings:
        logging.getLogger("bridge").warning(warning)


def _reloaded(asked: argparse.Namespace) -> "Settings":
    """The settings of now; raises ConfigError in the words of Prometheus."""
    file = vars(asked)["config.file"]
    logging.getLogger("bridge").info("Loading configuration file", extra={"file": str(file)})
    try:
        loaded = _loaded(asked)
    except ConfigError as error:
        what = f'couldn\'t load configuration (--config.file="{file}"): {error}'
        raise ConfigError([Problem("", 0, what)]) from None
    _warn(loaded)
    return loaded.settings
