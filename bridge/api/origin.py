"""Who asks: what a request's headers and its connection say of where it comes from."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from starlette.types import Scope

# Letters of a header's value that are kept; uids and logins are shorter.
_LONGEST: Final = 128
# Origins that are known.
_KNOWN: Final = 1024
# Where the gate notes who was let in.
USER: Final = "prombridge.user"
# Whether that is the name of a token, and the tenant of the request.
BEARER: Final = "prombridge.bearer"
TENANT: Final = "prombridge.tenant"


@dataclass(frozen=True, slots=True)
class Origin:
    """A request's origin; what is not known is empty.

    `user` is who was let in, or else the one that Grafana names; `rule` is that of an alert;
    `tenant` is the one that it was found to be of.
    """

    client: str = ""
    method: str = ""
    tenant: str = ""
    path: str = ""
    user: str = ""
    dashboard: str = ""
    panel: str = ""
    rule: str = ""
    agent: str = ""

    def named(self) -> dict[str, str]:
        """What is known beyond the request's own line, for logs."""
        known = {
            "tenant": self.tenant,
            "user": self.user,
            "dashboard": self.dashboard,
            "panel": self.panel,
            "rule": self.rule,
            "userAgent": self.agent,
        }
        return {name: value for name, value in known.items() if value}


def origin_of(scope: Scope, headers: Mapping[str, str]) -> Origin:
    """The origin of a request; Grafana's tracing_header_middleware.go names its headers."""
    client = scope.get("client")
    shown = (
        scope["path"],
        scope.get(USER) or headers.get("x-grafana-user", ""),
        headers.get("x-dashboard-uid", ""),
        headers.get("x-panel-id", ""),
        headers.get("x-rule-uid", ""),
        headers.get("user-agent", ""),
    )
    cut = tuple([text[:_LONGEST] for text in shown])
    return _origin(client[0] if client else "", scope["method"], scope.get(TENANT, ""), cut)


@lru_cache(_KNOWN)
def _origin(client: str, method: str, tenant: str, shown: tuple[str, ...]) -> Origin:
    """The same again for all requests of a panel."""
    return Origin(client, method, tenant, *map(_shown, shown))


def _shown(text: str) -> str:
    """A text that somebody else chose, fit to be shown."""
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in text)
