"""Random expressions get Prometheus' answers; the long run is `make fuzz`."""

import asyncio

import pytest

from bridge.promql.parser import parse
from bridge.promql.printer import to_text
from tests.oracle.conftest import Say
from tests.oracle.fuzz import OPTIONS, Summary, describe, fuzz, question
from tests.oracle.fuzz_data import END, GROUNDS, START, nasty
from tests.oracle.fuzz_native import negated
from tests.oracle.fuzz_replies import Reply, explained_by_chance, reply, same
from tests.oracle.fuzz_shrink import smaller
from tests.oracle.fuzz_translations import Case
from tests.oracle.fuzz_words import words
from tests.oracle.writer import write_prometheus
from tests.promql.signatures import SIGNATURES
from tests.servers.fixtures import PrometheusFactory

COUNT = 400  # of each seed
SEEDS = {"nasty": (1, 2), "native": (1,)}
WORDS = words(nasty(), START, END)


@pytest.fixture(scope="module")
def summaries(prometheus_server: PrometheusFactory, say: Say) -> list[Summary]:
    made = []
    for name, seeds in SEEDS.items():
        ground, server = GROUNDS[name], prometheus_server(OPTIONS)
        data = ground.make()
        known = words(data, ground.start, ground.end, experimental=ground.experimental)
        write_prometheus(server.url, data)
        for seed in seeds:
            asked = [(n, question(known, seed, n)) for n in range(COUNT)]
            made.append(asyncio.run(fuzz(server.url, asked, forms=ground.forms)))
            say(f"fuzzed {name} data with seed {seed}: {made[-1]}")
    return made


def test_no_answer_differs_without_a_reason(summaries: list[Summary]) -> None:
    assert not [describe(one) for summary in summaries for one in summary.differing]


def test_six_of_ten_answers_hold_something(summaries: list[Summary]) -> None:
    assert all(summary.non_empty >= 0.6 * COUNT for summary in summaries)
    assert all(summary.asked == COUNT for summary in summaries)


def test_a_question_is_always_the_same() -> None:
    assert question(WORDS, 1, 17) == question(WORDS, 1, 17) != question(WORDS, 2, 17)


def vector(*rows: str, notes: frozenset[str] = frozenset()) -> Reply:
    data = '{"resultType":"vector","result":[' + ",".join(rows) + "]}"
    return Reply(200, data.encode(), None, notes)


def row(name: str, value: str) -> str:
    return f'{{"metric":{{"n":"{name}"}},"value":[1,"{value}"]}}'


def test_a_body_is_taken_apart() -> None:
    body = b'{"status":"success","data":{"result":[]},"warnings":["w"],"infos":["i"]}'
    assert reply(200, body) == Reply(200, b'{"result":[]}', None, frozenset({"w", "i"}))


def test_an_error_is_taken_apart() -> None:
    body = b'{"status":"error","errorType":"execution","error":"e"}'
    assert reply(422, body) == Reply(422, b"", ("execution", "e"), frozenset())


@pytest.mark.parametrize(
    "other",
    [
        vector(row("a", "1")),
        vector(row("a", "1"), row("b", "3")),
        vector(row("a", "1"), row("b", "2"), notes=frozenset({"note"})),
        Reply(422, b"", ("execution", "e"), frozenset()),
    ],
)
def test_differences_are_seen(other: Reply) -> None:
    one = vector(row("a", "1"), row("b", "2"))
    assert same(None, one, vector(row("b", "2"), row("a", "1")))
    assert not same(None, one, other)
    assert not explained_by_chance([one, one], other)


def test_sorted_values_stand_in_order_but_equal_ones_may_change_places() -> None:
    expr = parse("sort(x)", SIGNATURES)
    rows = [row("a", "-0"), row("b", "0"), row("c", "NaN")]
    assert same(expr, vector(*rows), vector(rows[1], rows[0], rows[2]))
    assert not same(expr, vector(*rows), vector(rows[0], rows[2], rows[1]))


def test_where_the_oracle_varies_we_may_as_far() -> None:
    said = [vector(row("a", "1.5")), vector(row("a", "1.5000000000000004"))]
    assert explained_by_chance(said, vector(row("a", "1.5000000000000002")))
    assert explained_by_chance(said, vector(row("a", "1.4999999999999996")))
    assert not explained_by_chance(said, vector(row("a", "1.4999999999999993")))
    assert not explained_by_chance(said, vector(row("a", "NaN")))


def test_only_the_value_that_varies_may_differ() -> None:
    said = [vector(row("a", value), row("b", "5")) for value in ("1", "1.0000000000000002")]
    assert not explained_by_chance(said, vector(row("a", "1"), row("b", "5.000000000000001")))


def test_histograms_may_differ_number_by_number_where_the_oracle_varies() -> None:
    def of(count: str, total: str) -> Reply:
        held = f'{{"count":"{count}","sum":"{total}","buckets":[[0,"1","2","{count}"]]}}'
        return vector(f'{{"metric":{{"n":"a"}},"histogram":[1,{held}]}}')

    said = [of("3", "1.5"), of("3", "1.5000000000000004")]
    assert explained_by_chance(said, of("3", "1.5000000000000002"))
    assert not explained_by_chance(said, of("4", "1.5"))
    assert not explained_by_chance(said, vector(row("a", "3")))


def test_among_equals_any_series_will_do() -> None:
    said = [vector(row("a", "1")), vector(row("b", "1"))]
    assert explained_by_chance(said, vector(row("c", "1")))
    assert not explained_by_chance(said, vector(row("c", "2")))


def test_negative_histograms_are_gauges_only_since_3_7() -> None:
    counter = frozenset({'this native histogram metric is not a counter: "" (1:1)'})
    asked = "irate((-x)[1h:])"
    case = Case(asked, parse(asked, SIGNATURES), vector(), vector(notes=counter))
    assert negated(case).ours == negated(case).theirs
    plain = Case("irate(x[1h])", parse("irate(x[1h])", SIGNATURES), case.theirs, case.ours)
    assert negated(plain) == plain


def test_smaller_expressions_come_first() -> None:
    expr = parse('-sum(rate(x{a="b"}[5m] offset 1m))', SIGNATURES)
    texts = [to_text(one) for one in smaller(expr)]
    assert texts[0] == 'x{a="b"} offset 1m'
    assert '-sum(rate(x{a="b"}[5m]))' in texts
    assert "-sum(rate(x[5m] offset 1m))" in texts
    assert all(len(text) < len(to_text(expr)) for text in texts)
