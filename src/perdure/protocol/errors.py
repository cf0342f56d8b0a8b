"""What is raised when the peer's bytes break the service protocol."""

from typing import ClassVar

from perdure.errors import PerdureError


class ProtocolError(PerdureError):
    """The peer broke the service protocol. It fails the attempt, never the server.

    restate_code: the RT code that operators see for it.
    """

    code: ClassVar[str] = "E0100"
    hint: ClassVar[str] = "Check that the endpoint runs a supported SDK and nothing rewrites its responses."
    restate_code: ClassVar[str] = "RT0012"


class BadFrame(ProtocolError):
    """A frame's payload is not the message that its header announces."""

    code: ClassVar[str] = "E0101"


class FrameTooLarge(ProtocolError):
    """A header announces a payload above the limit; the payload was not read."""

    code: ClassVar[str] = "E0102"
    hint: ClassVar[str] = "Make the payload smaller, or raise the server's message size limit."
    restate_code: ClassVar[str] = "RT0003"

    def __init__(self, length: int, limit: int) -> None:
        super().__init__(f"a frame of {length} bytes is above the limit of {limit} bytes")
        self.length = length
        self.limit = limit


class AwaitTreeTooLarge(ProtocolError):
    """The handler waits on more results at once than the server will look at."""

    code: ClassVar[str] = "E0104"
    hint: ClassVar[str] = "Wait for fewer results at once."
    restate_code: ClassVar[str] = "RT0003"


class AwaitTreeTooDeep(ProtocolError):
    """The handler waits on a tree of results that is nested too deeply."""

    code: ClassVar[str] = "E0103"
    hint: ClassVar[str] = "Wait on fewer combinators inside combinators; a flat list costs nothing."
    restate_code: ClassVar[str] = "RT0025"
