"""A command that the server does not take: it is not stored, and the attempt fails."""

from perdure.model.invocation import AttemptFailure
from perdure.model.records import Entry
from perdure.protocol.messages import NAMES


class CommandRefused(Exception):
    """rt_code: RT0017 for a failed precondition, RT0018 for an unknown callee, RT0024 for bad use of a scope.

    RT0012 for a signal or an awakeable to something that is no id.
    """

    def __init__(self, rt_code: str, message: str, entry: Entry) -> None:
        super().__init__(message)
        self.rt_code = rt_code
        self.message = message
        self.entry = entry

    def failure(self, command_index: int) -> AttemptFailure:
        """command_index: where the command would stand."""
        name = getattr(self.entry.message, "name", "") if self.entry.type != _SEND_SIGNAL else ""
        return AttemptFailure(
            500, self.rt_code, self.message, None, command_index, name or None, NAMES.get(self.entry.type)
        )


_SEND_SIGNAL = 0x0410
"""The one command whose field `name` is not the name of the entry."""
