"""Notes what transactions write, while somebody wants to know.

SQLite's own hook is used: it sees every write, however the engine's tables are kept, and costs nothing while it is not
installed.
"""

from typing import Any

import apsw

from perdure.model.changes import Changes


class ChangeNotes:
    """Installed on the connection that writes; between transactions, as is `close`."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._invocations: set[int] = set()
        self._removed: dict[int, str] = {}
        self._states: set[tuple[str, str]] = set()
        connection.preupdate_hook(self._on_write, id=self)

    def take(self) -> Changes:
        """What was written since the last time. What was rolled back may be among it."""
        taken = Changes(self._invocations, self._removed, self._states)
        self._invocations, self._removed, self._states = set(), {}, set()
        return taken

    def close(self) -> None:
        self._connection.preupdate_hook(None, id=self)

    def _on_write(self, update: Any) -> None:
        table = update.table_name
        if table == "invocation":
            # Every entry of a journal comes with a write to its row, which counts them.
            self._invocations.add(update.rowid)
            if update.op == "DELETE":
                self._removed[update.rowid] = update.old[1]
        elif table in ("journal_event", "cancelled_call"):
            # These are shown with the invocation, and may be written without it.
            self._invocations.add((update.new or update.old)[0])
        elif table == "state":
            service, key, *_ = update.new or update.old
            self._states.add((service, key))
