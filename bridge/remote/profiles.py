"""What a known store does differently; one record a store."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from bridge.remote.settings import ResponseType, StoreSettings


@dataclass(frozen=True, slots=True)
class Profile:
    """How a store wants to be asked.

    `end_exclusive`: a sample exactly at the end asked for is left out of the answer.
    """

    response_types: tuple[ResponseType, ...] = (ResponseType.STREAMED, ResponseType.SAMPLES)
    end_exclusive: bool = False


PROMETHEUS: Final = Profile()
# services/httpd/handler.go and prometheus/converters.go of InfluxDB 1.x.
INFLUXDB1: Final = Profile(response_types=(ResponseType.SAMPLES,), end_exclusive=True)

# By the end of the URL's path, which each of these stores has to itself.
_BY_PATH: Final = {"/api/v1/prom/read": INFLUXDB1}


def profile_of(settings: StoreSettings) -> Profile:
    """What is known of the store by its URL, overruled by what is set."""
    path = urlsplit(settings.url).path.rstrip("/")
    known = next((one for end, one in _BY_PATH.items() if path.endswith(end)), PROMETHEUS)
    exclusive = settings.end_exclusive
    return Profile(
        response_types=settings.response_types or known.response_types,
        end_exclusive=known.end_exclusive if exclusive is None else exclusive,
    )
