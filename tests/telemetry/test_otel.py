"""Spans as a real collector gets them, over HTTP and over gRPC."""

import gzip
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import grpc
import pytest
import yaml
from httpx import ASGITransport, AsyncClient
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from bridge.app import application
from bridge.config.load import load
from bridge.telemetry.trace import Stage
from tests.remote.stores import START, store, streamed_reply
from tests.remote.test_faults import STREAM

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
QUERY = {"query": "sum(up)", "time": f"{START // 1000 + 60}"}


@contextmanager
def over_http(got: list[ExportTraceServiceRequest]) -> Iterator[int]:
    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers["Content-Encoding"] == "gzip":
                body = gzip.decompress(body)
            assert self.path == "/v1/traces"
            got.append(ExportTraceServiceRequest.FromString(body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Collector) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def over_grpc(got: list[ExportTraceServiceRequest]) -> Iterator[int]:
    def export(request: ExportTraceServiceRequest, _context: object) -> Any:
        got.append(request)
        return ExportTraceServiceResponse()

    handler = grpc.unary_unary_rpc_method_handler(
        export,
        request_deserializer=ExportTraceServiceRequest.FromString,
        response_serializer=ExportTraceServiceResponse.SerializeToString,
    )
    name = "opentelemetry.proto.collector.trace.v1.TraceService"
    with ThreadPoolExecutor(2) as pool:
        server = grpc.server(pool)
        server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler(name, {"Export": handler}),)
        )
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        try:
            yield port
        finally:
            server.stop(None).wait()


async def spans(
    folder: Path, client_type: str, headers: dict[str, str]
) -> tuple[dict[str, Span], dict[str, str]]:
    """The spans of one query by name, and the headers its store was sent."""
    got: list[ExportTraceServiceRequest] = []
    collector = over_http if client_type == "http" else over_grpc
    async with store(streamed_reply(STREAM)) as upstream:
        with collector(got) as port:
            config = folder / "prometheus.yml"
            section = {
                "client_type": client_type,
                "endpoint": f"127.0.0.1:{port}",
                "insecure": True,
                "compression": "gzip",
                "sampling_fraction": 1.0,
            }
            entry = {"url": upstream.url, "name": "far"}
            config.write_text(yaml.safe_dump({"tracing": section, "remote_read": [entry]}))
            own = folder / "prombridge.yml"
            own.write_text("catalogue: {bootstrap: false}")
            app = application(load(config, own).settings, warming=False)
            async with (
                app.router.lifespan_context(app),
                AsyncClient(transport=ASGITransport(app), base_url="http://bridge") as client,
            ):
                answer = await client.get("/api/v1/query", params=QUERY, headers=headers)
                assert answer.status_code == 200, answer.text
        (sent,) = (one.headers for one in upstream.asked if "traceparent" in one.headers)
    found = [
        span
        for request in got
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]
    assert len({span.name for span in found}) == len(found)
    return {span.name: span for span in found}, sent


@pytest.mark.parametrize("client_type", ["http", "grpc"])
async def test_each_of_the_twelve_steps_is_a_span_of_the_callers_trace(
    tmp_path: Path, client_type: str
) -> None:
    headers = {"traceparent": f"00-{TRACE}-{SPAN}-01", "tracestate": "vendor=1"}
    found, sent = await spans(tmp_path, client_type, headers)
    request = found["GET /query"]
    assert found.keys() == {"GET /query", *Stage}
    assert {span.trace_id.hex() for span in found.values()} == {TRACE}
    assert request.parent_span_id.hex() == SPAN
    read = found[Stage.READ]
    assert sent["traceparent"] == f"00-{TRACE}-{read.span_id.hex()}-01"
    assert sent["tracestate"] == "vendor=1"
    assert read.parent_span_id == found[Stage.FETCH].span_id
    assert {(one.key, one.value.string_value) for one in read.attributes} >= {("store", "far")}
    assert ("http.response.status_code", 200) in {
        (one.key, one.value.int_value) for one in request.attributes
    }


async def test_a_trace_that_the_caller_does_not_keep_is_not_sent(tmp_path: Path) -> None:
    found, sent = await spans(tmp_path, "http", {"traceparent": f"00-{TRACE}-{SPAN}-00"})
    assert found == {}
    assert sent["traceparent"].startswith(f"00-{TRACE}-")
    assert sent["traceparent"].endswith("-00")
