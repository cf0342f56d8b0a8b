"""What handlers raise, and what the SDK raises in them.

Exception
├── TerminalError        ends the invocation: its failure is the result, delivered to whoever called
├── RetryableError       fails the attempt, and says when to try again
└── PerdureError
    └── Misuse           the code does something that could not be replayed; the text names the way out
SdkInternalBaseException (a BaseException: `except Exception` lets it pass)
├── SuspendedException   the attempt ends here; the next one goes on from the journal
└── SdkInternalException the attempt has failed, for the reason it carries
"""

from datetime import timedelta
from typing import ClassVar, Final

from perdure.errors import PerdureError

CANCELLED: Final = 409
"""The status of the TerminalError that surfaces when somebody cancels the invocation."""


class TerminalError(Exception):
    """Ends the invocation: it is not retried, and the caller gets this failure.

        raise TerminalError("no such flight", status_code=404)

    message: what the caller reads.
    status_code: what callers over HTTP get as the status; 409 is what a cancelled invocation sees.
    metadata: pairs of text that travel with it, since version 6 of the service protocol.
    """

    def __init__(self, message: str, status_code: int = 500, metadata: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.status_code = status_code
        self.metadata = metadata


class RetryableError(Exception):
    """Fails the attempt; another one follows, unless the retry policy's attempts are used up.

        raise RetryableError("the tool is busy", retry_after=timedelta(seconds=30))

    message: what operators read.
    status_code: a status as in HTTP, for code around; the server is told 500.
    retry_after: the time until the next attempt, in whole milliseconds; None: the retry policy decides.
    """

    def __init__(self, message: str, status_code: int = 500, retry_after: timedelta | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.status_code = status_code
        self.retry_after = retry_after


class SdkInternalBaseException(BaseException):
    """How the SDK leaves the user's code. Let it pass: what is done after it is not recorded."""

    def __init__(self, message: str) -> None:
        super().__init__(message)


class SuspendedException(SdkInternalBaseException):
    """The handler waits for something that will take a while: this attempt ends, the next one goes on from here."""

    def __init__(self) -> None:
        super().__init__("the invocation is suspended; it goes on in another attempt")


class SdkInternalException(SdkInternalBaseException):
    """The attempt has failed. The server and the log have the reason."""

    def __init__(self, message: str = "the attempt has failed") -> None:
        super().__init__(message)


def is_internal_exception(e: BaseException) -> bool:
    """True for exceptions that are not the user's business; code that catches everything passes them on.

        try:
            await ctx.run_typed("charge", charge)
        except BaseException as error:
            if perdure.is_internal_exception(error):
                raise

    Without that, the handler would go on after its attempt has ended.
    """
    return isinstance(e, SdkInternalBaseException)


class Misuse(PerdureError):
    """Something that could not be replayed, or that means nothing."""

    code: ClassVar[str] = "E0310"


class ContextClosed(Misuse):
    """A context was used after its handler had ended."""

    code: ClassVar[str] = "E0311"
    hint: ClassVar[str] = "Await everything that uses the context before the handler returns."


class WrongThread(Misuse):
    """A context was used in another thread than its handler's."""

    code: ClassVar[str] = "E0312"
    hint: ClassVar[str] = "Use the context in the handler only; give the thread values, and use what it returns."


class UsedInsideRun(Misuse):
    """A context was used inside of a run's action."""

    code: ClassVar[str] = "E0313"
    hint: ClassVar[str] = "Use the context before or after the run: what an action does is not recorded, its result is."


class NotReplayable(Misuse):
    """Something that is not recorded decided how a durable wait ended."""

    code: ClassVar[str] = "E0314"
    hint: ClassVar[str] = "Wait with `select(result=…, timeout=ctx.sleep(…))`: the journal records which came first."


class NotAvailable(Misuse, AttributeError):
    """This kind of handler has no such operation."""

    code: ClassVar[str] = "E0316"
    hint: ClassVar[str] = "Make the handler exclusive to write state, or a workflow's to use promises."


class NotDurable(Misuse):
    """A combinator got something else than the futures of a context."""

    code: ClassVar[str] = "E0317"
    hint: ClassVar[str] = "Give it what the context returns, for example `gather(ctx.run_typed(…), ctx.sleep(…))`."
