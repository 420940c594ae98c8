"""Everyday queries get from each quirky store, by its profile, just what the full data hold.

An answer is a function of a query's reads, so it is the reads that are compared, to the bit.
"""

from collections.abc import Iterator
from functools import cache

import numpy as np
import pytest
import snappy
from starlette.responses import Response

from bridge.engine.functions import FUNCTIONS, signatures
from bridge.engine.passes import Setting, rewritten
from bridge.engine.plan import Timing, plan
from bridge.model.errors import StoreLimit
from bridge.model.labels import Labels, LabelTable, Matcher
from bridge.model.samples import Columns, SeriesBlock
from bridge.model.time import Steps
from bridge.promql.features import Features
from bridge.promql.parser import parse
from bridge.remote.encode_samples import sampled
from bridge.remote.proto import remote_pb2
from bridge.remote.proto.remote_pb2 import ReadRequest
from bridge.storage.interface import ReadOptions, Select
from bridge.storage.memory import MemoryStore
from tests.oracle.datasets import everyday
from tests.oracle.queries import questions
from tests.remote.quirks import MEDIA, STORES, TYPES, QuirkyStore, Refused, client

OPTIONS = ReadOptions()
# Of so many samples one is kept: what matters is which series come, and where they are cut.
THINNED = 8
LOOKBACK = 300_000
RESOLUTION = 60_000


@cache
def full() -> MemoryStore:
    """The full data."""
    return MemoryStore(
        (Labels.of(one.labels), one.timestamps[::THINNED], one.values[::THINNED])
        for one in everyday().series
    )


_HELD: list[SeriesBlock] = []


async def everything() -> SeriesBlock:
    """All of the full data."""
    if not _HELD:
        _HELD.append((await full().select(Select((), 0, 2**62), OPTIONS)).block)
    return _HELD[0]


@cache
def selects() -> tuple[Select, ...]:
    """Every read that an everyday query makes, once."""
    features = Features(experimental_functions=True)
    found: dict[Select, None] = {}
    for question in questions():
        start, end = round(question.start * 1000), round(question.end * 1000)
        steps = Steps(start, end, round((question.step or 1) * 1000), question.step is None)
        expr = parse(question.expr, signatures(), features)
        tree = rewritten(expr, Setting(steps, FUNCTIONS))
        planned = plan(tree, steps, Timing(LOOKBACK, RESOLUTION))
        found |= dict.fromkeys(planned.selects)
    return tuple(found)


class LargeStore(QuirkyStore):
    """A quirky store that answers from columns, since there are many samples."""

    async def _answer(self, asked: ReadRequest) -> Response:
        if self.quirks.single_query and len(asked.queries) != 1:
            raise Refused("currently only supports one query at a time")
        blocks = [await self._block(query) for query in asked.queries]
        empty = not any(map(len, blocks))
        nothing = self.quirks.no_results_when_empty and empty
        body = sampled([] if nothing else blocks, integers=False)
        if self.quirks.compressed:
            body = bytes(snappy.compress(body))
        if self.quirks.no_body_when_empty and empty:
            body = b""
        encoding = self.quirks.content_encoding
        headers = {"Content-Encoding": encoding} if encoding else {}
        return Response(body, self.quirks.status, headers, media_type=MEDIA)

    async def _block(self, query: remote_pb2.Query) -> SeriesBlock:
        start, end = query.start_timestamp_ms, query.end_timestamp_ms
        end -= int(self.quirks.end_exclusive)
        matchers = [Matcher(one.name, TYPES[one.type], one.value) for one in query.matchers]
        whole = await everything()
        # Stores that know a table by its name know all names, whatever the time.
        self._check(matchers, whole.labels.rows)
        kept = [
            row
            for row, labels in enumerate(whole.labels)
            if all(self._passes(one, labels) for one in matchers)
        ]
        return _taken(whole, kept, start, end)


def _taken(block: SeriesBlock, rows: list[int], start: int, end: int) -> SeriesBlock:
    """These rows, those of them that have samples from `start` to `end`."""
    columns, times = block.columns(), block.columns().timestamps
    spans = []
    for row in rows:
        low, high = columns.offsets[row : row + 2].tolist()
        first, last = np.searchsorted(times[low:high], [start, end + 1]).tolist()
        spans.append(slice(low + first, low + last))
    rows = [row for row, span in zip(rows, spans, strict=True) if span.stop > span.start]
    spans = [span for span in spans if span.stop > span.start]
    none = np.empty(0, np.int64)
    taken = np.concatenate([none, *(times[span] for span in spans)])
    values = np.concatenate([none.astype(np.float64), *(columns.values[span] for span in spans)])
    offsets = np.cumsum([0, *(span.stop - span.start for span in spans)]).astype(np.int64)
    labels = LabelTable(block.labels[row] for row in rows)
    return SeriesBlock.of(labels, Columns.frozen(offsets, taken, values))


def parts(block: SeriesBlock) -> tuple[tuple[Labels, ...], list[int], list[int], list[int]]:
    """All there is in a block; of zeros Go's protobuf does not tell the sign."""
    columns = block.columns()
    values = np.where(columns.values == 0, 0.0, columns.values)
    bits = values.view(np.int64).tolist()
    return block.labels.rows, columns.offsets.tolist(), columns.timestamps.tolist(), bits


def unnamed(reads: tuple[Select, ...]) -> Iterator[Select]:
    """The reads that do not tell which names they want."""
    for select in reads:
        equal = [one for one in select.matchers if one.name == "__name__"]
        if not any(one.type == "=" for one in equal):
            yield select


@pytest.mark.parametrize("name", STORES)
async def test_everyday_reads_are_those_of_the_full_data(name: str) -> None:
    served = client(LargeStore(full(), STORES[name]), name, retries=0)
    refused = []
    for select in selects():
        try:
            found = (await served.select(select, OPTIONS)).block
        except StoreLimit:
            refused.append(select)
            continue
        wanted = (await full().select(select, OPTIONS)).block
        assert parts(found) == parts(wanted), select
    assert len(selects()) > 200
    # A store that takes one metric at a time says so where a query does not name its metrics.
    assert not refused or STORES[name].names == "eq"
    assert set(refused) <= set(unnamed(selects()))
