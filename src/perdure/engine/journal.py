"""Appending to a journal, and what follows from it: an open attempt is told, a suspended invocation may wake."""

from collections.abc import Iterable

import msgspec

from perdure.engine.notifications import Notification
from perdure.engine.turn import Turn
from perdure.engine.tx import Notified
from perdure.model.actions import SendToAttempt, StartAttempt
from perdure.model.invocation import Invocation, JournalEntry, Status
from perdure.protocol.framing import encode_frame
from perdure.protocol.futures import AwaitTree, LeafKind, LeafOutcome, reduced
from perdure.protocol.messages import CANCEL_SIGNAL

_tree_decoder = msgspec.json.Decoder(AwaitTree)


def append_command(turn: Turn, invocation: Invocation, message_type: int, raw: bytes) -> None:
    """Stores a command. The caller saves the invocation."""
    entry = JournalEntry(invocation.journal_size, message_type, raw, turn.now)
    turn.tx.append_entry(invocation.number, entry)
    invocation.journal_size += 1
    invocation.command_count += 1
    invocation.entry_stored_at = turn.now


def append_notification(turn: Turn, invocation: Invocation, notification: Notification) -> int:
    """Stores a notification and returns its index. The caller saves the invocation and tells whoever must know."""
    index = invocation.journal_size
    entry = JournalEntry(
        index,
        notification.type,
        notification.raw,
        turn.now,
        notification.completion_id,
        notification.signal_id,
        notification.signal_name,
        notification.failed,
    )
    turn.tx.append_entry(invocation.number, entry)
    invocation.journal_size += 1
    invocation.entry_stored_at = turn.now
    return index


def forward(turn: Turn, invocation: Invocation, index: int, notification: Notification) -> None:
    """Tells the attempt, if one may be open."""
    if invocation.status is Status.INVOKED and invocation.next_retry_at is None:
        frame = encode_frame(notification.type, notification.raw)
        turn.emit(SendToAttempt(invocation.number, invocation.attempt, index, frame))


def notify(turn: Turn, invocation: Invocation, notification: Notification) -> None:
    """Gives an invocation a notification, whatever its state, and saves it. A completed one needs none."""
    if invocation.status is Status.COMPLETED:
        return
    index = append_notification(turn, invocation, notification)
    forward(turn, invocation, index, notification)
    if invocation.status is Status.SUSPENDED:
        assert invocation.awaiting is not None
        tree = _tree_decoder.decode(invocation.awaiting)
        left = reduced(tree, there(tree, [_as_notified(index, notification)]))
        if left is None:
            start_attempt(turn, invocation, afresh=True)
        elif left is not tree:
            invocation.awaiting = msgspec.json.encode(left)
    turn.tx.save_invocation(invocation)


def _as_notified(index: int, notification: Notification) -> Notified:
    return Notified(
        index, notification.completion_id, notification.signal_id, notification.signal_name, notification.failed
    )


def still_awaited(turn: Turn, number: int, tree: AwaitTree) -> AwaitTree | None:
    """What the tree lacks beside what the journal of the invocation holds; None: nothing, it resolves."""
    return reduced(tree, there(tree, turn.tx.notified(number)))


def there(tree: AwaitTree, notifications: Iterable[Notified]) -> dict[tuple[LeafKind, int | str], LeafOutcome]:
    """What of these counts for the tree. The first of several answers does.

    A cancellation and a signal with a name can come again. One that the handler knew before it began to wait was used
    up by an earlier await; if it counted, the handler would be started again and again only to suspend again.
    """
    stored: dict[tuple[LeafKind, int | str], LeafOutcome] = {}
    for notified in notifications:
        outcome: LeafOutcome = "failure" if notified.failed else "success"
        if notified.completion_id is not None:
            stored.setdefault(("completion", notified.completion_id), outcome)
        elif notified.position < tree.seen and notified.signal_id in (None, CANCEL_SIGNAL):
            continue
        elif notified.signal_id is not None:
            stored.setdefault(("signal", notified.signal_id), outcome)
        elif notified.signal_name is not None:
            stored.setdefault(("named_signal", notified.signal_name), outcome)
    return stored


def start_attempt(turn: Turn, invocation: Invocation, *, afresh: bool) -> None:
    """Makes the invocation run (again). The caller saves it.

    afresh: the retry policy and its counter begin anew, as after a suspension or a resume.
    """
    invocation.status = Status.INVOKED
    invocation.attempt += 1
    invocation.awaiting = None
    invocation.next_retry_at = None
    invocation.last_start_at = turn.now
    if afresh:
        invocation.retry_count = 0
        invocation.policy_retries = 0
        invocation.retry_count_since_entry = 0
        invocation.last_failure = None
    invocation.retry_count += 1
    if invocation.running_at is None:
        invocation.running_at = turn.now
    invocation.modified_at = turn.now
    turn.emit(StartAttempt(invocation.number, invocation.attempt))
