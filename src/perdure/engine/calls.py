"""The calls of an invocation, read from its journal."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from perdure.model.invocation import JournalEntry
from perdure.protocol import messages_pb2 as wire
from perdure.protocol.messages import MessageType

CALL_TYPES: Final = (MessageType.CALL_COMMAND, MessageType.CALL_INVOCATION_ID_COMPLETION, MessageType.CALL_COMPLETION)
"""Message types of the entries that tell about calls."""


class OpenCall(NamedTuple):
    """A call that has no result yet."""

    completion_id: int
    callee_id: str


def open_calls(journal: Iterable[JournalEntry]) -> list[OpenCall]:
    """In the order in which they were made. Sends are detached and not among them. journal: `CALL_TYPES` will do."""
    pending: dict[int, int] = {}
    ids: dict[int, str] = {}
    for entry in journal:
        if entry.type == MessageType.CALL_COMMAND:
            call = wire.CallCommandMessage.FromString(entry.raw)
            pending[call.result_completion_id] = call.invocation_id_notification_idx
        elif entry.type == MessageType.CALL_INVOCATION_ID_COMPLETION and entry.completion_id is not None:
            ids[entry.completion_id] = wire.NotificationMessage.FromString(entry.raw).invocation_id
        elif entry.type == MessageType.CALL_COMPLETION and entry.completion_id is not None:
            pending.pop(entry.completion_id, None)
    return [OpenCall(completion, ids[known_by]) for completion, known_by in pending.items() if known_by in ids]
