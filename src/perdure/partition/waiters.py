"""Who outside waits for an answer to a record, or for the outcome of an invocation. Memory only."""

from typing import Any

from perdure.model.actions import Finished
from perdure.model.records import NOBODY
from perdure.partition.gateway import Waiter


class Waiters:
    """Who waits has a token, which also tells those apart who wait for the same outcome."""

    def __init__(self) -> None:
        self._replies: dict[int, tuple[Waiter, str | None]] = {}
        """By token: who waits for a reply, and for which outcome beside."""
        self._outcomes: dict[str, dict[int, Waiter]] = {}
        self._last_token = NOBODY

    def new_token(self) -> int:
        self._last_token += 1
        return self._last_token

    def expect_reply(self, token: int, waiter: Waiter, invocation_id: str | None = None) -> None:
        """invocation_id: its outcome is an answer, too; whichever comes first."""
        self._replies[token] = (waiter, invocation_id)
        if invocation_id is not None:
            self.expect_outcome(token, waiter, invocation_id)

    def expect_outcome(self, token: int, waiter: Waiter, invocation_id: str) -> None:
        waiting = self._outcomes.get(invocation_id)
        if waiting is None:
            self._outcomes[invocation_id] = {token: waiter}
        else:
            waiting[token] = waiter

    def forget(self, token: int, invocation_id: str) -> None:
        """Nobody waits any more. Harmless if there was an answer meanwhile."""
        self._replies.pop(token, None)
        waiting = self._outcomes.get(invocation_id)
        if waiting is not None:
            waiting.pop(token, None)
            if not waiting:
                del self._outcomes[invocation_id]

    def reply(self, token: int, answer: Any) -> None:
        waiter = self._take(token)
        if waiter is not None and not waiter.done():
            waiter.set_result(answer)

    def outcome(self, finished: Finished) -> None:
        waiting = self._outcomes.pop(finished.id, None)
        if waiting is not None:
            for token, waiter in waiting.items():
                self._replies.pop(token, None)
                if not waiter.done():
                    waiter.set_result(finished)

    def fail(self, token: int, error: Exception) -> None:
        waiter = self._take(token)
        if waiter is not None and not waiter.done():
            waiter.set_exception(error)

    def fail_all(self, error: Exception) -> None:
        waiters = [waiter for waiter, _ in self._replies.values()]
        for waiting in self._outcomes.values():
            waiters += waiting.values()
        self._replies.clear()
        self._outcomes.clear()
        for waiter in waiters:
            if not waiter.done():
                waiter.set_exception(error)

    def _take(self, token: int) -> Waiter | None:
        waiter, invocation_id = self._replies.get(token, (None, None))
        if invocation_id is not None:
            self.forget(token, invocation_id)
        else:
            self._replies.pop(token, None)
        return waiter
