"""The queue of an object key: who holds it, who is next."""

import msgspec

from perdure.engine.journal import start_attempt
from perdure.engine.pausing import pause
from perdure.engine.state import apply_mutation
from perdure.engine.turn import Turn
from perdure.engine.tx import InboxItem
from perdure.model.invocation import HandlerKind, Invocation, Status
from perdure.model.records import StateMutation

_mutation_decoder = msgspec.msgpack.Decoder(StateMutation)


def begin(turn: Turn, invocation: Invocation) -> None:
    """Starts an invocation, or queues it behind the holder of its key. The caller saves or inserts it."""
    if invocation.handler_kind is HandlerKind.EXCLUSIVE:
        assert invocation.key is not None
        if turn.tx.lock_holder(invocation.service, invocation.key) is not None:
            invocation.status = Status.INBOXED
            invocation.inboxed_at = turn.now
            invocation.modified_at = turn.now
            turn.tx.push_inbox(invocation.service, invocation.key, InboxItem(invocation.number, None))
            return
        turn.tx.set_lock(invocation.service, invocation.key, invocation.number)
    _start_or_pause(turn, invocation)


def _start_or_pause(turn: Turn, invocation: Invocation) -> None:
    """Its time or its turn has come. Who was to be paused is so now, and holds its key: nobody overtakes it."""
    if invocation.pause_requested:
        pause(turn, invocation, None)
    else:
        start_attempt(turn, invocation, afresh=True)


def release_key(turn: Turn, service: str, key: str) -> None:
    """Frees a key: changes of state that wait are made, then the next invocation starts, or is paused."""
    while (item := turn.tx.pop_inbox(service, key)) is not None:
        if item.mutation is not None:
            apply_mutation(turn, _mutation_decoder.decode(item.mutation))
            continue
        assert item.invocation is not None
        invocation = turn.tx.invocation(item.invocation)
        assert invocation is not None, "what waits in an inbox has a row"
        assert invocation.status is Status.INBOXED
        turn.tx.set_lock(service, key, invocation.number)
        _start_or_pause(turn, invocation)
        turn.tx.save_invocation(invocation)
        return
    turn.tx.clear_lock(service, key)


def queue_mutation(turn: Turn, mutation: StateMutation) -> bool | None:
    """Applies a change of state, or queues it behind the holder of the key: None. False: it does not apply."""
    if turn.tx.lock_holder(mutation.service, mutation.key) is None:
        return apply_mutation(turn, mutation)
    item = InboxItem(None, msgspec.msgpack.encode(mutation))
    turn.tx.push_inbox(mutation.service, mutation.key, item)
    return None
