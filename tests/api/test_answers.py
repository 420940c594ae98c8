"""An answer is given again as long as what it rests on stands, to whoever it may be given to."""

import json
from functools import partial

import pytest

from bridge.api.answers import Answers, Question, Shelf
from bridge.api.envelope import Answer
from bridge.api.pieces import joined
from bridge.engine.query import Stats
from bridge.model.time import Steps
from bridge.storage.interface import Provenance
from bridge.storage.warranty import NOTHING_STANDS, WHOLE, Warranty
from tests.api.warm import Warm, X
from tests.cache.world import HOUR, MINUTE

OLD = Question("x", Steps.at(0))


async def test_the_third_who_asks_is_given_what_the_second_was(warm: Warm) -> None:
    again = await warm.ask()
    assert warm.found == 1
    assert again == await warm.ask({"nocache": "1"})


async def test_a_known_answer_is_the_same_by_whatever_method_it_is_asked_for(warm: Warm) -> None:
    form = warm.form()
    by_get = await warm.client.get("/api/v1/query_range", params=form)
    by_post = await warm.client.post("/api/v1/query_range", data=form)
    mixed = await warm.client.request("GET", "/api/v1/query_range", params=form, content=b"x=y")
    assert warm.found == 3
    assert by_get.content == by_post.content == mixed.content
    assert by_get.headers == by_post.headers == mixed.headers
    assert by_get.headers["content-length"] == str(len(by_get.content))
    assert "hit" in by_get.headers["x-prombridge-cache"]


async def test_what_is_asked_of_now_is_another_question_each_time(warm: Warm) -> None:
    form = {"query": "vector(time())"}
    moments = []
    for _ in range(3):
        answer = await warm.client.get("/api/v1/query", params=form)
        moments.append(answer.json()["data"]["result"][0]["value"])
        warm.clock += 1000
    assert [moment[0] for moment in moments] == [moments[0][0] + at for at in range(3)]


async def test_who_leaves_no_time_is_given_none_of_what_is_known(warm: Warm) -> None:
    form = warm.form()
    answer = await warm.client.get("/api/v1/query_range", params={**form, "timeout": "0"})
    assert answer.status_code == 503
    assert answer.json()["errorType"] == "timeout"
    assert warm.found == 0


async def test_spaces_around_a_query_make_it_another_question(warm: Warm) -> None:
    assert await warm.ask({"query": " x "}) == await warm.ask()
    assert warm.found == 1


@pytest.mark.parametrize(
    "form",
    [{"nocache": "1"}, {"limit": "1"}, {"lookback_delta": "1m"}, {"stats": "true"}, {"step": "30"}],
)
async def test_who_asks_for_anything_else_is_answered_anew(
    warm: Warm, form: dict[str, str]
) -> None:
    await warm.ask(form)
    assert warm.found == 0


async def test_alerts_are_answered_anew(warm: Warm) -> None:
    warm.client.headers["FromAlert"] = "true"
    await warm.ask()
    assert warm.found == 0


async def test_a_broken_query_is_refused_each_time(warm: Warm) -> None:
    for _ in range(3):
        answer = await warm.client.get("/api/v1/query", params={"query": "x{", "time": "0"})
        assert answer.status_code == 400
    assert warm.found == 0


async def test_what_is_remembered_no_more_is_read_again(warm: Warm) -> None:
    while warm.memory.evict():
        pass
    asked = len(warm.store.asked)
    await warm.ask()
    assert warm.found == 0
    assert len(warm.store.asked) > asked


async def test_the_newest_samples_are_asked_for_again(warm: Warm) -> None:
    first = await warm.ask(since=0)
    await warm.ask(since=0)
    warm.store.put(X, {warm.now - MINUTE: 1e9})
    warm.store.clock.advance(2 * MINUTE)
    assert await warm.ask(since=0) != first


async def test_of_a_window_that_moved_on_the_new_steps_are_evaluated(warm: Warm) -> None:
    moved = await warm.ask(since=3 * HOUR - 2 * MINUTE)
    assert warm.found == 0
    # The first question found nothing known, the second nothing vouched for.
    assert [warm.steps("known"), warm.steps("evaluated")] == [59, 2 * 61 + 2]
    assert moved == await warm.ask({"nocache": "1"}, since=3 * HOUR - 2 * MINUTE)


