"""How the connections of a transport come to their end."""

import asyncio
from collections.abc import Sequence
from typing import Final, Protocol

GRACE_S: Final = 1.0
"""How long peers may take to let their connections end."""


class Closing(Protocol):
    """A connection that was closed. closed: set when its socket is gone."""

    closed: asyncio.Event

    def abort_socket(self) -> None:
        """Drops the socket without a goodbye."""


async def sockets_gone(connections: Sequence[Closing]) -> None:
    """Waits until all sockets are gone; those that do not go in time are dropped."""
    try:
        async with asyncio.timeout(GRACE_S):
            for connection in connections:
                await connection.closed.wait()
    except TimeoutError:
        for connection in connections:
            connection.abort_socket()
