"""Keeps foreign pages in an operator's browser from steering the server: the admin API has no login to protect it.

Browsers say of each request where it comes from; other clients do not, and are not asked. Two kinds of pages are told
apart from our own: one with another origin, and one whose name was made to point at this machine (DNS rebinding), which
is why a server on the loopback address answers browsers only under names of this machine, or under one that the
settings allow.
"""

import ipaddress
from typing import ClassVar, Final
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from perdure.admin.problems import error_response
from perdure.errors import PerdureError

_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class ForeignPage(PerdureError):
    """A browser asks for a page that is not ours."""

    code: ClassVar[str] = "E0607"


class SameOrigin:
    """Refuses requests of foreign pages with 403.

    loopback: the server listens on this machine alone. allowed: further hosts (`name` or `name:port`) it goes by.
    """

    def __init__(self, app: ASGIApp, *, loopback: bool, allowed: frozenset[str]) -> None:
        self._app = app
        self._loopback = loopback
        self._allowed = allowed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            headers = {name: value.decode("latin-1").lower() for name, value in scope["headers"] if name in _ASKED}
            refusal = self._refusal(scope["method"], headers)
            if refusal is not None:
                await error_response(403, str(refusal), refusal.code)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _refusal(self, method: str, headers: dict[bytes, str]) -> ForeignPage | None:
        site = headers.get(b"sec-fetch-site")
        origin = headers.get(b"origin")
        if site is None and origin is None:
            return None
        host = headers.get(b"host", "")
        if self._loopback and host not in self._allowed and not _is_this_machine(host):
            return ForeignPage(
                f"This server is not known to browsers as `{host}`. Open it as http://localhost, or name the host in"
                " the setting `admin_hosts`."
            )
        if method in _SAFE:
            return None
        foreign = origin is not None and urlsplit(origin).netloc not in {host, *self._allowed}
        if foreign or site in ("cross-site", "same-site"):
            return ForeignPage(
                f"A page from {origin or 'elsewhere'} may not change anything here."
                " Use the page under /ui, or another client."
            )
        return None


_ASKED: Final = frozenset({b"host", b"origin", b"sec-fetch-site"})


def _is_this_machine(host: str) -> bool:
    name = urlsplit(f"//{host}").hostname or ""
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
