"""The loop round the engine: records that wait become one transaction, and what follows is done when it is durable.

One task, on the event loop's thread. A batch is: take every record that waits, begin, apply each in order, commit,
perform the actions. What arrives meanwhile is the next batch, so that load makes batches bigger and one sync
pays for many steps.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol, TypeVar

import structlog

from perdure.clock import Clock, SystemClock
from perdure.engine.machine import apply
from perdure.engine.outcome import outcome_of
from perdure.engine.tx import Tx
from perdure.errors import RecordRefused, StoreUnavailable
from perdure.model.actions import (
    AbortAttempt,
    Accepted,
    Action,
    AlreadyInvoked,
    ArmTimer,
    Completed,
    Deliver,
    Finished,
    HalfClose,
    Refused,
    RegistryChanged,
    Reply,
    SendToAttempt,
    StartAttempt,
)
from perdure.model.changes import Changes
from perdure.model.invocation import BEFORE_ALL, Position, Status
from perdure.model.records import AttemptProgress, Invoke, MessageArrived, Record, Recover, TimersDue
from perdure.model.registry import Registry
from perdure.partition.commits import Commits
from perdure.partition.gateway import NotReady, Waiter
from perdure.partition.progress import Applied, can_wait, joined
from perdure.partition.timers import TimerShell
from perdure.partition.waiters import Waiters

T = TypeVar("T")

log = structlog.get_logger()

QUIET_S = 0.005
"""So long a record that nobody waits for may wait for one that somebody does, to share its sync."""

BUSY_SIZE = 4
"""After a batch of that size the next one is gathered: so many turns of the event loop at the most."""

GATHER_TURNS = 3

BATCH_MAX = 512
"""Records in one transaction: bounds how long the first of them waits."""

QUICK_BATCH_MAX = 32
"""The same on a quick disk, with handlers in other processes, or half of what waits if that is more: who handles what
follows from this batch then works while the next is applied. Otherwise everybody waits for everybody in turn."""


class Store(Protocol):
    """Where the loop keeps its tables; see `storage.sqlite.store`."""

    @property
    def tx(self) -> Tx: ...
    def run(self, work: Callable[[], T]) -> T: ...
    def begin(self) -> None: ...
    def flush(self) -> None: ...
    def commit(self) -> None: ...
    def rollback(self) -> None: ...
    def note_changes(self) -> "ChangeNotes": ...


class ChangeNotes(Protocol):
    """What transactions have written; see `storage.sqlite.changes`."""

    def take(self) -> Changes: ...
    def close(self) -> None: ...


class AttemptRunner(Protocol):
    """Who carries out actions on attempts; see `invoker.invoker`. Called between transactions."""

    def start_attempt(self, number: int, attempt: int) -> None: ...
    def send_to_attempt(self, number: int, attempt: int, index: int | None, data: bytes) -> None: ...
    def half_close(self, number: int, attempt: int, drain: bool) -> None: ...
    def abort(self, number: int, attempt: int) -> None: ...


class Partition:
    """A running partition: implements `partition.gateway.Gateway`."""

    def __init__(self, store: Store, clock: Clock, quick_batch: int = QUICK_BATCH_MAX) -> None:
        """quick_batch: records in one transaction while the disk is quick, or half of what waits if that is more."""
        self._store = store
        self._clock = clock
        self._queue: deque[tuple[Record, Applied | None]] = deque()
        self._quick_batch = quick_batch
        self._suspects = 0
        self._reads: deque[Callable[[], None]] = deque()
        self._waiters = Waiters()
        self._timers = TimerShell(clock, lambda: self.put(TimersDue()))
        self._arrived = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        # Virtual time is the same every time: it does not depend on how long a disk takes.
        self._commits = Commits(measured=isinstance(clock, SystemClock))
        self._nudge: asyncio.TimerHandle | None = None
        self._notes: ChangeNotes | None = None
        self._tell_changes: Callable[[], None] | None = None
        self._last_size = 0
        self._stopping = False
        self._performers: dict[type[Action], Callable[[Any], None]] = {
            Reply: self._on_reply,
            Completed: self._on_completed,
            ArmTimer: lambda a: self._timers.arm(a.due),
            RegistryChanged: lambda a: self._take_snapshot(),
        }
        self.registry: Registry = self.look(_registry)

    async def start(self, runner: AttemptRunner) -> None:
        """Recovers what the store holds, then begins to take records. Raises: StoreUnavailable.

        What is put in meanwhile waits: applied in between, it could start an attempt that the recovery starts again.
        """
        self._performers |= {
            StartAttempt: lambda a: runner.start_attempt(a.number, a.attempt),
            SendToAttempt: lambda a: runner.send_to_attempt(a.number, a.attempt, a.index, a.data),
            HalfClose: lambda a: runner.half_close(a.number, a.attempt, a.drain),
            AbortAttempt: lambda a: runner.abort(a.number, a.attempt),
        }
        done: Position | None = BEFORE_ALL
        while done is not None:
            token, recovered = self._expected_reply()
            await self._run_batch([(Recover(reply_to=token, after=done), None)])
            done = await recovered
        self._task = asyncio.create_task(self._run(), name="partition")

    async def stop(self) -> None:
        """Applies what waits already, then ends. What still waits for an outcome is told that the server stops."""
        self._stopping = True
        self._arrived.set()
        self._timers.close()
        if self._task is not None:
            await self._task
        self._waiters.fail_all(_stopping())
        self._commits.close()

    async def abandon(self) -> None:
        """Ends where it is, as a crash would: what waits is neither applied nor refused."""
        self._stopping = True
        self._timers.close()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._commits.close()

    # what the surfaces and the invoker ask

    def put(self, record: Record, applied: Applied | None = None) -> None:
        """Hands in a record. applied: called when it is durable, or with the reason why it will not be."""
        if self._stopping:
            if applied is not None:
                applied(_stopping())
            self._waiters.fail(record.reply_to, _stopping())
            return
        item = (record, applied)
        queue = self._queue
        whole = joined(queue[-1], item) if queue else None
        if whole is None:
            queue.append(item)
        else:
            queue[-1] = whole
        if not can_wait(record):
            self._arrived.set()
        elif self._nudge is None:
            self._nudge = asyncio.get_running_loop().call_later(QUIET_S, self._arrived.set)

    async def ask(self, build: Callable[[int], Record]) -> Any:
        token, future = self._expected_reply()
        self.put(build(token))
        return await future

    def _expected_reply(self) -> tuple[int, asyncio.Future[Any]]:
        token = self._waiters.new_token()
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiters.expect_reply(token, future)
        return token, future

    def new_token(self) -> int:
        return self._waiters.new_token()

    async def call(self, record: Invoke) -> Accepted | Finished | AlreadyInvoked | Refused:
        future: asyncio.Future[Accepted | Finished | AlreadyInvoked | Refused]
        future = asyncio.get_running_loop().create_future()
        self.submit(record, future)
        try:
            return await future
        finally:
            self.forget(record.reply_to, record.id)

    def submit(self, record: Invoke, waiter: Waiter) -> None:
        if self._stopping:
            raise _stopping()
        self._waiters.expect_reply(record.reply_to, waiter, record.id if record.wait else None)
        self._queue.append((record, None))
        self._arrived.set()

    def forget(self, token: int, invocation_id: str) -> None:
        self._waiters.forget(token, invocation_id)

    async def attach(self, invocation_id: str) -> Finished | None:
        token = self._waiters.new_token()
        present = await self.read(lambda tx: self._output_or_wait(token, invocation_id))
        if isinstance(present, asyncio.Future):
            try:
                finished: Finished = await present
                return finished
            finally:
                self._waiters.forget(token, invocation_id)
        return present

    async def output(self, invocation_id: str) -> Finished | NotReady | None:
        return await self.read(lambda tx: _output(tx, invocation_id))

    async def read(self, look: Callable[[Tx], T]) -> T:
        """Runs `look` between transactions, when the tables hold what is durable and nothing else."""
        if self._stopping:
            raise _stopping()
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()

        def run() -> None:
            if not future.cancelled():
                try:
                    future.set_result(self.look(look))
                except Exception as error:  # the asker gets what went wrong
                    future.set_exception(error)

        self.between_transactions(run)
        return await future

    def between_transactions(self, run: Callable[[], None]) -> None:
        """Calls `run` soon, while no transaction is open."""
        self._reads.append(run)
        self._arrived.set()

    def look(self, look: Callable[[Tx], T]) -> T:
        """Reads at once: only between transactions, that is in performers of actions. Raises: StoreUnavailable."""
        return self._store.run(partial(look, self._store.tx))

    async def follow(self, follower: Callable[[Changes], None] | None) -> None:
        """From now on `follower` is told after every batch what it has changed, once that is durable.

        None: nobody is, and nothing is noted any more. Raises: StoreUnavailable.
        """
        await self.read(lambda tx: self._follow(follower))

    def _follow(self, follower: Callable[[Changes], None] | None) -> None:
        if self._notes is not None:
            self._notes.close()
        self._notes = self._tell_changes = None
        if follower is not None:
            notes = self._notes = self._store.note_changes()
            self._tell_changes = lambda: follower(notes.take())

    def _output_or_wait(self, token: int, invocation_id: str) -> "Finished | asyncio.Future[Any] | None":
        present = _output(self._store.tx, invocation_id)
        if isinstance(present, NotReady):
            future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
            self._waiters.expect_outcome(token, future, invocation_id)
            return future
        return present

    # the loop

    async def _run(self) -> None:
        while not (self._stopping and not self._queue):
            await self._arrived.wait()
            self._arrived.clear()
            while self._queue or self._reads:
                while self._reads:
                    _guarded(self._reads.popleft())
                if self._queue:
                    await self._gather()
                    await self._run_batch(self._next_batch())

    async def _gather(self) -> None:
        """Under load, lets the others hand in what they have first: a bigger batch costs no more syncs."""
        if self._last_size < BUSY_SIZE:
            return
        for _ in range(GATHER_TURNS):
            size = len(self._queue)
            await asyncio.sleep(0)
            if len(self._queue) == size:
                return

    def _next_batch(self) -> list[tuple[Record, Applied | None]]:
        waiting = len(self._queue)
        size = min(waiting, BATCH_MAX)
        if self._commits.are_quick:
            size = min(size, max(self._quick_batch, waiting // 2))
        if self._suspects:
            self._suspects -= 1
            size = 1
        if self._nudge is not None:
            self._nudge.cancel()
            self._nudge = None
        self._last_size = size
        return [self._queue.popleft() for _ in range(size)]

    async def _run_batch(self, batch: list[tuple[Record, Applied | None]]) -> None:
        try:
            actions = self._store.run(partial(self._apply_all, batch))
            await self._commits.run(self._store.commit)
        except StoreUnavailable as error:
            self._store.rollback()
            log.error("store unavailable", reason=str(error), records=len(batch))
            self._refuse(batch, error)
            # A disk that fails is not asked again at once, again and again.
            await asyncio.sleep(_PAUSE_AFTER_STORE_FAILURE_S)
        except Exception as error:
            # A defect, or a broken invariant.
            self._store.rollback()
            if len(batch) == 1:
                log.exception("record refused", record=type(batch[0][0]).__name__)
                self._refuse(batch, RecordRefused(type(error).__name__))
            else:
                # One record must not take the others with it: each is tried by itself, before what came later.
                self._queue.extendleft(reversed(batch))
                self._suspects = len(batch)
        else:
            self._follow_up(batch, actions)
            if self._tell_changes is not None:
                _guarded(self._tell_changes)
            if self._queue:
                # Between two batches everybody else gets a turn.
                await asyncio.sleep(0)

    def _follow_up(self, batch: list[tuple[Record, Applied | None]], actions: list[Action]) -> None:
        """Does what may happen only now that the batch is durable. As `_guarded`, without its calls."""
        performers = self._performers
        for action in actions:
            try:
                performers[type(action)](action)
            except Exception:
                log.exception(_FOLLOW_UP_FAILED)
        for _, applied in batch:
            if applied is not None:
                try:
                    applied(None)
                except Exception:
                    log.exception(_FOLLOW_UP_FAILED)

    def _apply_all(self, batch: list[tuple[Record, Applied | None]]) -> list[Action]:
        """Applies in order inside one transaction, messages to this partition included, and leaves it open."""
        store = self._store
        tx = store.tx
        now = self._clock.now()
        actions: list[Action] = []
        store.begin()
        for first, _ in batch:
            mail: list[Record] = [first]
            for record in mail:
                for action in apply(record, tx, now):
                    if type(action) is Deliver:
                        mail.append(
                            MessageArrived(source=action.partition, sequence=action.sequence, message=action.message)
                        )
                    else:
                        actions.append(action)
        store.flush()
        return actions

    def _refuse(self, batch: list[tuple[Record, Applied | None]], error: StoreUnavailable) -> None:
        """Tells everybody that nothing of it happened.

        What an attempt said after its refused words goes with them: alone it would leave a hole in the journal.
        """
        attempts = {_attempt_of(record) for record, _ in batch} - {None}
        if attempts:
            following = [item for item in self._queue if _attempt_of(item[0]) in attempts]
            self._queue = deque(item for item in self._queue if _attempt_of(item[0]) not in attempts)
            batch = batch + following
        for record, applied in batch:
            self._waiters.fail(record.reply_to, error)
            if applied is not None:
                _guarded(applied, error)
            elif isinstance(record, TimersDue):
                self._timers.arm(self._clock.now() + _TIMER_RETRY_MS)

    # what follows from a durable batch

    def _on_reply(self, action: Reply) -> None:
        self._waiters.reply(action.reply_to, action.answer)

    def _on_completed(self, action: Completed) -> None:
        self._waiters.outcome(Finished(action.id, action.outcome, None, action.target))

    def _take_snapshot(self) -> None:
        self.registry = self.look(_registry)


_PAUSE_AFTER_STORE_FAILURE_S = 0.05
_TIMER_RETRY_MS = 1_000
_FOLLOW_UP_FAILED = "a follow-up of a record failed"


def _guarded(run: Callable[..., None], *arguments: Any) -> None:
    """Runs what is somebody else's; a defect there must not end the loop."""
    try:
        run(*arguments)
    except Exception:
        log.exception(_FOLLOW_UP_FAILED)


def _stopping() -> StoreUnavailable:
    return StoreUnavailable("the server is stopping")


def _attempt_of(record: Record) -> tuple[int, int] | None:
    return (record.number, record.attempt) if isinstance(record, AttemptProgress) else None


def _registry(tx: Tx) -> Registry:
    return tx.registry


def _output(tx: Tx, invocation_id: str) -> Finished | NotReady | None:
    invocation = tx.invocation_by_id(invocation_id)
    if invocation is None:
        return None
    if invocation.status is not Status.COMPLETED:
        return NotReady()
    return Finished(invocation.id, outcome_of(tx, invocation), invocation.completion_expires_at, invocation.target)
