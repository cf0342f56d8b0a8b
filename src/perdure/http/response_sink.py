"""Where the response of an exchange with an app goes."""

from typing import Protocol


class ResponseSink(Protocol):
    """Where an exchange's response goes. After `end` or `failed` nothing more comes."""

    def head(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        """The response head, once, before any data."""

    def data(self, data: bytes) -> None:
        """A piece of the response body, never empty, never beyond the credit."""

    def end(self) -> None:
        """The app finished its response."""

    def failed(self, reason: str) -> None:
        """The app broke off after it had begun to respond. reason: one line, for people."""

    def request_taken(self, size: int) -> None:
        """The app took `size` bytes of the request body out of the queue."""
