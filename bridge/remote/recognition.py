"""Which store answers at a URL, as far as the URL and the headers of its entry tell."""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, parse_qs, urlsplit

from bridge.remote.settings import StoreSettings

_UNKNOWN: Final = "generic"


@dataclass(frozen=True, slots=True)
class _Sign:
    """What gives a store away; all that is named must hold.

    `path` and `host` are regular expressions that must be found, `header` and `parameter` are names
    in lower case.
    """

    profile: str
    path: str = ""
    host: str = ""
    port: int | None = None
    header: str = ""
    parameter: str = ""

    def fits(self, url: SplitResult, headers: frozenset[str]) -> bool:
        """Whether a store's URL and header names show it."""
        return (
            re.search(self.path, url.path.rstrip("/")) is not None
            and re.search(self.host, url.hostname or "") is not None
            and self.port in (None, url.port)
            and (not self.header or self.header in headers)
            and (not self.parameter or self.parameter in parse_qs(url.query))
        )


# The first that fits counts.
_SIGNS: Final = (
    _Sign("cnosdb", r"/api/v1/prom/read$", port=8902),
    _Sign("influxdb1", r"/api/v1/prom/read$"),
    _Sign("m3", r"/api/v1/prom/remote/read$"),
    _Sign("tdengine", r"/prometheus/v1/remote_read/[^/]+$"),
    _Sign("greptimedb", r"/v1/prometheus/read$"),
    _Sign("lindorm", r"/api/v2/prom_read$"),
    _Sign("alibaba", host=r"\.aliyuncs\.com$"),
    _Sign("tencent", host=r"\.(tencent|tencentcs|tencentcloudapi)\.com$"),
    _Sign("huawei", host=r"^aom\..*\.myhuaweicloud\.(com|eu)$"),
    _Sign("yandex", host=r"\.yandex(cloud)?\.(net|com|cloud)$"),
    _Sign("baidu", host=r"\.(baidubce|baidu)\.com$"),
    _Sign("mimir", r"/api/v1/read$", host=r"\.grafana\.net$"),
    _Sign("mimir", r"/api/v1/read$", header="x-scope-orgid"),
    _Sign("opengemini", r"/api/v1/read$", parameter="db"),
    _Sign("opengemini", r"/prometheus/[^/]+/api/v1/read$"),
    _Sign("cratedb", r"/read$", port=9268),
    _Sign("prometheus", r"/api/v1/read$"),
)


def recognised(settings: StoreSettings) -> str:
    """The name of the profile that a store's settings point to."""
    url = urlsplit(settings.url)
    own = [name for name, _ in settings.headers]
    own += [one.name for one in settings.http.headers]
    names = frozenset(name.lower() for name in (*own, *settings.forward_headers))
    return next((sign.profile for sign in _SIGNS if sign.fits(url, names)), _UNKNOWN)
