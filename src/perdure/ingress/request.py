"""One request as the routes see it: head, body, and the input that its handler gets."""

import re
from collections.abc import Awaitable, Callable, Mapping
from functools import lru_cache
from typing import Any, Final
from urllib.parse import unquote_plus

from perdure.ingress.responses import IngressError
from perdure.protocol.messages import input_header, join_input

Scope = Mapping[str, Any]
Message = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

_NOT_FOR_HANDLERS: Final = frozenset({b"connection", b"host", b"idempotency-key", b"idempotency-expires"})
_TRACE_PARENT: Final = re.compile(rb"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


class ClientGone(Exception):
    """The client went away before its request was complete; there is nobody to answer."""


class Request:
    """headers: by lower-case name, the first value of each."""

    __slots__ = ("_query", "_raw_headers", "_raw_path", "headers", "method")

    def __init__(
        self,
        method: str,
        raw_path: bytes,
        query: bytes,
        raw_headers: list[tuple[bytes, bytes]],
        headers: dict[bytes, bytes],
    ) -> None:
        """raw_path: undecoded, without the query. raw_headers: all of them, in order."""
        self.method = method
        self._raw_path = raw_path
        self._query = query
        self._raw_headers = raw_headers
        self.headers = headers

    @property
    def path(self) -> str:
        """Percent-encoded, without the query. Raises: IngressError 400."""
        return decode_path(self._raw_path)

    def text(self, name: bytes) -> str | None:
        """A header's value. Raises: IngressError 400 when it is not printable ASCII."""
        value = self.headers.get(name)
        return None if value is None else _header_text(name, value)

    @property
    def has_parameters(self) -> bool:
        return bool(self._query)

    def parameters(self) -> dict[str, str]:
        """The query's parameters, names in lower case, the last value of each. A missing value is an empty one."""
        if not self._query:
            return {}
        found: dict[str, str] = {}
        for pair in self._query.decode("utf-8", "replace").split("&"):
            name, _, value = pair.partition("=")
            found[unquote_plus(name).lower()] = unquote_plus(value)
        return found

    @property
    def trace_parent(self) -> str | None:
        """The W3C trace parent; a malformed one counts as none."""
        value = self.headers.get(b"traceparent")
        if value is None or not _TRACE_PARENT.fullmatch(value):
            return None
        return value.decode()

    def encode_input(self, body: bytes) -> bytes:
        """The InputCommandMessage of the journal. Raises: IngressError 400 for a header that is not printable ASCII."""
        path = b"%b?%b" % (self._raw_path, self._query) if self._query else self._raw_path
        encode_path = _encode_known_path if len(path) <= _KNOWN_MAX else _encode_path
        headers = [encode_path(path)]
        for name, value in self._raw_headers:
            if name not in _NOT_FOR_HANDLERS:
                encode = _encode_known_header if len(value) <= _KNOWN_MAX else _encode_header
                headers.append(encode(name, value))
        return join_input(headers, body)


def decode_path(raw_path: bytes) -> str:
    """Raises: IngressError 400."""
    try:
        return raw_path.decode()
    except UnicodeDecodeError:
        raise IngressError(400, "bad path: not UTF-8; percent-encode the key") from None


async def read_body(receive: Receive, limit: int) -> bytes:
    """The whole body, at most `limit` bytes. Raises: IngressError 413, ClientGone."""
    message = await receive()
    if message["type"] != "http.request":
        raise ClientGone
    body: bytes = message.get("body", b"")
    if not message.get("more_body", False):
        if len(body) > limit:
            raise _too_large()
        return body
    pieces = [body]
    size = len(body)
    while message.get("more_body", False):
        if size > limit:
            raise _too_large()
        message = await receive()
        if message["type"] != "http.request":
            raise ClientGone
        pieces.append(message.get("body", b""))
        size += len(pieces[-1])
    if size > limit:
        raise _too_large()
    return b"".join(pieces)


_KNOWN_MAX: Final = 256
"""Bytes of a header's value that is worth remembering."""


def _encode_header(name: bytes, value: bytes) -> bytes:
    return input_header(name.decode("ascii", "replace"), _header_text(name, value))


def _encode_path(path: bytes) -> bytes:
    """path: with the query."""
    return input_header("x-restate-ingress-path", path.decode("utf-8", "replace"))


_encode_known_header = lru_cache(maxsize=1024)(_encode_header)
_encode_known_path = lru_cache(maxsize=1024)(_encode_path)


def announced_size(headers: Mapping[bytes, bytes]) -> int:
    """The body's size as the head announces it; 0 when it does not."""
    value = headers.get(b"content-length", b"")
    return int(value) if value.isdigit() else 0


def _header_text(name: bytes, value: bytes) -> str:
    if value.isascii():
        text = value.decode("ascii")
        # A tab is the one control character that HTTP allows inside a value.
        if text.isprintable() or text.replace("\t", "").isprintable():
            return text
    raise IngressError(400, f"bad header {name.decode('ascii', 'replace')}: the value is not printable ASCII")


def _too_large() -> IngressError:
    return IngressError(413, "cannot read body: LengthLimitError")
