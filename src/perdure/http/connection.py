"""What the connections of one server share: its app, its limits, and the list of who is connected."""

import asyncio
from datetime import UTC, datetime
from typing import Final, Protocol

import msgspec

from perdure.clock import Clock
from perdure.http.exchange import AnswerDirectly, App

_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class ServerLimits(msgspec.Struct, frozen=True):
    """head_size: bytes of request line and headers. headers: their number. idle_seconds: silence after which a
    connection is closed, while it waits for a request or for the rest of one. streams: HTTP/2 requests at once on
    one connection. linger_seconds: how long a client may go on sending a body that was answered early."""

    head_size: int = 64 * 1024
    headers: int = 128
    idle_seconds: float = 90.0
    streams: int = 256
    linger_seconds: float = 2.0


class Connection(Protocol):
    """What a server asks of its connections, whatever they speak."""

    def close_if_idle(self, now: float, silent_since: float) -> None:
        """Closes when nothing is being answered and nothing moved since then. Both are loop times."""

    def stop(self) -> None:
        """Takes no more requests; closes now, or after what is being answered."""

    def abort(self) -> None:
        """Closes at once; what is being answered is lost."""


class SendWatch:
    """Notices a client that has stopped taking in what it asked for."""

    def __init__(self, now: float) -> None:
        self._unsent = 0
        self._since = now

    def is_stuck(self, unsent: int, now: float, silent_since: float) -> bool:
        """unsent: bytes waiting in the transport. True: some wait, and none went out since `silent_since`."""
        if unsent != self._unsent or not unsent:
            self._unsent = unsent
            self._since = now
        return self._since <= silent_since


class Serving:
    """One running server, seen from its connections.

    cancel_when_gone: cancel the app's task when the client goes away, so that a waiting request costs
    nothing to watch; else the app hears of it as `http.disconnect`.
    answer_directly: None when the app wants all requests through ASGI.
    """

    def __init__(
        self,
        app: App,
        loop: asyncio.AbstractEventLoop,
        clock: Clock,
        limits: ServerLimits,
        cancel_when_gone: bool,
        answer_directly: AnswerDirectly | None = None,
    ) -> None:
        self.app = app
        self.answer_directly = answer_directly
        self.loop = loop
        self.limits = limits
        self.cancel_when_gone = cancel_when_gone
        self.running = 0
        """Requests that the app has not done with."""
        self.stopping = False
        """No more requests are taken."""
        self.cut_off = False
        """The time to finish is over: tasks are cancelled whatever `cancel_when_gone` says."""
        self.connections: set[Connection] = set()
        self._clock = clock
        self._date_line = b""
        self._date_until = 0.0

    @property
    def date_line(self) -> bytes:
        """`date: ` and the time; renewed once a second."""
        now = self.loop.time()
        if now >= self._date_until:
            self._date_line = b"date: " + http_date(self._clock.now())
            self._date_until = now + 1.0
        return self._date_line

    @property
    def date(self) -> bytes:
        """The value of a `date` header."""
        return self.date_line.removeprefix(b"date: ")


def http_date(now_ms: int) -> bytes:
    """`Fri, 20 Nov 2026 12:09:08 GMT`; formatted by hand, because strftime speaks the locale's language."""
    at = datetime.fromtimestamp(now_ms // 1000, UTC)
    return f"{_DAYS[at.weekday()]}, {at.day:02d} {_MONTHS[at.month - 1]} {at.year} {at:%H:%M:%S} GMT".encode()
