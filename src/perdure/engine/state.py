"""The state of an object key as a whole: its version, and an operator's change of it."""

import base64
import hashlib

from perdure.engine.turn import Turn
from perdure.model.records import StateMutation


def state_version(entries: list[tuple[bytes, bytes]]) -> str:
    """The version text of a state. entries: (name, value), rising by name."""
    digest = hashlib.sha256()
    for index, (name, value) in enumerate(entries):
        digest.update(index.to_bytes(8, "big") + b"\x01" + name + b"\x02" + value + b"\x03")
    return base64.urlsafe_b64encode(digest.digest()).rstrip(b"=").decode()


def apply_mutation(turn: Turn, mutation: StateMutation) -> None:
    """Replaces the state of a key, unless it has another version than the operator saw."""
    present = turn.tx.state(mutation.service, mutation.key)
    if mutation.version is not None and mutation.version != state_version(present):
        return
    turn.tx.clear_all_state(mutation.service, mutation.key)
    for name, value in mutation.state.items():
        turn.tx.set_state(mutation.service, mutation.key, name.encode(), value)
