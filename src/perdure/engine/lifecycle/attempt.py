"""What an attempt said: its commands, its proposals, and how it ended."""

import msgspec

from perdure.engine.commands import COMMANDS, CommandRefused
from perdure.engine.commands.run import on_run_proposal
from perdure.engine.journal import start_attempt, still_awaited
from perdure.engine.lifecycle.complete import complete, complete_with_output
from perdure.engine.outcome import told_output
from perdure.engine.pausing import pause
from perdure.engine.turn import LATEST_TIME, Turn
from perdure.engine.tx import EVENTS_KEPT, JournalEvent, Timer
from perdure.model.actions import ArmTimer, HalfClose, SendToAttempt
from perdure.model.invocation import AttemptFailure, Failure, Invocation, Status
from perdure.model.records import AttemptProgress, Ended, Entry, ErrorBehavior, Failed, Suspended
from perdure.model.registry import OnMaxAttempts, RetryPolicy
from perdure.protocol.framing import ACK_FLAG, encode_frame
from perdure.protocol.futures import AwaitTree
from perdure.protocol.messages import MessageType, command_ack

_tree_decoder = msgspec.json.Decoder(AwaitTree)
_failure_decoder = msgspec.json.Decoder(AttemptFailure)

# On the hot path: reading a member of an enumeration costs several times as much as comparing two numbers.
_PROPOSAL = MessageType.PROPOSE_RUN_COMPLETION.value
_OUTPUT = MessageType.OUTPUT_COMMAND.value

JITTER_MAX = 0.3
"""A retry waits up to that much longer than its policy says, so that many failing at once spread out."""


def on_progress(turn: Turn, record: AttemptProgress) -> None:
    """Believed only from the attempt that is open now; all others are stale."""
    invocation = turn.tx.invocation(record.number)
    if invocation is None or invocation.attempt != record.attempt:
        return
    if invocation.status is not Status.INVOKED or invocation.next_retry_at is not None:
        return
    invocation.last_deployment_id = record.deployment_id or None
    invocation.last_server = record.server
    try:
        for entry in record.entries:
            if entry.type == _PROPOSAL:
                on_run_proposal(turn, invocation, entry)
            else:
                _on_command(turn, invocation, record, entry)
    except CommandRefused as refusal:
        # The handler cannot go on from here: it is asked to stop, and starts again from the last stored entry.
        turn.emit(HalfClose(invocation.number, invocation.attempt, drain=True))
        _on_failed(turn, invocation, Failed(refusal.failure(invocation.command_count)))
        return
    match record.end:
        case None:
            turn.tx.save_invocation(invocation)
        case Ended():
            _on_ended(turn, invocation, record)
        case Suspended():
            _on_suspended(turn, invocation, record.end)
        case Failed():
            _on_failed(turn, invocation, record.end)


def _on_command(turn: Turn, invocation: Invocation, record: AttemptProgress, entry: Entry) -> None:
    index = invocation.command_count
    COMMANDS[entry.type](turn, invocation, entry)
    if invocation.deployment_id is None or invocation.protocol_version is None:
        invocation.deployment_id = record.deployment_id
        invocation.protocol_version = record.protocol_version
    invocation.retry_count_since_entry = 0
    # It got further than where it failed.
    invocation.last_failure = None
    if entry.flags & ACK_FLAG:
        ack = encode_frame(MessageType.COMMAND_ACK, command_ack(index))
        turn.emit(SendToAttempt(invocation.number, invocation.attempt, None, ack))


def _on_ended(turn: Turn, invocation: Invocation, record: AttemptProgress) -> None:
    if invocation.output_index is None:
        violation = AttemptFailure(571, "RT0012", "the handler ended the invocation without an output")
        _on_failed(turn, invocation, Failed(violation))
        return
    for entry in reversed(record.entries):
        # Nearly always it came with the end, and need not be read from the journal.
        if entry.type == _OUTPUT:
            complete(turn, invocation, told_output(entry.message))
            return
    complete_with_output(turn, invocation)


def _on_suspended(turn: Turn, invocation: Invocation, suspended: Suspended) -> None:
    if invocation.pause_requested:
        pause(turn, invocation, None)
        turn.tx.save_invocation(invocation)
        return
    left = still_awaited(turn, invocation.number, _tree_decoder.decode(suspended.tree))
    if left is None:
        start_attempt(turn, invocation, afresh=True)
    else:
        invocation.status = Status.SUSPENDED
        invocation.awaiting = msgspec.json.encode(left)
        invocation.modified_at = turn.now
        invocation.last_failure = None
    turn.tx.save_invocation(invocation)


