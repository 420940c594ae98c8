"""The far away server says what the near one says."""

import http.server
import threading

import httpx

from benchmarks.delay import distant

BODY = bytes(range(256)) * 8000


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        asked = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", str(len(BODY) + len(asked)))
        self.end_headers()
        self.wfile.write(asked + BODY)

    def log_message(self, *_: object) -> None:
        """Nothing is logged."""


def test_bytes_come_whole_and_in_order() -> None:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        url = f"http://127.0.0.1:{server.server_port}"
        with distant(url, 0.002) as far, httpx.Client() as client:
            for asked in (b"", b"x" * 100_000):
                assert client.post(f"{far}/read", content=asked).content == asked + BODY
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
