"""How an attempt ends when the handler's code has."""

import asyncio
import logging
from collections.abc import Iterable
from typing import Any

from perdure.sdk.definitions import HandlerDefinition
from perdure.sdk.exceptions import TerminalError
from perdure.sdk.futures import RestateDurableFuture
from perdure.sdk.machine.errors import INTERNAL, AttemptError
from perdure.sdk.machine.outcome import Failure, Outcome
from perdure.sdk.runs import Run, error_text, retry_after_ms, stacktrace

log = logging.getLogger("perdure.sdk")


def failure_of(error: BaseException, handler: HandlerDefinition[Any, Any]) -> AttemptError | Outcome:
    """What an exception of the handler means: a result of the invocation, or a failed attempt."""
    terminal = _terminal_in(error)
    if terminal is not None:
        metadata = tuple((terminal.metadata or {}).items())
        return Outcome("failure", failure=Failure(terminal.status_code, terminal.message, metadata))
    text = error_text(error)
    log.error("handler %s failed: %s", handler, text, exc_info=error)
    return AttemptError(INTERNAL, text, stacktrace=stacktrace(error), retry_delay_ms=retry_after_ms(error))


def _terminal_in(error: BaseException) -> TerminalError | None:
    """The terminal error that this is, or that a group of nothing else begins with."""
    if isinstance(error, TerminalError):
        return error
    if isinstance(error, BaseExceptionGroup):
        inner = [_terminal_in(each) for each in error.exceptions]
        return inner[0] if all(each is not None for each in inner) else None
    return None


def warn_about_unawaited(
    handler: HandlerDefinition[Any, Any], created: Iterable[RestateDurableFuture[Any]], runs: Iterable[Run]
) -> None:
    """Logs what a handler that went well asked for and never looked at: usually an `await` is missing."""
    for run in runs:
        log.warning("handler %s never awaited run %r, so its action was not executed [E0318]", handler, run.name)
    for future in created:
        if not future.wanted:
            log.warning("handler %s never awaited the %s [E0318]", handler, future.what)


def warn_about_foreign_wait(handler: HandlerDefinition[Any, Any], task: "asyncio.Task[Any]") -> None:
    """Logs where a handler waits that the server wants to suspend, and that waits for something it cannot leave."""
    log.warning(
        "handler %s waits at %s for something that is not durable, so it cannot be suspended and holds its connection: "
        "put it into a run, or wait for an awakeable [E0319]",
        handler,
        _where(task),
    )


def _where(task: "asyncio.Task[Any]") -> str:
    """The innermost line of Python that the task is at."""
    at: Any = task.get_coro()
    place = "an unknown line"
    for _ in range(100):
        frame = getattr(at, "cr_frame", None) or getattr(at, "gi_frame", None) or getattr(at, "ag_frame", None)
        if frame is None:
            break
        place = f"{frame.f_code.co_filename}:{frame.f_lineno}"
        at = getattr(at, "cr_await", None) or getattr(at, "gi_yieldfrom", None) or getattr(at, "ag_await", None)
    return place
