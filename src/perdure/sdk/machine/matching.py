"""When an operation of the code is the one that the journal recorded."""

from typing import Final

from google.protobuf.message import DecodeError

from perdure.protocol.framing import Frame
from perdure.protocol.messages import MESSAGE_CLASSES, MessageType

_MAY_DIFFER: Final[dict[int, tuple[str, ...]]] = {
    # Times are computed anew by each attempt; the recorded ones hold.
    MessageType.SLEEP_COMMAND: ("wake_up_time",),
    MessageType.ONE_WAY_CALL_COMMAND: ("invoke_time",),
    # What was read is read again from the journal.
    MessageType.GET_EAGER_STATE_COMMAND: ("void", "value"),
    MessageType.GET_EAGER_STATE_KEYS_COMMAND: ("value",),
}


def same(type_id: int, issued: bytes, recorded: Frame) -> bool:
    """True if the command `issued` fits the recorded one, although its bytes may differ."""
    if recorded.type != type_id:
        return False
    ours = MESSAGE_CLASSES[type_id].FromString(issued)
    try:
        theirs = MESSAGE_CLASSES[type_id].FromString(recorded.payload)
    except DecodeError:
        return False
    for field in _MAY_DIFFER.get(type_id, ()):
        ours.ClearField(field)
        theirs.ClearField(field)
    theirs.DiscardUnknownFields()
    return ours == theirs
