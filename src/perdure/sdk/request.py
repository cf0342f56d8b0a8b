"""What a handler can know about the request that it answers."""

import asyncio
from dataclasses import dataclass


class AttemptFinishedEvent:
    """Says when the attempt is over, for example because the connection broke: what still works for it can stop."""

    __slots__ = ("_event",)

    def __init__(self, event: asyncio.Event) -> None:
        self._event = event

    def is_set(self) -> bool:
        """True once the attempt is over."""
        return self._event.is_set()

    async def wait(self) -> None:
        """Returns when the attempt is over."""
        await self._event.wait()


@dataclass
class Request:
    """The invocation as the handler sees it.

    id: of the invocation, `inv_…`.
    headers: of the caller's request, with lower-case names.
    attempt_headers: of the server's request for this attempt, with lower-case names.
    body: the bytes of the input as they came, after the codec if there is one.
    attempt_finished_event: set when this attempt is over.
    scope, limit_key, idempotency_key: of the caller's request, if it has them; since version 7 of the protocol.
    """

    id: str
    headers: dict[str, str]
    attempt_headers: dict[str, str]
    body: bytes
    attempt_finished_event: AttemptFinishedEvent
    scope: str | None = None
    limit_key: str | None = None
    idempotency_key: str | None = None
