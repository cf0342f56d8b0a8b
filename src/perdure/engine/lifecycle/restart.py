"""Restart as new: a completed invocation is run again, with a new id, from its input or a prefix of its journal."""

from collections import defaultdict, deque
from collections.abc import Iterator

import msgspec

from perdure import ids
from perdure.engine.inbox import begin
from perdure.engine.lifecycle.pinning import deployment_refusal, resolve
from perdure.engine.operations import note_operation
from perdure.engine.refusals import unknown_invocation
from perdure.engine.turn import Turn
from perdure.model.actions import Refused, Restarted
from perdure.model.invocation import HandlerKind, Invocation, InvokedBy, JournalEntry, ServiceKind, Status
from perdure.model.records import RestartAsNew
from perdure.protocol.messages import NAMES, MessageType, decode, is_command, is_completion


def on_restart(turn: Turn, record: RestartAsNew) -> None:
    old = turn.tx.invocation_by_id(record.id)
    if old is None:
        turn.reply(record, unknown_invocation(record.id))
        return
    entries = turn.tx.entries(old.number)
    refusal = _refusal(turn, old, entries, record)
    if refusal is not None:
        turn.reply(record, refusal)
        return
    invocation = _renewed(turn, old, record)
    for index, entry in enumerate(prefix(entries, record.from_index)):
        copied = msgspec.structs.replace(entry, index=index, appended_at=turn.now)
        turn.tx.append_entry(invocation.number, copied)
        invocation.journal_size += 1
        invocation.command_count += is_command(entry.type)
    note_operation(turn, old, record, new_id=invocation.id)
    note_operation(turn, invocation, record, new_id=invocation.id)
    begin(turn, invocation)
    turn.tx.insert_invocation(invocation)
    turn.reply(record, Restarted(invocation.id))


def _refusal(turn: Turn, old: Invocation, entries: list[JournalEntry], record: RestartAsNew) -> Refused | None:
    name = f"The invocation '{old.id}'"
    if old.status in (Status.SCHEDULED, Status.INBOXED):
        return Refused(425, f"{name} cannot be restarted because it's not running yet.")
    if old.status is not Status.COMPLETED:
        return Refused(409, f"{name} is still running.")
    if (refusal := _key_refusal(turn, old, record)) is not None:
        return refusal
    if old.journal_size == 0:
        text = "cannot be restarted because the input is not available. This indicates that the journal was already"
        return Refused(410, f"{name} {text} purged, or not retained at all.")
    if (refusal := _prefix_refusal(old, entries, record.from_index)) is not None:
        return refusal
    if record.from_index == 0:
        # Nothing but the input is replayed, so any version of the protocol will do.
        old = msgspec.structs.replace(old, protocol_version=None)
    # What never ran has no pin to keep or to move.
    deployment = "latest" if old.deployment_id is None else record.deployment
    return deployment_refusal(turn.tx.registry, old, deployment, "restart as new")


def _key_refusal(turn: Turn, old: Invocation, record: RestartAsNew) -> Refused | None:
    if old.service_kind is not ServiceKind.WORKFLOW:
        if record.key is None:
            return None
        text = "is not of a workflow: it keeps its key. Leave out `key`."
        return Refused(422, f"The invocation '{old.id}' {text}")
    if record.key is None:
        text = "A workflow runs once per key; to run it again, give a new one as `key`."
        return Refused(422, f"Restarting the invocation '{old.id}' is not supported. {text}")
    if record.from_index > 0:
        text = "State and promises stay with the old key, so that a journal that used them cannot be replayed."
        return Refused(422, f"The invocation '{old.id}' can be restarted under a new key from its input only. {text}")
    if turn.tx.invocation_by_id(_new_id(old, record)) is not None:
        return Refused(409, f"The workflow '{old.service}' has run with the key '{record.key}' already. Give another.")
    return None


def _prefix_refusal(old: Invocation, entries: list[JournalEntry], last: int) -> Refused | None:
    if last >= len(entries):
        text = f"has the entries 0 to {len(entries) - 1}, so that it cannot be restarted from {last}."
        return Refused(400, f"The journal of the invocation '{old.id}' {text}")
    for entry in entries[: last + 1]:
        if entry.type == MessageType.OUTPUT_COMMAND:
            text = (
                f"includes its output at index {entry.index}, after which nothing is left to run. Choose a smaller one."
            )
            return Refused(400, f"The prefix of the journal '{old.id}' up to 'from' (included) {text}")
    unanswered = next(_unanswered(entries, last), None)
    if unanswered is not None:
        text = "contains some Commands without respective Completions."
        which = f"The first is {NAMES[unanswered.type]} at index {unanswered.index}: choose a smaller one."
        return Refused(400, f"The prefix of the journal '{old.id}' up to 'from' (included) {text} {which}")
    return None


