"""What attempts cost our SDK, without any server: prints processor time in µs per invocation, by call.

The attempts run as a worker runs them, 50 at once; each proposal of a run is acknowledged in the next turn of the loop.
"""

import asyncio
import gc
import json
import sys
import time

import uvloop
from own_app import app

from perdure.http.asgi_bridge import AsgiHost
from perdure.http.direct import DirectExchange
from perdure.protocol import messages_pb2 as pb
from perdure.protocol.framing import FrameDecoder, encode_frame
from perdure.protocol.messages import MessageType, run_ack

AT_ONCE = 50
CALLS = {
    "echo": ("/invoke/Echo/echo", b'"x"', 1000),
    "counter": ("/invoke/Counter/add", b"1", 1000),
    "3 steps": ("/invoke/Steps/run", b"3", 400),
    "10 steps": ("/invoke/Steps/run", b"10", 200),
}
HEADERS = [("content-type", "application/vnd.restate.invocation.v7")]
ACKS = [encode_frame(MessageType.PROPOSE_RUN_COMPLETION_ACK, run_ack(number)) for number in range(1, 101)]


class Server:
    """The server's part in one attempt."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._decoder = FrameDecoder(1 << 20)
        self._acknowledged = 0
        self.done = self._loop.create_future()
        self.exchange: DirectExchange | None = None

    def head(self, status: int, headers: list[tuple[bytes, bytes]]) -> None: ...

    def data(self, data: bytes) -> None:
        assert self.exchange is not None
        for frame in self._decoder.feed(data):
            if frame.type == MessageType.PROPOSE_RUN_COMPLETION:
                self._loop.call_soon(self.exchange.feed, ACKS[self._acknowledged])
                self._acknowledged += 1
            elif frame.type == MessageType.END:
                self.exchange.end_request()

    def end(self) -> None:
        self.done.set_result(None)

    def failed(self, reason: str) -> None:
        self.done.set_exception(RuntimeError(reason))

    def request_taken(self, size: int) -> None: ...


def request(value: bytes) -> bytes:
    given = pb.InputCommandMessage(value=pb.Value(content=value)).SerializeToString()
    start = pb.StartMessage(id=bytes(24), debug_id="inv_1measured", known_entries=1, random_seed=7).SerializeToString()
    return encode_frame(MessageType.START, start) + encode_frame(MessageType.INPUT_COMMAND, given)


async def invoke(host: AsgiHost, path: str, data: bytes, count: int) -> None:
    left = count

    async def caller() -> None:
        nonlocal left
        while left > 0:
            left -= 1
            server = Server()
            exchange = host.open("POST", path, HEADERS, server, credit=1 << 20)
            assert isinstance(exchange, DirectExchange)
            server.exchange = exchange
            exchange.feed(data)
            await server.done

    await asyncio.gather(*[caller() for _ in range(AT_ONCE)])


async def main() -> dict[str, list[float]]:
    host = AsgiHost(app)
    await host.start()
    for path, value, count in CALLS.values():
        await invoke(host, path, request(value), count // 4)
    gc.collect()
    gc.freeze()  # as a worker does
    found: dict[str, list[float]] = {}
    for _ in range(int(sys.argv[1])):
        for name, (path, value, count) in CALLS.items():
            started = time.process_time()
            await invoke(host, path, request(value), count)
            found.setdefault(name, []).append((time.process_time() - started) / count * 1e6)
    await host.stop()
    return found


print(json.dumps(uvloop.run(main())))
