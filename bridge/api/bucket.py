"""A bucket of tokens: how many requests may come in how much time."""

from collections.abc import Callable

from bridge.api.web_config import RateLimit


class Bucket:
    """Starts full; `clock` gives seconds.

    Source of the rule: golang.org/x/time/rate, which Prometheus' exporter-toolkit uses.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._limit = RateLimit()
        self._held = 0.0
        self._at = 0.0

    def allows(self, limit: RateLimit) -> bool:
        """Whether one more request may pass under this limit; a new limit starts anew."""
        if not limit.interval:
            return True
        now = self._clock()
        if limit != self._limit:
            self._limit, self._held = limit, float(limit.burst)
        else:
            gained = (now - self._at) * 1000 / limit.interval
            self._held = min(self._held + gained, float(limit.burst))
        self._at = now
        if self._held < 1:
            return False
        self._held -= 1
        return True
