"""The section `forwarding` of our own settings, and which headers may be sent on at all."""

from dataclasses import replace
from typing import Annotated, Final

from pydantic import AfterValidator

from bridge.api.forwarding import ForwardingSettings
from bridge.config.fields import Section, Size, Text, Whole, refused
from bridge.config.headers import CONNECTION_HEADERS, HOP_BY_HOP, check_header_name

# What prombridge itself says to a store, and what asks for a part of an answer, or for none.
_OURS: Final = frozenset({"date", "expect", "http2-settings", "range", "traceparent", "tracestate"})
_OURS_BEGIN: Final = ("accept", "content-", "if-", "x-prometheus-")


def _check_forwarded(names: list[str] | None) -> list[str]:
    held = {name.lower(): name for name in reversed(names or ())}
    for low, name in held.items():
        check_header_name(name)
        if low in HOP_BY_HOP or low.startswith("proxy-"):
            raise refused(f"{name} belongs to a connection and is never sent on: leave it out")
        if low in CONNECTION_HEADERS | _OURS or low.startswith(_OURS_BEGIN):
            raise refused(f"{name} is what prombridge itself says to a store: leave it out")
    return list(reversed(held.values()))


def _check_positive(number: int | None) -> int | None:
    if number == 0:
        raise refused("must be greater than 0; to send nothing on, leave out forward_headers")
    return number


ForwardHeaders = Annotated[list[Text] | None, AfterValidator(_check_forwarded)]


class ForwardingSection(Section):
    """`forwarding`: bounds of what clients' headers may bring about."""

    max_sets: Annotated[Whole | None, AfterValidator(_check_positive)] = None
    max_value_bytes: Annotated[Size | None, AfterValidator(_check_positive)] = None

    def applied(self, settings: ForwardingSettings) -> ForwardingSettings:
        """The settings with these on top."""
        return replace(settings, **self.model_dump(exclude_none=True))
