"""Journals taken out of an engine, and put before code that has changed since."""

import asyncio
import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import quote

from perdure import ids
from perdure.engine.tx import Tx
from perdure.http.asgi_bridge import App
from perdure.invoker.asgi import AsgiTransport
from perdure.invoker.attempt import AttemptMachine, Heard, failed
from perdure.invoker.transport import Request, Stream, TransportError
from perdure.model.records import AttemptEnd, Entry, Failed, Suspended
from perdure.protocol.framing import encode_frame
from perdure.protocol.messages import NAMES, MessageType, encode_start, is_command
from perdure.protocol.seeds import random_seed
from perdure.protocol.versions import invocation_content_type
from perdure.testing.running import run_apart

PATIENCE_S: Final = 3600.0
"""Virtual seconds that a replay may take."""

_FIRST_VERSION: Final = 5
"""Of the service protocol; for an invocation that never had an attempt."""

_MESSAGE_MAX: Final = 256 * 1024 * 1024


class ReplayMismatch(AssertionError):
    """The code does not do what the journal says."""


@dataclass(frozen=True, slots=True)
class JournalItem:
    """One entry of a journal.

    type: such as `Run`, `Call`, `Sleep`.
    command: True if the handler issued it, False if it received it.
    type_id: number of the message's type in the service protocol.
    raw: the message's bytes, as on the wire.
    """

    type: str
    command: bool
    type_id: int
    raw: bytes

    def __str__(self) -> str:
        return self.type if self.command else f"{self.type} completed"


@dataclass(frozen=True, slots=True)
class Journal:
    """One invocation as it was recorded: everything that an attempt starts with.

    id: `inv_…`.
    service, handler, key: what was called; key is None for services.
    protocol_version: version of the service protocol, 5 to 7.
    seed: of the handler's random numbers, 64 bits.
    lazy_state: the handler fetches its state when it reads it.
    state: names and raw values, from when the journal was taken.
    items: the entries, in order.
    """

    id: str
    service: str
    handler: str
    key: str | None
    protocol_version: int
    seed: int
    lazy_state: bool
    state: dict[str, bytes]
    items: tuple[JournalItem, ...]

    def __len__(self) -> int:
        return len(self.items)

    def __str__(self) -> str:
        return "\n".join(f"{index:3} {item}" for index, item in enumerate(self.items))

    @property
    def commands(self) -> list[str]:
        """What the handler did, in order, such as `["Input", "Run", "Sleep", "Output"]`."""
        return [item.type for item in self.items if item.command]

    @property
    def complete(self) -> bool:
        """Whether the handler had come to its end."""
        return any(item.type_id == MessageType.OUTPUT_COMMAND for item in self.items)

    def frames(self) -> bytes:
        """What an attempt is sent first: the start message and the entries."""
        start = encode_start(
            raw_id=ids.decode_invocation_id(self.id),
            debug_id=self.id,
            known_entries=len(self),
            state=[(name.encode(), value) for name, value in self.state.items()],
            partial_state=self.lazy_state or self.key is None,
            key=self.key or "",
            random_seed=self.seed,
        )
        entries = [encode_frame(item.type_id, item.raw) for item in self.items]
        return b"".join((encode_frame(MessageType.START, start), *entries))

    def save(self, path: str | PathLike[str]) -> None:
        """Writes it to a file, as JSON, for a test of later code. Raises: OSError."""
        document = {name: getattr(self, name) for name in _PLAIN}
        document["state"] = {name: _text(value) for name, value in self.state.items()}
        document["items"] = [[item.type_id, _text(item.raw)] for item in self.items]
        Path(path).write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Self:
        """Reads what `save` wrote. Raises: OSError, ValueError or KeyError for a file that is no journal."""
        document: dict[str, Any] = json.loads(Path(path).read_text(encoding="utf-8"))
        return cls(
            **{name: document[name] for name in _PLAIN},
            state={name: base64.b64decode(value) for name, value in document["state"].items()},
            items=tuple(_item(type_id, base64.b64decode(raw)) for type_id, raw in document["items"]),
        )


_PLAIN: Final = ("id", "service", "handler", "key", "protocol_version", "seed", "lazy_state")


