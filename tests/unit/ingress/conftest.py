"""A partition that answers what it is told to, and a caller without a network."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import pytest

from perdure.ingress.app import IngressApp
from perdure.ingress.settings import IngressSettings
from perdure.model.actions import Accepted, Done, Finished
from perdure.model.invocation import HandlerKind, ServiceKind, Success
from perdure.model.records import CompleteSignal, Invoke, Record
from perdure.model.registry import Handler, InputRules, OutputRules, Registry, RetryPolicy, Service
from perdure.partition.gateway import Waiter

NOW = 1_795_169_845_087
JSON_IN = InputRules(required=False, content_type="application/json", json=True)
ORDINARY = (
    *("greet", "headers", "req", "slow", "terminal", "terminal_meta", "killing"),
    *("awk", "catcher", "block", "shortret", "nojournal", "nooutput"),
)
JSON_OUT = OutputRules(content_type="application/json", set_if_empty=False)


def handler(
    name: str,
    kind: HandlerKind,
    *,
    input: InputRules = JSON_IN,
    output: OutputRules = JSON_OUT,
    public: bool = True,
) -> Handler:
    return Handler(name, kind, public, input, output, 60_000, 600_000, False, 86_400_000, 86_400_000, RetryPolicy())


def service(name: str, kind: ServiceKind, handlers: Iterable[Handler], *, public: bool = True) -> Service:
    return Service(name, kind, 1, "dp_1", public, {h.name: h for h in handlers})


def registry() -> Registry:
    plain = [handler(name, HandlerKind.SERVICE) for name in ORDINARY]
    plain += [
        handler("noinput", HandlerKind.SERVICE, input=InputRules(False, None, False)),
        handler(
            "raw",
            HandlerKind.SERVICE,
            input=InputRules(True, "*/*", True),
            output=OutputRules("application/octet-stream", False),
        ),
        handler(
            "text",
            HandlerKind.SERVICE,
            input=InputRules(True, "text/plain", False),
            output=OutputRules("text/plain", False),
        ),
        handler("required", HandlerKind.SERVICE, input=InputRules(True, "application/json", True)),
        handler("typed", HandlerKind.SERVICE, output=OutputRules("image/png", True)),
        handler("untyped", HandlerKind.SERVICE, output=OutputRules(None, False)),
        handler("secret", HandlerKind.SERVICE, public=False),
    ]
    no_input = InputRules(False, None, False)
    services = [
        service("Probe", ServiceKind.SERVICE, plain),
        service("PrivateSvc", ServiceKind.SERVICE, [handler("hello", HandlerKind.SERVICE)], public=False),
        service(
            "Counter",
            ServiceKind.VIRTUAL_OBJECT,
            [handler("add", HandlerKind.EXCLUSIVE), handler("get", HandlerKind.SHARED, input=no_input)],
        ),
        service(
            "Flow",
            ServiceKind.WORKFLOW,
            [
                handler("run", HandlerKind.WORKFLOW),
                handler("approve", HandlerKind.SHARED),
                handler("deny", HandlerKind.SHARED),
                handler("peek", HandlerKind.SHARED, input=no_input),
            ],
        ),
    ]
    return Registry({}, {s.name: s for s in services}, {})


class FakeGateway:
    """Records what it is asked; answers from `answers`, or as a partition that finishes everything with `"ok"`."""

    def __init__(self) -> None:
        self.registry = registry()
        self.records: list[Record] = []
        self.submitted: dict[int, asyncio.Task[None]] = {}
        self.tokens = 6
        self.asked: list[tuple[str, str]] = []
        self.answer: Callable[[str, Any], Any] | None = None
        self.hold: asyncio.Event | None = None
        self.waiting = asyncio.Event()
        self.cancelled = asyncio.Event()

    @property
    def invoke(self) -> Invoke:
        (record,) = self.records
        assert isinstance(record, Invoke)
        return record

    @property
    def signal(self) -> CompleteSignal:
        (record,) = self.records
        assert isinstance(record, CompleteSignal)
        return record

    async def ask(self, build: Callable[[int], Record]) -> Any:
        record = build(7)
        self.records.append(record)
        if self.answer is not None:
            return self.answer("ask", record)
        if isinstance(record, Invoke):
            return Accepted(record.id, True, record.execution_time)
        return Done()

    def new_token(self) -> int:
        self.tokens += 1
        return self.tokens

    async def call(self, record: Invoke) -> Any:
        if not record.wait:
            return await self.ask(lambda token: record)
        self.records.append(record)
        await self._wait()
        if self.answer is not None:
            return self.answer("call", record)
        return Finished(record.id, Success(b'"ok"'), None)

    def submit(self, record: Invoke, waiter: Waiter) -> None:
        self.submitted[record.reply_to] = asyncio.create_task(self._tell(record, waiter))

    async def _tell(self, record: Invoke, waiter: Waiter) -> None:
        try:
            waiter.set_result(await self.call(record))
        except Exception as error:
            waiter.set_exception(error)

    def forget(self, token: int, invocation_id: str) -> None:
        self.submitted.pop(token).cancel()

    async def attach(self, invocation_id: str) -> Any:
        self.asked.append(("attach", invocation_id))
        await self._wait()
        return self.answer("attach", invocation_id) if self.answer else None

    async def output(self, invocation_id: str) -> Any:
        self.asked.append(("output", invocation_id))
        return self.answer("output", invocation_id) if self.answer else None

    async def _wait(self) -> None:
        self.waiting.set()
        if self.hold is not None:
            try:
                await self.hold.wait()
            except asyncio.CancelledError:
                self.cancelled.set()
                raise


class FixedClock:
    def now(self) -> int:
        return NOW


@dataclass
class Response:
    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class Caller:
    """Sends requests straight into the app."""

    gateway: FakeGateway = field(default_factory=FakeGateway)
    settings: IngressSettings = field(default_factory=IngressSettings)

    def __post_init__(self) -> None:
        self.app = IngressApp(self.gateway, self.settings, FixedClock())

    def request(self, method: str, target: str, headers: Any = (), body: bytes | list[bytes] = b"") -> Response:
        return asyncio.run(self.request_async(method, target, headers, body))

    async def request_async(
        self, method: str, target: str, headers: Any = (), body: bytes | list[bytes] = b""
    ) -> Response:
        path, _, query = target.partition("?")
        pairs = headers.items() if isinstance(headers, dict) else headers
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [(k.lower().encode(), v.encode("latin-1")) for k, v in pairs],
        }
        pieces = [body] if isinstance(body, bytes) else body
        incoming = [
            {"type": "http.request", "body": piece, "more_body": at + 1 < len(pieces)}
            for at, piece in enumerate(pieces)
        ]
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return incoming.pop(0) if incoming else {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        await self.app(scope, receive, send)
        start, *rest = sent
        response_headers = {k.decode(): v.decode() for k, v in start["headers"]}
        assert len(response_headers) == len(start["headers"]), "a header came twice"
        return Response(start["status"], response_headers, b"".join(m["body"] for m in rest))


@pytest.fixture
def caller() -> Caller:
    return Caller()


@pytest.fixture
def new_caller() -> Callable[..., Caller]:
    return lambda **settings: Caller(settings=IngressSettings(**settings))
