"""Executes the actions of an attempt's runs, each in a task of its own, once somebody waits for its result."""

import asyncio
import contextvars
import inspect
import logging
from collections.abc import Callable
from functools import partial
from types import FunctionType
from typing import Any, Final

from perdure.sdk.codec import JournalValueCodec
from perdure.sdk.definitions import HandlerDefinition
from perdure.sdk.exceptions import SdkInternalBaseException, TerminalError
from perdure.sdk.machine import commands
from perdure.sdk.machine.errors import AttemptError
from perdure.sdk.machine.machine import Machine
from perdure.sdk.machine.outcome import NotificationId, Outcome
from perdure.sdk.runs import Run

log = logging.getLogger("perdure.sdk")

_COROUTINE: Final = inspect.CO_COROUTINE

inside_run: contextvars.ContextVar[str | None] = contextvars.ContextVar("inside_run", default=None)
"""The name of the run whose action this code belongs to."""


class Execution:
    """The runs of an attempt that have no result yet.

    One that is replayed and has a result never comes to execution: nobody waits for it.
    """

    __slots__ = ("_began_at", "_codec", "_handler", "_loop", "_machine", "_on_change", "executing", "waiting")

    def __init__(
        self,
        handler: HandlerDefinition[Any, Any],
        machine: Machine,
        loop: asyncio.AbstractEventLoop,
        on_change: Callable[[], None],
        codec: JournalValueCodec | None,
    ) -> None:
        """on_change: called after a result was proposed, and after a failing action has failed the attempt.
        codec: for results on their way to the journal.
        """
        self._handler = handler
        self._machine = machine
        self._loop = loop
        self._began_at = loop.time()
        self._on_change = on_change
        self._codec = codec
        self.executing: dict[NotificationId, asyncio.Task[None]] = {}
        """The actions that execute now, by the completion ids of their runs."""
        self.waiting: dict[NotificationId, Run] = {}
        """Recorded and not executed, by their completion ids."""

    def start(self, completion_id: NotificationId) -> None:
        """Somebody waits for the result of a run that is `waiting`: executes its action."""
        run = self.waiting.pop(completion_id)
        task = self._loop.create_task(self._execute(run))
        if not task.done():  # an eager one may be
            self.executing[completion_id] = task

    def cancel(self) -> None:
        """The attempt is over: nobody wants the results. What runs in a thread cannot be stopped."""
        for task in self.executing.values():
            task.cancel()

    async def _execute(self, run: Run) -> None:
        machine = self._machine
        inside_run.set(run.name)
        try:
            result = await (run.action() if _is_async(run.action) else _in_thread(run.action))
            value = run.serde.serialize(result)
            if self._codec is not None:
                value = self._codec.encode(value)
            outcome: Outcome | AttemptError = Outcome("value", value)
        except TerminalError as error:
            outcome = commands.failed(error.status_code, error.message, error.metadata)
        except (Exception, asyncio.CancelledError) as error:
            if machine.ending is not None:
                return
            outcome = run.after_failure(error, machine, int((self._loop.time() - self._began_at) * 1000))
        finally:
            self.executing.pop(run.completion_id, None)
        if machine.ending is not None:
            return
        try:
            if isinstance(outcome, AttemptError):
                log.warning("run %r of %s failed and will be tried again: %s", run.name, self._handler, outcome.message)
                machine.fail(outcome)
            else:
                machine.propose(run.completion_id, outcome)
        except SdkInternalBaseException:
            pass  # the machine has said why
        self._on_change()


def _is_async(action: Callable[[], Any]) -> bool:
    function = action.func if type(action) is partial else action
    if type(function) is FunctionType and function.__code__.co_flags & _COROUTINE:
        # What `iscoroutinefunction` finds out for most, in a fifth of the time.
        return True
    return inspect.iscoroutinefunction(action)


async def _in_thread(action: Callable[[], Any]) -> Any:
    """What a function gives that is not async, and so may block."""
    result = await asyncio.to_thread(action)
    if inspect.isawaitable(result):
        # A lambda around an async function.
        return await result
    return result
