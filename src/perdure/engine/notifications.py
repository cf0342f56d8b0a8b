"""Notifications that the engine makes: the encoded message, and what the journal keeps beside it."""

from collections.abc import Iterable

import msgspec

from perdure.model.invocation import Failure, Outcome, Success
from perdure.protocol import messages
from perdure.protocol import messages_pb2 as wire
from perdure.protocol.messages import MessageType


class Notification(msgspec.Struct, frozen=True, gc=False):
    """An encoded notification. type: message type id; the other fields as in `JournalEntry`."""

    type: int
    raw: bytes
    completion_id: int | None = None
    signal_id: int | None = None
    signal_name: str | None = None
    failed: bool = False


def wire_failure(failure: Failure) -> wire.Failure:
    return messages.make_failure(failure.code, failure.message, failure.metadata)


def model_failure(failure: wire.Failure) -> Failure:
    return Failure(failure.code, failure.message, tuple((item.key, item.value) for item in failure.metadata))


def completion_of(message_type: int, completion_id: int, outcome: Outcome | None) -> Notification:
    """A completion with a value or a failure; None: void."""
    match outcome:
        case Success(value):
            raw = messages.completion(message_type, completion_id, value=value)
        case Failure():
            raw = messages.completion(message_type, completion_id, failure=wire_failure(outcome))
        case None:
            raw = messages.completion(message_type, completion_id, void=True)
    return Notification(message_type, raw, completion_id=completion_id, failed=isinstance(outcome, Failure))


def invocation_id_completion(completion_id: int, invocation_id: str) -> Notification:
    message_type = MessageType.CALL_INVOCATION_ID_COMPLETION
    raw = messages.completion(message_type, completion_id, invocation_id=invocation_id)
    return Notification(message_type, raw, completion_id=completion_id)


def state_keys_completion(completion_id: int, keys: Iterable[bytes]) -> Notification:
    message_type = MessageType.GET_LAZY_STATE_KEYS_COMPLETION
    raw = messages.completion(message_type, completion_id, state_keys=keys)
    return Notification(message_type, raw, completion_id=completion_id)


def signal_of(signal_id: int | None, signal_name: str | None, outcome: Outcome | None) -> Notification:
    """A signal, by number or by name: exactly one is given. outcome None: void."""
    signal = signal_id if signal_name is None else signal_name
    assert signal is not None
    match outcome:
        case Success(value):
            raw = messages.signal_notification(signal, value=value)
        case Failure():
            raw = messages.signal_notification(signal, failure=wire_failure(outcome))
        case None:
            raw = messages.signal_notification(signal, void=True)
    return Notification(
        MessageType.SIGNAL_NOTIFICATION,
        raw,
        signal_id=signal_id,
        signal_name=signal_name,
        failed=isinstance(outcome, Failure),
    )
