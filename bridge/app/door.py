"""The door: who may come in, and how connections are secured; both follow files that may change."""

import logging
import ssl
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from starlette.types import ASGIApp

from bridge.api.gate import Gate
from bridge.api.tls import CurrentContext, server_context, tls_stamp
from bridge.api.web_config import ServerTls, WebConfig
from bridge.config.errors import ConfigError, Problem
from bridge.config.settings import WebSettings
from bridge.config.watched import Watched, read_tokens
from bridge.config.web_file import check_web_file, load_web_file
from bridge.model.errors import BridgeError

_LOG: Final = logging.getLogger(__name__)


class Door:
    """What a web configuration file and a file of tokens say, each at the moment of a request.

    Whether connections are secured at all is settled at the start, as in Prometheus. Once users
    were asked for they always are. Raises ConfigError if a file cannot be used at the start.
    """

    def __init__(self, settings: WebSettings) -> None:
        nothing = WebConfig()
        self._open = not (settings.config_file or settings.tokens_file)
        self._config: Callable[[], WebConfig] = lambda: nothing
        self._tokens: Callable[[], Mapping[str, bytes]] | None = None
        self._secured = False
        if settings.config_file:
            path = Path(settings.config_file)
            config = check_web_file(path)
            self._secured = config.tls.enabled
            self._config = _Asking(path, asked=bool(config.users))
        if settings.tokens_file:
            self._tokens = Watched(Path(settings.tokens_file), read_tokens)
            self._tokens()

    def gate(self, app: ASGIApp) -> ASGIApp:
        """The application behind the door; itself if no file says anything of who may come in."""
        return app if self._open else Gate(app, self._config, self._tokens)

    def tls(self) -> ssl.SSLContext | None:
        """The context of connections, None for plain HTTP."""
        if not self._secured:
            return None
        return CurrentContext(_Contexts(self._config), _refused)


class _Asking:
    """What a web configuration file says now; raises ConfigError if it asks for users no more.

    A file that is half written, or empty as it is about to be, would let everybody in.
    """

    def __init__(self, path: Path, *, asked: bool) -> None:
        self._path = path
        self._watched = Watched(path, load_web_file)
        self._asked = asked

    def __call__(self) -> WebConfig:
        config = self._watched()
        self._asked = self._asked or bool(config.users)
        if self._asked and not config.users:
            text = "basic_auth_users: there are none any more; only a restart lets everybody in"
            raise ConfigError([Problem(str(self._path), 0, text)])
        return config


class _Contexts:
    """The context of this moment, made anew when the settings or one of their files change."""

    def __init__(self, config: Callable[[], WebConfig]) -> None:
        self._config = config
        self._made_of: tuple[ServerTls, object] | None = None
        self._held: ssl.SSLContext | None = None

    def __call__(self) -> ssl.SSLContext:
        tls = self._config().tls
        made_of = (tls, tls_stamp(tls))
        if self._held is None or made_of != self._made_of:
            self._held, self._made_of = server_context(tls), made_of
        return self._held


def _refused(error: BridgeError) -> None:
    _LOG.error("a connection is refused: TLS cannot be set up", extra={"err": str(error)})
