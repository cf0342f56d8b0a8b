"""An invocation reaches its outcome: everybody who waits is told, the key is free for the next."""

import msgspec

from perdure.engine.cancelling import forget_cancel
from perdure.engine.inbox import release_key
from perdure.engine.notifications import completion_of
from perdure.engine.outcome import stored_output
from perdure.engine.turn import Turn
from perdure.model.actions import Completed
from perdure.model.invocation import Failure, HandlerKind, Invocation, Outcome, Status
from perdure.model.records import CompletionMessage


def complete_with_output(turn: Turn, invocation: Invocation) -> None:
    """Completes with the last output command of the journal."""
    assert invocation.output_index is not None
    complete(turn, invocation, stored_output(turn.tx, invocation.number, invocation.output_index))


def complete(turn: Turn, invocation: Invocation, outcome: Outcome, *, told: Outcome | None = None) -> None:
    """Completes and saves. told: what those who wait now are told, if it is not the outcome as it is stored."""
    assert invocation.status is not Status.COMPLETED
    held = invocation.target.locks and invocation.status not in (Status.SCHEDULED, Status.INBOXED)
    if invocation.status is Status.INBOXED:
        assert invocation.key is not None
        turn.tx.remove_from_inbox(invocation.service, invocation.key, invocation.number)
    _tell(turn, invocation, told or outcome)
    forget_cancel(turn, invocation)
    _settle(invocation, outcome, turn.now)
    if invocation.completion_retention == 0:
        remove(turn, invocation)
    else:
        if invocation.journal_retention == 0:
            drop_journal(turn, invocation)
        turn.tx.save_invocation(invocation)
    if held:
        assert invocation.key is not None
        release_key(turn, invocation.service, invocation.key)


def _settle(invocation: Invocation, outcome: Outcome, now: int) -> None:
    invocation.status = Status.COMPLETED
    invocation.completed_at = now
    invocation.modified_at = now
    invocation.awaiting = None
    invocation.next_retry_at = None
    invocation.last_failure = None
    invocation.pause_requested = False
    invocation.completion_expires_at = now + invocation.completion_retention
    if 0 < invocation.journal_retention < invocation.completion_retention:
        invocation.journal_expires_at = now + invocation.journal_retention
    if isinstance(outcome, Failure):
        invocation.failure = msgspec.json.encode(outcome)


def _tell(turn: Turn, invocation: Invocation, outcome: Outcome) -> None:
    for awaiter in turn.tx.take_awaiters(invocation.number):
        tell_awaiter(turn, awaiter.caller_id, awaiter.type, awaiter.completion_id, outcome)
    turn.emit(Completed(invocation.id, outcome, invocation.target))


def tell_awaiter(turn: Turn, caller_id: str, message_type: int, completion_id: int, outcome: Outcome | None) -> None:
    """Sends an outcome to the entry of another invocation that waits for it; None: void."""
    notification = completion_of(message_type, completion_id, outcome)
    turn.send(CompletionMessage(caller_id, message_type, completion_id, notification.failed, notification.raw))


def remove(turn: Turn, invocation: Invocation) -> None:
    """Removes a completed invocation; a workflow's key is free again, so its state and promises go too."""
    assert invocation.status is Status.COMPLETED
    turn.tx.delete_invocation(invocation.number)
    if invocation.handler_kind is HandlerKind.WORKFLOW:
        assert invocation.key is not None
        turn.tx.clear_all_state(invocation.service, invocation.key)
        turn.tx.delete_promises(invocation.service, invocation.key)


def drop_journal(turn: Turn, invocation: Invocation) -> None:
    """Removes the journal of a completed invocation, but for the output: the outcome outlives it. The caller saves."""
    assert invocation.status is Status.COMPLETED
    turn.tx.delete_entries(invocation.number, keep=invocation.output_index)
    invocation.journal_size = 0
    invocation.command_count = 0
    invocation.journal_expires_at = None
