"""The engine: one record in, actions out. Deterministic and synchronous; see `docs/internals/engine.md`."""

from collections.abc import Callable
from typing import Any

from perdure.engine.lifecycle import (
    attempt,
    cancel,
    invoke,
    kill,
    messages,
    operate,
    pause,
    purge,
    recover,
    restart,
    timers,
)
from perdure.engine.turn import Turn
from perdure.engine.tx import Tx
from perdure.model import records
from perdure.model.actions import Action

# A dict by type: a `match` over twenty classes costs many times as much on the hot path.
_RECORDS: dict[type, Callable[[Turn, Any], None]] = {
    records.Invoke: invoke.on_invoke,
    records.AttemptProgress: attempt.on_progress,
    records.MessageArrived: messages.on_message,
    records.TimersDue: timers.on_timers_due,
    records.CompleteSignal: operate.on_complete_signal,
    records.CompletePromise: operate.on_complete_promise,
    records.Cancel: cancel.on_cancel,
    records.Kill: kill.on_kill,
    records.Pause: pause.on_pause,
    records.Resume: pause.on_resume,
    records.Purge: purge.on_purge,
    records.PurgeJournal: purge.on_purge_journal,
    records.RestartAsNew: restart.on_restart,
    records.Sweep: purge.on_sweep,
    records.Recover: recover.on_recover,
    records.ModifyState: operate.on_modify_state,
    records.PutDeployment: operate.on_put_deployment,
    records.DeleteDeployment: operate.on_delete_deployment,
    records.PutServiceSettings: operate.on_put_service_settings,
}


def apply(record: records.Record, tx: Tx, now: int) -> list[Action]:
    """Decides upon one record inside the open transaction of `tx`.

    now: partition time, ms since the epoch. Returns: what to do once the transaction is durable, in order.
    Raises: whatever `tx` raises, and AssertionError on a broken invariant; the caller rolls back.
    """
    turn = Turn(tx, now, getattr(record, "randomness", b""))
    _RECORDS[type(record)](turn, record)
    return turn.actions
