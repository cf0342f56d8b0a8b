"""An embedded client is answered like any other, whether or not its request needs a task."""

import asyncio
from typing import Any

import pytest

from perdure.client.connection import Response
from perdure.client.in_memory import InMemoryConnection

BOUND = 10.0
JSON = {"content-type": "application/json"}


def directly(caller: Any) -> InMemoryConnection:
    return InMemoryConnection(lambda: caller.app, caller.app.answer_directly)


def alike(response: Response) -> tuple[int, dict[str, str], bytes]:
    """Without the id, which is another one each time."""
    headers = {name: value for name, value in response.headers.items() if name != "x-restate-id"}
    return response.status, headers, response.body


@pytest.mark.parametrize(
    "path",
    [
        "/Probe/greet",
        "/Probe/typed?a=b",
        "/restate/call/Counter/a%20key/add",
        "/Nope/x",
        "/Probe/secret",
        "/Probe/greet?delay=1s",
        "/restate/health",
    ],
)
def test_both_ways_give_the_same_answer(new_caller: Any, path: str) -> None:
    async def main() -> None:
        caller = new_caller()
        answers = [
            alike(await connection.request("POST", path, {**JSON, "origin": "http://app.test"}, b"1"))
            for connection in (directly(caller), InMemoryConnection(lambda: caller.app))
        ]
        assert answers[0] == answers[1]
        inputs = {record.input for record in caller.gateway.records}
        assert len(inputs) <= 1

    asyncio.run(main())


def test_who_is_cancelled_waits_for_nothing_any_more(new_caller: Any) -> None:
    async def main() -> None:
        caller = new_caller(concurrent_requests_limit=1)
        gateway, connection = caller.gateway, directly(caller)
        gateway.hold = asyncio.Event()
        for _ in range(2):
            gateway.waiting.clear()
            gateway.cancelled.clear()
            waiting = asyncio.create_task(connection.request("POST", "/Probe/slow", JSON, b"1"))
            await asyncio.wait_for(gateway.waiting.wait(), BOUND)
            assert (await connection.request("POST", "/Probe/greet", JSON, b"1")).status == 429
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            await asyncio.wait_for(gateway.cancelled.wait(), BOUND)
        gateway.hold.set()
        assert (await connection.request("POST", "/Probe/greet", JSON, b"1")).status == 200

    asyncio.run(main())


def test_an_answer_to_somebody_who_is_cancelled_in_the_same_moment(new_caller: Any) -> None:
    async def main() -> None:
        told: list[Any] = []

        class Pending:
            def cancel(self) -> None:
                told.append("cancelled")

        def answer_directly(request: Any, body: bytes) -> Pending:
            told.append(request)
            return Pending()

        connection = InMemoryConnection(lambda: None, answer_directly)
        waiting = asyncio.create_task(connection.request("POST", "/Probe/greet", JSON, b"1"))
        await asyncio.sleep(0)
        waiting.cancel()
        told[0].respond(200, [], b"late")
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert told[1:] == ["cancelled"]

    asyncio.run(main())
