"""What stands against sending clients' headers on to a store: other headers, credentials."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from bridge.api.forwarding import CREDENTIALS
from bridge.config.own import OwnFile, StoreSection
from bridge.config.remote_read import RemoteReadSection


@dataclass(frozen=True, slots=True)
class Sending:
    """A store's entry and all that the own file says of it, by the keys that it has there."""

    name: str
    entry: RemoteReadSection
    sections: Mapping[str, StoreSection]

    @staticmethod
    def of(name: str, entry: RemoteReadSection, own: OwnFile) -> "Sending":
        """That of an entry, whose name may be a given one."""
        keys = dict.fromkeys((entry.url, name))
        found = {key: (own.stores or {}).get(key) for key in keys}
        return Sending(name, entry, {key: held for key, held in found.items() if held})

    def forwarded(self) -> Iterator[tuple[str, str]]:
        """The headers that are sent on, each with the key where that is said."""
        for key, section in self.sections.items():
            yield from ((key, name) for name in section.forward_headers or ())

    @property
    def authenticates(self) -> bool:
        """Whether the store is sent credentials, in headers or in a URL."""
        urls = [self.entry.url]
        for section in self.sections.values():
            if section.sigv4:
                return True
            urls += filter(None, (section.metadata_url, section.query_url))
        return self.entry.authenticates or any(urlsplit(url).username for url in urls)


def faults(
    sending: Sending, own: OwnFile, names: Mapping[str, str], *, gated: bool
) -> Iterator[tuple[str, str]]:
    """What cannot work of a store, each with the key in `stores`.

    `names` has each store's name by its name and by its URL. `gated`: whether clients have to prove
    by headers who they are.
    """
    entry = sending.entry
    taken = {name.lower() for name in (*(entry.headers or ()), *(entry.http_headers or ()))}
    for key, name in sending.forwarded():
        if name.lower() in taken:
            yield key, f"the remote_read entry sets {name} itself: take it from one of the two"
        for tenant in _setting(name, sending.name, own, names):
            yield (
                key,
                f"the tenant {tenant} has a header {name} of its own: take it from one of both",
            )
        if name.lower() in CREDENTIALS and gated:
            proof = "what clients prove to prombridge must not leave it"
            yield key, f"{name} cannot be sent on while users or tokens are asked for: {proof}"
        if name.lower() in CREDENTIALS and sending.authenticates:
            yield key, f"{name} cannot be sent on to a store that has credentials in its settings"


def remarks(sending: Sending) -> Iterator[tuple[str, str]]:
    """What is well known to go wrong where nobody is asked who he is, each with the key."""
    for key, name in sending.forwarded():
        if name.lower() not in CREDENTIALS:
            text = "let only a proxy reach it that sets the header, or ask for users or tokens"
            yield key, f"whoever reaches prombridge can write {name}: {text}"


def _setting(name: str, store: str, own: OwnFile, names: Mapping[str, str]) -> Iterator[str]:
    """The tenants that read a store with a header of their own of this name."""
    for tenant, held in (own.tenants.sections if own.tenants else {}).items():
        reads = not held.stores or store in {names.get(key) for key in held.stores}
        if reads and name.lower() in {one.lower() for one in held.headers or ()}:
            yield tenant
