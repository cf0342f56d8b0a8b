"""What the server and the process that answers its queries say to each other, one message after the other.

server                         process
Begin ─────────────────────────▶
      ◀───────────────────────── Ready
Ask ───────────────────────────▶
      ◀───────────────────────── WantAttempts      if the query needs to know
Attempts ──────────────────────▶
      ◀───────────────────────── Answer, then its bytes; or Refusal
"""

from typing import Final

import msgspec

from perdure.introspection.catalog import Column
from perdure.introspection.result import QueryLimits, Shape
from perdure.model.invocation import OpenAttempt
from perdure.model.registry import Service


class Begin(msgspec.Struct, frozen=True, tag=True):
    """path: the partition file. The rest: see `query.QueryEngine`."""

    path: str
    server_version: str
    limits: QueryLimits


class Ask(msgspec.Struct, frozen=True, tag=True):
    """text: UTF-8, as it came. now: ms since the epoch. services: of the registry; None: as before."""

    text: bytes
    shape: Shape
    now: int
    services: dict[str, Service] | None


class Attempts(msgspec.Struct, frozen=True, tag=True):
    """By the number of their invocation."""

    open: dict[int, OpenAttempt | None]


class Ready(msgspec.Struct, frozen=True, tag=True):
    pass


class WantAttempts(msgspec.Struct, frozen=True, tag=True):
    pass


class Answer(msgspec.Struct, frozen=True, tag=True):
    """The body follows as a message of its own."""

    columns: tuple[Column, ...]
    media_type: str


class Refusal(msgspec.Struct, frozen=True, tag=True):
    """code: of a `QueryError`."""

    code: str
    message: str


Question = Begin | Ask | Attempts
Reply = Ready | WantAttempts | Answer | Refusal

pack: Final = msgspec.msgpack.Encoder().encode
unpack_question: Final = msgspec.msgpack.Decoder(Question).decode
unpack_reply: Final = msgspec.msgpack.Decoder(Reply).decode
