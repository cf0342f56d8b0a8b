"""State of one key as the command line reads and writes it."""

import base64
import binascii
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final
from urllib.parse import quote

from perdure.cli import queries, watching
from perdure.cli.admin_client import AdminClient
from perdure.cli.failures import BadUsage, StateNotChanged

BYTES: Final = "$base64"
"""Name in place of a value that is not JSON: `{"$base64": "…"}`."""

LOOKS: Final = 20
LOOK_S: Final = 0.05


class Outcome(StrEnum):
    """What came of a change."""

    CHANGED = "changed"
    UNCHANGED = "not changed"
    QUEUED = "will be changed when the invocation that holds the key is done"


@dataclass(frozen=True)
class KeyState:
    """entries: by name, raw, in the order of the names."""

    service: str
    key: str
    entries: dict[str, bytes]

    @property
    def version(self) -> str:
        """What the server compares, to refuse a change of something that has changed meanwhile."""
        from perdure.engine.state import state_version

        return state_version(sorted((name.encode(), value) for name, value in self.entries.items()))

    def document(self) -> dict[str, Any]:
        return {name: _decoded(value) for name, value in self.entries.items()}

    def texts(self) -> Iterator[tuple[str, str]]:
        for name, value in self.entries.items():
            yield name, json.dumps(_decoded(value), ensure_ascii=False)

    def with_document(self, document: dict[str, Any]) -> "KeyState":
        """The state that `document` describes. Values that say the same keep their bytes, spaces included."""
        entries = {}
        for name, value in document.items():
            before = self.entries.get(name)
            same = before is not None and json.dumps(_decoded(before)) == json.dumps(value)
            entries[name] = before if before is not None and same else _encoded(name, value)
        return replace(self, entries=dict(sorted(entries.items())))

    def differences(self, new: "KeyState") -> Iterator[str]:
        """A line for each name that is added, changed or removed."""
        before, after = dict(self.texts()), dict(new.texts())
        for name in sorted(self.entries.keys() | new.entries.keys()):
            if self.entries.get(name) != new.entries.get(name):
                yield f"{name}: {before.get(name, 'nothing')} becomes {after.get(name, 'nothing')}"


def read(client: AdminClient, service: str, key: str) -> KeyState:
    """The state; an unknown service or key has none."""
    sql = queries.STATE.format(service=queries.literal(service), key=queries.literal(key))
    rows = sorted(client.query(sql), key=lambda row: str(row["key"]))
    return KeyState(service, key, {row["key"]: bytes.fromhex(row.get("value") or "") for row in rows})


def write(client: AdminClient, before: KeyState, new: KeyState, *, force: bool) -> Outcome:
    """Replaces the state. Raises: StateNotChanged when it was not `before` any more, unless `force`."""
    body: dict[str, Any] = {
        "object_key": new.key,
        "new_state": {name: list(value) for name, value in new.entries.items()},
    }
    if not force:
        body["version"] = before.version
    client.post(f"/services/{quote(new.service, safe='')}/state", body)
    # The server takes every change and uses it only when the version fits, so the answer is in the state itself.
    lock = queries.LOCK_HOLDER.format(service=queries.literal(new.service), key=queries.literal(new.key))
    for look in range(LOOKS):
        if look:
            watching.pause(LOOK_S)
        now = read(client, new.service, new.key)
        if now.entries == new.entries:
            return Outcome.CHANGED
        if client.query(lock):
            return Outcome.QUEUED
        if now.entries != before.entries and not force:
            break
    raise StateNotChanged(f"the state of {new.service}/{new.key} had changed since it was read")


def _decoded(value: bytes) -> Any:
    try:
        decoded = json.loads(value.decode())
    except ValueError:
        decoded = None
    else:
        if not _stands_for_bytes(decoded):
            return decoded
    return {BYTES: base64.b64encode(value).decode()}


def _encoded(name: str, value: Any) -> bytes:
    if not _stands_for_bytes(value):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    try:
        return base64.b64decode(value[BYTES], validate=True)
    except (binascii.Error, TypeError) as error:
        raise BadUsage(f"the bytes of `{name}` are not Base64: {error}") from error


def _stands_for_bytes(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() == {BYTES}
