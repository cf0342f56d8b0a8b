"""One request and its whole response, however they travel."""

from collections.abc import Mapping
from typing import Protocol

import msgspec

Headers = Mapping[str, str]


class Response(msgspec.Struct, frozen=True, gc=False):
    """headers: lower-case names."""

    status: int
    headers: Headers
    body: bytes


class Connection(Protocol):
    """A way to one of the two surfaces of a server; shared by everybody who has something to ask there."""

    async def request(self, method: str, path: str, headers: Headers, body: bytes) -> Response:
        """path: percent-encoded, with its query. headers: lower-case names, printable ASCII. Raises: NoConnection.

        Waits as long as it takes; cancel it, or put it under `asyncio.timeout`.
        """

    async def close(self) -> None:
        """Lets go of what is open. Idempotent."""
