"""What a handler can know about the request that it answers."""

import asyncio
from dataclasses import dataclass


class AttemptFinishedEvent:
    """Says when the attempt is over, for example because the connection broke."""

    __slots__ = ("_event",)

    def __init__(self, event: asyncio.Event) -> None:
        self._event = event

    def is_set(self) -> bool:
        return self._event.is_set()

    async def wait(self) -> None:
        await self._event.wait()


@dataclass
class Request:
    """The invocation as the handler sees it.

    id: of the invocation.  headers: of the caller's request, lower case.  attempt_headers: of this attempt's.
    body: the input as it came.  scope, limit_key, idempotency_key: since version 7 of the service protocol.
    """

    id: str
    headers: dict[str, str]
    attempt_headers: dict[str, str]
    body: bytes
    attempt_finished_event: AttemptFinishedEvent
    scope: str | None = None
    limit_key: str | None = None
    idempotency_key: str | None = None
