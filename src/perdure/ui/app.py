"""Serves the files of the web page, with the headers that keep other pages out of it."""

import os
from importlib.resources import files
from pathlib import Path, PurePosixPath
from typing import Final

from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_SECURITY: Final = [
    # Styles are set through the DOM's own properties, never by markup, so 'self' is enough for them too.
    (
        b"content-security-policy",
        b"default-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'; object-src 'none'",
    ),
    (b"x-frame-options", b"DENY"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    # Always asked again, which the ETag makes cheap: a newer server never meets an older page's modules.
    (b"cache-control", b"no-cache"),
]


class _Pages(StaticFiles):
    """Files by name. Every other path is a place inside the page, which reads it from the address."""

    def lookup_path(self, path: str) -> tuple[str, os.stat_result | None]:
        first, *rest = PurePosixPath(path).parts or (".",)
        # Names in an address, such as keys, may have a dot too.
        if (rest and first not in _FOLDERS) or not PurePosixPath(path).suffix:
            path = "index.html"
        return super().lookup_path(path)


_STATIC: Final = Path(str(files("perdure.ui") / "static"))
_FOLDERS: Final = frozenset(folder.name for folder in _STATIC.iterdir() if folder.is_dir())


def create_ui() -> ASGIApp:
    """The ASGI app of the page, to be mounted under `/ui`. Reads files of the installed package on demand."""
    return _with_headers(_Pages(directory=_STATIC))


def _with_headers(app: ASGIApp) -> ASGIApp:
    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *_SECURITY]}
            await send(message)

        await app(scope, receive, send_with_headers)

    return serve
