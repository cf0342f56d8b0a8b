"""Runs attempts: so many at once, over the transport that leads to each one's code."""

import asyncio
from collections import deque
from collections.abc import Callable, KeysView
from typing import Protocol, TypeVar

import msgspec
import structlog

from perdure import ids
from perdure.clock import Clock
from perdure.engine.load import AttemptStart, CannotStart, load_attempt
from perdure.engine.tx import Tx
from perdure.errors import RecordRefused, StoreUnavailable
from perdure.invoker.attempt import failed
from perdure.invoker.endpoints import Endpoints
from perdure.invoker.exchange import YOUNG_S, Exchange
from perdure.invoker.overdue import Overdue
from perdure.invoker.transport import TransportError
from perdure.model.invocation import AttemptFailure, AttemptNews, OpenAttempt
from perdure.model.records import AttemptProgress, Failed, Record
from perdure.model.registry import Deployment

T = TypeVar("T")

log = structlog.get_logger()

DRAIN_S = 5.0
"""How long an endpoint may take to end the response after its final frame."""

# Reading a member of an enumeration is dear, for each attempt.
_STARTED, _ENDED = AttemptNews.STARTED, AttemptNews.ENDED

RETRY_LOST_S = 1.0
"""How often what the store did not take or give is tried again."""


class InvokerSettings(msgspec.Struct, frozen=True):
    """concurrency_limit: attempts at once. Sizes in bytes: of one message, and of the state sent at the start."""

    concurrency_limit: int = 1000
    message_size_limit: int = 32 * 1024 * 1024
    eager_state_size_limit: int = 32 * 1024 * 1024
    highest_protocol_version: int = 7


class PartitionPort(Protocol):
    """What the invoker needs of the partition; see `partition.loop.Partition`."""

    def look(self, look: Callable[[Tx], T]) -> T: ...
    def put(self, record: Record, applied: Callable[[StoreUnavailable | None], None] | None = None) -> None: ...
    def between_transactions(self, run: Callable[[], None]) -> None: ...


