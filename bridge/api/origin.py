"""Who asks: what a request's headers and its connection say of where it comes from."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from starlette.types import Scope

# Letters of a header's value that are kept; uids and logins are shorter.
_LONGEST: Final = 128
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
    path: str = ""
    user: str = ""
    dashboard: str = ""
    panel: str = ""
    rule: str = ""
    agent: str = ""
    tenant: str = ""

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

    def header(name: str) -> str:
        return _shown(headers.get(name, ""))

    client = scope.get("client")
    return Origin(
        client=client[0] if client else "",
        method=scope["method"],
        path=_shown(scope["path"]),
        user=_shown(scope.get(USER, "")) or header("x-grafana-user"),
        dashboard=header("x-dashboard-uid"),
        panel=header("x-panel-id"),
        rule=header("x-rule-uid"),
        agent=header("user-agent"),
        tenant=scope.get(TENANT, ""),
    )


def _shown(text: str) -> str:
    """A text that somebody else chose, fit to be shown: short, printable."""
    text = text[:_LONGEST]
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in text)
