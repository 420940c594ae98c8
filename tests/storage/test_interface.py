"""What an answer tells of where it comes from."""

import pytest

from bridge.storage.interface import PASSED, CacheUse, Provenance


@pytest.mark.parametrize(
    ("parts", "use"),
    [
        ([], None),
        ([Provenance()], None),
        ([PASSED], CacheUse.BYPASS),
        ([Provenance(blocks=2)], CacheUse.HIT),
        ([Provenance(gaps=1)], CacheUse.MISS),
        ([Provenance(blocks=2), Provenance(gaps=1)], CacheUse.PARTIAL),
        ([Provenance(blocks=2), PASSED], CacheUse.PARTIAL),
        ([Provenance(gaps=2), PASSED], CacheUse.MISS),
    ],
)
def test_a_word_for_all_parts(parts: list[Provenance], use: CacheUse | None) -> None:
    assert Provenance.total(parts).use == use


def test_counts_add_up() -> None:
    parts = [Provenance(2, 1), Provenance(3, 0, 1)]
    assert Provenance.total(parts) == Provenance(5, 1, 1)
