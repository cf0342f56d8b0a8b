"""Notifications that the engine makes: the encoded message, and what the journal keeps beside it."""

from collections.abc import Iterable

import msgspec

from perdure.model.invocation import Failure, Outcome, Success
from perdure.protocol import messages_pb2 as wire


class Notification(msgspec.Struct, frozen=True, gc=False):
    """An encoded notification. type: message type id; the other fields as in `JournalEntry`."""

    type: int
    raw: bytes
    completion_id: int | None = None
    signal_id: int | None = None
    signal_name: str | None = None
    failed: bool = False


def wire_failure(failure: Failure) -> wire.Failure:
    metadata = [wire.FailureMetadata(key=key, value=value) for key, value in failure.metadata]
    return wire.Failure(code=failure.code, message=failure.message, metadata=metadata)


def model_failure(failure: wire.Failure) -> Failure:
    return Failure(failure.code, failure.message, tuple((item.key, item.value) for item in failure.metadata))


def completion_of(message_type: int, completion_id: int, outcome: Outcome | None) -> Notification:
    """A completion with a value or a failure; None: void."""
    message = wire.NotificationMessage(completion_id=completion_id)
    _set_result(message, outcome)
    return Notification(
        message_type, message.SerializeToString(), completion_id=completion_id, failed=isinstance(outcome, Failure)
    )


def invocation_id_completion(message_type: int, completion_id: int, invocation_id: str) -> Notification:
    message = wire.NotificationMessage(completion_id=completion_id, invocation_id=invocation_id)
    return Notification(message_type, message.SerializeToString(), completion_id=completion_id)


def state_keys_completion(message_type: int, completion_id: int, keys: Iterable[bytes]) -> Notification:
    message = wire.NotificationMessage(completion_id=completion_id, state_keys=wire.StateKeys(keys=keys))
    return Notification(message_type, message.SerializeToString(), completion_id=completion_id)


def signal_of(
    message_type: int, signal_id: int | None, signal_name: str | None, outcome: Outcome | None
) -> Notification:
    """A signal, by number or by name."""
    message = wire.NotificationMessage()
    if signal_name is not None:
        message.signal_name = signal_name
    else:
        assert signal_id is not None
        message.signal_id = signal_id
    _set_result(message, outcome)
    return Notification(
        message_type,
        message.SerializeToString(),
        signal_id=None if signal_name is not None else signal_id,
        signal_name=signal_name,
        failed=isinstance(outcome, Failure),
    )


def _set_result(message: wire.NotificationMessage, outcome: Outcome | None) -> None:
    match outcome:
        case Success(value):
            message.value.SetInParent()
            message.value.content = value
        case Failure():
            message.failure.CopyFrom(wire_failure(outcome))
        case None:
            message.void.SetInParent()
