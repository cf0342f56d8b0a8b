"""One attempt of an invocation: the handler as a task, driven by the bytes of the service protocol.

The host (an ASGI app, a worker, the server's own process) feeds bytes and takes bytes; what it is, nothing here knows:

    attempt = Attempt(handler, version=7, send=write)
    attempt.feed(data) …                     as they arrive, also before `run`
    task = create_task(attempt.run())        returns when the attempt is over and everything was sent
    attempt.end_of_input()                   the request is complete; the handler finishes or is suspended
    attempt.disconnected()                   nobody listens any more

## Who waits, and when notifications are taken

A wait that is not resolved registers a waiter. In a **turn** the machine takes notifications one at a time until some
waiter resolves; that one is woken, and the next notification is taken only after what was woken has come to rest.
So an attempt that finds all notifications in the journal does the same, in the same order, as the one they came to
one by one. At rest means: the event loop went round `_SETTLING_HOPS` times, if the handler has more tasks
than one (`asyncio.gather`, `TaskGroup`, …), or `_SETTLING_HOPS_ALONE` times as long as it has not.
"""

import asyncio
import logging
from asyncio import current_task
from collections.abc import Callable, Generator, Mapping
from threading import get_ident
from typing import Any, Final

from perdure.clock import Clock, SystemClock
from perdure.protocol import messages_pb2 as pb
from perdure.sdk.attempt_end import failure_of, warn_about_foreign_wait, warn_about_unawaited
from perdure.sdk.codec import JournalValueCodec, decoded
from perdure.sdk.context import make_context
from perdure.sdk.definitions import HandlerDefinition
from perdure.sdk.exceptions import (
    NotReplayable,
    SdkInternalBaseException,
    UsedInsideRun,
    WrongThread,
)
from perdure.sdk.execution import Execution, inside_run
from perdure.sdk.futures import RestateDurableFuture
from perdure.sdk.machine import commands
from perdure.sdk.machine.awaiting import Leaf, Node
from perdure.sdk.machine.errors import INTERNAL, AttemptError
from perdure.sdk.machine.machine import Machine
from perdure.sdk.machine.outcome import Outcome
from perdure.sdk.runs import Run, error_text
from perdure.sdk.waiters import Waiter, Waiters, retrieve_later

log = logging.getLogger("perdure.sdk")

_SETTLING_HOPS_ALONE: Final = 4
"""A task that the handler has just begun shows itself within these."""
_SETTLING_HOPS: Final = 16
_FOREIGN_WAIT_S: Final = 10.0
"""A handler that is to be suspended, and waits that long for something that is not durable, is worth a warning."""
_ANNOUNCED_LEAVES_MAX: Final = 100
"""Larger waits are not announced: naming them again after each notification would cost more than it tells."""

Send = Callable[[bytes], None]


def _drop(data: bytes) -> None:
    """Where the bytes of an attempt that is over go: there are none."""


