"""An invoker, a partition and an engine on a real store, with endpoints that say whatever a test wants."""

import asyncio
import itertools
import json
from collections.abc import Callable, Coroutine, Iterable
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from structlog.testing import capture_logs

from perdure import ids
from perdure.engine.tx import Tx
from perdure.invoker.endpoints import Endpoints
from perdure.invoker.invoker import Invoker, InvokerSettings
from perdure.invoker.transport import Request, StreamHandler
from perdure.model.actions import Accepted, Finished
from perdure.model.invocation import AttemptFailure, HandlerKind, Invocation, JournalEntry, ServiceKind, Target
from perdure.model.records import Invoke, Kill, Purge, PutDeployment, Record, Resume, Sweep
from perdure.model.registry import Defaults, Deployment
from perdure.partition.loop import Partition
from perdure.protocol import messages_pb2 as wire
from perdure.protocol.framing import encode_frame
from perdure.protocol.messages import MessageType, encode_input
from perdure.registration.services import build_registry
from perdure.storage.sqlite.store import SqliteStore

T = TypeVar("T")

NOW = 1_795_170_000_625
"""Time stands still, so that no back-off ends and no sleep is over while a test looks."""

MESSAGE_LIMIT = 1024 * 1024

TARGETS = {
    "plain": Target("Plain", "run", None, ServiceKind.SERVICE, HandlerKind.SERVICE),
    "exclusive": Target("Object", "run", "k", ServiceKind.VIRTUAL_OBJECT, HandlerKind.EXCLUSIVE),
    "shared": Target("Object", "look", "k", ServiceKind.VIRTUAL_OBJECT, HandlerKind.SHARED),
    "workflow": Target("Flow", "run", "w", ServiceKind.WORKFLOW, HandlerKind.WORKFLOW),
}

MANIFEST: dict[str, Any] = {
    "minProtocolVersion": 5,
    "maxProtocolVersion": 7,
    "protocolMode": "BIDI_STREAM",
    "services": [
        {"name": "Plain", "ty": "SERVICE", "handlers": [{"name": "run"}]},
        {
            "name": "Object",
            "ty": "VIRTUAL_OBJECT",
            "handlers": [{"name": "run", "ty": "EXCLUSIVE"}, {"name": "look", "ty": "SHARED"}],
        },
        {
            "name": "Flow",
            "ty": "WORKFLOW",
            "handlers": [{"name": "run", "ty": "WORKFLOW"}, {"name": "look", "ty": "SHARED"}],
        },
    ],
}


class FrozenClock:
    def now(self) -> int:
        return NOW


class FakeStream:
    """One exchange: what was sent to the endpoint, and the handler to say things to."""

    def __init__(self, request: Request, handler: StreamHandler) -> None:
        self.request = request
        self.handler = handler
        self.sent = bytearray()
        self.half_closed = False
        self.over = False
        self.reads = True
        """Whether the endpoint takes in what it is told."""

    @property
    def queued(self) -> int:
        return 0 if self.reads else len(self.sent)

    def send(self, data: bytes) -> None:
        self.sent += data

    def half_close(self) -> None:
        self.half_closed = True

    def reset(self) -> None:
        self.over = True

    def consumed(self, size: int) -> None:
        assert size > 0

    # what the endpoint says; as a transport must, nothing after the end

    def head(self, status: int = 200, headers: dict[str, str] | None = None) -> None:
        content_type = dict(self.request.headers)["content-type"]
        if not self.over:
            self.handler.head_received(status, {"content-type": content_type} if headers is None else headers)

    def say(self, data: bytes) -> None:
        if data and not self.over:
            self.handler.data_received(data)

    def end(self) -> None:
        if not self.over:
            self.over = True
            self.handler.end_received()


class FakeTransport:
    bidirectional = True

    def __init__(self) -> None:
        self.opened: dict[str, asyncio.Queue[FakeStream]] = {}

    def open(self, request: Request, handler: StreamHandler) -> FakeStream:
        stream = FakeStream(request, handler)
        self.of(dict(request.headers)["x-restate-invocation-id"]).put_nowait(stream)
        return stream

    def of(self, invocation_id: str) -> "asyncio.Queue[FakeStream]":
        return self.opened.setdefault(invocation_id, asyncio.Queue())

    async def close(self) -> None:
        pass


