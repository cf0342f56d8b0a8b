"""Under which conditions handlers run in a simulation, and the transport that makes them so."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from perdure.clock import Clock, SystemClock
from perdure.http.asgi_bridge import App
from perdure.invoker.asgi import AsgiTransport
from perdure.invoker.transport import Request, Stream, StreamHandler, TransportError
from perdure.protocol.framing import Frame, FrameDecoder, encode_frame
from perdure.protocol.messages import MessageType, decode

LONGEST_DELAY_S: Final = 0.02
"""Of what travels between engine and handlers, when a seed shuffles them. Virtual seconds."""

_FRAME_MAX: Final = 256 * 1024 * 1024

_TIMES: Final[dict[int, str]] = {
    MessageType.SLEEP_COMMAND: "wake_up_time",
    MessageType.ONE_WAY_CALL_COMMAND: "invoke_time",
}
"""Where handlers say when, in ms since the epoch; 0: now."""

_ROUND_MS: Final = 10

Step = tuple[str, int]
"""An invocation's id, and the completion id of one of its runs."""


@dataclass
class Conditions:
    """always_replay: a handler sees only what was stored when its attempt started, so that each durable await ends it.

    chance: draws how long everything is under way; None: no time. lose_at: that piece of what handlers say gets lost,
    with its attempt. pieces, steps: what was said so far, and how often the result of each run was among it.
    """

    always_replay: bool = False
    chance: random.Random | None = None
    lose_at: int | None = None
    pieces: int = 0
    steps: Counter[Step] = field(default_factory=Counter)


class SimulatedTransport(AsgiTransport):
    """Calls an app in this process, as the conditions say."""

    def __init__(self, app: App, conditions: Conditions, clock: Clock) -> None:
        """clock: of the simulation."""
        super().__init__(app, clock)
        self._conditions = conditions
        self._clock = clock
        # An endpoint that is asked in half duplex gets no news while it runs.
        self.bidirectional = not conditions.always_replay

    def open(self, request: Request, handler: StreamHandler) -> Any:
        exchange = _Exchange(self._conditions, request, handler)
        stream = super().open(request, exchange)
        exchange.stream = stream
        if not stream.direct:
            # It computes times from a clock of its own.
            exchange.translation = _TimeTranslation(self._clock)
        return exchange


class _Exchange:
    """Stands between the attempt and the app: a `StreamHandler` for the one, a `Stream` for the other."""

    stream: Stream
    translation: "_TimeTranslation | None" = None

    def __init__(self, conditions: Conditions, request: Request, handler: StreamHandler) -> None:
        self._conditions = conditions
        self._handler = handler
        self._id = dict(request.headers).get("x-restate-invocation-id")
        self._frames = FrameDecoder(_FRAME_MAX)
        self._there = _Line(conditions.chance)
        self._back = _Line(conditions.chance)
        self._over = False

    # To the app.

    def send(self, data: bytes) -> None:
        self._there.carry(lambda: self.stream.send(data))

    @property
    def queued(self) -> int:
        return self.stream.queued

    def half_close(self) -> None:
        self._there.carry(self.stream.half_close)

    def reset(self) -> None:
        self._over = True
        self.stream.reset()

    def consumed(self, size: int) -> None:
        self.stream.consumed(size)

    # From the app.

    def head_received(self, status: int, headers: Mapping[str, str]) -> None:
        self._arrive(lambda: self._handler.head_received(status, headers))

    def data_received(self, data: bytes) -> None:
        conditions = self._conditions
        if self._id is not None:
            conditions.pieces += 1
            self._count_steps(self._id, data)
            if conditions.pieces == conditions.lose_at:
                self.stream.reset()
                self._arrive(lambda: self._handler.stream_failed(TransportError("the handler's process died")))
                return
            if self.translation is not None:
                data = self.translation.feed(data)
        if data:
            self._arrive(lambda: self._handler.data_received(data))

    def end_received(self) -> None:
        self._arrive(self._handler.end_received)

    def stream_failed(self, error: TransportError) -> None:
        self._arrive(lambda: self._handler.stream_failed(error))

    def _arrive(self, tell: Callable[[], None]) -> None:
        def unless_over() -> None:
            if not self._over:
                tell()

        self._back.carry(unless_over)

    def _count_steps(self, invocation_id: str, data: bytes) -> None:
        for frame in self._frames.feed(data):
            if frame.type == MessageType.PROPOSE_RUN_COMPLETION:
                message: Any = decode(frame.type, frame.payload)
                self._conditions.steps[invocation_id, message.result_completion_id] += 1


class _TimeTranslation:
    """Frames of an app that looks at the wall clock, with the times of the simulation in them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._wall = SystemClock()
        self._frames = FrameDecoder(_FRAME_MAX)

    def feed(self, data: bytes) -> bytes:
        """Takes bytes as they come, and gives whole frames."""
        return b"".join(map(self._translate, self._frames.feed(data)))

    def _translate(self, frame: Frame) -> bytes:
        field = _TIMES.get(frame.type)
        payload = frame.payload
        if field is not None:
            message: Any = decode(frame.type, payload)
            due: int = getattr(message, field)
            if due:
                # What it meant is a round number; the milliseconds since then are not.
                left = -(-(due - self._wall.now()) // _ROUND_MS) * _ROUND_MS
                setattr(message, field, self._clock.now() + max(0, left))
                payload = message.SerializeToString()
        return encode_frame(frame.type, payload, frame.flags)


class _Line:
    """Carries one thing after the other, in order, each in a time of its own."""

    def __init__(self, chance: random.Random | None) -> None:
        self._chance = chance
        self._last = 0.0

    def carry(self, arrive: Callable[[], None]) -> None:
        if self._chance is None:
            arrive()
            return
        loop = asyncio.get_running_loop()
        # Timers of the same moment have no order.
        self._last = max(self._last + 1e-6, loop.time() + self._chance.uniform(0, LONGEST_DELAY_S))
        loop.call_at(self._last, arrive)
