"""What can go wrong at the command line, as one line for people.

Exit codes, for scripts: 1 when something was refused or failed, 2 when the command or the settings are wrong, 3 when
no server could be reached.
"""

from typing import ClassVar, Final

from perdure.errors import SERVER_CODES, PerdureError

REFUSED: Final = 1
WRONG_USAGE: Final = 2
UNREACHABLE: Final = 3

SETUP_CODES: Final = "E02"
"""Errors whose code starts like this come from usage or configuration: nothing was asked of anybody yet."""


class BadUsage(PerdureError):
    """An argument that cannot be understood."""

    code: ClassVar[str] = "E0202"


class ServerUnreachable(PerdureError):
    """Nothing that speaks the admin API answers at the admin address."""

    code: ClassVar[str] = "E0203"
    hint: ClassVar[str] = "Start it with `perdure dev` or `perdure up`, or give its address with --admin."


class Refused(PerdureError):
    """The server answered with an error.

    status: of HTTP. server_code: `META…` or `RT…`, where the server gave one; its meaning becomes part of the text.
    """

    code: ClassVar[str] = "E0401"

    def __init__(self, message: str, status: int, server_code: str | None = None) -> None:
        meaning = SERVER_CODES.get(server_code or "")
        if meaning:
            # Some messages begin with the code already.
            message = message.removeprefix(f"[{server_code}] ").rstrip(". ")
            message = f"{message}. {server_code}: {meaning}"
        super().__init__(message)
        self.status = status
        self.server_code = server_code


class NothingFound(PerdureError):
    """Nothing there is meant by what was asked for."""

    code: ClassVar[str] = "E0402"


class Declined(PerdureError):
    """The user did not agree, or could not be asked."""

    code: ClassVar[str] = "E0403"
    hint: ClassVar[str] = "Give -y to go ahead without being asked."


class StillNeeded(PerdureError):
    """What should be removed is in use."""

    code: ClassVar[str] = "E0404"


class StateNotChanged(PerdureError):
    """The server took new state and did not use it: the state had changed since it was read."""

    code: ClassVar[str] = "E0405"
    hint: ClassVar[str] = "Read it again and repeat the change, or give --force to overwrite whatever is there."


def exit_code(error: PerdureError) -> int:
    if isinstance(error, ServerUnreachable):
        return UNREACHABLE
    return WRONG_USAGE if error.code.startswith(SETUP_CODES) else REFUSED


def one_line(error: PerdureError) -> str:
    """Message, hint and code, without line breaks."""
    message = " ".join(str(error).split())
    if error.hint:
        message = f"{message.rstrip('. ')}. {error.hint}"
    return f"{message} [{error.code}]"
