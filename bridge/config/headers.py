"""Which HTTP headers a configuration may set, and which are prombridge's own."""

from pathlib import Path
from typing import Final

from bridge.config.fields import FileName, SecretText, Section, Text, refused
from bridge.model.labels import quoted
from bridge.remote.settings import HttpHeader

# ReservedHeaders of prometheus/common's config/headers.go, in lower case.
CONNECTION_HEADERS: Final = frozenset(
    {
        "host",
        "content-encoding",
        "content-length",
        "content-type",
        "user-agent",
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "www-authenticate",
        "accept-encoding",
        "x-prometheus-remote-write-version",
        "x-prometheus-remote-read-version",
        "x-amz-date",
        "x-amz-security-token",
        "x-amz-content-sha256",
    }
)
# What is between two neighbours on the way and never goes further: RFC 9110, section 7.6.1.
HOP_BY_HOP: Final = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
_AUTHENTICATION: Final = (
    "authorization header must be changed via the basic_auth, authorization, oauth2, sigv4, "
    "azuread or google_iam parameter"
)


def check_entry_headers(headers: dict[str, str] | None) -> dict[str, str]:
    """The `headers` of a remote_read entry; raises the texts of Prometheus' validateHeaders."""
    for name in headers or {}:
        if name.lower() == "authorization":
            raise refused(_AUTHENTICATION)
        if name.lower() in CONNECTION_HEADERS:
            raise refused(f"{name} is a reserved header. It must not be changed")
        check_header_name(name)
    return headers or {}


def check_header_name(name: str) -> None:
    """Refuses what is no name of a header."""
    symbols = "!#$%&'*+-.^_`|~"
    if not name or not all(char.isascii() and (char.isalnum() or char in symbols) for char in name):
        raise refused(f"{quoted(name)} is not a valid HTTP header name")


class HeaderSection(Section):
    """One entry of `http_headers`."""

    values: list[Text] | None = None
    secrets: list[SecretText] | None = None
    files: list[FileName] | None = None

    def settings(self, name: str, folder: Path) -> HttpHeader:
        """The settings; file names are relative to `folder`."""
        return HttpHeader(
            name=name,
            values=tuple(self.values or ()),
            secrets=tuple(self.secrets or ()),
            files=tuple(str(folder / file) for file in self.files or ()),
        )


HttpHeaders = dict[str, HeaderSection]


def check_http_headers(headers: HttpHeaders | None) -> HttpHeaders:
    """The `http_headers` of an entry; raises the text of Headers.Validate."""
    reserved = CONNECTION_HEADERS | {"authorization", "x-prometheus-scrape-timeout-seconds"}
    for name in headers or {}:
        if name.lower() in reserved:
            raise refused(f'setting header "{name.title()}" is not allowed')
        check_header_name(name)
    return headers or {}
