"""From a handler's function, or its name, to what a request needs: the path, and the two translations of values."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final
from urllib.parse import quote

from perdure.sdk.definition_errors import NotAHandler
from perdure.sdk.definitions import handler_of

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


@lru_cache(maxsize=1024)
def target_of(handler: Any) -> HandlerTarget:
    """handler: a decorated function, or `Service/handler`, whose values are JSON. Raises: NotAHandler."""
    if isinstance(handler, HandlerTarget):
        return handler
    if isinstance(handler, str):
        service, slash, name = handler.partition("/")
        if not slash or not service or not name or "/" in name:
            raise NotAHandler(f"`{handler}` names no handler; write it like `Greeter/greet`")
        return HandlerTarget(service, name, JSON, to_json, from_json)
    foreign = _foreign(handler)
    if foreign is not None:
        return foreign
    own = handler_of(handler)
    # Where the handler takes any type, JSON is one.
    accept = JSON if "*" in own.accept else own.accept
    content_type = own.binding.input_payload(accept).content_type
    return HandlerTarget(own.service.name, own.name, content_type, own.encode_input, own.decode_output)


def _foreign(handler: Any) -> HandlerTarget | None:
    """What the decorator of another SDK has left on a function, under whatever name."""
    for found in getattr(handler, "__dict__", {}).values():
        if hasattr(found, "service_tag") and hasattr(found, "handler_io"):
            io = found.handler_io
            content_type = io.accept if found.arity > 1 else None
            encode, decode = io.input_serde.serialize, io.output_serde.deserialize
            return HandlerTarget(found.service_tag.name, found.name, content_type, encode, decode)
    return None


def raw_target(service: str, handler: str) -> HandlerTarget:
    """A handler whose input and output are bytes."""
    return HandlerTarget(service, handler, JSON, bytes, bytes)


# Made once: `json.dumps` would make one for each value.
_encoder: Final = json.JSONEncoder(separators=(",", ":"))


def to_json(value: Any) -> bytes:
    return _encoder.encode(value).encode()


def from_json(data: bytes) -> Any:
    return json.loads(data) if data else None
