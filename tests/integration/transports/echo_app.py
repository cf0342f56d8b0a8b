"""The app behind every transport in these tests; it also tells what its handlers saw.

/echo              sends back what comes
/sink              reads all, answers with the number of bytes
/hold/ID           answers the head, reads nothing until /release/ID, then as /sink
/source/N/ID       sends N bytes; /sent/ID tells how many the transport has taken
/watch/ID          answers the head and a byte, waits for the disconnect; /disconnected/ID waits until that was seen
/fail, /fail-late  raise before and after the head
/sleep             blocks the event loop for a long time
"""

import asyncio
import time
from collections import defaultdict

sent = defaultdict(int)
released = defaultdict(asyncio.Event)
disconnected = defaultdict(asyncio.Event)
PIECE = 64 * 1024


async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
        return
    route, *arguments = scope["path"].strip("/").split("/")
    await ROUTES[route](receive, send, *arguments)


async def lifespan(receive, send):
    for answer in ("lifespan.startup.complete", "lifespan.shutdown.complete"):
        await receive()
        await send({"type": answer})


async def head(send):
    headers = [(b"X-Thing", b"a"), (b"x-thing", b"b"), (b"content-type", b"text/plain")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})


async def answer(send, text):
    await head(send)
    await send({"type": "http.response.body", "body": text.encode()})


async def echo(receive, send):
    await head(send)
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        more = message["more_body"]
        await send({"type": "http.response.body", "body": message["body"], "more_body": more})


async def sink(receive, send):
    size, more = 0, True
    while more:
        message = await receive()
        size += len(message.get("body", b""))
        more = message.get("more_body", False)
    await answer(send, str(size))


async def hold(receive, send, name):
    await released[name].wait()
    await sink(receive, send)


async def release(_receive, send, name):
    released[name].set()
    await answer(send, "")


async def source(_receive, send, size, name):
    await head(send)
    left = int(size)
    while left:
        piece = min(left, PIECE)
        left -= piece
        await send({"type": "http.response.body", "body": b"s" * piece, "more_body": bool(left)})
        sent[name] += piece


async def tell_sent(_receive, send, name):
    await answer(send, str(sent[name]))


async def watch(receive, send, name):
    await head(send)
    await send({"type": "http.response.body", "body": b"w", "more_body": True})
    while (await receive())["type"] != "http.disconnect":
        pass
    disconnected[name].set()


async def tell_disconnected(_receive, send, name):
    await disconnected[name].wait()
    await answer(send, "seen")


async def fail(_receive, _send):
    raise ValueError("on purpose")


async def fail_late(_receive, send):
    await head(send)
    await send({"type": "http.response.body", "body": b"x", "more_body": True})
    raise ValueError("on purpose")


async def sleep(_receive, send):
    await head(send)
    await asyncio.sleep(0)
    time.sleep(600)  # noqa: ASYNC251 - a handler that blocks is what is tested


ROUTES = {
    "echo": echo,
    "sink": sink,
    "hold": hold,
    "release": release,
    "source": source,
    "sent": tell_sent,
    "watch": watch,
    "disconnected": tell_disconnected,
    "fail": fail,
    "fail-late": fail_late,
    "sleep": sleep,
}
