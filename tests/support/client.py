"""A small client for the ingress and the admin API, whose failures say what was seen."""

import json
import time
from collections.abc import Callable
from typing import Any, TypeVar, cast

import httpx

_T = TypeVar("_T")

INVOCATION = "SELECT * FROM sys_invocation WHERE id = '{id}'"

NO_ARGUMENT: Any = object()
"""The handler is called without a body; `None` is the JSON value null."""


class CallFailed(AssertionError):
    """A request was not answered with success. status: HTTP status.  body: JSON where it was JSON, else text."""

    def __init__(self, what: str, response: httpx.Response) -> None:
        super().__init__(f"{what}: HTTP {response.status_code} {response.text[:500]}")
        self.status = response.status_code
        try:
            self.body: Any = response.json()
        except ValueError:
            self.body = response.text


def wait_for(probe: Callable[[], _T], what: str, timeout_s: float = 15.0) -> _T:
    """Polls `probe` until it gives something true, and returns that. Raises: AssertionError with what was seen last."""
    deadline = time.monotonic() + timeout_s
    pause_s = 0.005
    while True:
        try:
            seen: object = probe()
            if seen:
                return cast(_T, seen)
        except (CallFailed, httpx.HTTPError) as error:
            seen = error
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout_s} s in vain for {what}; last seen: {seen!r}")
        time.sleep(pause_s)
        pause_s = min(pause_s * 1.4, 0.1)


class Client:
    """One server. Targets are written `Service/handler` or `Object/key/handler`."""

    def __init__(self, ingress: str, admin: str) -> None:
        """ingress, admin: base URLs without a slash at the end."""
        self.ingress = ingress
        self.admin = admin
        # A connection for each request: one that is kept may be closed by the server just when it is used again.
        self._http = httpx.Client(timeout=30, limits=httpx.Limits(max_connections=128, max_keepalive_connections=0))

    def close(self) -> None:
        self._http.close()

    def healthy(self) -> bool:
        """Whether both surfaces answer."""
        urls = (f"{self.admin}/health", f"{self.ingress}/restate/health")
        return all(self._http.get(url, timeout=2).status_code == 200 for url in urls)

    def post(self, path: str, argument: Any = NO_ARGUMENT, idempotency_key: str | None = None) -> httpx.Response:
        """POST to the ingress, whatever the answer. argument: sent as JSON."""
        headers = {"idempotency-key": idempotency_key} if idempotency_key is not None else {}
        if argument is NO_ARGUMENT:
            return self._http.post(f"{self.ingress}/{path}", headers=headers)
        headers["content-type"] = "application/json"
        return self._http.post(f"{self.ingress}/{path}", headers=headers, content=json.dumps(argument))

    def call(self, target: str, argument: Any = NO_ARGUMENT, idempotency_key: str | None = None) -> Any:
        """Calls and waits for the result. Raises: CallFailed."""
        return self._result(f"call {target}", self.post(target, argument, idempotency_key))

    def send(
        self, target: str, argument: Any = NO_ARGUMENT, delay: str | None = None, idempotency_key: str | None = None
    ) -> str:
        """Sends and returns the invocation's id. delay: such as `1s`.  Raises: CallFailed."""
        path = f"{target}/send" + (f"?delay={delay}" if delay else "")
        return str(self._result(f"send {target}", self.post(path, argument, idempotency_key))["invocationId"])

    def attach(self, invocation: str) -> Any:
        """Waits for the result of an invocation. Raises: CallFailed."""
        response = self._http.get(f"{self.ingress}/restate/invocation/{invocation}/attach")
        return self._result(f"attach {invocation}", response)

    def failure(self, invocation: str) -> CallFailed:
        """Waits for an invocation that must fail, and returns how."""
        try:
            result = self.attach(invocation)
        except CallFailed as failed:
            return failed
        raise AssertionError(f"invocation {invocation} should have failed but gave {result!r}")

    def get(self, path: str) -> httpx.Response:
        """GET from the ingress, whatever the answer."""
        return self._http.get(f"{self.ingress}/{path}")

    def resolve(self, awakeable: str, value: Any) -> None:
        self._result(f"resolve {awakeable}", self.post(f"restate/awakeables/{awakeable}/resolve", value))

    def reject(self, awakeable: str, reason: str) -> None:
        url = f"{self.ingress}/restate/awakeables/{awakeable}/reject"
        self._result(
            f"reject {awakeable}", self._http.post(url, content=reason, headers={"content-type": "text/plain"})
        )

    def register(self, uri: str, **options: Any) -> Any:
        """Registers a deployment. Raises: CallFailed."""
        response = self._http.post(f"{self.admin}/deployments", json={"uri": uri, **options})
        return self._result(f"register {uri}", response)

    def change_service(self, service: str, changes: dict[str, Any]) -> Any:
        """Changes settings of a service; returns how it is now. Raises: CallFailed."""
        return self._result(f"change {service}", self._http.patch(f"{self.admin}/services/{service}", json=changes))

    def operate(self, invocation: str, verb: str) -> Any:
        """verb: cancel, kill, pause, resume, purge, restart-as-new. Raises: CallFailed."""
        return self._result(f"{verb} {invocation}", self._http.patch(f"{self.admin}/invocations/{invocation}/{verb}"))

    def query(self, sql: str) -> list[dict[str, Any]]:
        """The rows of an introspection query. Raises: CallFailed."""
        response = self._http.post(f"{self.admin}/query", json={"query": sql}, headers={"accept": "application/json"})
        return cast(list[dict[str, Any]], self._result(f"query {sql}", response)["rows"])

    def invocation(self, invocation: str) -> dict[str, Any] | None:
        """The row of `sys_invocation`, None when there is none."""
        rows = self.query(INVOCATION.replace("{id}", invocation))
        return rows[0] if rows else None

    def wait_status(self, invocation: str, *statuses: str) -> dict[str, Any]:
        """Waits until the invocation has one of these statuses, and returns its row."""

        def reached() -> dict[str, Any] | None:
            row = self.invocation(invocation)
            return row if row is not None and row["status"] in statuses else None

        row = wait_for(reached, f"{invocation} to be {' or '.join(statuses)}")
        assert row is not None
        return row

    def _result(self, what: str, response: httpx.Response) -> Any:
        if not response.is_success:
            raise CallFailed(what, response)
        return response.json() if response.content else None
