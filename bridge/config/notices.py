"""What the owner of a usable configuration should know about it."""

import os
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from bridge.config.document import Document, Location
from bridge.config.errors import Problem
from bridge.config.global_section import GlobalSection
from bridge.config.prometheus import PrometheusFile
from bridge.config.validation import dotted
from bridge.remote.settings import StoreSettings
from bridge.telemetry.settings import otel_installed

# What prombridge leaves undone, for each section that it accepts and does not use.
UNUSED: Final = {
    "rule_files": "evaluates no recording or alerting rules",
    "alerting": "sends no alerts",
    "scrape_configs": "scrapes no targets",
    "scrape_config_files": "scrapes no targets",
    "remote_write": "writes no samples",
    "storage": "has no storage of its own: neither TSDB nor exemplars",
    "otlp": "receives no OTLP data",
    "runtime": "has no Go runtime to tune",
}

# How paths end where samples are written, and where the same servers are read; first come first.
_WRITTEN: Final = {
    "/api/prom/push": "/api/prom/api/v1/read",
    "/api/v1/push": "/prometheus/api/v1/read",
    "/write": "/read",
}


def unused(document: Document, file: PrometheusFile) -> Iterator[Problem]:
    """What stands in the file and has no effect, or another one than in Prometheus."""
    for section, lack in UNUSED.items():
        if getattr(file, section):
            yield document.problem((section,), f"{section} has no effect: prombridge {lack}")
    if file.tracing and not otel_installed():
        text = "tracing has no effect: the packages of prombridge[otel] are not installed"
        yield document.problem(("tracing",), text)
    everywhere = file.global_ or GlobalSection()
    unsaid = [e for e in file.reads if "filter_external_labels" not in e.model_fields_set]
    if everywhere.external_labels and unsaid:
        text = (
            "global.external_labels do not filter what is read, as they would in Prometheus; "
            "write filter_external_labels: true in the remote_read entry if they should"
        )
        yield document.problem(("global", "external_labels"), text)


def written_to(document: Document, index: int, store: StoreSettings) -> Iterator[Problem]:
    """A URL of remote write where one of remote read belongs."""
    path = urlsplit(store.url).path.rstrip("/")
    for written, read in _WRITTEN.items():
        if path.endswith(written):
            place: Location = ("remote_read", index, "url")
            text = (
                f"{dotted(place)}{path} is where samples are written; "
                f"they are read at {path.removesuffix(written)}{read}, if at all"
            )
            yield document.problem(place, text)
            return


def missing_files(document: Document, index: int, store: StoreSettings) -> Iterator[Problem]:
    """Files that the store's settings name and that are not there, or not yet."""
    for location, name in _files(store):
        # Unlike Path.exists it does not raise where a name is too long.
        if not os.path.exists(name):  # noqa: PTH110
            place: Location = ("remote_read", index, *location)
            text = f"{dotted(place)}{name} does not exist"
            yield document.problem(place, text)


def _files(store: StoreSettings) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every file that the store's HTTP settings name, with the keys that lead to it."""
    http = store.http
    sections = {
        "basic_auth": http.basic_auth,
        "authorization": http.authorization,
        "oauth2": http.oauth2,
        "tls_config": http.tls,
    }
    for section, held in sections.items():
        for key in (
            "username_file",
            "password_file",
            "credentials_file",
            "client_secret_file",
            "ca_file",
            "cert_file",
            "key_file",
        ):
            if name := getattr(held, key, None):
                yield (section, key), name
    for header in http.headers:
        for name in header.files:
            yield ("http_headers", header.name, "files"), name