async def test_who_asks_for_statistics_has_all_steps_evaluated(warm: Warm) -> None:
    answer = await warm.ask({"stats": "true"}, since=3 * HOUR - 2 * MINUTE)
    assert warm.steps("known") == 0
    assert json.loads(answer)["data"]["stats"]["samples"]["totalQueryableSamples"] == 61


async def test_a_query_whose_answer_was_known_is_counted_as_one(warm: Warm) -> None:
    count = "prombridge_query_total"
    labels = {"dashboard": "", "user": "", "tenant": ""}
    value = warm.api.metrics.registry.get_sample_value
    before = value(count, labels) or 0.0
    await warm.ask()
    assert value(count, labels) == before + 1


async def test_nobody_is_given_what_another_one_asked_for(warm: Warm) -> None:
    shelf = Shelf(1 << 20, warm.api.metrics.answers)
    alpha, beta = Answers(shelf).apart("alpha"), Answers(shelf).apart("beta")
    stats = Stats(provenance=Provenance(warranties=()))
    await alpha.put(OLD, Answer(b"1"), stats)
    assert await alpha.find(OLD)
    assert await beta.find(OLD) is None
    assert await alpha.apart("store").find(OLD) is None


async def test_answers_keep_to_their_budget(warm: Warm) -> None:
    shelf = Shelf(1 << 20, warm.api.metrics.answers)
    answers, stats = Answers(shelf), Stats(provenance=Provenance(warranties=()))
    for at in range(1000):
        await answers.put(Question("x", Steps.at(at)), Answer(bytes(10_000)), stats)
        assert shelf.nbytes <= shelf.max_bytes
    assert 50 < len(shelf) < 1000
    await answers.put(OLD, Answer(bytes(100_000)), stats)
    assert await answers.find(OLD) is None


class Brief(Warranty):
    """Vouches as long as it `stands`."""

    def __init__(self, *, complete: bool = True) -> None:
        self.stands = True
        self._complete = complete

    @property
    def complete(self) -> bool:
        return self._complete

    async def reach(self, since: int) -> int:
        return WHOLE if self.stands else NOTHING_STANDS

    def joined(self, later: Warranty, since: int, until: int) -> None: ...


def long(text: bytes) -> Answer:
    return Answer(b"", pieces=(partial(bytes, text),), bare=True)


async def given(answers: Answers, answer: Answer, stats: Stats) -> Answer:
    """An answer as it is sent to who asked first."""
    give = await answers.put(OLD, answer, stats)
    assert give is not None
    return give().answer


async def test_a_long_answer_is_given_to_whoever_asks_while_it_is_sent(warm: Warm) -> None:
    answers, stands = Answers(Shelf(1 << 20, warm.api.metrics.answers)), Brief()
    stats = Stats(provenance=Provenance(warranties=(stands,)))
    sent = await given(answers, long(b"1"), stats)
    # One that was evaluated at the same time, and one that asks meanwhile.
    other = await given(answers, long(b"1 again"), stats)
    found = await answers.find(OLD)
    assert found is not None
    texts = [joined(one.pieces) for one in (sent, other, found.answer)]
    assert texts == [b"1"] * 3
    assert await answers.apart("store").find(OLD) is None
    stands.stands = False
    assert await answers.find(OLD) is None
    assert joined((await given(answers, long(b"2"), stats)).pieces) == b"2"


async def test_a_long_answer_is_forgotten_when_nobody_is_sent_it(warm: Warm) -> None:
    answers = Answers(Shelf(1 << 20, warm.api.metrics.answers))
    stats = Stats(provenance=Provenance(warranties=()))
    sent = await given(answers, long(b"1"), stats)
    assert await answers.find(OLD)
    del sent
    assert await answers.find(OLD) is None


@pytest.mark.parametrize(
    "provenance",
    [Provenance(), Provenance(warranties=(Brief(complete=False),))],
    ids=["not vouched for", "incomplete"],
)
@pytest.mark.parametrize("answer", [long(b"1"), Answer(b"1")], ids=["long", "short"])
async def test_an_answer_that_may_not_be_given_again_is_not(
    warm: Warm, answer: Answer, provenance: Provenance
) -> None:
    answers = Answers(Shelf(1 << 20, warm.api.metrics.answers))
    assert await answers.put(OLD, answer, Stats(provenance=provenance)) is None
    assert await answers.find(OLD) is None


async def test_where_none_are_kept_all_are_answered_anew(warm: Warm) -> None:
    warm.api.answers.shelf.max_bytes = 0
    await warm.ask()
    assert warm.found == 0
