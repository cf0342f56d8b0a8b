"""The outermost layer of the admin API: version prefixes, HEAD, and answers without a body."""

import re
from typing import Final

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

OLDEST: Final = 2
NEWEST: Final = 4
_PREFIX: Final = re.compile(r"/v([1-4])(?=/|$)")


class VersionPrefix:
    """Makes every route available under `/v2`, `/v3` and `/v4`; the version is left in the scope."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        found = _PREFIX.match(scope["path"])
        if found:
            version = int(found[1])
            if version < OLDEST:
                text = f"Unsupported Admin API version V{version}. "
                text += f"This server supports versions between V{OLDEST} and V{NEWEST}."
                await PlainTextResponse(text, 400)(scope, receive, send)
                return
            path = scope["path"][found.end() :] or "/"
            scope = {**scope, "path": path, "raw_path": path.encode(), "perdure.admin_version": version}
        if scope["method"] == "HEAD":
            await self._app({**scope, "method": "GET"}, receive, _without_body(send))
            return
        await self._app(scope, receive, send)


def _without_body(send: Send) -> Send:
    complete = False

    async def send_head(message: Message) -> None:
        nonlocal complete
        if message["type"] == "http.response.body":
            if complete:
                return
            # The first piece ends the response, for a stream may have no end.
            complete = True
            message = {"type": "http.response.body", "body": b"", "more_body": False}
        await send(message)

    return send_head
