"""The comparison sees every difference a client could see, and no other."""

import pytest

from tests.oracle.compare import Answer, Question, Verdict, _comparable, _judge, read

INSTANT = Question("x", 0, 0)
SORTED = Question("sort(x)", 0, 0, ordered=True)
RANGE = Question("x", 0, 10, 5)

ONE = '{"metric":{"a":"1"},"value":[1,"2"]}'
TWO = '{"metric":{"a":"2"},"value":[1,"3"]}'


def vector(*rows: str) -> str:
    return '{"resultType":"vector","result":[' + ",".join(rows) + "]}"


def answer(question: Question, text: str, status: int = 200) -> Answer:
    return Answer(status, _comparable(read(text), question), (None, None), frozenset())


DIFFERENCES = [
    (INSTANT, vector(ONE), vector(ONE, TWO)),
    (INSTANT, vector(ONE), vector()),
    (INSTANT, vector(ONE), vector(ONE.replace('"2"]', '"2.0"]'))),
    (INSTANT, vector(ONE), vector(ONE.replace("[1,", "[1.0,"))),
    (INSTANT, vector(ONE), vector(ONE.replace('"2"]', "2]"))),
    (INSTANT, vector(ONE), vector(ONE).replace("vector", "matrix")),
    (INSTANT, vector(ONE), vector('{"value":[1,"2"],"metric":{"a":"1"}}')),
    (SORTED, vector(ONE, TWO), vector(TWO, ONE)),
    (RANGE, vector(ONE, TWO), vector(TWO, ONE)),
]


@pytest.mark.parametrize(("question", "expected", "got"), DIFFERENCES)
def test_differences_are_seen(question: Question, expected: str, got: str) -> None:
    outcome = _judge(question, [answer(question, expected)], answer(question, got))
    assert outcome.verdict is Verdict.DIFFERENT
    assert outcome.detail


def test_an_unsorted_instant_vector_is_a_set() -> None:
    expected, got = answer(INSTANT, vector(ONE, TWO)), answer(INSTANT, vector(TWO, ONE))
    assert _judge(INSTANT, [expected], got).verdict is Verdict.EQUAL


def test_any_of_the_oracles_answers_will_do() -> None:
    given = [answer(RANGE, vector(one)) for one in (ONE, TWO)]
    assert _judge(RANGE, given, given[1]).verdict is Verdict.EQUAL


def test_another_status_is_a_difference() -> None:
    expected, got = answer(RANGE, vector(ONE)), answer(RANGE, vector(ONE), status=422)
    assert _judge(RANGE, [expected], got).verdict is Verdict.DIFFERENT


def test_scalars_and_strings_stay_in_order() -> None:
    scalar = answer(INSTANT, '{"resultType":"scalar","result":[1,"2"]}')
    assert dict(scalar.data)["result"] == (("number", "1"), "2")
