"""What a notification brings."""

from typing import Final, Literal, NamedTuple, TypeAlias

import msgspec

from perdure.protocol import messages_pb2 as pb
from perdure.protocol.errors import BadFrame

NotificationId: TypeAlias = int | str
"""A completion's id (positive), a signal's id (negated), or a signal's name."""

Kind: TypeAlias = Literal["void", "value", "failure", "invocation_id", "state_keys"]


class Failure(NamedTuple):
    """A stored outcome that is not a value. code: HTTP-like.  metadata: pairs, in order."""

    code: int
    message: str
    metadata: tuple[tuple[str, str], ...] = ()


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """The result of a durable operation: exactly what `kind` says, the others are empty."""

    kind: Kind
    value: bytes = b""
    failure: Failure | None = None
    invocation_id: str = ""
    keys: tuple[bytes, ...] = ()


VOID = Outcome("void")

_read_message: Final = pb.NotificationMessage.FromString


def read_failure(message: pb.Failure) -> Failure:
    """The failure in a message."""
    return Failure(message.code, message.message, tuple((entry.key, entry.value) for entry in message.metadata))


def write_failure(failure: Failure) -> pb.Failure:
    """The message for a failure."""
    return pb.Failure(
        code=failure.code,
        message=failure.message,
        metadata=[pb.FailureMetadata(key=key, value=value) for key, value in failure.metadata],
    )


def read_notification(payload: bytes) -> tuple[NotificationId, Outcome]:
    """The id and the outcome of a notification of any type. Raises: BadFrame, DecodeError."""
    message = _read_message(payload)
    match message.WhichOneof("id"):
        case "completion_id":
            key: NotificationId = message.completion_id
        case "signal_id":
            key = -message.signal_id
        case "signal_name":
            key = message.signal_name
        case None:
            raise BadFrame("a notification does not say what it answers")
    match message.WhichOneof("result"):
        case "value":
            return key, Outcome("value", message.value.content)
        case "void":
            return key, VOID
        case "failure":
            return key, Outcome("failure", failure=read_failure(message.failure))
        case "invocation_id":
            return key, Outcome("invocation_id", invocation_id=message.invocation_id)
        case "state_keys":
            return key, Outcome("state_keys", keys=tuple(message.state_keys.keys))
        case None:
            raise BadFrame("a notification has no result")
