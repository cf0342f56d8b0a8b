"""Who outside waits for an answer to a record, or for the outcome of an invocation. Memory only."""

import asyncio
from typing import Any

from perdure.model.actions import Finished
from perdure.model.records import NOBODY


class Waiters:
    def __init__(self) -> None:
        self._replies: dict[int, asyncio.Future[Any]] = {}
        self._outcomes: dict[str, list[asyncio.Future[Any]]] = {}
        self._last_token = NOBODY

    def expect_reply(self) -> tuple[int, asyncio.Future[Any]]:
        """A fresh token and the future that its `Reply` resolves."""
        self._last_token += 1
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._replies[self._last_token] = future
        return self._last_token, future

    def expect_outcome(self, invocation_id: str, future: asyncio.Future[Any]) -> None:
        """The future is also resolved when the invocation completes."""
        self._outcomes.setdefault(invocation_id, []).append(future)

    def forget(self, token: int, invocation_id: str, future: asyncio.Future[Any]) -> None:
        """Nobody waits any more. Harmless if it was resolved meanwhile."""
        self._replies.pop(token, None)
        waiting = self._outcomes.get(invocation_id)
        if waiting is not None:
            if future in waiting:
                waiting.remove(future)
            if not waiting:
                del self._outcomes[invocation_id]

    def reply(self, token: int, answer: Any) -> None:
        future = self._replies.pop(token, None)
        if future is not None and not future.done():
            future.set_result(answer)

    def outcome(self, finished: Finished) -> None:
        for future in self._outcomes.pop(finished.id, ()):
            if not future.done():
                future.set_result(finished)

    def fail(self, token: int, error: Exception) -> None:
        future = self._replies.pop(token, None)
        if future is not None and not future.done():
            future.set_exception(error)

    def fail_all(self, error: Exception) -> None:
        futures = list(self._replies.values())
        for waiting in self._outcomes.values():
            futures += waiting
        for future in futures:
            if not future.done():
                future.set_exception(error)
        self._replies.clear()
        self._outcomes.clear()
