"""Headers of prombridge's own."""

from typing import Final

from bridge.storage.interface import Provenance

# Where an answer comes from, and whether something may be missing in it.
SOURCE_HEADER: Final = "X-Prombridge-Source"
# How much of an answer was remembered.
CACHE_HEADER: Final = "X-Prombridge-Cache"


def cache_headers(provenance: Provenance) -> tuple[tuple[str, str], ...]:
    """The header that tells of the cache; none where nothing was read."""
    if provenance.use is None:
        return ()
    counts = f"blocks={provenance.blocks}; gaps={provenance.gaps}"
    return ((CACHE_HEADER, f"{provenance.use}; {counts}"),)