class Invoker:
    """Implements `partition.loop.AttemptRunner`."""

    def __init__(self, partition: PartitionPort, endpoints: Endpoints, clock: Clock, settings: InvokerSettings) -> None:
        self._partition = partition
        self.put = partition.put
        self._endpoints = endpoints
        self.loop = endpoints.loop
        self.clock = clock
        self.settings = settings
        self._open: dict[int, Exchange] = {}
        self._queue: deque[tuple[int, int]] = deque()
        self._refill: asyncio.TimerHandle | None = None  # armed as long as the store gives no journals
        self.draining = Overdue[Exchange](self.loop, DRAIN_S, Exchange.drained)
        """Exchanges whose outcome is known; their responses may take a moment to end."""
        self.young = Overdue[Exchange](self.loop, YOUNG_S, Exchange.look)
        """Exchanges that may be over before they need a timer of their own."""
        self._stopping = False
        self.follower: Callable[[AttemptStart, AttemptNews], None] | None = None
        """Told when an attempt opens, ends, or lets itself be heard; None: nobody wants to know."""

    # actions of the partition, between transactions

    def start_attempt(self, number: int, attempt: int) -> None:
        if self._stopping:
            return
        older = self._open.get(number)
        if older is not None and not older.over:
            older.abort()
        if self._has_room:
            self._open_attempt(number, attempt)
        else:
            self._queue.append((number, attempt))

    def send_to_attempt(self, number: int, attempt: int, index: int | None, data: bytes) -> None:
        exchange = self._open.get(number)
        if exchange is not None and exchange.start.attempt == attempt:
            exchange.send(index, data)

    def half_close(self, number: int, attempt: int, drain: bool) -> None:
        exchange = self._open.get(number)
        if exchange is not None and exchange.start.attempt == attempt:
            if drain:
                exchange.drain()
            else:
                exchange.half_close()

    def abort(self, number: int, attempt: int) -> None:
        exchange = self._open.get(number)
        if exchange is not None and exchange.start.attempt == attempt:
            exchange.abort()

    # what exchanges need

    def closed(self, exchange: Exchange) -> None:
        """The outcome of an exchange is known: its place is free."""
        number = exchange.start.number
        if self._open.get(number) is exchange:
            del self._open[number]
            self.tell(exchange.start, _ENDED)
            if self._queue:
                self._partition.between_transactions(self._fill)

    def tell(self, start: AttemptStart, news: AttemptNews) -> None:
        if self.follower is not None:
            self.follower(start, news)

    def lost(self, start: AttemptStart, error: StoreUnavailable) -> None:
        """An attempt was given up because what it said was not stored; reported until the store takes it."""
        failure = AttemptFailure(500, "RT0006", f"what the attempt said could not be stored: {error}")
        # A disk that fails is not the handler's fault: it uses up nothing of the retry policy. A defect might last.
        retry_after = None if isinstance(error, RecordRefused) else int(RETRY_LOST_S * 1000)
        end = Failed(failure, retry_after, counted=False)
        self._report(start.number, start.attempt, start.deployment.id, start.protocol_version, end)

    def connection_failure(self, error: TransportError) -> Failed:
        return Failed(AttemptFailure(500, "RT0010", str(error)), error.retry_after)

    def extra_headers(self, deployment: Deployment, path: str, key: str | None) -> list[tuple[str, str]]:
        return self._endpoints.extra_headers(deployment, path, key)

    # what others want to know

    def open_attempts(self) -> KeysView[int]:
        """A live view of the numbers of invocations with an open attempt; may be asked from any thread."""
        return self._open.keys()

    def attempt(self, number: int) -> OpenAttempt | None:
        """What operators see of the open attempt; may be asked from any thread."""
        exchange = self._open.get(number)
        if exchange is None:
            return None
        tree = exchange.awaiting_on
        return OpenAttempt(exchange.start.deployment.id, exchange.server, tree.to_json() if tree else None)

    def started(self, number: int) -> AttemptStart | None:
        """What the open attempt started with."""
        exchange = self._open.get(number)
        return None if exchange is None else exchange.start

    async def stop(self) -> None:
        """Closes all attempts; they go on when the server starts again."""
        self._stopping = True
        self._queue.clear()
        for exchange in list(self._open.values()):
            exchange.abort()
        self.draining.close()
        self.young.close()
        if self._refill is not None:
            self._refill.cancel()
        await self._endpoints.close()

    # opening

    @property
    def _has_room(self) -> bool:
        return len(self._open) < self.settings.concurrency_limit and self._refill is None and not self._stopping

    def _fill(self) -> None:
        while self._queue and self._has_room:
            self._open_attempt(*self._queue.popleft())

    def _store_may_be_well(self) -> None:
        self._refill = None
        self._partition.between_transactions(self._fill)

    def _open_attempt(self, number: int, attempt: int) -> None:
        limit, highest = self.settings.eager_state_size_limit, self.settings.highest_protocol_version
        try:
            loaded = self._partition.look(
                lambda tx: load_attempt(tx, number, attempt, self.clock.now(), limit, highest)
            )
        except StoreUnavailable as error:
            log.error("attempts wait for the store", reason=str(error))
            self._queue.appendleft((number, attempt))
            if self._refill is None:
                self._refill = self.loop.call_later(RETRY_LOST_S, self._store_may_be_well)
            return
        except Exception as error:  # a defect must not leave the invocation without an attempt for good
            log.exception("an attempt could not be loaded", number=number)
            loaded = CannotStart("", "RT0006", f"the server could not read the invocation: {error}")
        match loaded:
            case None:
                return
            case CannotStart():
                end = failed(500, loaded.rt_code, loaded.message)
                self._report(number, attempt, loaded.deployment_id, 0, end)
            case AttemptStart():
                exchange = Exchange(self, loaded)
                self._open[number] = exchange
                self.tell(loaded, _STARTED)
                exchange.open(self._endpoints.transport(loaded.deployment))

    def _report(self, number: int, attempt: int, deployment_id: str, protocol_version: int, end: Failed) -> None:
        """Says how an attempt ended that has no exchange (any more), until the store takes it."""
        record = AttemptProgress(
            number=number,
            attempt=attempt,
            deployment_id=deployment_id,
            protocol_version=protocol_version,
            server=None,
            entries=[],
            end=end,
            randomness=ids.random_unique(),
        )

        def applied(error: StoreUnavailable | None) -> None:
            if error is not None and not self._stopping:
                self.loop.call_later(RETRY_LOST_S, self._partition.put, record, applied)

        self._partition.put(record, applied)
