"""HTTP/1.1 connections: httptools parses, this decides what is sent and when the connection ends."""

import asyncio
from collections import deque
from http import HTTPStatus
from typing import Any, Final, cast

import httptools

from perdure.http.connection import SendWatch, Serving
from perdure.http.exchange import READ_AHEAD, Exchange, Headers

_PIPELINED_MAX: Final = 16
"""Requests that may wait behind the one being answered before the client is made to wait."""
_DISCARD_MAX: Final = READ_AHEAD
"""Bytes of an unwanted body that are cheaper to read than a new connection is to open."""

_STATUS_LINES: Final = {s.value: f"HTTP/1.1 {s.value} {s.phrase}".encode() for s in HTTPStatus}
_NO_BODY: Final = frozenset({204, 304})


class Http1Exchange(Exchange):
    __slots__ = ("_chunked", "_connection", "_no_body", "close_after", "expects_continue", "received", "size")

    def __init__(
        self,
        connection: "Http1Connection",
        http_version: str,
        method: str,
        target: tuple[bytes, bytes],
        headers: Headers,
        keep_alive: bool,
    ) -> None:
        super().__init__(connection.serving, http_version, method, target, headers)
        self._connection = connection
        self._chunked = False
        self._no_body = method == "HEAD"
        self.close_after = not keep_alive
        self.received = 0
        self.size: int | None = 0
        """Of the request body; None: not announced."""
        self.expects_continue = False
        for name, value in headers:
            if name == b"content-length":
                self.size = int(value)
            elif name == b"transfer-encoding":
                self.size = None
            elif name == b"expect":
                self.expects_continue = value.lower() == b"100-continue" and http_version == "1.1"

    @property
    def addresses(self) -> tuple[Any, Any]:
        return self._connection.addresses

    def feed(self, data: bytes) -> None:
        self.expects_continue = False
        self.received += len(data)
        if not self.response_done:
            super().feed(data)

    def body_wanted(self) -> None:
        if self.expects_continue:
            self.expects_continue = False
            self._connection.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def body_taken(self, size: int) -> None:
        self._connection.resume_reading()

    def start_response(self, status: int, headers: Headers, body: bytes, more: bool) -> None:
        if not self.body_done and (
            self.size is None or self.expects_continue or self.size - self.received > _DISCARD_MAX
        ):
            self.close_after = True
        if self._connection.serving.stopping:
            self.close_after = True
        line = _STATUS_LINES.get(status) or f"HTTP/1.1 {status} ".encode()
        lines = [line, *map(b": ".join, headers), self._connection.serving.date_line]
        sized = False
        for name, _ in headers:
            if name == b"content-length":
                sized = True
        if status in _NO_BODY:
            self._no_body = True
        elif not sized:
            if not more:
                lines.append(b"content-length: %d" % len(body))
            elif self.http_version == "1.1":
                self._chunked = not self._no_body
                lines.append(b"transfer-encoding: chunked")
            else:
                self.close_after = True
        if self.close_after:
            lines.append(b"connection: close")
        elif self.http_version == "1.0":
            lines.append(b"connection: keep-alive")
        lines.append(b"\r\n" + self._framed(body, more))
        self._connection.write(b"\r\n".join(lines))

    def write_body(self, body: bytes, more: bool) -> None:
        self._connection.write(self._framed(body, more))

    def _framed(self, body: bytes, more: bool) -> bytes:
        if self._no_body:
            return b""
        if not self._chunked:
            return body
        chunk = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
        return chunk if more else chunk + b"0\r\n\r\n"

    def abort(self) -> None:
        self.close_after = True
        self._connection.abort()

    def finished(self) -> None:
        self._connection.exchange_finished(self)