def record(tx: Tx, invocation_id: str) -> Journal:
    """Reads a journal out of a store. Raises: KeyError for an invocation that is not there."""
    invocation = tx.invocation_by_id(invocation_id)
    if invocation is None:
        raise KeyError(invocation_id)
    handler = tx.registry.services[invocation.service].handlers[invocation.handler]
    state = [] if invocation.key is None else tx.state(invocation.service, invocation.key)
    return Journal(
        id=invocation.id,
        service=invocation.service,
        handler=invocation.handler,
        key=invocation.key,
        protocol_version=invocation.protocol_version or _FIRST_VERSION,
        seed=random_seed(ids.decode_invocation_id(invocation.seed_id or invocation.id)),
        lazy_state=handler.lazy_state,
        state={name.decode(): value for name, value in state},
        items=tuple(_item(entry.type, entry.raw) for entry in tx.entries(invocation.number)),
    )


def assert_replays(journal: Journal, app: App) -> None:
    """Passes if the handler in `app` does what the journal says, command by command, and ends like it.

        assert_replays(Journal.load("trip.json"), app)

    Stored results are used again and nothing is called; only a run whose result is missing from the journal is run.
    An hour of virtual time is all that it may take.

    Raises: ReplayMismatch, with the first command that differs.
    """
    run_apart(lambda: _replay(journal, app))


async def _replay(journal: Journal, app: App) -> None:
    transport = AsgiTransport(app)
    await transport.start()
    try:
        attempt = _Attempt(journal)
        await attempt.run(transport)
    finally:
        await transport.close()
    _judge(journal, attempt.new, attempt.end)


def _judge(journal: Journal, new: list[Entry], end: AttemptEnd | None) -> None:
    where = f"the journal of {journal.service}/{journal.handler} ({len(journal)} entries)"
    if isinstance(end, Failed):
        raise ReplayMismatch(f"{where} does not replay: {end.failure.message}\n{journal}")
    if journal.complete and new:
        raise ReplayMismatch(f"{where} is complete, and the code goes on with {NAMES.get(new[0].type)}\n{journal}")
    if journal.complete and isinstance(end, Suspended):
        raise ReplayMismatch(f"{where} is complete, and the code waits for something else\n{journal}")


class _Attempt:
    """One exchange with the handler; implements `StreamHandler`."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._machine = AttemptMachine(journal.protocol_version, _MESSAGE_MAX, len(journal))
        self._over = asyncio.Event()
        self._stream: Stream | None = None
        self.new: list[Entry] = []
        self.end: AttemptEnd | None = None

    async def run(self, transport: AsgiTransport) -> None:
        """Gives the handler the journal, and nothing more."""
        journal = self._journal
        content_type = invocation_content_type(journal.protocol_version)
        head = [("content-type", content_type), ("accept", content_type), ("x-restate-invocation-id", journal.id)]
        if journal.key is not None:
            head.append(("x-restate-service-key", quote(journal.key, safe="")))
        self._stream = transport.open(Request("POST", f"/invoke/{journal.service}/{journal.handler}", head), self)
        self._stream.send(journal.frames())
        self._stream.half_close()
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self._over.wait()
        except TimeoutError:
            raise ReplayMismatch(f"the handler did not come to rest within {PATIENCE_S:g} s") from None
        finally:
            self._stream.reset()

    def head_received(self, status: int, headers: Mapping[str, str]) -> None:
        self._take(Heard([], self._machine.head_received(status, headers, now=0)))

    def data_received(self, data: bytes) -> None:
        if self._stream is not None:
            self._stream.consumed(len(data))
        self._take(self._machine.data_received(data))

    def end_received(self) -> None:
        self._take(Heard([], self._machine.end_received()))
        self._over.set()

    def stream_failed(self, error: TransportError) -> None:
        self._take(Heard([], failed(500, "RT0010", str(error))))

    def _take(self, heard: Heard) -> None:
        self.new += heard.entries
        if heard.end is not None and self.end is None:
            self.end = heard.end
            self._over.set()


def _item(type_id: int, raw: bytes) -> JournalItem:
    return JournalItem(NAMES.get(type_id, hex(type_id)), is_command(type_id), type_id, raw)


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
