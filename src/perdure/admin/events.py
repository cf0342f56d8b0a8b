"""The route of the stream of changes."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from perdure.admin.problems import ApiError
from perdure.events.feed import Feed
from perdure.events.hub import Hub
from perdure.events.problems import BadTopic, TooManyFollowers
from perdure.events.topics import parse_topics


class Events:
    """Handles `/events`."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    async def follow(self, request: Request) -> Response:
        last_id = request.headers.get("last-event-id") or request.query_params.get("after") or None
        try:
            topics = parse_topics(request.query_params.getlist("topics"))
            return _EventStream(Feed(self._hub, topics, last_id))
        except BadTopic as error:
            raise ApiError(400, f"{error}. {error.hint}", error.code) from None
        except TooManyFollowers as error:
            raise ApiError(503, f"{error}. {error.hint}", error.code) from None


class _EventStream(Response):
    """Ends when the client is gone, or when the feed does."""

    media_type = "text/event-stream"

    def __init__(self, feed: Feed) -> None:
        super().__init__()
        del self.headers["content-length"]
        self.headers["cache-control"] = "no-store"
        # Proxies that know it do not gather a stream before they pass it on.
        self.headers["x-accel-buffering"] = "no"
        self._feed = feed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with _closed_when_gone(self._feed, receive):
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            async for piece in self._feed.pieces():
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})


@contextmanager
def _closed_when_gone(feed: Feed, receive: Receive) -> Iterator[None]:
    async def watch() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        feed.close()

    watcher = asyncio.create_task(watch())
    try:
        yield
    finally:
        watcher.cancel()
        feed.leave()