def prefix(entries: list[JournalEntry], last: int) -> list[JournalEntry]:
    """The entries up to index `last`, and the completions of the commands among them that stand further behind."""
    return [entry for entry, kept in _walk(entries, last, defaultdict(deque)) if kept]


def _unanswered(entries: list[JournalEntry], last: int) -> Iterator[JournalEntry]:
    """Commands up to index `last` that lack a completion, in order."""
    waiting: _Waiting = defaultdict(deque)
    deque(_walk(entries, last, waiting), maxlen=0)
    yield from sorted((entry for queue in waiting.values() for entry in queue), key=lambda entry: entry.index)


_Waiting = defaultdict[tuple[int, int], deque[JournalEntry]]
"""Message type and id of a completion, to the commands that wait for it. Handlers may use an id more than once."""


def _walk(entries: list[JournalEntry], last: int, waiting: _Waiting) -> Iterator[tuple[JournalEntry, bool]]:
    """Each entry, and whether it belongs to the prefix. At the end, `waiting` holds the commands without answer."""
    for entry in entries:
        kept = entry.index <= last
        if is_completion(entry.type) and entry.completion_id is not None:
            queue = waiting[entry.type, entry.completion_id]
            kept = kept or bool(queue)
            if queue:
                queue.popleft()
        elif kept and is_command(entry.type):
            for answer in _answers(entry):
                waiting[answer].append(entry)
        yield entry, kept


_COMPLETION_OF_COMMAND = 0x8000 - 0x0400
"""The message type of a completion is its command's plus this."""


def _answers(command: JournalEntry) -> Iterator[tuple[int, int]]:
    """Message types and ids of the completions that a command gets."""
    message = decode(command.type, command.raw)
    if "result_completion_id" in message.DESCRIPTOR.fields_by_name:
        yield command.type + _COMPLETION_OF_COMMAND, getattr(message, "result_completion_id")  # noqa: B009
    if "invocation_id_notification_idx" in message.DESCRIPTOR.fields_by_name:
        yield MessageType.CALL_INVOCATION_ID_COMPLETION, getattr(message, "invocation_id_notification_idx")  # noqa: B009


def _new_id(old: Invocation, record: RestartAsNew) -> str:
    """The id of the new one. With another key it belongs to another partition key."""
    if record.key is None:
        return record.new_id
    if old.handler_kind is HandlerKind.WORKFLOW:
        return ids.workflow_invocation_id(old.service, record.key)
    unique = ids.decode_invocation_id(record.new_id)[8:]
    return ids.fresh_invocation_id(old.service, record.key, unique, 0)


def _renewed(turn: Turn, old: Invocation, record: RestartAsNew) -> Invocation:
    """A row for the new one: the same target and retentions; neither caller nor idempotency key."""
    invocation = Invocation(
        number=turn.tx.next_number("invocation"),
        id=_new_id(old, record),
        service=old.service,
        handler=old.handler,
        key=old.key if record.key is None else record.key,
        service_kind=old.service_kind,
        handler_kind=old.handler_kind,
        idempotency_key=None,
        invoked_by=InvokedBy.RESTART,
        caller_id=None,
        caller_target=None,
        root_id=None,
        restarted_from=old.id,
        created_at=turn.now,
        execution_time=None,
        completion_retention=old.completion_retention,
        journal_retention=old.journal_retention,
        trace_parent=None,
        status=Status.SCHEDULED,
        modified_at=turn.now,
        entry_stored_at=turn.now,
    )
    if record.from_index > 0:
        # What is replayed was recorded in this version, and with these random values.
        invocation.protocol_version = old.protocol_version
        invocation.seed_id = old.seed_id or old.id
    if old.deployment_id is not None and (record.from_index > 0 or record.deployment != "latest"):
        invocation.deployment_id = resolve(turn.tx.registry, old, record.deployment)
    return invocation
