"""What can go wrong at the command line, as one line for people.

Exit codes: 2 when the command or its surroundings are wrong (usage, settings, no server at the address), 1 when the
server or the user refused.
"""

from typing import ClassVar, Final

from perdure.errors import SERVER_CODES, PerdureError

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
    """No invocation is meant by what was asked for."""

    code: ClassVar[str] = "E0402"


class Declined(PerdureError):
    """The user did not agree, or could not be asked."""

    code: ClassVar[str] = "E0403"
    hint: ClassVar[str] = "Give -y to go ahead without being asked."


def exit_code(error: PerdureError) -> int:
    return 2 if error.code.startswith(SETUP_CODES) else 1


def one_line(error: PerdureError) -> str:
    """Message, hint and code, without line breaks."""
    message = " ".join(str(error).split())
    if error.hint:
        message = f"{message.rstrip('. ')}. {error.hint}"
    return f"{message} [{error.code}]"
