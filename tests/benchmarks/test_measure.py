"""The benchmark says truly how alike two answers are and how their times compare."""

import pytest

from benchmarks.measure import Likeness, Row, alike
from benchmarks.workload import INTERVAL, Workload, counters, workloads

A = '{"metric":{"a":"1"},"values":[[1,"0.1"],[2,"NaN"]]}'
B = '{"metric":{"a":"2"},"values":[[1,"3"]]}'


def answer(*rows: str) -> bytes:
    result = ",".join(rows)
    return f'{{"status":"success","data":{{"resultType":"matrix","result":[{result}]}}}}'.encode()


CASES = [
    (answer(A, B), answer(A, B), Likeness.EQUAL),
    (answer(A), answer(A).replace(b'"data":', b'"data": '), Likeness.EQUAL),
    (answer(A, B), answer(B, A), Likeness.ORDER),
    (answer(A), answer(A.replace("0.1", "0.10000000000000002")), Likeness.DIGITS),
    (answer(A), answer(A.replace("0.1", "0.1001")), Likeness.DIFFERENT),
    (answer(A), answer(A.replace("[2", "[3")), Likeness.DIFFERENT),
    (answer(A, B), answer(A), Likeness.DIFFERENT),
]


@pytest.mark.parametrize(("expected", "got", "likeness"), CASES)
def test_likeness(expected: bytes, got: bytes, likeness: Likeness) -> None:
    assert alike(expected, got) is likeness


def test_the_ratio_is_the_median_of_the_pairs() -> None:
    row = Row(Workload("x"), [1.0, 2.0, 10.0], [0.5, 4.0, 5.0], Likeness.EQUAL)
    assert row.ratio == 0.5


def test_counters_are_as_many_and_as_long_as_said() -> None:
    data = counters(series=7, hours=3)
    assert len(data.series) == 7
    assert {len(one.timestamps) for one in data.series} == {3 * 3_600_000 // INTERVAL}
    assert len({one.labels["pod"] for one in data.series}) == 3


def test_the_table_has_the_yardsticks_rows() -> None:
    names = [one.name for one in workloads(6)]
    assert len(set(names)) == len(names) == 12
    assert "`sum(rate(x[5m]))` 5h55m/15s" in names
