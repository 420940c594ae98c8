"""Tests of the runner itself: what it must notice, and what it must not count as passed."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.promqltest.runner import Count, Runner
from tests.promqltest.script import Eval, Load, parse_script
from tests.promqltest.sequence import ScriptError

_LOAD = """
load 1m
  requests{path="/a"} 0+10x5
  requests{path="/b"} 1 2 _ stale
  native{path="/a"} {{count:1}}x3
"""


async def _run(text: str, *, shifted: bool = False) -> Count:
    with ThreadPoolExecutor(2) as workers:
        return await Runner(workers, shifted=shifted).run("test", parse_script(text))


_ONE = 'eval instant at 1m requests{path="/a"}\n'


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ('eval instant at 1m requests\n  requests{path="/a"} 10', 'path="/b"} 2.0'),
        (f'{_ONE}  requests{{path="/a"}} 10\n  other 2', 'other"} 2.0'),
        (f'{_ONE}  requests{{path="/a"}} 10.001', "10.001@60000"),
        (f'{_ONE}  requests{{path="/x"}} 10', 'path="/x"'),
        (f'{_ONE}  {{path="/a"}} 10', '  {path="/a"} 10.0'),
        (f"{_ONE}  expect fail", "did not fail"),
        (f'{_ONE}  expect warn\n  requests{{path="/a"}} 10', "warnings: []"),
        (f"{_ONE}  expect no_info\n  expect ordered", "nothing"),
        ("eval instant at 1m rate(requests[2m])\n  expect no_info", "might not be a counter"),
        ("eval instant at 1m rate(requests[2m])\n  expect info msg: x", "expect info msg: x"),
        ("eval instant at 1m rate(requests[5m]", "does not parse"),
        ("eval instant at 1m rate(requests[5m]\n  expect fail", "does not parse"),
        ("eval instant at 1m 1 + 1\n  3", "expected scalar 3.0"),
        ("eval instant at 1m 1 + 1\n  {} 2", "scalar 2.0"),
        ("eval instant at 1m vector(2)\n  2", "expected scalar 2.0"),
        ('eval instant at 1m "a"\n  expect string "b"', "expected 'b'"),
        (
            'eval instant at 1m sort(requests)\n  expect ordered\n  requests{path="/a"} 10',
            "expected",
        ),
        ("eval instant at 1m topk(NaN, requests)\n  expect fail msg: x", "failed with"),
        (
            'eval range from 0 to 3m step 1m requests{path="/b"}\n  requests{path="/b"} 1 2 2 2',
            "2.0@180000",
        ),
        (
            'eval range from 0 to 3m step 1m requests{path="/b"}\n  requests{path="/b"} 1 2',
            "2.0@120000",
        ),
    ],
)
async def test_a_wrong_expectation_fails(case: str, said: str) -> None:
    count = await _run(f"{_LOAD}\n{case}")
    (failure,) = count.failures
    assert failure.case.line == 7
    assert said in str(failure)
    assert count.passed == 0


async def test_start_timestamps_are_loaded() -> None:
    loaded = "load 1m\n  x@st -1s 0s\n  x 1 2"
    count = await _run(
        f"{loaded}\n\neval range from 0 to 1m step 1m start_timestamp(x)\n  {{}} -1 60"
    )
    assert (count.passed, count.failures) == (1, [])


@pytest.mark.parametrize(
    ("expected", "passed"),
    [
        ("{{count:3 sum:4 buckets:[1 2]}}", 1),
        ("{{count:3 sum:4 buckets:[1 2 0]}}", 1),
        ("{{count:3 sum:4 buckets:[2 1]}}", 0),
        ("{{count:3 sum:5 buckets:[1 2]}}", 0),
        ("{{schema:1 count:3 sum:4 buckets:[1 2]}}", 0),
        ("{{count:3 sum:4 buckets:[1 2] counter_reset_hint:not_reset}}", 1),
        ("{{count:3 sum:4 buckets:[1 2] counter_reset_hint:gauge}}", 0),
        ("3", 0),
    ],
)
async def test_native_histograms_are_compared(expected: str, passed: int) -> None:
    load = "load 1m\n  h {{count:1 sum:1 buckets:[1]}} {{count:3 sum:4 buckets:[1 2]}}"
    count = await _run(f"{load}\n\neval instant at 1m h\n  h {expected}")
    assert (count.passed, len(count.failures)) == (passed, 1 - passed)


async def test_shifted_forms_are_evaluated() -> None:
    case = f'{_LOAD}\neval instant at 1m requests{{path="/a"}}\n  requests{{path="/a"}} 10'
    plain, shifted = await _run(case), await _run(case, shifted=True)
    assert (plain.passed, shifted.passed) == (1, 1)
    assert plain.queries == 1
    # As it is twice, in a range, and at five times each with `@`, alone and in a range.
    assert shifted.queries == 1 + 2 + 5 * 2


async def test_clear_forgets_and_loads_add_up() -> None:
    counted = "eval instant at 0 count(requests or more)\n  {} 3"
    count = await _run(
        f"{_LOAD}\nload 1m\n  more 1\n\n{counted}\n\nclear\neval instant at 0 requests"
    )
    assert (count.passed, count.failures) == (2, [])


def test_blocks_end_at_an_empty_line_or_a_scalar() -> None:
    commands = parse_script(
        "load 5m\n  a 1\n\n# eval instant at 0 b\n"
        "eval instant at 5m 1\n  1\neval instant at 0 a\n a 1"
    )
    assert [type(command) for command in commands] == [Load, Eval, Eval]


@pytest.mark.parametrize(
    "text",
    [
        "load 5m\n  a@st 1s\n  b 1",
        "load 5m\n  a@st 1s\n  a 1 2",
        "lode 5m\n  a 1",
        "load 5x\n  a 1",
        "eval instant x",
        "eval instant at 0 a\n  expect nothing",
    ],
)
def test_a_script_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ScriptError, match="line 1"):
        parse_script(text)