class Http1Connection(asyncio.Protocol):
    """Answers one request after the other; what a client sends ahead waits its turn."""

    def __init__(self, serving: Serving) -> None:
        self.serving = serving
        self.last_active = serving.loop.time()
        self._transport: asyncio.Transport | None = None
        self.addresses: tuple[Any, Any] = (None, None)
        """Of the client and of the server."""
        self._parser = httptools.HttpRequestParser(self)
        self._current: Http1Exchange | None = None
        self._waiting: deque[Http1Exchange] = deque()
        self._reading: Http1Exchange | None = None
        self._reading_paused = False
        self._writing_paused = False
        self._send_watch = SendWatch(self.last_active)
        self._lingering = False
        self._url = b""
        self._headers: Headers = []
        self._head_size = 0
        self._undigested = 0
        """Bytes since the parser last got anywhere: part of a head, of trailers, or of a chunk's frame."""

    # asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not checked: the transports of uvloop are no subclasses.
        self._transport = cast("asyncio.Transport", transport)
        self.addresses = (transport.get_extra_info("peername"), transport.get_extra_info("sockname"))

    def data_received(self, data: bytes) -> None:
        self.last_active = self.serving.loop.time()
        self._undigested += len(data)
        while data and not self._lingering:
            rest = b""
            try:
                self._parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                # No other protocol is offered here: the request was complete, and HTTP/1.1 goes on behind it.
                rest = data[upgrade.args[0] :]
                self._parser = httptools.HttpRequestParser(self)
            except httptools.HttpParserError:
                self._refuse(b"400 Bad Request", b"this is not an HTTP/1.1 request")
                return
            data = rest
        if self._undigested > self.serving.limits.head_size:
            self._refuse(b"431 Request Header Fields Too Large", b"the request head is too large")
            return
        self._start_next()
        reading = self._reading
        if (reading is not None and reading.buffered > READ_AHEAD) or len(self._waiting) >= _PIPELINED_MAX:
            self._pause_reading()

    def eof_received(self) -> bool:
        # A client that closes its half is gone, as far as HTTP servers can tell.
        return False

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        self.serving.connections.discard(self)
        self._waiting.clear()
        if self._current is not None:
            self._current.client_gone()

    def pause_writing(self) -> None:
        # Who does not read its answers gets to ask nothing more.
        self._writing_paused = True
        self._pause_reading()
        if self._current is not None:
            self._current.hold_writing()

    def resume_writing(self) -> None:
        self._writing_paused = False
        self.resume_reading()
        if self._current is not None:
            self._current.resume_writing()
        self._start_next()

    # httptools

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._reading is None:  # else a trailer: nobody asked for it
            self._head_size += len(name) + len(value)
            self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        self._undigested = 0
        url, headers, size = self._url, self._headers, self._head_size
        self._url, self._headers, self._head_size = b"", [], 0
        limits = self.serving.limits
        if size + len(url) > limits.head_size or len(headers) > limits.headers:
            self._refuse(b"431 Request Header Fields Too Large", b"the request head is too large")
            return
        if self._transport is None:
            return
        parser = self._parser
        exchange = Http1Exchange(
            self,
            parser.get_http_version(),
            parser.get_method().decode("ascii"),
            _split_target(url),
            headers,
            parser.should_keep_alive(),
        )
        self._reading = exchange
        self._waiting.append(exchange)

    def on_body(self, body: bytes) -> None:
        self._undigested = 0
        if self._reading is not None:
            self._reading.feed(body)

    def on_message_complete(self) -> None:
        self._undigested = 0
        if self._reading is not None:
            self._reading.end_body()
            self._reading = None

    # The exchanges

    def write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def resume_reading(self) -> None:
        if self._reading_paused and not self._writing_paused and self._transport is not None:
            self._reading_paused = False
            self._transport.resume_reading()

    def exchange_finished(self, exchange: Http1Exchange) -> None:
        self.last_active = self.serving.loop.time()
        self._current = None
        if self._transport is None:
            return
        if exchange.close_after or self.serving.stopping:
            if exchange.body_done:
                self._transport.close()
            else:
                self._linger()
            return
        self.resume_reading()
        if self._waiting:
            self._start_next()

    def close_if_idle(self, now: float, silent_since: float) -> None:
        transport = self._transport
        if transport is None:
            return
        unsent = transport.get_write_buffer_size()
        answering = self._current is not None and self._current.body_done
        if self._send_watch.is_stuck(unsent, now, silent_since):
            transport.abort()
        elif not answering and not unsent and self.last_active <= silent_since:
            transport.close()

    def stop(self) -> None:
        """Closes now, or after what is being answered."""
        if self._current is None:
            self.close()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def _start_next(self) -> None:
        if self._current is None and self._waiting and not self._lingering and not self._writing_paused:
            self._current = self._waiting.popleft()
            self._current.start()

    def _pause_reading(self) -> None:
        if not self._reading_paused and self._transport is not None:
            self._reading_paused = True
            self._transport.pause_reading()

    def _refuse(self, status: bytes, text: bytes) -> None:
        """Answers what cannot be handed on as a request. Behind an answer under way, closing has to say it."""
        if self._lingering:
            return
        self._lingering = True
        self._waiting.clear()
        if self._reading is not None:
            # The body of a request under way is broken: nobody will ever get the rest of it.
            self.abort()
            return
        if self._current is not None:
            self._current.close_after = True
            return
        head = b"HTTP/1.1 %b\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: %d\r\n" % (status, len(text))
        self.write(head + b"%b\r\nconnection: close\r\n\r\n%b" % (self.serving.date_line, text))
        self._linger()

    def _linger(self) -> None:
        """Closes our half and swallows the rest, because closing at once would destroy the answer on its way."""
        self._lingering = True
        transport = self._transport
        if transport is None:
            return
        self._writing_paused = False
        self.resume_reading()
        if transport.can_write_eof():
            transport.write_eof()
        self.serving.loop.call_later(self.serving.limits.linger_seconds, transport.abort)


def _split_target(target: bytes) -> tuple[bytes, bytes]:
    """Path and query, undecoded, of a request target in any of its forms."""
    if not target.startswith(b"/") and b"://" in target:
        rest = target.partition(b"://")[2]
        slash = rest.find(b"/")
        target = rest[slash:] if slash >= 0 else b"/"
    path, _, query = target.partition(b"?")
    return path, query
