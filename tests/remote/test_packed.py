"""Long reads, whose later rows stay in the chunks that the store sent until they are asked for."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from bridge.model.labels import Labels
from bridge.model.samples import SeriesBlock
from bridge.remote.answer import Keep
from bridge.remote.packed import PackedRows
from bridge.remote.streamed import StreamedAnswer
from bridge.storage.interface import Purpose, ReadOptions, Select
from bridge.storage.merge import merge
from tests.remote.wires import Wire, streamed_body, wire
from tests.storage.blocks import plain

LONG = 1 << 21  # samples after which a read leaves rows packed
POINTS = st.lists(
    st.tuples(st.integers(0, 60), st.floats(allow_nan=False)), max_size=12, unique_by=lambda p: p[0]
).map(sorted)


def read(
    series: Sequence[Wire], select: Select, before: int, per_frame: int, per_chunk: int = 3
) -> SeriesBlock:
    """A streamed answer, fed in two pieces, to a read that holds so many samples already."""
    answer = StreamedAnswer(Keep(select, ReadOptions(), before), 1 << 20)
    body = streamed_body(series, per_chunk=per_chunk, per_frame=per_frame)
    answer.feed([body[: len(body) // 2]])
    answer.feed([body[len(body) // 2 :]])
    keep_empty = select.purpose is Purpose.SERIES
    return merge(answer.finish(), first_wins=False, keep_empty=keep_empty)


@given(
    st.lists(POINTS, max_size=6),
    st.integers(0, 60),
    st.integers(0, 60),
    st.sampled_from(Purpose),
    st.integers(1, 3),
)
def test_packed_rows_are_the_decoded_ones(
    rows: Sequence[list[tuple[int, float]]], start: int, end: int, purpose: Purpose, frame: int
) -> None:
    series = [wire({"__name__": "x", "n": str(at)}, *row) for at, row in enumerate(rows)]
    select = Select((), start, end, purpose)
    decoded, packed = (read(series, select, before, frame) for before in (0, LONG))
    assert plain(packed) == plain(decoded)
    assert packed.samples == decoded.samples
    assert list(packed.labels) == list(decoded.labels)


def test_a_long_read_holds_a_fraction_of_its_samples_decoded() -> None:
    points = [(15_000 * at, float(at // 50)) for at in range(2_000)]
    series = [wire({"__name__": "x", "n": str(at)}, *points) for at in range(5)]
    select = Select((), 0, 2**62)
    decoded, packed = (read(series, select, before, 20, 120) for before in (0, LONG))
    assert packed.nbytes < decoded.nbytes / 2
    assert plain(packed) == plain(decoded)


def test_a_series_in_several_frames_is_one_row() -> None:
    points = [(at, at / 3) for at in range(100)]
    one = wire({"__name__": "x"}, *points)
    block = read([one], Select((), 10, 89), LONG, 7)
    assert plain(block) == {Labels.of({"__name__": "x"}): points[10:90]}
    assert not any(isinstance(part, PackedRows) for part in block.parts)
    assert block.samples == 80
