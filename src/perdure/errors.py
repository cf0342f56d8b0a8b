"""The root of the error tree, and the codes that operators of compatible servers already know.

    PerdureError                 everything raised on purpose; `code` is stable, `hint` says what to do next
    ├── ids.BadId                text that should be an id and is not
    ├── protocol.errors.ProtocolError   the peer broke the service protocol
    └── StorageError             the partition file cannot be used, now or at all

Rooms add their own subclasses where they are raised. A code is never reused for something else.
"""

from typing import ClassVar, Final


class PerdureError(Exception):
    """An operating error with a stable code. `str()` is the message for people."""

    code: ClassVar[str] = "E0000"
    hint: ClassVar[str] = ""


class StorageError(PerdureError):
    """The partition file cannot be used."""

    code: ClassVar[str] = "E0300"


class StoreUnavailable(StorageError):
    """The store could not make a record durable; nothing of it happened. Safe to try again."""

    code: ClassVar[str] = "E0301"
    hint: ClassVar[str] = "Look at the disk (full? failing?) and try again; the server recovers when the disk does."


class RecordRefused(StoreUnavailable):
    """The server cannot handle one record, because of a defect of its own; nothing of it happened, the rest goes on."""

    code: ClassVar[str] = "E0305"
    hint: ClassVar[str] = "The server's log has the details; please report them."

    def __init__(self, what: str) -> None:
        """what: name of the exception."""
        super().__init__(f"an internal error, {what}; the server's log has the details")


class FolderUnusable(StorageError):
    """The data folder cannot be made or written."""

    code: ClassVar[str] = "E0306"
    hint: ClassVar[str] = "Name a folder that this user may write, with --data."


class StoreLocked(StorageError):
    """Another process has the data folder open."""

    code: ClassVar[str] = "E0302"
    hint: ClassVar[str] = "Stop the other server, or give this one a data folder of its own with --data."


class StoreForeign(StorageError):
    """The data folder holds something that is not a partition of this software, or of a newer one."""

    code: ClassVar[str] = "E0303"
    hint: ClassVar[str] = "Give another data folder with --data, or use the version that wrote this one."


class StoreDamaged(StorageError):
    """The partition file failed its integrity check after an unclean stop."""

    code: ClassVar[str] = "E0304"
    hint: ClassVar[str] = "Keep the file, restore the folder from a backup, and look at the disk."


SERVER_CODES: Final[dict[str, str]] = {
    "RT0001": "The attempt made no progress before the abort timeout and was cut off.",
    "RT0002": "The server's configuration is invalid.",
    "RT0003": "A message of the service protocol is larger than the size limit.",
    "RT0004": "A listen address is already in use.",
    "RT0005": "The storage is locked by another process.",
    "RT0006": "The attempt failed for a reason that has no code of its own.",
    "RT0007": "The handler failed with a retryable error.",
    "RT0009": "The storage was written in a format this server does not read.",
    "RT0010": "The endpoint could not be reached, or the connection broke.",
    "RT0011": "No deployment serves this service, or the pinned deployment is gone.",
    "RT0012": "The endpoint broke the service protocol, or does not know the handler.",
    "RT0013": "The endpoint and the server have no protocol version in common.",
    "RT0014": "The protocol version the invocation is pinned to is no longer supported.",
    "RT0015": "The endpoint refused the protocol version.",
    "RT0016": "The replayed code does not fit the journal.",
    "RT0017": "The server refused a command because its precondition does not hold.",
    "RT0018": "The called service or handler is not known.",
    "RT0019": "The endpoint says that the payload is too large.",
    "RT0020": "The deployment speaks a retired protocol version.",
    "RT0021": "The inactivity timeout has no effect in request/response mode.",
    "RT0022": "A retention was reduced to the server's maximum.",
    "RT0023": "The endpoint asks to slow down or is unavailable.",
    "RT0024": "A scope or limit key is used where it is not allowed, or is malformed.",
    "RT0025": "The handler waits on a tree of results that is nested too deeply.",
    "META0003": "Discovery failed: the endpoint is unreachable, answers a bad status, or is not an SDK.",
    "META0004": "The address is already used by another deployment.",
    "META0005": "A service name is reserved, or its metadata is broken.",
    "META0006": "The type of a service differs from its previous revision.",
    "META0009": "The source or sink of a subscription is invalid.",
    "META0010": "The metadata folder was written in another format.",
    "META0011": "The metadata folder was written in another format.",
    "META0012": "The protocol versions of endpoint and server do not overlap.",
    "META0013": "The discovery answer cannot be read.",
    "META0014": "The endpoint speaks HTTP/1.1 only; register it with use_http_11.",
    "META0015": "The endpoint announces streaming over a transport that cannot stream.",
    "META0016": "The rediscovered services differ too much from the registered ones.",
    "META0017": "Two deployments share the address.",
}
"""Codes an operator may see, with a one-line meaning; the same codes as on a compatible server."""
