"""An invocation is accepted: from a caller outside, or from a handler."""

from perdure.engine.inbox import begin
from perdure.engine.lifecycle.complete import tell_awaiter
from perdure.engine.outcome import ALREADY_INVOKED, outcome_of
from perdure.engine.turn import LATEST_TIME, Turn
from perdure.engine.tx import Awaiter, Timer
from perdure.model.actions import Accepted, AlreadyInvoked, ArmTimer, Finished
from perdure.model.invocation import HandlerKind, Invocation, InvokedBy, JournalEntry, Status, Target
from perdure.model.records import CallMessage, Invoke
from perdure.protocol.messages import MessageType


def on_invoke(turn: Turn, record: Invoke) -> None:
    """A caller outside. A call is answered when it completes, which may be at once if it was there before."""
    existing = turn.tx.invocation_by_id(record.id) if record.may_exist else None
    if existing is not None:
        answer = _answer_existing(turn, record, existing)
        if answer is not None:
            turn.reply(record, answer)
        return
    invocation = _new_invocation(turn, record.id, record.target, record.idempotency_key, record.execution_time)
    invocation.trace_parent = record.trace_parent
    _accept(turn, invocation, record.input)
    if not record.wait:
        turn.reply(record, Accepted(record.id, True, invocation.execution_time))


def _answer_existing(turn: Turn, record: Invoke, existing: Invocation) -> Accepted | AlreadyInvoked | Finished | None:
    if not record.wait:
        return Accepted(existing.id, False, existing.execution_time)
    if existing.handler_kind is HandlerKind.WORKFLOW:
        return AlreadyInvoked(existing.id)
    if existing.status is Status.COMPLETED:
        return Finished(existing.id, outcome_of(turn.tx, existing), existing.completion_expires_at, existing.target)
    return None


def on_call(turn: Turn, message: CallMessage) -> None:
    """A handler calls or sends."""
    awaiter = None
    if message.completion_id is not None:
        awaiter = Awaiter(message.caller_id, message.completion_id, MessageType.CALL_COMPLETION)
    existing = turn.tx.invocation_by_id(message.id) if message.may_exist else None
    if existing is not None:
        if awaiter is not None:
            _attach_call(turn, existing, awaiter)
        return
    invocation = _new_invocation(turn, message.id, message.target, message.idempotency_key, message.execution_time)
    invocation.invoked_by = InvokedBy.SERVICE
    invocation.caller_id = message.caller_id
    invocation.caller_target = message.caller_target
    invocation.root_id = message.root_id
    if awaiter is not None:
        turn.tx.add_awaiter(invocation.number, awaiter)
    _accept(turn, invocation, message.input)


def _attach_call(turn: Turn, existing: Invocation, awaiter: Awaiter) -> None:
    if existing.handler_kind is HandlerKind.WORKFLOW:
        tell_awaiter(turn, awaiter.caller_id, awaiter.type, awaiter.completion_id, ALREADY_INVOKED)
    else:
        attach(turn, existing, awaiter)


def attach(turn: Turn, invocation: Invocation, awaiter: Awaiter) -> None:
    """Gives an entry the outcome of an invocation, now or when it is there."""
    if invocation.status is Status.COMPLETED:
        outcome = outcome_of(turn.tx, invocation)
        tell_awaiter(turn, awaiter.caller_id, awaiter.type, awaiter.completion_id, outcome)
    else:
        turn.tx.add_awaiter(invocation.number, awaiter)


def _new_invocation(
    turn: Turn, invocation_id: str, target: Target, idempotency_key: str | None, execution_time: int | None
) -> Invocation:
    completion_retention, journal_retention = _retentions(turn, target, idempotency_key is not None)
    if execution_time is not None:
        execution_time = min(execution_time, LATEST_TIME)
    return Invocation(
        number=turn.tx.next_number("invocation"),
        id=invocation_id,
        service=target.service,
        handler=target.handler,
        key=target.key,
        service_kind=target.service_kind,
        handler_kind=target.handler_kind,
        idempotency_key=idempotency_key,
        invoked_by=InvokedBy.INGRESS,
        caller_id=None,
        caller_target=None,
        root_id=None,
        restarted_from=None,
        created_at=turn.now,
        execution_time=execution_time,
        completion_retention=completion_retention,
        journal_retention=journal_retention,
        trace_parent=None,
        status=Status.SCHEDULED,
        modified_at=turn.now,
        entry_stored_at=turn.now,
    )


def _retentions(turn: Turn, target: Target, has_idempotency_key: bool) -> tuple[int, int]:
    """Completion and journal retention, fixed when an invocation is accepted."""
    handler = turn.tx.registry.handler(target.service, target.handler)
    if handler is None:
        return 0, 0
    journal_retention = min(handler.journal_retention, LATEST_TIME)
    if target.handler_kind is HandlerKind.WORKFLOW or has_idempotency_key:
        completion_retention = min(handler.completion_retention, LATEST_TIME)
        return completion_retention, min(journal_retention, completion_retention)
    return journal_retention, journal_retention


def _accept(turn: Turn, invocation: Invocation, input_command: bytes) -> None:
    turn.tx.append_entry(invocation.number, JournalEntry(0, MessageType.INPUT_COMMAND, input_command, turn.now))
    invocation.journal_size = 1
    invocation.command_count = 1
    if invocation.execution_time is not None and invocation.execution_time > turn.now:
        turn.tx.add_timer(Timer(invocation.execution_time, invocation.number, "start", 0))
        turn.emit(ArmTimer(invocation.execution_time))
    else:
        begin(turn, invocation)
    turn.tx.insert_invocation(invocation)