def _on_failed(turn: Turn, invocation: Invocation, failed: Failed) -> None:
    failure = failed.failure
    if failed.counted:
        invocation.retry_count_since_entry += 1
    if failed.behavior == ErrorBehavior.FAIL and not invocation.pause_requested:
        complete(turn, invocation, Failure(failure.code, failure.message, stacktrace=failure.stacktrace))
        return
    failure = _bounded(failure)
    invocation.last_failure = msgspec.json.encode(failure)
    policy = _retry_policy(turn, invocation)
    taken = invocation.policy_retries
    if invocation.pause_requested or failed.behavior == ErrorBehavior.PAUSE:
        pause(turn, invocation, failure)
    elif failed.retry_after is not None:
        _retry_in(turn, invocation, failed.retry_after, failure)
    elif policy.max_attempts is not None and taken + 1 >= policy.max_attempts:
        if policy.on_max_attempts is OnMaxAttempts.KILL:
            complete(turn, invocation, Failure(500, failure.message, stacktrace=failure.stacktrace))
            return
        pause(turn, invocation, failure)
    else:
        invocation.policy_retries += 1
        _retry_in(turn, invocation, _delay(turn, policy, taken), failure)
    turn.tx.save_invocation(invocation)


def _bounded(failure: AttemptFailure) -> AttemptFailure:
    """With texts cut to what is worth keeping: each of endlessly many attempts may leave them behind."""
    return msgspec.structs.replace(
        failure,
        message=failure.message[:_TEXT_MAX],
        stacktrace=failure.stacktrace[:_TEXT_MAX] if failure.stacktrace else None,
        command_name=failure.command_name[:_TEXT_MAX] if failure.command_name else None,
    )


_TEXT_MAX = 16 * 1024


def _retry_policy(turn: Turn, invocation: Invocation) -> RetryPolicy:
    registry = turn.tx.registry
    service = registry.services.get(invocation.service)
    if invocation.deployment_id is not None:
        service = registry.revisions.get((invocation.deployment_id, invocation.service), service)
    if service is None:
        return _NOWHERE_TO_RUN
    handler = service.handlers.get(invocation.handler)
    return handler.retry_policy if handler else service.settings.retry_policy


_NOWHERE_TO_RUN = RetryPolicy(max_attempts=None, max_interval=2_000)
"""Until somebody registers the code again; it should then not take long."""


def _delay(turn: Turn, policy: RetryPolicy, taken: int) -> int:
    """The next delay of the policy in ms, jitter included. taken: how many were taken before."""
    try:
        interval = min(float(policy.max_interval), policy.initial_interval * policy.factor**taken)
    except OverflowError:
        interval = float(policy.max_interval)
    jitter = int.from_bytes(turn.draw()[:4], "big") / 2**32 * JITTER_MAX
    return int(interval * (1 + jitter))


def _retry_in(turn: Turn, invocation: Invocation, delay: int, failure: AttemptFailure) -> None:
    _record_event(turn, invocation, failure)
    if delay <= 0:
        start_attempt(turn, invocation, afresh=False)
        return
    invocation.next_retry_at = min(turn.now + delay, LATEST_TIME)
    invocation.modified_at = turn.now
    turn.tx.add_timer(Timer(invocation.next_retry_at, invocation.number, "retry", invocation.attempt))
    turn.emit(ArmTimer(invocation.next_retry_at))


def _record_event(turn: Turn, invocation: Invocation, failure: AttemptFailure) -> None:
    """The same error in a row is recorded once."""
    body = msgspec.json.encode(failure)
    last = turn.tx.last_event(invocation.number)
    if last is None or last.type != "TransientError" or last.body != body:
        event = JournalEvent(turn.now, invocation.journal_size - 1, "TransientError", body)
        turn.tx.append_event(invocation.number, event, EVENTS_KEPT)


def last_failure(invocation: Invocation) -> AttemptFailure | None:
    """Why it backs off; None: its last attempt has not failed."""
    return _failure_decoder.decode(invocation.last_failure) if invocation.last_failure else None
