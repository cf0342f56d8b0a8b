"""Says where the code left the path that the journal recorded, as a table of both."""

import sys
from collections.abc import Sequence
from typing import Final

from google.protobuf.message import DecodeError, Message

from perdure.protocol import messages_pb2 as pb
from perdure.protocol.framing import Frame
from perdure.protocol.messages import MESSAGE_CLASSES, NAMES
from perdure.sdk.machine.awaiting import Leaf, NamedLeaf
from perdure.sdk.machine.errors import entry_name

_BEFORE: Final = 4
_AFTER: Final = 3
_WIDTH: Final = 44
_ADVICE: Final = (
    "The code must do the same in every attempt. Put what can differ (time, chance, the network, global variables) "
    "into a run, or use ctx.time(), ctx.random() and ctx.uuid(). If the code was changed, deploy it beside "
    "the old version, which finishes what it began."
)


def describe_mismatch(commands: Sequence[Frame], index: int, type_id: int, issued: Message) -> str:
    """commands: the recorded ones.  index: of the one that `issued` does not fit."""
    what = describe(type_id, issued)
    place = _user_line()
    first = f"Journal mismatch [E0320]: command {index} is {_recorded(commands[index])} in the journal, "
    return _text(first + f"and the code issued {what}{place}.", commands, index, what)


def describe_added_await(commands: Sequence[Frame], index: int, waiting: Sequence[Leaf | NamedLeaf]) -> str:
    """The code waits, where the journal goes on with the command of this index."""
    leaves = ", ".join(_leaf(leaf) for leaf in waiting[:10])
    first = (
        f"Journal mismatch [E0320]: the journal goes on with command {index}, {_recorded(commands[index])}, "
        f"and the code waits for something that had not come by then ({leaves})."
    )
    return _text(first, commands, index, "(waits)")


def describe(type_id: int, message: Message) -> str:
    """One command in a few words, for example `Call Greeter/greet` or `Run "charge"`."""
    kind = NAMES.get(type_id, f"type 0x{type_id:04x}")
    match message:
        case pb.CallCommandMessage() | pb.OneWayCallCommandMessage():
            key = f"/{message.key}" if message.key else ""
            return f"{kind} {message.service_name}{key}/{message.handler_name}"
        case pb.GetLazyStateCommandMessage() | pb.GetEagerStateCommandMessage() | pb.SetStateCommandMessage():
            return f"{kind} {message.key.decode(errors='replace')!r}"
        case pb.ClearStateCommandMessage():
            return f"{kind} {message.key.decode(errors='replace')!r}"
        case pb.GetPromiseCommandMessage() | pb.PeekPromiseCommandMessage() | pb.CompletePromiseCommandMessage():
            return f"{kind} {message.key!r}"
    name = entry_name(message)
    return f"{kind} {name!r}" if name else kind


def _recorded(frame: Frame) -> str:
    message_class = MESSAGE_CLASSES.get(frame.type)
    if message_class is None:
        return f"type 0x{frame.type:04x}"
    try:
        return describe(frame.type, message_class.FromString(frame.payload))
    except DecodeError:
        return f"{NAMES.get(frame.type, '?')} (damaged)"


def _leaf(leaf: Leaf | NamedLeaf) -> str:
    if isinstance(leaf, NamedLeaf):
        return f"signal {leaf.name!r}"
    return f"completion {leaf.id}" if leaf.id > 0 else f"signal {-leaf.id}"


def _text(first: str, commands: Sequence[Frame], index: int, issued: str) -> str:
    rows = [("", "recorded", "issued")]
    for at in range(max(0, index - _BEFORE), min(len(commands), index + _AFTER + 1)):
        recorded = _recorded(commands[at])
        mark = ">" if at == index else " "
        rows.append((f"{mark} {at}", recorded, recorded if at < index else issued if at == index else ""))
    table = "\n".join(
        f"{number:>6}  {left[:_WIDTH]:<{_WIDTH}}  {right[:_WIDTH]}".rstrip() for number, left, right in rows
    )
    return f"{first}\n{table}\n{_ADVICE}"


def _user_line() -> str:
    """The nearest line on the stack that is not the SDK's."""
    frame = sys._getframe(1)
    while frame is not None:
        if not frame.f_globals.get("__name__", "").startswith("perdure.sdk."):
            return f" at {frame.f_code.co_filename}:{frame.f_lineno}"
        if frame.f_back is None:
            break
        frame = frame.f_back
    return ""
