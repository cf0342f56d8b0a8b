"""The operations of a handler, each one command or none.

Completion ids are taken by everything that may have a result, whether or not it is asked of the server: the
same journal then replays under every SDK.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from perdure.ids import awakeable_id
from perdure.protocol import messages_pb2 as pb
from perdure.protocol.messages import CANCEL_SIGNAL, MessageType
from perdure.protocol.wire import write_bytes, write_varint
from perdure.sdk.machine.awaiting import Leaf, NamedLeaf
from perdure.sdk.machine.machine import Machine
from perdure.sdk.machine.outcome import VOID, Failure, Outcome

# On the hot path: a member of an enumeration costs more than a number.
_RUN: Final = MessageType.RUN_COMMAND.value

# ---- State ----


def get_state(machine: Machine, key: bytes, name: str) -> Leaf:
    """A value or void."""
    leaf = Leaf(machine.next_completion_id())
    recorded = machine.next_recorded_type()
    if recorded is None:
        eager = machine.state.knows(key)
    else:
        eager = recorded == MessageType.GET_EAGER_STATE_COMMAND
    if not eager:
        machine.command(
            MessageType.GET_LAZY_STATE_COMMAND,
            pb.GetLazyStateCommandMessage(key=key, result_completion_id=leaf.id, name=name),
        )
        return leaf
    value = machine.state.get(key) if machine.state.knows(key) else None
    message = pb.GetEagerStateCommandMessage(key=key, name=name)
    if value is None:
        message.void.SetInParent()
    else:
        message.value.SetInParent()
        message.value.content = value
    machine.command(MessageType.GET_EAGER_STATE_COMMAND, message)
    if recorded is not None:
        message = pb.GetEagerStateCommandMessage.FromString(machine.recorded())
        value = message.value.content if message.HasField("value") else None
    machine.results[leaf.id] = VOID if value is None else Outcome("value", value)
    return leaf


def get_state_keys(machine: Machine, name: str) -> Leaf:
    """The keys that have a value."""
    leaf = Leaf(machine.next_completion_id())
    recorded = machine.next_recorded_type()
    if recorded is None:
        eager = not machine.state.partial
    else:
        eager = recorded == MessageType.GET_EAGER_STATE_KEYS_COMMAND
    if not eager:
        machine.command(
            MessageType.GET_LAZY_STATE_KEYS_COMMAND,
            pb.GetLazyStateKeysCommandMessage(result_completion_id=leaf.id, name=name),
        )
        return leaf
    keys = machine.state.keys() if not machine.state.partial else []
    message = pb.GetEagerStateKeysCommandMessage(value=pb.StateKeys(keys=keys), name=name)
    machine.command(MessageType.GET_EAGER_STATE_KEYS_COMMAND, message)
    if recorded is not None:
        keys = list(pb.GetEagerStateKeysCommandMessage.FromString(machine.recorded()).value.keys)
    machine.results[leaf.id] = Outcome("state_keys", keys=tuple(keys))
    return leaf


def set_state(machine: Machine, key: bytes, value: bytes, name: str) -> None:
    machine.command(
        MessageType.SET_STATE_COMMAND, pb.SetStateCommandMessage(key=key, value=pb.Value(content=value), name=name)
    )
    machine.state.set(key, value)


def clear_state(machine: Machine, key: bytes, name: str) -> None:
    machine.command(MessageType.CLEAR_STATE_COMMAND, pb.ClearStateCommandMessage(key=key, name=name))
    machine.state.clear(key)


def clear_all_state(machine: Machine, name: str) -> None:
    machine.command(MessageType.CLEAR_ALL_STATE_COMMAND, pb.ClearAllStateCommandMessage(name=name))
    machine.state.clear_all()


# ---- Time and runs ----


def sleep(machine: Machine, wake_up_ms: int, name: str) -> Leaf:
    """wake_up_ms: since the Unix epoch; the one that was recorded holds."""
    leaf = Leaf(machine.next_completion_id())
    machine.command(
        MessageType.SLEEP_COMMAND,
        pb.SleepCommandMessage(wake_up_time=wake_up_ms, result_completion_id=leaf.id, name=name),
    )
    return leaf


def run(machine: Machine, name: str) -> Leaf:
    """Records that something is done; `Machine.propose` gives the result, if no notification brings it."""
    machine.last_completion = completion_id = machine.last_completion + 1
    # Most commands are runs: written by hand in half of the time.
    payload = b"\x58" + write_varint(completion_id)
    if name:
        payload += write_bytes(b"\x62", name.encode())
    machine.encoded_command(_RUN, payload)
    return Leaf(completion_id)


# ---- Calls ----


class Target(NamedTuple):
    """Who is called, and how. key: None for services.  scope, limit_key: since version 7."""

    service: str
    handler: str
    key: str | None = None
    idempotency_key: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    scope: str | None = None
    limit_key: str | None = None


def call(machine: Machine, target: Target, parameter: bytes) -> tuple[Leaf, Leaf]:
    """The leaves of the callee's invocation id and of its result."""
    _check_scope(machine, target)
    invocation_id = Leaf(machine.next_completion_id())
    result = Leaf(machine.next_completion_id())
    machine.command(
        MessageType.CALL_COMMAND,
        pb.CallCommandMessage(
            service_name=target.service,
            handler_name=target.handler,
            parameter=parameter,
            headers=_headers(target.headers),
            key=target.key or "",
            idempotency_key=target.idempotency_key,
            scope=target.scope,
            limit_key=target.limit_key,
            invocation_id_notification_idx=invocation_id.id,
            result_completion_id=result.id,
        ),
    )
    machine.add_call(invocation_id.id)
    return invocation_id, result


