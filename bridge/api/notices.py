"""What an operator should know of the process itself, until it is over.

Source: util/notifications/notifications.go of Prometheus.
"""

from datetime import UTC, datetime
from typing import Final

RELOAD_FAILED: Final = "Configuration reload has failed."
SHUTTING_DOWN: Final = "prombridge is shutting down and gracefully stopping all operations."


class Notices:
    """Texts, each with the moment (Unix ms) since when it holds, in the order they came."""

    def __init__(self) -> None:
        self._since: dict[str, int] = {}

    def add(self, text: str, now: int) -> None:
        """From `now` on this holds; if it held already, it holds anew."""
        self._since[text] = now

    def remove(self, text: str) -> None:
        """This does not hold any more."""
        self._since.pop(text, None)

    def shown(self) -> list[dict[str, object]]:
        """All that hold, in Prometheus' shape."""
        held = self._since.items()
        return [{"text": text, "date": _date(since), "active": True} for text, since in held]


def _date(milliseconds: int) -> str:
    """A moment as Go's encoding/json writes it."""
    seconds, rest = divmod(milliseconds, 1000)
    fraction = f".{rest:03d}".rstrip("0") if rest else ""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}{fraction}Z"
