"""Runs: actions whose results are recorded, and how often they are tried. `execution.py` executes them."""

import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Generic, TypeVar

import msgspec

from perdure.errors import PerdureError
from perdure.protocol.messages import MessageType
from perdure.sdk.exceptions import RetryableError
from perdure.sdk.machine.errors import INTERNAL, AttemptError, RelatedCommand
from perdure.sdk.machine.machine import Machine
from perdure.sdk.machine.outcome import Failure, Outcome
from perdure.sdk.serde import DefaultSerde, Serde

T = TypeVar("T")

_INITIAL: Final = timedelta(milliseconds=50)
_FACTOR: Final = 2.0
_MAX: Final = timedelta(seconds=10)


@dataclass
class RunOptions(Generic[T]):
    """How a run's result is stored, and how its action is tried again when it fails.

        await ctx.run_typed("charge", charge, RunOptions(max_attempts=3, initial_retry_interval=timedelta(seconds=1)))

    With none of the numbers given, a failing action fails the attempt and the invocation's retry policy decides.
    With any of them, the action has a policy of its own: exponential, from 50 ms to 10 s with a factor of 2, for ever.
    When its tries are used up, the result is a TerminalError with status 500 and the text of the last failure.

    serde: how the result is stored.
    type_hint: of the result, for a serde that obeys hints.
    max_attempts: attempts in all, the first one included.
    max_duration: no further attempt once the first one began this long ago, in whole milliseconds.
    initial_retry_interval: wait before the second attempt, else 50 milliseconds.
    max_retry_interval: the longest wait, else 10 seconds.
    retry_interval_factor: each further wait is this many times as long, else 2.0.
    max_retry_duration: an older name of `max_duration`, which wins; also in whole milliseconds.
    """

    serde: Serde[T] = DefaultSerde()  # noqa: RUF009  # it has no state
    type_hint: type[T] | None = None
    max_attempts: int | None = None
    max_duration: timedelta | None = None
    initial_retry_interval: timedelta | None = None
    max_retry_interval: timedelta | None = None
    retry_interval_factor: float | None = None
    max_retry_duration: timedelta | None = None

    @property
    def has_policy(self) -> bool:
        """True if any number of a retry policy is given."""
        return (
            self.max_attempts is not None
            or self.max_duration is not None
            or self.initial_retry_interval is not None
            or self.max_retry_interval is not None
            or self.retry_interval_factor is not None
            or self.max_retry_duration is not None
        )

    def gives_up(self, attempt_number: int, elapsed_ms: int) -> bool:
        """True if an action that failed this often, for so long, is not tried again.

        attempt_number: attempts so far.  elapsed_ms: milliseconds since the first one began.
        """
        duration = self.max_duration if self.max_duration is not None else self.max_retry_duration
        if self.max_attempts is not None and attempt_number >= self.max_attempts:
            return True
        return duration is not None and elapsed_ms >= _milliseconds(duration)

    def delay_ms(self, attempt_number: int) -> int:
        """Milliseconds until the next try. attempt_number: attempts so far."""
        initial = self.initial_retry_interval if self.initial_retry_interval is not None else _INITIAL
        factor = self.retry_interval_factor if self.retry_interval_factor is not None else _FACTOR
        longest = self.max_retry_interval if self.max_retry_interval is not None else _MAX
        try:
            delay = _milliseconds(initial) * factor ** (attempt_number - 1)
        except OverflowError:
            return _milliseconds(longest)
        return int(min(delay, _milliseconds(longest)))


def _milliseconds(duration: timedelta) -> int:
    return duration // timedelta(milliseconds=1)


def bound(serde: Serde[T], type_hint: type[T] | None) -> Serde[T]:
    """The serde to use when a type hint is given with it: a default one obeys the hint, others are left alone."""
    if type_hint is not None and isinstance(serde, DefaultSerde):
        return serde.with_maybe_type(type_hint)
    return serde


class Run(msgspec.Struct, eq=False):
    """A run that was recorded and whose result is not known yet."""

    completion_id: int
    command_index: int
    name: str
    action: Callable[[], Any]
    options: RunOptions[Any]
    serde: Serde[Any]

    def after_failure(self, error: BaseException, machine: Machine, attempt_ms: int) -> AttemptError | Outcome:
        """What an error of the action means: the attempt fails, or the error is the run's result.

        attempt_ms: since the attempt began.
        """
        delay_ms = retry_after_ms(error)
        if self.options.has_policy:
            number = machine.run_attempt_number()
            if self.options.gives_up(number, machine.run_elapsed_ms(attempt_ms)):
                return Outcome("failure", failure=Failure(INTERNAL, error_text(error)))
            if delay_ms is None:
                delay_ms = self.options.delay_ms(number)
        return AttemptError(
            INTERNAL,
            error_text(error),
            stacktrace=stacktrace(error),
            related=RelatedCommand(self.command_index, MessageType.RUN_COMMAND, self.name),
            retry_delay_ms=delay_ms,
        )


def error_text(error: BaseException) -> str:
    """One line for an exception of the user's code."""
    if isinstance(error, RetryableError):
        return error.message
    if isinstance(error, PerdureError):
        return f"[{error.code}] {error}. {error.hint}".rstrip()
    return repr(error)


def stacktrace(error: BaseException) -> str:
    """The traceback without the SDK's own frames on top, which say nothing to its reader."""
    first = error.__traceback__
    while first is not None and first.tb_frame.f_globals.get("__name__", "").startswith("perdure.sdk."):
        first = first.tb_next
    return "".join(traceback.format_exception(type(error), error, first))


def retry_after_ms(error: BaseException) -> int | None:
    """The delay that the error asks for."""
    if isinstance(error, RetryableError) and error.retry_after is not None:
        return max(0, _milliseconds(error.retry_after))
    return None
