"""What Prometheus does with scrapes and storage of its own: refused in its words.

Source: web/api/v1/api.go and scrape/manager.go of Prometheus.
"""

import json
from typing import Final

from bridge.api.endpoint import Api, ApiRequest, Handler
from bridge.api.envelope import Answer
from bridge.model.errors import BadData, Forbidden, NotFound, SwitchedOff
from bridge.model.labels import quoted


async def admin(_api: Api, _request: ApiRequest) -> Answer:
    """The paths below `/api/v1/admin/tsdb`: nothing of a store is ever changed."""
    raise SwitchedOff("admin APIs disabled")


async def to_tenants(api: Api, _request: ApiRequest) -> Answer:
    """What tells of all tenants, or steers the process: only for those that are operators."""
    raise Forbidden(f"tenant {quoted(api.tenant.name)} is no operator: this tells of all tenants")


def receiver(what: str, flag: str) -> Handler:
    """A handler that takes no samples in."""

    async def handler(_api: Api, _request: ApiRequest) -> Answer:
        raise NotFound(f"{what} write receiver needs to be enabled with --web.enable-{flag}")

    return handler


write: Final = receiver("remote", "remote-write-receiver")
otlp: Final = receiver("otlp", "otlp-receiver")


async def scrape_pool_config(_api: Api, request: ApiRequest) -> Answer:
    """`/api/v1/scrape_pools/config`: there is no scrape pool."""
    raise _unknown_pool(request.form.get("scrapePool"))


async def relabel_steps(_api: Api, request: ApiRequest) -> Answer:
    """`/api/v1/targets/relabel_steps`: there is no scrape pool."""
    unknown = _unknown_pool(request.form.get("scrapePool"))
    labels = request.form.get("labels")
    if request.form.get("scrapePool"):
        if not labels:
            raise BadData("no labels parameter provided")
        _check_labels(labels)
    raise unknown


def _unknown_pool(name: str) -> BadData:
    if not name:
        return BadData("no scrapePool parameter provided")
    return BadData(f"error retrieving scrape config: scrape pool {quoted(name)} not found")


def _check_labels(text: str) -> None:
    """Raises BadData for what is no JSON object of texts."""
    try:
        labels = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadData(f"error parsing labels: {error}") from None
    if not isinstance(labels, dict) or not all(isinstance(one, str) for one in labels.values()):
        raise BadData("error parsing labels: expected an object of strings")
