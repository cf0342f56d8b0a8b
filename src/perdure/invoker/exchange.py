"""One open attempt: the exchange with the endpoint, its timers, and what it tells the partition."""

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import quote

from perdure import ids
from perdure.engine.load import AttemptStart
from perdure.errors import StoreUnavailable
from perdure.invoker.attempt import AttemptMachine, failed
from perdure.invoker.transport import Request, Stream, Transport, TransportError
from perdure.model.invocation import AttemptNews
from perdure.model.records import AttemptEnd, AttemptProgress, Entry
from perdure.protocol.futures import AwaitTree
from perdure.protocol.versions import invocation_content_type

if TYPE_CHECKING:
    from perdure.invoker.invoker import Invoker


YOUNG_S = 1.0
"""Most attempts are over by then. Only those that are not get timers of their own."""

_TOLD = AttemptNews.TOLD

UNREAD_MAX = 4 * 1024 * 1024
"""Bytes of notifications and acks that may wait for a handler that does not read them."""


class Exchange:
    """Implements `StreamHandler`. Lives until its end is with the partition; then only drains."""

    __slots__ = (
        "_abort_s",
        "_active_at",
        "_given_up",
        "_half_closed",
        "_inactivity_s",
        "_invoker",
        "_loop",
        "_machine",
        "_queued_max",
        "_sent",
        "_sent_before",
        "_stream",
        "_timer",
        "awaiting_on",
        "over",
        "server",
        "start",
    )

    def __init__(self, invoker: "Invoker", start: AttemptStart) -> None:
        self._invoker = invoker
        self._loop = invoker.loop
        self.start = start
        self._machine = AttemptMachine(start.protocol_version, invoker.settings.message_size_limit, start.known_entries)
        self._sent_before = start.known_entries
        self._inactivity_s = start.settings.inactivity_timeout / 1000
        self._abort_s = start.settings.abort_timeout / 1000
        self._active_at = self._loop.time()
        self._half_closed = False
        self._queued_max = UNREAD_MAX
        self._sent = 0
        """Bytes."""
        self._given_up = False
        self.over = False
        self.server: str | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._stream: Stream | None = None
        self.awaiting_on: AwaitTree | None = None

    def open(self, transport: Transport) -> None:
        """Opens the stream and sends the journal."""
        start = self.start
        self._stream = transport.open(self._request(), self)
        frames = start.take_frames()
        self._sent = len(frames)
        self._queued_max = self._sent + UNREAD_MAX
        self._stream.send(frames)
        if transport.bidirectional and self._inactivity_s > 0 and not start.pause_requested:
            self._arm(self._inactivity_s)
        else:
            self.half_close()

    # what the partition has to say

    def send(self, index: int | None, data: bytes) -> None:
        """Passes on frames. index: of the journal entry, None for acks. What the start held is not said twice."""
        if self._half_closed or self.over or (index is not None and index < self.start.known_entries):
            return
        if index is not None:
            self._sent_before = index + 1
        self._active_at = self._loop.time()
        assert self._stream is not None
        self._stream.send(data)
        self._sent += len(data)
        # No more can be queued than was sent; to ask is dear.
        if self._sent > self._queued_max and self._stream.queued > self._queued_max:
            # A handler that does not read what it is told gets the rest with its next attempt, out of the store.
            self.half_close()

    def half_close(self) -> None:
        """Asks the handler to come to rest."""
        if not self._half_closed and self._stream is not None:
            self._half_closed = True
            # A handler suspends only when it has read to the end of its input.
            self._machine.seen = self._sent_before
            self._active_at = self._loop.time()
            self._stream.half_close()
            if not self.over:
                self._arm(self._abort_s)

    def drain(self) -> None:
        """Lets the response end by itself for a while, and hears nothing of it any more."""
        self._machine.ended = True
        self.half_close()
        self._finish()
        self._invoker.closed(self)

    def abort(self) -> None:
        """Nothing counts any more."""
        self._machine.ended = True
        self.over = True
        self._disarm()
        if self._stream is not None:
            self._stream.reset()
        self._invoker.closed(self)

    # what the endpoint says

    def head_received(self, status: int, headers: Mapping[str, str]) -> None:
        if self.over:
            return
        self.server = headers.get("x-restate-server")
        self._invoker.tell(self.start, _TOLD)
        failure = self._machine.head_received(status, headers, self._invoker.clock.now())
        if failure is not None:
            self._tell([], failure, 0)

    def data_received(self, data: bytes) -> None:
        size = len(data)
        machine = self._machine
        if machine.ended:
            self._consumed(size)
            return
        self._active_at = self._loop.time()
        heard = machine.data_received(data)
        if heard.awaiting_on is not None:
            self.awaiting_on = heard.awaiting_on
            self._invoker.tell(self.start, _TOLD)
        if heard.entries or heard.end is not None:
            # The endpoint gets its credit back when what it said is durable: that bounds what waits here.
            self._tell(heard.entries, heard.end, size)
        else:
            self._consumed(size)

    def end_received(self) -> None:
        failure = self._machine.end_received()
        if failure is not None:
            self._tell([], failure, 0)
        self._invoker.draining.discard(self)

    def stream_failed(self, error: TransportError) -> None:
        if not self._machine.ended:
            self._machine.ended = True
            self._tell([], self._invoker.connection_failure(error), 0)
        self._invoker.draining.discard(self)

    def _tell(self, entries: list[Entry], end: AttemptEnd | None, size: int) -> None:
        start = self.start
        record = AttemptProgress(
            number=start.number,
            attempt=start.attempt,
            deployment_id=start.deployment.id,
            protocol_version=start.protocol_version,
            server=self.server,
            entries=entries,
            end=end,
            randomness=ids.random_unique(),
        )
        if end is not None:
            self._finish()
        self._invoker.put(record, partial(self._applied, size, end is not None))

    def _applied(self, size: int, ended: bool, error: StoreUnavailable | None) -> None:
        if error is None:
            self._consumed(size)
            if ended:
                # Only now: until the end is durable, operators see the attempt as open.
                self._invoker.closed(self)
        elif not self._given_up:
            # What it said was not stored, so it may not go on from there: a new attempt will say it again.
            self._given_up = True
            self.abort()
            self._invoker.lost(self.start, error)

    def _consumed(self, size: int) -> None:
        if size and self._stream is not None:
            self._stream.consumed(size)

    # coming to an end

    def _finish(self) -> None:
        """The outcome is known: the request half is closed, and the response may drain for a moment."""
        if self.over:
            return
        self.over = True
        self._disarm()
        assert self._stream is not None
        self._stream.half_close()
        self._invoker.draining.add(self)

    def drained(self) -> None:
        """The response had its time to end by itself."""
        if self._stream is not None:
            self._stream.reset()

    # timers

    def _arm(self, seconds: float) -> None:
        """seconds: until the next look at how long ago the handler said or was told something."""
        self._disarm()
        if seconds > YOUNG_S:
            self._invoker.young.add(self)
        else:
            self._timer = self._loop.call_later(seconds, self.look)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        else:
            self._invoker.young.discard(self)

    def look(self) -> None:
        """A timeout may have passed. Activity only notes the time, since that happens for every frame."""
        if self.over:
            return
        limit = self._abort_s if self._half_closed else self._inactivity_s
        left = self._active_at + limit - self._loop.time()
        if left > 0.0005:
            self._timer = self._loop.call_later(left, self.look)
        elif not self._half_closed:
            self.half_close()
        else:
            text = f"no progress for {self._abort_s:g} s after the handler was asked to come to rest (abort timeout)"
            self._machine.ended = True
            self._tell([], failed(500, "RT0001", text), 0)
            assert self._stream is not None
            self._stream.reset()

    def _request(self) -> Request:
        start = self.start
        content_type = invocation_content_type(start.protocol_version)
        path = f"/invoke/{start.service}/{start.handler}"
        headers = [
            ("content-type", content_type),
            ("accept", content_type),
            ("x-restate-invocation-id", start.id),
        ]
        if start.key is not None:
            headers.append(("x-restate-service-key", quote(start.key, safe="")))
        headers += self._invoker.extra_headers(start.deployment, path, start.key)
        return Request("POST", path, headers)
