"""The limits of queries in prombridge's own settings: of all of them, and of a tenant's."""

from dataclasses import fields, replace
from typing import Any

from bridge.config.fields import Duration, Section, Size, Whole
from bridge.engine.demands import Limits
from bridge.engine.query import EngineSettings


class LimitsSection(Section):
    """What one query may ask for; what is absent stays as it is."""

    max_bytes: Size | None = None
    max_expression_bytes: Size | None = None
    max_matchers: Whole | None = None
    max_regex_bytes: Size | None = None
    max_range: Duration | None = None
    max_points: Whole | None = None
    max_series: Whole | None = None
    max_read_bytes: Size | None = None
    max_response_bytes: Size | None = None
    max_queued: Whole | None = None
    max_queue_wait: Duration | None = None

    def applied(self, engine: EngineSettings) -> EngineSettings:
        """The engine's settings with these on top."""
        limits = {one.name: getattr(self, f"max_{one.name}") for one in fields(Limits)}
        turns = {"queued": self.max_queued, "wait": self.max_queue_wait}
        return replace(
            engine,
            limits=replace(engine.limits, **_given(limits)),
            turns=replace(engine.turns, **_given(turns)),
            **_given({"max_bytes": self.max_bytes}),
        )


class TenantLimitsSection(LimitsSection):
    """`limits` of a tenant: also what flags say for all queries."""

    timeout: Duration | None = None
    max_samples: Whole | None = None
    max_concurrency: Whole | None = None

    def applied(self, engine: EngineSettings) -> EngineSettings:
        """The engine's settings with these on top."""
        own = super().applied(engine)
        most = self.max_concurrency
        turns = own.turns if not most else replace(own.turns, concurrency=most)
        given = _given({"timeout": self.timeout, "max_samples": self.max_samples})
        return replace(own, turns=turns, **given)


def _given(wanted: dict[str, Any]) -> dict[str, Any]:
    return {name: held for name, held in wanted.items() if held is not None}
