"""The short way to an endpoint leads where the long one does."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bridge.api.direct import Direct


def named(name: str) -> ASGIApp:
    async def app(scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "answered", "by": name})

    return app


async def answering(**scope: str) -> str:
    found: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        found.append(message)

    app = Direct(named("the rest"), {("/query", "GET"): named("the endpoint")})
    await app({"type": "http", "method": "GET", "path": "/query", **scope}, receive, send)
    return str(found[0]["by"])


async def test_a_path_and_method_of_the_table_are_the_endpoints() -> None:
    assert await answering() == "the endpoint"


async def test_other_paths_and_methods_are_the_rests() -> None:
    assert await answering(path="/query/") == "the rest"
    assert await answering(method="DELETE") == "the rest"


async def test_what_is_mounted_below_a_path_and_what_is_no_request_are_the_rests() -> None:
    assert await answering(root_path="/stores/a") == "the rest"
    assert await answering(type="lifespan") == "the rest"
