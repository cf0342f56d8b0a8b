"""Applies records as the partition's loop does, and checks after each what must always hold."""

from collections import deque

from perdure.engine.invariants import check, check_told
from perdure.engine.machine import apply
from perdure.engine.transitions import check_moves
from perdure.model.actions import Action, Deliver
from perdure.model.records import MessageArrived, Record
from support.stores import Store


def apply_checked(store: Store, record: Record, now: int, *, deliver: bool = True) -> list[Action]:
    """Applies a record, and the messages to this partition that follow from it, in the open transaction.

    deliver False: the messages stay in the outbox, as if the server had died before it took them.
    """
    actions: list[Action] = []
    mail = deque([record])
    while mail:
        following = mail.popleft()
        before = store.tables()
        for action in apply(following, store.tx, now):
            if isinstance(action, Deliver):
                arrived = MessageArrived(source=action.partition, sequence=action.sequence, message=action.message)
                if deliver:
                    mail.append(arrived)
            else:
                actions.append(action)
        tables = store.tables()
        check_moves(before.invocations, tables.invocations, following)
        check_told(before, tables)
        check(tables, between_batches=deliver and not mail)
    return actions
