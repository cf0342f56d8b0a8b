"""The client does the same over HTTP and inside of a program."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from perdure.client.client import Client
from perdure.client.failures import HttpError, NoConnection, NotReady
from perdure.client.handle import InvocationHandle
from perdure.embedded import Embedded
from perdure.node.node import Node
from perdure.node.settings import load_settings
from perdure.sdk.definition_errors import NotAHandler
from perdure.sdk.exceptions import TerminalError

from . import services
from .services import add, app, ask, click, flaky, greet, headers, nap, ping, put, refuse, run, value

PATIENT = {"retry.initial_interval": "1h", "retry.max_interval": "1h"}
"""Who fails backs off for as long as a test lasts."""

Serve = Callable[[], AbstractAsyncContextManager[Client]]


@pytest.fixture(params=["in memory", "over HTTP"])
def serve(request: pytest.FixtureRequest, tmp_path: Path) -> Serve:
    @asynccontextmanager
    async def in_memory() -> AsyncIterator[Client]:
        async with Embedded(app, settings=PATIENT) as engine:
            yield engine.client

    @asynccontextmanager
    async def over_http() -> AsyncIterator[Client]:
        addresses = {"ingress": "127.0.0.1:0", "admin": "127.0.0.1:0", "data": tmp_path, "shutdown_timeout": "1s"}
        node = Node(load_settings(None, {**PATIENT, **addresses}, surroundings=False))
        try:
            await node.start()
            await node.add_app("app", app)
            async with Client(node.ingress_url, node.admin_url) as client:
                yield client
        finally:
            await node.stop()

    return in_memory if request.param == "in memory" else over_http


def ask_server(serve: Serve, scenario: Callable[[Client], Awaitable[None]]) -> None:
    async def main() -> None:
        async with asyncio.timeout(20), serve() as client:
            await scenario(client)

    asyncio.run(main())


async def reaches(client: Client, handle: InvocationHandle[Any], status: str) -> dict[str, Any]:
    """Waits, with the test's own bound, until an invocation has that status."""
    while True:
        row = await client.describe(handle.invocation_id)
        if row is not None and row["status"] == status:
            return row
        await asyncio.sleep(0.005)


def test_calls_by_function_by_name_and_with_bytes(serve: Serve) -> None:
    async def scenario(client: Client) -> None:
        assert await client.call(greet, "Ada") == "Hello, Ada"
        assert await client.call(ping) == "pong"
        assert await client.call("Greeter/greet", "Bob") == "Hello, Bob"
        assert await client.call(add, 2, key="a/b c") == 2
        assert await client.generic_call("Greeter", "greet", b'"Eve"') == b'"Hello, Eve"'

    ask_server(serve, scenario)


def test_the_names_of_the_official_client(serve: Serve) -> None:
    async def scenario(client: Client) -> None:
        assert await client.service_call(greet, "Ada") == "Hello, Ada"
        assert await client.service_call(ping, None) == "pong"
        assert await client.object_call(add, "k", 3) == 3
        sent = await client.object_send(add, "k", 4)
        assert sent.status_code == 202
        assert await sent.attach() == 7
        assert (await client.service_send(greet, "Bob", send_delay=timedelta(hours=1))).created
        workflow = await client.workflow_send(run, "ada", "Ada")
        await client.workflow_call(click, "ada", "clicked")
        assert await workflow.attach() == "Ada clicked"
        raw = await client.generic_send("Greeter", "greet", b'"Eve"')
        assert await raw.attach() == b'"Hello, Eve"'

    ask_server(serve, scenario)


def test_a_failed_handler_raises_its_own_failure(serve: Serve) -> None:
    async def scenario(client: Client) -> None:
        with pytest.raises(TerminalError, match="no coffee") as failed:
            await client.call(refuse, "no coffee")
        assert failed.value.status_code == 418
        sent = await client.send(refuse, "no tea")
        with pytest.raises(TerminalError, match="no tea"):
            await sent.attach()

    ask_server(serve, scenario)


def test_what_the_server_refuses_is_no_failure_of_a_handler(serve: Serve) -> None:
    async def scenario(client: Client) -> None:
        with pytest.raises(HttpError, match="was not found") as refused:
            await client.call("Greeter/nobody", "x")
        assert refused.value.status_code == 404
        with pytest.raises(HttpError, match="does not exist") as unknown:
            await client.cancel("inv_174ZeJMiikof56Y5vkikgerkQphw2S168k")
        assert unknown.value.status_code == 404

    ask_server(serve, scenario)


def test_a_send_can_be_looked_at_and_waited_for(serve: Serve) -> None:
    async def scenario(client: Client) -> None:
        later = await client.send(greet, "Ada", delay=timedelta(hours=1), idempotency_key="once")
        with pytest.raises(NotReady):
            await later.output()
        again = await client.send(greet, "Ada", idempotency_key="once")
        assert again.invocation_id == later.invocation_id
        assert not again.created
        now = await client.send(greet, "Bob")
        assert await client.attach(now.invocation_id) == "Hello, Bob"
        assert await client.output(now.invocation_id) == "Hello, Bob"
        assert await client.handle(now.invocation_id, greet).output() == "Hello, Bob"

    ask_server(serve, scenario)


