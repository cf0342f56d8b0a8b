"""The ASGI app: which request is what, and the bytes of attempts between a server and the replay machine.

    GET  …/discover                    the manifest
    POST …/invoke/{service}/{handler}  one attempt; both bodies are frames of the service protocol
    GET  …/health

Only the tail of the path counts, so that the app can be mounted anywhere. Everything that goes wrong after the head
of an attempt's response travels inside of it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, Final

import perdure
from perdure.clock import Clock, SystemClock
from perdure.protocol import versions
from perdure.sdk import discovery
from perdure.sdk.attempt import Attempt
from perdure.sdk.codec import JournalValueCodec
from perdure.sdk.definition_errors import DefinitionError
from perdure.sdk.endpoint import Endpoint
from perdure.sdk.identity import RequestVerifier

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

SERVER_HEADER: Final = (b"x-restate-server", f"perdure-sdk-python/{perdure.__version__}".encode())
_TEXT: Final = b"text/plain; charset=utf-8"
_REQUEST_END_SECONDS: Final = 5.0
"""How long the end of a response waits for that of its request."""

log: Final = logging.getLogger("perdure.sdk")


class AsgiApp:
    """Serves an endpoint, at `/discover`, `/invoke/…` and `/health` below wherever it is mounted.

    Any ASGI server can run it; one that keeps both directions open makes the best of it. Requests that it does not
    take get status 401 (not signed by a known server), 404 (no such handler) or 415 (no common protocol version).
    """

    def __init__(self, endpoint: Endpoint, clock: Clock | None = None) -> None:
        """Raises: BadIdentityKey (E0348)."""
        self.endpoint = endpoint
        self.lambda_compression = False
        self._clock = clock if clock is not None else SystemClock()
        self._verifier = RequestVerifier(endpoint.identity_keys) if endpoint.identity_keys else None
        self._codec: JournalValueCodec | None = None
        self._making_codec = asyncio.Lock()
        self._attempts: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        if scope["type"] != "http":
            raise ValueError(f"an endpoint has nothing to do with {scope['type']}")
        segments = scope["path"].split("/")
        headers = dict(scope["headers"])
        if segments[-1] == "health":
            await _answer(send, 200, b"application/json", b'{"status":"ok"}')
        elif segments[-1] == "discover":
            if await self._allowed(headers, "/discover", send):
                await self._discover(scope, headers, send)
        elif len(segments) >= 3 and segments[-3] == "invoke":
            if await self._allowed(headers, "/" + "/".join(segments[-3:]), send):
                await self._invoke(segments[-2], segments[-1], headers, receive, send)
        else:
            await _answer(
                send, 404, _TEXT, b"an endpoint answers at /discover, /invoke/{service}/{handler} and /health"
            )

    def accept(
        self, path: str, headers: Mapping[str, str], send: Callable[[bytes], None], clock: Clock | None
    ) -> tuple[Attempt, list[tuple[bytes, bytes]]] | None:
        """For hosts in the same process: the attempt that a POST to `path` asks for, and the headers of its response.

        headers: lower-case names.  send: takes bytes of the response, and does not block.  clock: None for the app's.
        None: the request has to go through `__call__`, which also says what is wrong with it.
        """
        segments = path.split("/")
        if len(segments) < 3 or segments[-3] != "invoke" or self._verifier is not None:
            return None
        handler = self.endpoint.handler(segments[-2], segments[-1])
        content_type = headers.get("content-type", "")
        version = versions.invocation_version(content_type)
        if handler is None or version is None or self.endpoint.journal_value_codec is not None:
            return None
        attempt = Attempt(handler, version, send, headers=headers, clock=clock or self._clock)
        return attempt, [(b"content-type", content_type.encode("latin-1")), SERVER_HEADER]

    async def serve(self, port: int = 9080, host: str = "127.0.0.1") -> None:
        """Serves over HTTP/1.1 and HTTP/2 until it is cancelled, or SIGINT or SIGTERM asks the process to end.

        port: the port to listen on; 0 lets the system choose, and the log has it.  host: whose address.
        Raises: CannotListen (E0204).
        """
        from perdure.sdk.serving import serve

        await serve(self, port, host)

    async def _allowed(self, headers: dict[bytes, bytes], path: str, send: Send) -> bool:
        if self._verifier is None:
            return True
        refusal = self._verifier.refusal(headers, path, self._clock.now() / 1000)
        if refusal is None:
            return True
        log.warning("refused a request to %s: %s", path, refusal)
        await _answer(send, 401, _TEXT, refusal.encode())
        return False

    async def _discover(self, scope: Message, headers: dict[bytes, bytes], send: Send) -> None:
        accept = headers.get(b"accept")
        version = discovery.choose_version(accept.decode("latin-1") if accept is not None else None)
        if version is None:
            wanted = versions.MANIFEST_ACCEPT
            await _answer(send, 415, _TEXT, f"the manifest comes as one of {wanted}".encode())
            return
        try:
            body = discovery.manifest(
                self.endpoint.services.values(),
                version,
                self.endpoint.mode(streams=not scope.get("http_version", "1.1").startswith("1")),
                lambda_compression=self.lambda_compression,
            )
        except DefinitionError as error:
            log.error("discovery failed: %s", error)
            await _answer(send, 500, _TEXT, str(error).encode())
            return
        await _answer(send, 200, discovery.content_type(version).encode(), body)

    async def _invoke(self, service: str, name: str, headers: dict[bytes, bytes], receive: Receive, send: Send) -> None:
        handler = self.endpoint.handler(service, name)
        if handler is None:
            await _answer(send, 404, _TEXT, f"there is no handler {service}/{name} here".encode())
            return
        content_type = headers.get(b"content-type", b"")
        version = versions.invocation_version(content_type.decode("latin-1"))
        if version is None:
            spoken = f"{versions.MIN_VERSION} to {versions.MAX_VERSION}"
            told = f"this endpoint speaks the versions {spoken} of the service protocol, not {content_type!r}"
            await _answer(send, 415, _TEXT, told.encode())
            return
        codec = await self._codec_in_use()
        response = _Response(send)
        attempt = Attempt(
            handler,
            version,
            response.write,
            headers={key.decode("latin-1"): value.decode("latin-1") for key, value in headers.items()},
            clock=self._clock,
            codec=codec,
        )
        head = [(b"content-type", content_type), SERVER_HEADER]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        await self._exchange(attempt, response, receive)

    async def _exchange(self, attempt: Attempt, response: "_Response", receive: Receive) -> None:
        reading = asyncio.ensure_future(_read(attempt, response, receive))
        running = asyncio.ensure_future(attempt.run())
        # The attempt may outlive this request: its handler gets the chance to clean up.
        self._attempts.add(running)
        running.add_done_callback(self._attempts.discard)
        running.add_done_callback(response.end)
        try:
            await response.pump()
        except OSError:
            pass  # how some servers say that the client is gone
        finally:
            reading.cancel()
            if not running.done():
                attempt.disconnected()
            elif not running.cancelled() and (error := running.exception()) is not None:
                log.error("an attempt of %s broke", attempt.handler, exc_info=error)

    async def _codec_in_use(self) -> JournalValueCodec | None:
        given = self.endpoint.journal_value_codec
        if given is None or isinstance(given, JournalValueCodec):
            return given
        async with self._making_codec:
            if self._codec is None:
                self._codec = await given()
            return self._codec


class _Response:
    """The way from an attempt, which writes without waiting, to a client, which may be slow.

    The end of the response waits for the end of the request: a client closes its half as soon as it has seen the
    attempt's last frame, and HTTP/2 servers exist that close the whole connection over what comes in for a stream
    that they have ended.
    """

    def __init__(self, send: Send) -> None:
        self._send = send
        self._waiting: list[bytes] = []
        self._attempt_ended = False
        self._request_ended = False
        self._news: asyncio.Future[None] | None = None

    def write(self, data: bytes) -> None:
        self._waiting.append(data)
        self._wake()

    def end(self, _: object = None) -> None:
        """The attempt is over, and everything is written."""
        self._attempt_ended = True
        self._wake()

    def request_ended(self) -> None:
        """The client has sent its last, or it is gone, or it has had the time."""
        self._request_ended = True
        self._wake()

    def _wake(self) -> None:
        if self._news is not None and not self._news.done():
            self._news.set_result(None)

    async def pump(self) -> None:
        """Sends what is written, until the end."""
        loop = asyncio.get_running_loop()
        patience: asyncio.TimerHandle | None = None
        try:
            while not (self._attempt_ended and self._request_ended):
                if self._waiting:
                    await self._send({"type": "http.response.body", "body": self._taken(), "more_body": True})
                    continue
                if self._attempt_ended and patience is None:
                    patience = loop.call_later(_REQUEST_END_SECONDS, self.request_ended)
                self._news = loop.create_future()
                await self._news
        finally:
            if patience is not None:
                patience.cancel()
        await self._send({"type": "http.response.body", "body": self._taken(), "more_body": False})

    def _taken(self) -> bytes:
        data = b"".join(self._waiting)
        self._waiting.clear()
        return data


async def _read(attempt: Attempt, response: _Response, receive: Receive) -> None:
    """Feeds an attempt with the request, and tells it when the client goes away."""
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            attempt.disconnected()
            response.request_ended()
            return
        if body := message.get("body", b""):
            attempt.feed(body)
        more = message.get("more_body", False)
    attempt.end_of_input()
    response.request_ended()
    if (await receive())["type"] == "http.disconnect":
        attempt.disconnected()


async def _answer(send: Send, status: int, content_type: bytes, body: bytes) -> None:
    headers = [(b"content-type", content_type), (b"content-length", b"%d" % len(body)), SERVER_HEADER]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        event = (await receive())["type"]
        await send({"type": f"{event}.complete"})
        if event == "lifespan.shutdown":
            return
