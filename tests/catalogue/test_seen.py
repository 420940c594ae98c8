"""What is remembered of the labels that pass."""

from bridge.catalogue.seen import SeenLabels, SeenLimits
from bridge.model.labels import Labels, Matcher, MatchType
from bridge.storage.interface import ReadOptions, Select
from bridge.storage.memory import MemoryStore

EVERYTHING = Select((Matcher("__name__", MatchType.NOT_EQUAL, ""),), 0, 1000)


def store(count: int) -> MemoryStore:
    return MemoryStore(
        (Labels.of({"__name__": "m", "n": f"{number:04}", f"l{number}": "x"}), [1], [1.0])
        for number in range(count)
    )


async def seen_after_reads(count: int, reads: int, limits: SeenLimits) -> SeenLabels:
    seen = SeenLabels(store(count), limits)
    for _ in range(reads):
        selection = await seen.select(EVERYTHING, ReadOptions())
        assert len(selection.block) == count
    return seen


async def test_names_and_values_of_what_passed_are_known_and_sorted() -> None:
    seen = SeenLabels(store(3))
    assert (seen.names(), seen.values("n")) == ([], [])
    await seen.select(EVERYTHING, ReadOptions())
    assert seen.names() == ["__name__", "l0", "l1", "l2", "n"]
    assert seen.values("n") == ["0000", "0001", "0002"]
    assert seen.values("nothing") == []


async def test_names_are_bounded() -> None:
    seen = await seen_after_reads(10, 1, SeenLimits(names=4))
    assert len(seen.names()) == 4


async def test_values_are_bounded() -> None:
    seen = await seen_after_reads(10, 1, SeenLimits(values_per_name=3))
    assert len(seen.values("n")) == 3
    seen = await seen_after_reads(10, 1, SeenLimits(values=5))
    assert sum(len(seen.values(name)) for name in seen.names()) == 5


async def test_a_large_read_is_noted_by_and_by() -> None:
    limits = SeenLimits(sets_per_read=4)
    assert len((await seen_after_reads(10, 1, limits)).values("n")) == 4
    assert len((await seen_after_reads(10, 3, limits)).values("n")) == 10


async def test_values_survive_when_label_sets_are_forgotten() -> None:
    seen = await seen_after_reads(10, 2, SeenLimits(sets=5))
    assert len(seen.values("n")) == 10
