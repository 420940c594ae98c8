"""A known answer is given without more ado once its request has arrived, compressed or not."""

import gzip
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlencode

from httpx import ASGITransport, AsyncClient

from bridge.api.answers import Answers, Question, Shelf
from bridge.api.envelope import Answer
from bridge.api.ledger import Ledger
from bridge.api.routes import application
from bridge.engine.query import Stats
from bridge.model.time import Steps
from bridge.storage.interface import Provenance
from bridge.telemetry.lines import LineFile
from tests.api.warm import LONG, Warm

OLD = Question("x", Steps.at(0))


async def test_no_stage_is_run_for_what_is_known_however_it_is_asked(warm: Warm) -> None:
    first, form = await warm.ask(), warm.form()
    query, times = {"query": form.pop("query")}, form
    whole = urlencode({**query, **times}).encode()
    stages, found = warm.stages, warm.found
    assert await warm.exchange("GET", {**query, **times}, b"") == first
    assert await warm.exchange("GET", {**query, **times}, b"query=y") == first
    assert await warm.exchange("POST", {}, whole) == first
    assert await warm.exchange("POST", times, urlencode(query).encode()) == first
    assert (warm.stages, warm.found) == (stages, found + 4)


async def test_a_body_that_arrives_piece_by_piece_asks_the_same(warm: Warm) -> None:
    first, body = await warm.ask(), urlencode(warm.form()).encode()
    found = warm.found
    assert await warm.exchange("POST", {}, body[:20], body[20:]) == first
    assert await warm.exchange("POST", {}, body, b"") == first
    assert warm.found == found + 2


async def test_a_broken_request_is_refused_as_any_other(warm: Warm) -> None:
    form = {**warm.form(), "timeout": "soon"}
    by_url = await warm.client.get("/api/v1/query_range", params=form)
    by_body = await warm.client.post("/api/v1/query_range", data=form)
    assert by_url.status_code == by_body.status_code == 400
    assert by_url.content == by_body.content


async def test_a_long_answer_is_compressed_for_the_first_who_takes_it_so(warm: Warm) -> None:
    form, shelf = {**warm.form(), "query": LONG}, warm.api.answers.shelf
    plain = await warm.exchange("GET", form, b"")
    assert len(plain) > 8192
    owned = shelf.nbytes
    packed = await warm.exchange("GET", form, b"", gzip=True)
    assert gzip.decompress(packed) == plain
    assert shelf.nbytes == owned + len(packed)
    stages = warm.stages
    for _ in range(2):
        assert await warm.exchange("GET", form, b"", gzip=True) == packed
        assert await warm.exchange("GET", form, b"") == plain
    assert (warm.stages, shelf.nbytes) == (stages, owned + len(packed))


async def test_what_is_logged_is_compressed_once_too(warm: Warm, tmp_path: Path) -> None:
    form = {**warm.form(), "query": LONG}
    plain = await warm.exchange("GET", form, b"")
    question, known = next(
        (question, known)
        for (_, question), known in warm.api.answers.shelf.held.items()
        if known.answer.data == plain
    )
    warm.api.answers.pack(question, known.answer, b"as it was packed")
    log = LineFile(tmp_path / "queries.log", lambda: None)
    logged = replace(warm.api, ledger=Ledger(warm.api.metrics.queries, warm.api.now, log))
    warm.app = application(logged)
    assert await warm.exchange("GET", form, b"", gzip=True) == b"as it was packed"
    log.close()


async def test_a_known_answer_that_is_too_large_is_refused_each_time(warm: Warm) -> None:
    limits = warm.api.limits
    least = replace(limits, limits=replace(limits.limits, response_bytes=100))
    transport = ASGITransport(application(replace(warm.api, limits=least)))
    async with AsyncClient(transport=transport, base_url="http://bridge") as client:
        for _ in range(2):
            answer = await client.get("/api/v1/query_range", params=warm.form())
            assert (answer.status_code, "max_response_bytes" in answer.text) == (422, True)


async def test_what_is_compressed_is_kept_with_the_answer_it_is_of(warm: Warm) -> None:
    shelf = Shelf(1 << 20, warm.api.metrics.answers)
    answers, stats = Answers(shelf), Stats(provenance=Provenance(warranties=()))
    old, new = Answer(b"old"), Answer(b"new")
    await answers.put(OLD, old, stats)
    await answers.put(OLD, new, stats)

    async def found(answer: Answer, packed: bytes) -> tuple[bytes, bytes]:
        answers.pack(Question("y", Steps.at(0)), answer, packed)
        answers.pack(OLD, answer, packed)
        known = await answers.find(OLD)
        assert known is not None
        return known.answer.data, known.answer.packed

    assert await found(old, b"1") == (b"new", b"")
    assert await found(new, bytes(shelf.max_bytes)) == (b"new", b"")
    assert await found(new, b"2") == (b"new", b"2")
    assert len(shelf) == 1
