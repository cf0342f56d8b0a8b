"""The stream of changes as the command line reads it: over as many connections as it takes."""

import json
from collections.abc import Iterator
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

from perdure.cli import watching
from perdure.cli.admin_client import AdminClient
from perdure.cli.failures import ServerUnreachable

RETRY_S: Final = 1.0
RETRIES: Final = 60
"""How often in a row a connection is tried again that was there before."""


class Message(NamedTuple):
    """As docs/reference/events.md has them."""

    event: str
    data: dict[str, Any]


def messages(client: AdminClient, topic: str) -> Iterator[Message]:
    """Without end. Raises: ServerUnreachable, or Refused."""
    path = f"/events?{urlencode({'topics': topic})}"
    last_id: str | None = None
    failures = 0
    while True:
        try:
            for message, id in _read(client.lines(path, last_id)):
                last_id = id or last_id
                failures = 0
                if message is not None:
                    yield message
        except ServerUnreachable:
            failures += 1
            if last_id is None or failures > RETRIES:
                raise
        watching.pause(RETRY_S)


def _read(lines: Iterator[bytes]) -> Iterator[tuple[Message | None, str | None]]:
    """Each message with its id; None in its place when only the id moved."""
    event, data, id = "", b"", None
    for line in lines:
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"event":
            event = value.decode()
        elif name == b"data":
            data = value
        elif name == b"id":
            id = value.decode()
        elif not line:
            if data or id:
                yield (Message(event, json.loads(data)) if data else None), id
            event, data, id = "", b"", None