def test_headers_reach_the_handler(serve: Serve) -> None:
    async def scenario(client: Client) -> None:
        assert (await client.call(headers, headers={"X-Tenant": "blue"}))["x-tenant"] == "blue"

    ask_server(serve, scenario)


@pytest.mark.parametrize("accept", [True, False])
def test_awakeables_are_completed_from_outside(serve: Serve, accept: bool) -> None:
    async def scenario(client: Client) -> None:
        asking = await client.send(ask, "question")
        while (awakeable := await client.call(value, key="question")) is None:
            await asyncio.sleep(0.005)
        if accept:
            await client.resolve_awakeable(awakeable, "yes")
            assert await asking.attach() == "yes"
        else:
            await client.reject_awakeable(awakeable, "certainly not")
            with pytest.raises(TerminalError, match="certainly not"):
                await asking.attach()

    ask_server(serve, scenario)


def test_a_workflow_is_found_by_its_key(serve: Serve) -> None:
    async def scenario(client: Client) -> None:
        await client.workflow_send(run, "ada", "Ada")
        assert not (await client.workflow_send(run, "ada", "Ada")).created
        await client.workflow_call(click, "ada", "done")
        assert await client.workflow_attach(run, "ada") == "Ada done"

    ask_server(serve, scenario)


def test_cancel_and_kill_tell_who_and_why(serve: Serve) -> None:
    async def scenario(client: Client) -> None:
        sleeping = await client.send(nap, 3600)
        await sleeping.cancel(reason="took too long", actor="Ada Łovelace")
        with pytest.raises(TerminalError) as cancelled:
            await sleeping.attach()
        assert cancelled.value.status_code == 409
        events = await client.query(f"SELECT event_json FROM sys_journal_events WHERE id = '{sleeping.invocation_id}'")
        assert any("Ada Łovelace" in row["event_json"] and "took too long" in row["event_json"] for row in events)
        other = await client.send(nap, 3600)
        await other.kill()
        with pytest.raises(TerminalError, match="killed"):
            await other.attach()

    ask_server(serve, scenario)


def test_pause_resume_and_retry_now(serve: Serve) -> None:
    async def scenario(client: Client) -> None:
        sleeping = await client.send(nap, 3600)
        await sleeping.pause()
        await reaches(client, sleeping, "paused")
        await sleeping.resume("keep")
        failing = await client.send(flaky, "x")
        before = await reaches(client, failing, "backing-off")
        await failing.retry_now()
        while (await client.describe(failing.invocation_id) or {}).get("retry_count", 0) <= before["retry_count"]:
            await asyncio.sleep(0.005)
        await failing.kill()

    ask_server(serve, scenario)


def test_purge_and_restart_as_new(serve: Serve) -> None:
    async def scenario(client: Client) -> None:
        done = await client.send(greet, "Ada")
        await done.attach()
        again = await done.restart_as_new()
        assert again.invocation_id != done.invocation_id
        assert await again.attach() == "Hello, Ada"
        replayed = await client.restart_as_new(done.invocation_id, from_=0, deployment="latest")
        assert await replayed.attach() == "Hello, Ada"
        journal = await client.journal(done.invocation_id)
        assert [row["entry_type"] for row in journal] == ["Command: Input", "Command: Output"]
        await done.purge_journal()
        assert await client.journal(done.invocation_id) == []
        await done.purge()
        assert await done.describe() is None

    ask_server(serve, scenario)


def test_looking_at_everything(serve: Serve) -> None:
    async def scenario(client: Client) -> None:
        await client.call(add, 5, key="o'neill")
        await client.call(put, "x", key="o'neill")
        assert await client.state("Counter", "o'neill") == {"total": b"5", "value": b'"x"'}
        assert {row["status"] for row in await client.invocations(service="Counter")} == {"completed"}
        assert await client.invocations(status="paused") == []
        assert await client.query("SELECT count(*) AS n FROM sys_invocation") == [{"n": 2}]

    ask_server(serve, scenario)


def test_many_at_once(serve: Serve) -> None:
    async def scenario(client: Client) -> None:
        answers = await asyncio.gather(*(client.call(greet, str(number)) for number in range(100)))
        assert answers == [f"Hello, {number}" for number in range(100)]

    ask_server(serve, scenario)


def test_who_stops_waiting_stops_nothing(serve: Serve) -> None:
    async def scenario(client: Client) -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await client.call(nap, 0.2, idempotency_key="nap")
        assert await client.call(nap, 0.2, idempotency_key="nap") == "rested"

    ask_server(serve, scenario)


@pytest.mark.parametrize("wrong", ["Greeter", "a/b/c", "/greet", services.app, len])
def test_what_is_no_handler(wrong: Any) -> None:
    async def scenario() -> None:
        async with Client() as client:
            with pytest.raises(NotAHandler):
                await client.call(wrong, "x")

    asyncio.run(scenario())


@pytest.mark.parametrize("url", ["localhost:8080", "ftp://localhost", "http://localhost:nine", "http://"])
def test_what_is_no_url(url: str) -> None:
    with pytest.raises(NoConnection, match="is not a URL"):
        Client(url)


def test_operating_needs_the_admin_address() -> None:
    async def scenario() -> None:
        async with Client() as client:
            with pytest.raises(NoConnection, match="admin="):
                await client.cancel("inv_1")

    asyncio.run(scenario())
