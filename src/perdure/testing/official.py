"""The test harness under the official package's name: a whole server with addresses, in real time."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from perdure.client import Client
from perdure.node.node import Node
from perdure.node.settings import load_settings
from perdure.sdk.codec import JournalValueCodec


@dataclass
class HarnessEnvironment:
    """What a test talks to.

    ingress_url, admin_api_url: where the server answers, `http://127.0.0.1:PORT`.
    client: a `Client` of both.
    """

    ingress_url: str
    admin_api_url: str
    client: Client


@asynccontextmanager
async def create_test_harness(
    app: Any,
    follow_logs: bool = False,
    restate_image: str = "",
    always_replay: bool = False,
    disable_retries: bool = False,
    journal_value_codec: JournalValueCodec | None = None,
) -> AsyncIterator[HarnessEnvironment]:
    """A server of its own for an app, for as long as the block lasts; its state is thrown away.

        async with create_test_harness(app) as harness:
            assert await harness.client.service_call(greet, arg="Sam") == "hello Sam"

    `Harness` does the same in virtual time and without addresses.

    app: what `perdure.app` made, or another ASGI app that serves handlers.
    always_replay: handlers are suspended wherever they wait, which finds what is not deterministic in them.
    disable_retries: the first failed attempt ends an invocation.
    journal_value_codec: that of the app, for the client.
    follow_logs, restate_image: for code written for containers; there is none here, and they do nothing.
    """
    with tempfile.TemporaryDirectory() as folder:
        flags: dict[str, Any] = {"ingress": "127.0.0.1:0", "admin": "127.0.0.1:0", "data": Path(folder)}
        if always_replay:
            flags["timeouts.inactivity"] = "0s"
        if disable_retries:
            flags |= {"retry.max_attempts": 1, "retry.on_max_attempts": "kill"}
        node = Node(load_settings(None, flags, surroundings=False))
        try:
            await node.start()
            await node.add_app("tested", app)
            async with Client(node.ingress_url, node.admin_url, journal_value_codec=journal_value_codec) as client:
                yield HarnessEnvironment(node.ingress_url, node.admin_url, client)
        finally:
            await node.stop()
