"""One invocation, held from outside."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from perdure.client.client import Client

O = TypeVar("O")  # noqa: E741  # the name that the public vocabulary has


class InvocationHandle(Generic[O]):
    """One invocation, held from outside: what `Client.send` and `Client.handle` give.

    invocation_id: `inv_…`.
    status_code: the HTTP status of the server's answer to a send, 202; of a handle made from an id, 200.
    created: False when the server had it already, under the same idempotency key or workflow key.

    Raises: as the methods of the same names of `Client`.
    """

    def __init__(
        self, invocation_id: str, status_code: int, client: "Client", decode: Callable[[bytes], Any], *, created: bool
    ) -> None:
        self._client = client
        self._decode = decode
        self.invocation_id = invocation_id
        self.status_code = status_code
        self.created = created

    def __repr__(self) -> str:
        return f"InvocationHandle({self.invocation_id!r})"

    async def attach(self) -> O:
        """Waits for the result, in the type of the handler's result.

        Raises: InvocationFailed (E0613), a TerminalError, as the handler did; HttpError (E0611); NoConnection (E0610).
        """
        result: O = self._decode(await self._client.attach_raw(self.invocation_id))
        return result

    async def output(self) -> O:
        """The result, if there is one by now. Raises: NotReady (E0612), and what `attach` raises."""
        result: O = self._decode(await self._client.output_raw(self.invocation_id))
        return result

    async def describe(self) -> dict[str, Any] | None:
        """As `Client.describe`."""
        return await self._client.describe(self.invocation_id)

    async def cancel(self, *, reason: str | None = None, actor: str | None = None) -> None:
        """As `Client.cancel`."""
        await self._client.cancel(self.invocation_id, reason=reason, actor=actor)

    async def kill(self, *, reason: str | None = None, actor: str | None = None) -> None:
        """As `Client.kill`."""
        await self._client.kill(self.invocation_id, reason=reason, actor=actor)

    async def pause(self, *, reason: str | None = None, actor: str | None = None) -> None:
        """As `Client.pause`."""
        await self._client.pause(self.invocation_id, reason=reason, actor=actor)

    async def resume(
        self, deployment: str | None = None, *, reason: str | None = None, actor: str | None = None
    ) -> None:
        """As `Client.resume`."""
        await self._client.resume(self.invocation_id, deployment, reason=reason, actor=actor)

    async def retry_now(self, *, reason: str | None = None, actor: str | None = None) -> None:
        """As `Client.retry_now`."""
        await self._client.retry_now(self.invocation_id, reason=reason, actor=actor)

    async def purge(self, *, reason: str | None = None, actor: str | None = None) -> None:
        """As `Client.purge`."""
        await self._client.purge(self.invocation_id, reason=reason, actor=actor)

    async def purge_journal(self, *, reason: str | None = None, actor: str | None = None) -> None:
        """As `Client.purge_journal`."""
        await self._client.purge_journal(self.invocation_id, reason=reason, actor=actor)

    async def restart_as_new(
        self,
        from_: int | None = None,
        deployment: str | None = None,
        *,
        key: str | None = None,
        reason: str | None = None,
        actor: str | None = None,
    ) -> "InvocationHandle[O]":
        """As `Client.restart_as_new`."""
        new = await self._client.restart_as_new(
            self.invocation_id, from_, deployment, key=key, reason=reason, actor=actor
        )
        return InvocationHandle(new.invocation_id, new.status_code, self._client, self._decode, created=new.created)