def send(machine: Machine, target: Target, parameter: bytes, invoke_at_ms: int) -> Leaf:
    """The leaf of the invocation id. invoke_at_ms: since the Unix epoch, 0 for now."""
    _check_scope(machine, target)
    leaf = Leaf(machine.next_completion_id())
    machine.command(
        MessageType.ONE_WAY_CALL_COMMAND,
        pb.OneWayCallCommandMessage(
            service_name=target.service,
            handler_name=target.handler,
            parameter=parameter,
            invoke_time=invoke_at_ms,
            headers=_headers(target.headers),
            key=target.key or "",
            idempotency_key=target.idempotency_key,
            scope=target.scope,
            limit_key=target.limit_key,
            invocation_id_notification_idx=leaf.id,
        ),
    )
    return leaf


def _headers(pairs: Iterable[tuple[str, str]]) -> list[pb.Header]:
    return [pb.Header(key=key, value=value) for key, value in pairs]


def _check_scope(machine: Machine, target: Target) -> None:
    if target.scope is not None or target.limit_key is not None:
        machine.require_version(7, "a scope")


def attach(machine: Machine, invocation_id: str) -> Leaf:
    """The result of another invocation."""
    leaf = Leaf(machine.next_completion_id())
    machine.command(
        MessageType.ATTACH_INVOCATION_COMMAND,
        pb.AttachInvocationCommandMessage(invocation_id=invocation_id, result_completion_id=leaf.id),
    )
    return leaf


# ---- Promises, awakeables, signals ----


def get_promise(machine: Machine, key: str) -> Leaf:
    leaf = Leaf(machine.next_completion_id())
    machine.command(MessageType.GET_PROMISE_COMMAND, pb.GetPromiseCommandMessage(key=key, result_completion_id=leaf.id))
    return leaf


def peek_promise(machine: Machine, key: str) -> Leaf:
    leaf = Leaf(machine.next_completion_id())
    machine.command(
        MessageType.PEEK_PROMISE_COMMAND, pb.PeekPromiseCommandMessage(key=key, result_completion_id=leaf.id)
    )
    return leaf


def complete_promise(machine: Machine, key: str, outcome: Outcome) -> Leaf:
    """outcome: a value or a failure."""
    leaf = Leaf(machine.next_completion_id())
    message = pb.CompletePromiseCommandMessage(key=key, result_completion_id=leaf.id)
    if outcome.failure is not None:
        message.completion_failure.CopyFrom(machine.failure(outcome.failure))
    else:
        message.completion_value.SetInParent()
        message.completion_value.content = outcome.value
    machine.command(MessageType.COMPLETE_PROMISE_COMMAND, message)
    return leaf


def awakeable(machine: Machine) -> tuple[str, Leaf]:
    """The id to hand out, and the leaf. No command: the signal may come from anywhere."""
    machine.require_open()
    signal = machine.next_signal_id()
    return awakeable_id(machine.start.id, signal), Leaf(-signal)


def complete_awakeable(machine: Machine, id: str, outcome: Outcome) -> None:
    """outcome: a value or a failure."""
    message = pb.CompleteAwakeableCommandMessage(awakeable_id=id)
    _set_result(machine, message, outcome)
    machine.command(MessageType.COMPLETE_AWAKEABLE_COMMAND, message)


def signal(machine: Machine, name: str) -> NamedLeaf:
    """The next signal of a name."""
    machine.require_open()
    return NamedLeaf(name)


def send_signal(machine: Machine, invocation_id: str, name: str, outcome: Outcome) -> None:
    """outcome: a value or a failure."""
    message = pb.SendSignalCommandMessage(target_invocation_id=invocation_id, name=name)
    _set_result(machine, message, outcome)
    machine.command(MessageType.SEND_SIGNAL_COMMAND, message)


def cancel(machine: Machine, invocation_id: str) -> None:
    """Asks another invocation to cancel itself."""
    message = pb.SendSignalCommandMessage(target_invocation_id=invocation_id, idx=CANCEL_SIGNAL)
    message.void.SetInParent()
    machine.command(MessageType.SEND_SIGNAL_COMMAND, message)


def _set_result(
    machine: Machine, message: pb.CompleteAwakeableCommandMessage | pb.SendSignalCommandMessage, outcome: Outcome
) -> None:
    if outcome.failure is not None:
        message.failure.CopyFrom(machine.failure(outcome.failure))
    else:
        message.value.SetInParent()
        message.value.content = outcome.value


def failed(code: int, text: str, metadata: dict[str, str] | None = None) -> Outcome:
    """A failure as an outcome."""
    return Outcome("failure", failure=Failure(code, text, tuple((metadata or {}).items())))
