"""What goes wrong between a client and its server.

PerdureError
├── NoConnection         nobody answers there, or the connection broke
└── HttpError            the answer is an error: the server refused
    ├── NotReady         the invocation has no outcome yet
    └── InvocationFailed the handler's own failure, also a `sdk.exceptions.TerminalError`
"""

from typing import ClassVar

from perdure.errors import PerdureError
from perdure.sdk.exceptions import TerminalError


class NoConnection(PerdureError):
    """Nobody answers at the address, or the connection broke; a request that was sent may have been taken."""

    code: ClassVar[str] = "E0610"
    hint: ClassVar[str] = "Is the server up, and is this its address? Send an idempotency key to repeat a call safely."


class HttpError(PerdureError):
    """The server refused a request.

    status_code: the status, as in HTTP.  message: why.  body: the text of the answer, None if there is none.
    """

    code: ClassVar[str] = "E0611"
    hint: ClassVar[str] = "The message says what the server refused."

    def __init__(self, status_code: int, message: str, body: str | None = None) -> None:
        super().__init__(f"the server answered {status_code}: {message}")
        self.status_code = status_code
        self.message = message
        self.body = body


class NotReady(HttpError):
    """The invocation exists and has not completed yet. status_code: the status, 470."""

    code: ClassVar[str] = "E0612"
    hint: ClassVar[str] = "Ask again later, or wait for it with `attach`."


class InvocationFailed(HttpError, TerminalError):
    """The invocation failed for good: what its handler raised, or why it was ended. Also a `TerminalError`.

    status_code: the status of the handler's TerminalError; 409 if it was cancelled or killed.
    message: the handler's.
    body: the text that the server answered.
    metadata: pairs of text that the handler gave along.
    """

    code: ClassVar[str] = "E0613"
    hint: ClassVar[str] = "The message is the handler's; look at the invocation to see what led to it."

    def __init__(self, status_code: int, message: str, body: str | None, metadata: dict[str, str] | None) -> None:
        TerminalError.__init__(self, message, status_code, metadata)
        self.body = body
