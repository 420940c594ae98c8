"""What a sampled body holds, before any of it is decoded."""

import pytest

from bridge.remote.buffer import Buffer
from bridge.remote.samples import survey
from tests.remote.wires import sampled_body, wire


@pytest.mark.parametrize("count", [0, 1, 256, 257, 5000])
def test_any_number_of_series_is_found_however_small_they_are(count: int) -> None:
    series = [wire({}, *((time, 1.0) for time in range(1, 1 + at % 3))) for at in range(count)]
    found = survey(Buffer.of([sampled_body(series, compressed=False)]))
    assert found is not None
    assert found.samples.tolist() == [at % 3 for at in range(count)]
    assert found.histograms.tolist() == [0] * count
    assert (found.labels_from[1:] >= found.stops[:-1]).all()
    assert (found.starts <= found.stops).all()
