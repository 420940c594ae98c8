"""The section `replicas` of prombridge's own settings: stores that hold the same data."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Final

from bridge.config.fields import Duration, Section, Text, choice
from bridge.storage.fanout import PartialResponse
from bridge.storage.replicas import ReplicaMode, ReplicaSettings

PartialName = Annotated[str, choice(*PartialResponse, words="unknown kind of partial response")]
ModeName = Annotated[str, choice(*ReplicaMode, words="unknown mode of replicas")]

_DEFAULTS: Final = ReplicaSettings("", ())


class ReplicasSection(Section):
    """One group of `replicas`: names or URLs of `remote_read` entries, in order of preference."""

    stores: list[Text] | None = None
    mode: ModeName = _DEFAULTS.mode
    gap: Duration = _DEFAULTS.gap
    hedge: Duration = _DEFAULTS.hedge
    partial_response: PartialName = _DEFAULTS.partial

    def settings(self, name: str, names: Mapping[str, str]) -> ReplicaSettings:
        """The settings; `names` has each store's name by its name and by its URL."""
        return ReplicaSettings(
            name,
            tuple(names[store] for store in self.stores or ()),
            ReplicaMode(self.mode),
            self.gap,
            self.hedge,
            PartialResponse(self.partial_response),
        )


def replica_faults(
    groups: Mapping[str, ReplicasSection | None], names: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """What is wrong with groups, each with the name of the group."""
    taken: dict[str, str] = {}
    for group, section in groups.items():
        stores: Sequence[str] = (section.stores if section else None) or ()
        known = [names[store] for store in stores if store in names]
        if len(stores) < 2:
            yield group, "stores: replicas are two stores at least"
        for store in stores:
            if store not in names:
                yield group, f"stores: no remote_read entry has the name or URL {store}"
        for store in known:
            other = taken.setdefault(store, group)
            if other != group or known.count(store) > 1:
                yield group, f"stores: {store} is named twice"
                break