class Harness:
    """Use it with `with`: one event loop of its own, so that hypothesis can call it example by example.

    Everything the program logs as an error, and every exception that nobody caught, fails `check`.
    """

    def __init__(self, folder: Path, manifest: dict[str, Any] = MANIFEST) -> None:
        self.loop = asyncio.new_event_loop()
        self.stray: list[str] = []
        self.loop.set_exception_handler(lambda _loop, context: self.stray.append(str(context)))
        self.transport = FakeTransport()
        self._logging = capture_logs()
        self._logged = self._logging.__enter__()
        self.run(self._start(folder, manifest))
        self._made = 0

    def __enter__(self) -> "Harness":
        return self

    def __exit__(self, *_error: object) -> None:
        self.run(self._stop())
        self._logging.__exit__(None, None, None)
        self.loop.close()

    async def _start(self, folder: Path, manifest: dict[str, Any]) -> None:
        defaults = Defaults()
        self.store = SqliteStore(folder, lambda deployments, changes: build_registry(deployments, changes, defaults))
        clock = FrozenClock()
        endpoints = Endpoints(clock, None)
        endpoints.add_local("perdure-asgi://hostile", self.transport)
        self.partition = Partition(self.store, clock)
        settings = InvokerSettings(message_size_limit=MESSAGE_LIMIT)
        self.invoker = Invoker(self.partition, endpoints, clock, settings)
        await self.partition.start(self.invoker)
        deployment = Deployment(
            id="dp_hostile",
            uri="perdure-asgi://hostile",
            bidirectional=True,
            http_version="HTTP/2.0",
            min_version=5,
            max_version=7,
            sdk_version=None,
            created_at=NOW,
            manifest=json.dumps(manifest).encode(),
            revisions={service["name"]: 1 for service in manifest["services"]},
        )
        await self.ask(lambda token: PutDeployment(reply_to=token, deployment=deployment))

    async def _stop(self) -> None:
        await self.invoker.stop()
        await self.partition.stop()
        self.store.close()

    def run(self, what: Coroutine[Any, Any, T]) -> T:
        async def bounded() -> T:
            async with asyncio.timeout(20):
                return await what

        return self.loop.run_until_complete(bounded())

    # pieces of tests

    async def ask(self, build: Callable[[int], Record]) -> Any:
        return await self.partition.ask(build)

    async def send(self, kind: str = "plain", key: str | None = None, version: int = 7) -> tuple[str, FakeStream]:
        """Starts an invocation; returns its id and its first exchange. key: else one that nobody used."""
        self.invoker.settings = msgspec.structs.replace(self.invoker.settings, highest_protocol_version=version)
        self._made += 1
        target = TARGETS[kind]
        if target.key is not None:
            target = msgspec.structs.replace(target, key=f"k{self._made}" if key is None else key)
        unique = self._made.to_bytes(16, "big")
        invocation_id = ids.fresh_invocation_id(target.service, target.key, unique, 0)

        def build(token: int) -> Invoke:
            return Invoke(reply_to=token, id=invocation_id, target=target, input=encode_input([], b"{}"), wait=False)

        assert isinstance(await self.ask(build), Accepted)
        return invocation_id, await self.transport.of(invocation_id).get()

    async def settle(self) -> None:
        """Everything that was said so far is applied."""
        for _ in range(3):
            await self.ask(lambda token: Sweep(reply_to=token))

    async def look(self, invocation_id: str) -> tuple[Invocation | None, list[JournalEntry]]:
        await self.settle()

        def look(tx: Tx) -> tuple[Invocation | None, list[JournalEntry]]:
            invocation = tx.invocation_by_id(invocation_id)
            return invocation, tx.entries(invocation.number) if invocation else []

        return await self.partition.read(look)

    async def failure(self, invocation_id: str) -> AttemptFailure:
        """Why the last attempt failed."""
        invocation, _ = await self.look(invocation_id)
        assert invocation is not None
        assert invocation.last_failure is not None, f"the attempt did not fail: {invocation.status}"
        return msgspec.json.decode(invocation.last_failure, type=AttemptFailure)

    async def prove_alive(self, bystander: tuple[str, FakeStream] | None = None) -> None:
        """An invocation runs to its end, as if nothing had happened. bystander: one that was running before."""
        invocation_id, stream = bystander or await self.send()
        waiting = asyncio.ensure_future(self.partition.attach(invocation_id))
        stream.head()
        stream.say(output(b"fine"))
        stream.say(encode_frame(MessageType.END, b""))
        stream.end()
        finished = await waiting
        assert isinstance(finished, Finished)

    async def resume(self, invocation_id: str) -> None:
        """Tries again at once."""
        await self.ask(lambda token: Resume(reply_to=token, id=invocation_id))

    async def remove(self, invocation_id: str) -> None:
        await self.ask(lambda token: Kill(reply_to=token, id=invocation_id))
        await self.ask(lambda token: Purge(reply_to=token, id=invocation_id))

    def check(self) -> None:
        """Nothing went wrong behind the scenes since the last check."""
        errors = [entry for entry in self._logged if entry["log_level"] in ("error", "critical")]
        self._logged.clear()
        stray, self.stray = self.stray, []
        assert not errors, errors
        assert not stray, stray


def output(value: bytes) -> bytes:
    payload = wire.OutputCommandMessage(value=wire.Value(content=value)).SerializeToString()
    return encode_frame(MessageType.OUTPUT_COMMAND, payload)


def frame(message_type: int, message: Any, flags: int = 0) -> bytes:
    return encode_frame(message_type, message.SerializeToString(), flags)


def pieces(data: bytes, cuts: Iterable[int]) -> list[bytes]:
    """`data` cut at these places."""
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[a:b] for a, b in itertools.pairwise(places)]
