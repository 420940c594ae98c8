"""The requests of Grafana: method, path, URL parameters and form, as it sends them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlencode

import httpx

NOW_MS: Final = 1_795_405_267_500

Params = Mapping[str, str | Sequence[str]]


@dataclass(frozen=True, slots=True)
class Asked:
    """One request; what stands in `form` is the body of a POST."""

    method: str
    path: str
    url: Params = field(default_factory=dict)
    form: Params | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    async def send(self, client: httpx.AsyncClient) -> httpx.Response:
        """The answer."""
        query = f"?{encoded(self.url)}" if self.url else ""
        headers, body = dict(self.headers), None
        if self.form is not None:
            headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
            body = encoded(self.form)
        return await client.request(self.method, self.path + query, content=body, headers=headers)


def encoded(params: Params) -> str:
    """Parameters in alphabetical order, as Go's url.Values writes them."""
    return urlencode(sorted(params.items()), doseq=True)


# Label requests carry a range snapped to minutes, and a limit.
_SNAPPED: Final = {"limit": "40000", "start": "1795401660", "end": "1795405320"}


def labels(*match: str) -> Asked:
    """Label names."""
    form = {**_SNAPPED, "match[]": match} if match else _SNAPPED
    return Asked("POST", "/api/v1/labels", form=form)


def values(label: str, *match: str) -> Asked:
    """Label values; always in the URL."""
    url = {**_SNAPPED, "match[]": match} if match else _SNAPPED
    return Asked("GET", f"/api/v1/label/{label}/values", url=url)


def series(match: str, **more: str) -> Asked:
    """Series, for variables that are a selector."""
    form = {"match[]": match, "start": "1795401668", "end": "1795405268", **more}
    return Asked("POST", "/api/v1/series", form=form)


def ranged(query: str, step: int = 15, **more: str) -> Asked:
    """A panel's query over the last hour."""
    end = NOW_MS // 1000 // 60 * 60
    form = {"query": query, "start": str(end - 3600), "end": str(end), "step": str(step), **more}
    return Asked("POST", "/api/v1/query_range", form=form)


def instant(query: str, time: str = "1795405267.5", **more: str) -> Asked:
    """A stat panel's query; the time has milliseconds and is not aligned."""
    return Asked("POST", "/api/v1/query", form={"query": query, "time": time, **more})
