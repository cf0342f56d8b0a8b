"""An engine inside of a program."""

import asyncio
import os
import socket
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import restate
from restate import Context

from perdure.client.failures import NoConnection
from perdure.embedded import CannotEmbed, Embedded
from perdure.errors import StoreLocked

first = restate.Service("First")
second = restate.Service("Second")


@first.handler()
async def shout(ctx: Context, word: str) -> str:
    return word.upper()


@first.handler()
async def nap(ctx: Context, milliseconds: int) -> str:
    await ctx.sleep(timedelta(milliseconds=milliseconds))
    return "rested"


@second.handler()
async def relay(ctx: Context, word: str) -> str:
    return await ctx.service_call(shout, word) + "!"


def test_several_apps_call_each_other() -> None:
    async def main() -> None:
        async with Embedded(restate.app([first]), restate.app([second])) as engine:
            assert await engine.client.call(relay, "hello") == "HELLO!"

    asyncio.run(main())


def test_no_port_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise AssertionError("a socket listens")

    monkeypatch.setattr(socket.socket, "listen", refuse)
    monkeypatch.setattr(socket.socket, "bind", refuse)

    async def main() -> None:
        async with Embedded(restate.app([first])) as engine:
            assert await engine.client.call(shout, "x") == "X"

    asyncio.run(main())


def test_what_runs_goes_on_after_a_restart_on_the_same_data(tmp_path: Path) -> None:
    async def main() -> None:
        app = restate.app([first])
        async with Embedded(app, data=tmp_path) as engine:
            sent = await engine.client.send(nap, 50)
        async with Embedded(app, data=tmp_path) as engine:
            assert await engine.client.handle(sent.invocation_id, nap).attach() == "rested"

    asyncio.run(main())


def test_without_data_nothing_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    async def main() -> None:
        engine = Embedded(restate.app([first]))
        for _ in range(2):
            async with engine:
                assert await engine.client.query("SELECT id FROM sys_invocation") == []
                await engine.client.call(shout, "x")
                assert len(os.listdir(tmp_path)) == 1

    asyncio.run(main())
    assert os.listdir(tmp_path) == []


def test_after_the_stop_nobody_answers() -> None:
    async def main() -> None:
        async with Embedded(restate.app([first])) as engine:
            pass
        with pytest.raises(NoConnection, match="not running"):
            await engine.client.call(shout, "x")
        await engine.stop()

    asyncio.run(main())


def test_the_environment_does_not_change_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERDURE_DATA", "/nowhere/at/all")
    monkeypatch.setenv("PERDURE_LIMITS__REQUEST_SIZE", "1")

    async def main() -> None:
        async with Embedded(restate.app([first])) as engine:
            assert await engine.client.call(shout, "x") == "X"

    asyncio.run(main())


def test_an_app_that_serves_no_handlers() -> None:
    async def not_an_endpoint(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            raise ValueError("no lifespan here")
        await send({"type": "http.response.start", "status": 404, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def main() -> None:
        with pytest.raises(CannotEmbed, match="cannot be registered") as failed:
            await Embedded(not_an_endpoint).start()
        assert failed.value.code == "E0620"

    asyncio.run(main())


def test_an_app_that_does_not_start() -> None:
    async def refuses(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no database"})

    async def main() -> None:
        with pytest.raises(CannotEmbed, match="no database"):
            await Embedded(refuses).start()

    asyncio.run(main())


def test_data_that_another_engine_uses(tmp_path: Path) -> None:
    async def main() -> None:
        async with Embedded(restate.app([first]), data=tmp_path):
            with pytest.raises(StoreLocked):
                await Embedded(restate.app([first]), data=tmp_path).start()

    asyncio.run(main())
