"""Promises of a workflow key: completed once, by name."""

from typing import Any

import msgspec

from perdure.engine.commands.refusal import CommandRefused
from perdure.engine.journal import append_command, append_notification, forward, notify
from perdure.engine.notifications import completion_of, model_failure
from perdure.engine.outcome import PROMISE_COMPLETED
from perdure.engine.turn import Turn
from perdure.engine.tx import Promise
from perdure.model.invocation import Failure, Invocation, Outcome, ServiceKind, Success
from perdure.model.records import Entry
from perdure.protocol.messages import MessageType

_failure_decoder = msgspec.json.Decoder(Failure)


def _workflow_key(invocation: Invocation, entry: Entry) -> str:
    if invocation.service_kind is not ServiceKind.WORKFLOW:
        raise CommandRefused("RT0017", f"{invocation.target} has no promises: only workflows do.", entry)
    assert invocation.key is not None
    return invocation.key


def on_get(turn: Turn, invocation: Invocation, entry: Entry) -> None:
    key = _workflow_key(invocation, entry)
    append_command(turn, invocation, entry.type, entry.raw)
    name, completion_id = entry.message.key, entry.message.result_completion_id
    promise = turn.tx.promise(invocation.service, key, name)
    if promise is None:
        turn.tx.add_promise_awaiter(invocation.service, key, name, invocation.number, completion_id)
    else:
        _answer(turn, invocation, MessageType.GET_PROMISE_COMPLETION, completion_id, _outcome(promise))


def on_peek(turn: Turn, invocation: Invocation, entry: Entry) -> None:
    key = _workflow_key(invocation, entry)
    append_command(turn, invocation, entry.type, entry.raw)
    promise = turn.tx.promise(invocation.service, key, entry.message.key)
    outcome = _outcome(promise) if promise else None
    _answer(turn, invocation, MessageType.PEEK_PROMISE_COMPLETION, entry.message.result_completion_id, outcome)


def on_complete(turn: Turn, invocation: Invocation, entry: Entry) -> None:
    key = _workflow_key(invocation, entry)
    append_command(turn, invocation, entry.type, entry.raw)
    message = entry.message
    if turn.tx.promise(invocation.service, key, message.key) is not None:
        answer: Outcome | None = PROMISE_COMPLETED
    else:
        answer = None
        complete(turn, invocation.service, key, message.key, _told(message), by=invocation)
    _answer(turn, invocation, MessageType.COMPLETE_PROMISE_COMPLETION, message.result_completion_id, answer)


def complete(turn: Turn, service: str, key: str, name: str, outcome: Outcome, *, by: Invocation | None = None) -> None:
    """Keeps the outcome of an open promise and tells who waits for it. by: the invocation that completes it."""
    if isinstance(outcome, Failure):
        promise = Promise(None, msgspec.json.encode(outcome))
    else:
        promise = Promise(outcome.value, None)
    turn.tx.set_promise(service, key, name, promise)
    for number, completion_id in turn.tx.take_promise_awaiters(service, key, name):
        notification = completion_of(MessageType.GET_PROMISE_COMPLETION, completion_id, outcome)
        if by is not None and number == by.number:
            # Its row is being changed by this very turn.
            forward(turn, by, append_notification(turn, by, notification), notification)
        elif (waiting := turn.tx.invocation(number)) is not None:
            notify(turn, waiting, notification)


def _told(message: Any) -> Outcome:
    """The outcome in a CompletePromiseCommandMessage."""
    if message.WhichOneof("completion") == "completion_failure":
        return model_failure(message.completion_failure)
    return Success(message.completion_value.content)


def _outcome(promise: Promise) -> Outcome:
    if promise.failure is not None:
        return _failure_decoder.decode(promise.failure)
    assert promise.value is not None
    return Success(promise.value)


def _answer(turn: Turn, invocation: Invocation, message_type: int, completion_id: int, outcome: Outcome | None) -> None:
    notification = completion_of(message_type, completion_id, outcome)
    forward(turn, invocation, append_notification(turn, invocation, notification), notification)
