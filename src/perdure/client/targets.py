"""From a handler's function, or its name, to what a request needs: the path, and the two translations of values."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from perdure.client.failures import NoHandler

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class HandlerTarget:
    """content_type: of the input; None: the handler takes no input. encode, decode: of input and output."""

    service: str
    handler: str
    content_type: str | None
    encode: Callable[[Any], bytes]
    decode: Callable[[bytes], Any]

    def path(self, key: str | None) -> str:
        if key is None:
            return f"{self.service}/{self.handler}"
        return f"{self.service}/{quote(key, safe='')}/{self.handler}"


def target_of(handler: Any) -> HandlerTarget:
    """handler: a decorated function, or `Service/handler`, whose values are JSON. Raises: NoHandler."""
    if isinstance(handler, HandlerTarget):
        return handler
    if isinstance(handler, str):
        service, slash, name = handler.partition("/")
        if not slash or not service or not name or "/" in name:
            raise NoHandler(f"`{handler}` names no handler; write it like `Greeter/greet`")
        return HandlerTarget(service, name, JSON, to_json, from_json)
    declared = _declaration(handler)
    io = declared.handler_io
    return HandlerTarget(
        declared.service_tag.name,
        declared.name,
        io.accept if declared.arity > 1 else None,
        io.input_serde.serialize,
        io.output_serde.deserialize,
    )


def raw_target(service: str, handler: str) -> HandlerTarget:
    """A handler whose input and output are bytes."""
    return HandlerTarget(service, handler, JSON, bytes, bytes)


def to_json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def from_json(data: bytes) -> Any:
    return json.loads(data) if data else None


def _declaration(handler: Any) -> Any:
    """What a decorator has left on the function. Other SDKs do the same under names of their own."""
    for found in getattr(handler, "__dict__", {}).values():
        if hasattr(found, "service_tag") and hasattr(found, "handler_io"):
            return found
    raise NoHandler(f"{getattr(handler, '__name__', handler)!r} is not a handler of a service")
