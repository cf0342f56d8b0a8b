"""The state of an object key as a whole: its version, and an operator's change of it."""

import base64
import hashlib

from perdure.engine.turn import Turn
from perdure.model.records import EntryChange, StateMutation


def state_version(entries: list[tuple[bytes, bytes]]) -> str:
    """The version text of a state. entries: (name, value), rising by name."""
    digest = hashlib.sha256()
    for index, (name, value) in enumerate(entries):
        digest.update(index.to_bytes(8, "big") + b"\x01" + name + b"\x02" + value + b"\x03")
    return base64.urlsafe_b64encode(digest.digest()).rstrip(b"=").decode()


def apply_mutation(turn: Turn, mutation: StateMutation) -> bool:
    """Changes the state of a key, unless it is another than the operator saw: then False."""
    service, key = mutation.service, mutation.key
    if mutation.change is not None:
        return _change_entry(turn, service, key, mutation.change)
    if mutation.version is not None and mutation.version != state_version(turn.tx.state(service, key)):
        return False
    turn.tx.clear_all_state(service, key)
    for name, value in mutation.state.items():
        turn.tx.set_state(service, key, name.encode(), value)
    return True


def _change_entry(turn: Turn, service: str, key: str, change: EntryChange) -> bool:
    name = change.name.encode()
    if turn.tx.state_value(service, key, name) != change.before:
        return False
    if change.value is None:
        turn.tx.clear_state(service, key, name)
    else:
        turn.tx.set_state(service, key, name, change.value)
    return True
