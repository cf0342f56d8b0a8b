"""The remote control: what operators do with invocations, and what they see of them."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from perdure.client.connection import Connection, Response
from perdure.client.failures import HttpError, NoConnection

_ONE = "SELECT * FROM sys_invocation WHERE id = {id}"
_ALL = "SELECT * FROM sys_invocation {where} ORDER BY created_at DESC LIMIT {limit}"
_JOURNAL = "SELECT * FROM sys_journal WHERE id = {id} ORDER BY index"
_STATE = "SELECT key, value FROM state WHERE service_name = {service} AND service_key = {key}"


class Control:
    """The operators' half of `client.Client`.

    invocation_id: `inv_…`.  reason, actor: why and who, kept with the invocation, up to 1000 characters each.
    deployment: whose code it goes on with: `keep`, `latest` or an id `dp_…`; None: `keep`.

    Raises: HttpError (E0611) when the server refuses, with the status of the admin API: 404 if it is unknown, 409 or
    425 if it is not possible in its state; NoConnection (E0610), also when the client has no address of the admin API.
    """

    def __init__(self, admin: Connection | None, headers: Mapping[str, str], actor: str | None) -> None:
        self._admin = admin
        self._headers = dict(headers)
        self._actor = actor

    async def cancel(self, invocation_id: str, *, reason: str | None = None, actor: str | None = None) -> None:
        """Asks it to end in an orderly way: the handler gets a TerminalError with status 409 at its next await.

        Leaves first: what it called is cancelled before it. Returns when that is durable, not when it has ended.
        """
        await self._steer(invocation_id, "cancel", reason, actor)

    async def kill(self, invocation_id: str, *, reason: str | None = None, actor: str | None = None) -> None:
        """Ends it at once, with all it called; no more of their code runs. Callers get status 409, `killed`."""
        await self._steer(invocation_id, "kill", reason, actor)

    async def pause(self, invocation_id: str, *, reason: str | None = None, actor: str | None = None) -> None:
        """Brings it to rest: nothing of it runs until it is resumed, cancelled or killed, and nothing is lost."""
        await self._steer(invocation_id, "pause", reason, actor)

    async def resume(
        self,
        invocation_id: str,
        deployment: str | None = None,
        *,
        reason: str | None = None,
        actor: str | None = None,
    ) -> None:
        """Lets a paused one go on, now, from where it was; its retry policy begins afresh."""
        await self._steer(invocation_id, "resume", reason, actor, deployment=deployment)

    async def retry_now(self, invocation_id: str, *, reason: str | None = None, actor: str | None = None) -> None:
        """Starts the next attempt of one that backs off or is paused, without waiting for its time."""
        await self._steer(invocation_id, "resume", reason, actor)

    async def purge(self, invocation_id: str, *, reason: str | None = None, actor: str | None = None) -> None:
        """Forgets a completed one: its row, result, journal and idempotency key; of a workflow's run also its state."""
        await self._steer(invocation_id, "purge", reason, actor)

    async def purge_journal(self, invocation_id: str, *, reason: str | None = None, actor: str | None = None) -> None:
        """Forgets the journal of a completed one, and keeps its result."""
        await self._steer(invocation_id, "purge-journal", reason, actor)

    async def _restart(
        self,
        invocation_id: str,
        from_: int | None,
        deployment: str | None,
        key: str | None,
        reason: str | None,
        actor: str | None,
    ) -> str:
        answer = await self._steer(
            invocation_id,
            "restart-as-new",
            reason,
            actor,
            deployment=deployment,
            key=key,
            **{"from": None if from_ is None else str(from_)},
        )
        restarted: str = json.loads(answer.body)["new_invocation_id"]
        return restarted

    async def query(self, sql: str) -> list[dict[str, Any]]:
        """The rows of an SQL query over the server's state; a column that is null is missing from its row.

        Times are RFC 3339 texts, durations ISO 8601, bytes hexadecimal.
        """
        headers = {"content-type": "application/json", "accept": "application/json"}
        answer = await self._ask("POST", "/query", headers, json.dumps({"query": sql}).encode())
        rows: list[dict[str, Any]] = json.loads(answer.body)["rows"]
        return rows

    async def describe(self, invocation_id: str) -> dict[str, Any] | None:
        """The row of `sys_invocation`; None: the server does not know it, or has forgotten it."""
        rows = await self.query(_ONE.format(id=_literal(invocation_id)))
        return rows[0] if rows else None

    async def invocations(
        self, *, service: str | None = None, status: str | None = None, limit: int = 100
    ) -> list[dict[str, Any]]:
        """Rows of `sys_invocation`, the newest first.

        service: by name.  status: such as `running`, `suspended`, `backing-off`.  limit: the most rows to give.
        """
        wanted = {"target_service_name": service, "status": status}
        conditions = [f"{column} = {_literal(value)}" for column, value in wanted.items() if value is not None]
        where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
        return await self.query(_ALL.format(where=where, limit=int(limit)))

    async def journal(self, invocation_id: str) -> list[dict[str, Any]]:
        """The rows of `sys_journal` that an invocation has, in order."""
        return await self.query(_JOURNAL.format(id=_literal(invocation_id)))

    async def state(self, service: str, key: str) -> dict[str, bytes]:
        """What a virtual object or workflow remembers under a key: names and raw values."""
        rows = await self.query(_STATE.format(service=_literal(service), key=_literal(key)))
        return {row["key"]: bytes.fromhex(row["value"]) for row in rows}

    async def register(self, uri: str, *, force: bool = False, **options: Any) -> dict[str, Any]:
        """Registers an endpoint, which the server asks for its services.

        uri: where the server finds it.  force: discover a known address again, under its old id.
        options: further fields of the request, such as `use_http_11`.
        Returns: the deployment, with `id` and `services`.
        Raises: HttpError (E0611), whose message says what is wrong with the endpoint; NoConnection (E0610).
        """
        headers = {"content-type": "application/json"}
        body = json.dumps({"uri": uri, "force": force, **options}).encode()
        deployment: dict[str, Any] = json.loads((await self._ask("POST", "/deployments", headers, body)).body)
        return deployment

    async def _steer(
        self, invocation_id: str, verb: str, reason: str | None, actor: str | None, **parameters: str | None
    ) -> Response:
        parameters |= {"reason": reason, "actor": actor or self._actor}
        given = {name: value for name, value in parameters.items() if value is not None}
        path = f"/invocations/{quote(invocation_id, safe='')}/{verb}"
        return await self._ask("PATCH", f"{path}?{urlencode(given)}" if given else path, {}, b"")

    async def _ask(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Response:
        if self._admin is None:
            raise NoConnection("this client has no address of the admin API; make it with `admin=`")
        answer = await self._admin.request(method, path, {**self._headers, **headers}, body)
        if answer.status >= 400:
            text = answer.body.decode(errors="replace")
            raise HttpError(answer.status, _message(text), text)
        return answer


def _message(text: str) -> str:
    """Errors are JSON with a message, or plain text."""
    try:
        body = json.loads(text)
    except ValueError:
        return text
    return str(body["message"]) if isinstance(body, dict) and "message" in body else text


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
