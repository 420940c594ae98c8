"""The wiring: Settings to an ASGI application."""

from bridge.app.service import Service
from bridge.config.settings import Settings


def application(settings: Settings, *, warming: bool = True) -> Service:
    """The whole bridge under these settings."""
    return Service(settings, warming=warming)