class Attempt:
    """One attempt. All methods are called in the thread of the event loop that `run` runs in."""

    def __init__(
        self,
        handler: HandlerDefinition[Any, Any],
        version: int,
        send: Send,
        *,
        headers: Mapping[str, str] | None = None,
        clock: Clock | None = None,
        codec: JournalValueCodec | None = None,
    ) -> None:
        """version: of the service protocol.  send: takes bytes for the server; it must not block.
        headers: of this attempt's request, lower case.  codec: for every value on its way to the journal, and back.
        """
        self.handler = handler
        self.headers = headers if headers is not None else {}
        self.clock = clock if clock is not None else SystemClock()
        self.machine = Machine(version)
        self.codec = codec
        self.created: list[RestateDurableFuture[Any]] = []
        """Futures whose results somebody should want."""
        self._send = send
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[Any] | None = None
        self._thread = 0
        self._begun: asyncio.Future[None] | None = None
        self._waiters = Waiters(self.machine)
        self._has_other_tasks = False
        self._turn_pending = False
        self._hops = 0
        self._flush_pending = False
        self._announced: tuple[list[Node], int] | None = None
        self._execution: Execution | None = None
        self._watch: asyncio.TimerHandle | None = None
        self._is_over = False
        self._finished: asyncio.Event | None = None
        self._was_cancelled = False
        self._unreplayable: NotReplayable | None = None

    # ---- For the host ----

    def feed(self, data: bytes) -> None:
        """Takes bytes of the request, cut anywhere."""
        machine = self.machine
        machine.feed(data)
        if self._waiters.waiting:
            if self._has_other_tasks or self._turn_pending:
                self._schedule_turn()
            else:
                self._turn()
        elif machine.ready or machine.ending is not None:
            self._wake_beginning()

    def end_of_input(self) -> None:
        """The server has sent all it will: the handler finishes with that, or is suspended."""
        self.machine.end_of_input()
        self._wake_beginning()
        if self._waiters.waiting:
            self._schedule_turn()
        elif self._loop is not None and self._task is not None and not self._is_over:
            self._watch = self._loop.call_later(_FOREIGN_WAIT_S, self._warn_about_foreign_wait, self._task)

    def disconnected(self) -> None:
        """The server is gone: the attempt ends, and nothing is sent any more."""
        waiting = bool(self._waiters.waiting)
        self.machine.drop()
        self._wake_beginning()
        self._release_waiters()
        if not waiting and self._task is not None and not self._task.done():
            self._was_cancelled = self._task.cancel()

    async def run(self) -> None:
        """Runs the handler, in a task of its own. Returns when the attempt is over; the handler's errors are sent."""
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()
        self._thread = get_ident()
        try:
            machine = self.machine
            if not machine.ready and machine.ending is None:
                self._begun = self._loop.create_future()
                await self._begun
            if machine.ending is None:
                self._execution = Execution(self.handler, machine, self._loop, self._run_ended, self.codec)
                await self._handle(self._execution)
        except asyncio.CancelledError:
            if self.machine.ending is None:
                self.machine.drop()
                raise
        finally:
            if self._was_cancelled and self._task is not None:
                # By `disconnected`, not by whoever runs this task.
                self._task.uncancel()
            self._close()

    def _warn_about_foreign_wait(self, task: "asyncio.Task[Any]") -> None:
        if not self._waiters.waiting and not task.done():
            warn_about_foreign_wait(self.handler, task)

    @property
    def finished(self) -> asyncio.Event:
        """Set when the attempt is over, whatever its end."""
        if self._finished is None:
            # Made when somebody asks: most handlers never do.
            self._finished = asyncio.Event()
            if self._is_over:
                self._finished.set()
        return self._finished

    # ---- Values ----

    def encode(self, value: bytes) -> bytes:
        """The bytes of a value for the journal."""
        return value if self.codec is None else self.codec.encode(value)

    async def decoded(self, value: bytes) -> bytes:
        """The bytes of a value as serdes wrote them."""
        return await decoded(self.codec, value)

    async def _decoded_input(self, given: pb.InputCommandMessage) -> pb.InputCommandMessage:
        plain = pb.InputCommandMessage()
        plain.CopyFrom(given)
        plain.value.content = await self.decoded(given.value.content)
        return plain

    # ---- The handler ----

    async def _handle(self, execution: Execution) -> None:
        machine = self.machine
        try:
            given = machine.input()
            if self.codec is not None:
                given = await self._decoded_input(given)
            context = make_context(self, given)
            body = await self.handler.run(context, given.value.content)
            if self._unreplayable is not None:
                self._refuse_to_go_on()
            if machine.ending is None:
                machine.finish(Outcome("value", self.encode(body)))
                if execution.waiting or self.created:
                    # Those whose result was in the journal were executed by an earlier attempt.
                    idle = [run for run in execution.waiting.values() if run.completion_id not in machine.results]
                    warn_about_unawaited(self.handler, self.created, idle)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:
            if isinstance(error, asyncio.CancelledError) and self._is_cancelled():
                raise
            self._handler_failed(error)

    def _is_cancelled(self) -> bool:
        """True if whoever runs the attempt gives it up; a handler may also raise CancelledError by itself."""
        return self.machine.ending is None and self._task is not None and self._task.cancelling() > 0

    def _handler_failed(self, error: BaseException) -> None:
        machine = self.machine
        if machine.ending is not None:
            # What left the user's code is how the attempt ended, or came after it.
            return
        try:
            self._refuse_to_go_on()
            result = failure_of(error, self.handler)
            if isinstance(result, AttemptError):
                machine.fail(result)
            else:
                machine.finish(result)
        except SdkInternalBaseException:
            # The end itself did not fit the journal; the machine has said so.
            return

    def _close(self) -> None:
        if self.machine.ending is None:
            self.machine.fail(AttemptError(INTERNAL, "the attempt ended without a result"))
        error = self.machine.error
        if error is not None and error.code != INTERNAL:
            # The others are logged where they are caught, with their tracebacks.
            log.error("an attempt of %s failed: %s", self.handler, error.message)
        if self._waiters.waiting:
            self._release_waiters()
        if self._execution is not None:
            self._execution.cancel()
        # So that nothing is left for the garbage collector to find: the task's context leads back to here.
        self._execution = self._task = None
        self.created.clear()
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        # First, since a host in this process answers the last frames at once, with the end of the input.
        self._is_over = True
        if self._finished is not None:
            self._finished.set()
        self._flush()
        # It leads to the host, which may hold this task.
        self._send = _drop

    # ---- For the contexts ----

    def require_usable(self) -> "asyncio.Task[Any] | None":
        """The task that asks. Raises: Misuse if it may not use the context; what ends it if the attempt is over."""
        # Asked with the loop, it says what the loop's own thread does.
        task = current_task(self._loop) if get_ident() == self._thread else None
        if task is not self._task or self.machine.ending is not None or self._unreplayable is not None:
            self._look_closer(task)
        return task

    def _look_closer(self, task: "asyncio.Task[Any] | None") -> None:
        """Raises what `require_usable` does."""
        if self.machine.ending is not None:
            if task is not None and task is not self._task:
                retrieve_later(task)
            self.machine.require_open()
        if task is not self._task:
            self._check_foreign()
        if self._unreplayable is not None:
            self._refuse_to_go_on()

    def _check_foreign(self) -> None:
        name = inside_run.get()
        if name is not None:
            raise UsedInsideRun(f"the action of run {name!r} uses the context of its handler {self.handler}")
        if get_ident() != self._thread:
            raise WrongThread(f"the context of handler {self.handler} is used in another thread")
        self._has_other_tasks = True

    def add_run(self, run: Run) -> None:
        """Keeps an action until its result is awaited."""
        assert self._execution is not None
        self._execution.waiting[run.completion_id] = run

    def _run_ended(self) -> None:
        if self.machine.ending is not None:
            self._release_waiters()
        elif self.machine.incoming.ended:
            # Nothing may be left to wait for.
            self._schedule_turn()
        if not self._flush_pending:
            self._schedule_flush()

    def cancel(self, invocation_id: str) -> None:
        """Asks another invocation to cancel itself."""
        self.require_usable()
        commands.cancel(self.machine, invocation_id)

    def wait(self, node: Node, waiter: Waiter | None = None) -> Generator[Any, Any, None]:
        """Waits until a node has resolved. Raises: TerminalError 409 when the invocation is cancelled meanwhile.

        waiter: of a succession, the same one each time, until `forget`.
        """
        task = self.require_usable()
        machine = self.machine
        if node.begin(machine):
            return
        assert self._loop is not None
        if waiter is None:
            waiter = Waiter(node)
        waiter.future, waiter.task = self._loop.create_future(), task
        self._waiters.add(waiter)
        # Something moves: not at rest yet.
        self._hops = 0
        if machine.incoming.queue or machine.replaying or machine.incoming.ended:
            self._schedule_turn()
        else:
            self._block()
            if self._has_other_tasks:
                self._schedule_turn()
        try:
            yield from waiter.future
        except asyncio.CancelledError:
            self._wait_cancelled(waiter)
            raise
        finally:
            # What it raised leads back here, by its traceback.
            waiter.future = None

    def forget(self, waiter: Waiter) -> None:
        """Nobody will wait for this succession any more."""
        self._waiters.close(waiter)

    def _wait_cancelled(self, waiter: Waiter) -> None:
        """Somebody cancelled the task that waits."""
        self._waiters.discard(waiter)
        if self.machine.ending is not None:
            self.machine.require_open()
        if self._turn_pending and self._has_other_tasks:
            # In the wake of a turn: another task of the handler did it, and will do it again in every attempt.
            return
        # Perhaps the host gives up the whole task; if the handler goes on in spite of it, it decided something.
        self._unreplayable = NotReplayable(
            f"a durable wait of handler {self.handler} was cancelled from outside of it (asyncio.timeout, wait_for?)"
        )

    def _refuse_to_go_on(self) -> None:
        """Raises: SdkInternalException if a durable wait was cancelled by what is not recorded."""
        if self._unreplayable is None or self.machine.ending is not None:
            return
        text = error_text(self._unreplayable)
        log.error("an attempt of %s failed: %s", self.handler, text)
        raise self.machine.fail(AttemptError(INTERNAL, text))

    # ---- Turns ----

    def _schedule_turn(self) -> None:
        if not self._turn_pending and self._loop is not None:
            self._turn_pending = True
            self._hops = 0
            self._loop.call_soon(self._hop)

    def _hop(self) -> None:
        self._hops += 1
        if self._hops < (_SETTLING_HOPS if self._has_other_tasks else _SETTLING_HOPS_ALONE):
            assert self._loop is not None
            self._loop.call_soon(self._hop)
            return
        self._turn_pending = False
        self._turn()

    def _turn(self) -> None:
        """Takes notifications until somebody can go on."""
        machine = self.machine
        waiters = self._waiters
        try:
            while waiters.waiting:
                if machine.ending is not None:
                    self._release_waiters()
                    self._schedule_flush()
                    return
                if machine.cancelling:
                    if (missing := machine.pass_cancel_on()) is None:
                        waiters.surface_cancel()
                        return
                    if (key := machine.take()) is None:
                        self._wait_for_callee(missing)
                        return
                    # Nobody goes on by it any more; a succession may have to know later.
                    waiters.arrived(key)
                    continue
                if (key := machine.take()) is None:
                    self._rest()
                    return
                if resolved := waiters.arrived(key):
                    for waiter in resolved:
                        waiters.wake(waiter)
                    if waiters.waiting:
                        self._schedule_turn()
                    return
        except SdkInternalBaseException:
            self._release_waiters()
            self._schedule_flush()

    def _rest(self) -> None:
        """Everything is taken, and nobody can go on."""
        machine = self.machine
        if machine.replaying:
            machine.blocked_in_replay(self._waiters.nodes)
            self._release_waiters()
            self._schedule_flush()
            return
        self._block()
        if not machine.incoming.ended:
            return
        assert self._execution is not None
        if not any(self._waiters.awaits(completion_id) for completion_id in self._execution.executing):
            machine.suspend(self._waiters.nodes)
            self._release_waiters()
            self._flush()

    def _wait_for_callee(self, completion_id: int) -> None:
        """A cancel cannot surface before the invocation id of a callee is known."""
        if self.machine.incoming.ended:
            self.machine.suspend([Leaf(completion_id)])
            self._release_waiters()
            self._flush()
        else:
            self._schedule_flush()

    def _block(self) -> None:
        """Starts the runs that are waited for, and tells the server what the handler waits for."""
        execution = self._execution
        assert execution is not None
        for leaf in self._waiters.newly_awaited():
            if leaf.key in execution.waiting:
                execution.start(leaf.key)
        if not execution.executing and self.machine.version >= 7:
            self._announce()
        self._schedule_flush()

    def _announce(self) -> None:
        machine = self.machine
        pending = self._waiters.pending(_ANNOUNCED_LEAVES_MAX)
        if pending is None or all(isinstance(leaf, Leaf) and machine.is_proposed(leaf.id) for leaf in pending):
            return
        announced = (self._waiters.nodes, len(pending))
        if self._announced != announced:
            self._announced = announced
            machine.announce_wait(announced[0])

    def _release_waiters(self) -> None:
        """The attempt is over: lets everything that waits leave the user's code."""
        self._waiters.release(self._task)

    def _wake_beginning(self) -> None:
        if self._begun is not None and not self._begun.done():
            self._begun.set_result(None)

    # ---- Output ----

    def _schedule_flush(self) -> None:
        if not self._flush_pending and self._loop is not None and self.machine.output:
            self._flush_pending = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._flush_pending = False
        output = self.machine.output
        if output:
            data = b"".join(output)
            output.clear()
            self._send(data)
