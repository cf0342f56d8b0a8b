"""The admin API as the command line uses it: a few requests, one after the other, over the standard library."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urlencode, urlsplit

from perdure.cli.failures import BadUsage, Refused, ServerUnreachable

if TYPE_CHECKING:
    from http.client import HTTPResponse

TIMEOUT_S: Final = 60.0
"""Of one request. Registering waits for the endpoint's discovery, so this is longer than the server's own limits."""

SILENCE_S: Final = 40.0
"""Of a stream, in which the server says something every 15 s."""

PAGE: Final = 1000
"""Rows read at once where there may be very many."""

TOKEN_VARIABLES: Final = ("PERDURE_AUTH_TOKEN", "RESTATE_AUTH_TOKEN")
"""What a proxy in front of the admin API may want to see; the first that is set is sent as a bearer token."""


class Answer(NamedTuple):
    """body: the JSON document; None when the answer was empty."""

    status: int
    body: Any


class AdminClient:
    """Raises, from every method: ServerUnreachable, or Refused when the status is 400 or above."""

    def __init__(self, url: str, reason: str | None = None) -> None:
        """url: `http://HOST:PORT` or `https://…`, with or without a path. reason: why things are changed, for the
        server's records. Raises: BadUsage.
        """
        parts = urlsplit(url)
        try:
            port = parts.port
        except ValueError:
            port = 0
        if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
            raise BadUsage(f"the admin address `{url}` is not a URL; write it like http://127.0.0.1:9070")
        self.url = url.rstrip("/")
        self._secure = parts.scheme == "https"
        self._host = parts.hostname
        self._port = port
        self._prefix = parts.path.rstrip("/")
        self._headers: dict[str, str | bytes] = {"accept": "application/json", "user-agent": "perdure-cli"}
        token = next(filter(None, map(os.environ.get, TOKEN_VARIABLES)), None)
        if token:
            self._headers["authorization"] = f"Bearer {token}"
        self._changing = dict(self._headers)
        if reason:
            if not reason.isprintable():
                raise BadUsage("--reason must be one line of text")
            # As bytes, for text would be sent in Latin-1, which has not every letter.
            self._changing["x-perdure-reason"] = reason.encode()

    def get(self, path: str) -> Answer:
        return self._request("GET", path)

    def post(self, path: str, body: object) -> Answer:
        return self._request("POST", path, body)

    def patch(self, path: str, body: object = None, **parameters: str | int | None) -> Answer:
        """parameters: of the address; None is left out."""
        return self._request("PATCH", _with_parameters(path, parameters), body)

    def delete(self, path: str, **parameters: str | int | None) -> Answer:
        return self._request("DELETE", _with_parameters(path, parameters))

    def query(self, sql: str) -> list[dict[str, Any]]:
        """The rows; a column that is null is missing from its row."""
        return self.part(self.post("/query", {"query": sql}), "rows")

    def pages(self, template: str, column: str, **values: str) -> Iterator[dict[str, Any]]:
        """All rows, a page at a time, however many there are.

        template: SQL with the places `{after}`, `{limit}` and those of `values`, giving rows above `after` in the order
        of `column`, whose values are texts and differ.
        """
        after = ""
        while True:
            found = self.query(template.format(after="'" + after.replace("'", "''") + "'", limit=PAGE, **values))
            yield from found
            if len(found) < PAGE:
                return
            after = found[-1][column]

    def part(self, answer: Answer, name: str) -> list[dict[str, Any]]:
        """The list that the answer holds under `name`. Raises: ServerUnreachable when there is none."""
        if not isinstance(answer.body, dict) or not isinstance(answer.body.get(name), list):
            raise self._not_the_admin_api()
        found: list[dict[str, Any]] = answer.body[name]
        return found

    def lines(self, path: str, last_id: str | None) -> Iterator[bytes]:
        """The lines of a stream of server-sent events until it ends, however it does. last_id: where to go on."""
        headers = {**self._headers, "accept": "text/event-stream"}
        if last_id is not None:
            headers["last-event-id"] = last_id
        with self._answered("GET", path, None, headers, SILENCE_S) as response:
            while line := response.readline():
                yield line.rstrip(b"\r\n")

    def _request(self, method: str, path: str, body: object = None) -> Answer:
        headers = dict(self._headers if method == "GET" or path == "/query" else self._changing)
        payload = None
        if body is not None:
            headers["content-type"] = "application/json"
            payload = json.dumps(body).encode()
        with self._answered(method, path, payload, headers, TIMEOUT_S) as response:
            return Answer(response.status, self._decoded(response.read()))

    @contextmanager
    def _answered(
        self, method: str, path: str, payload: bytes | None, headers: dict[str, str | bytes], timeout_s: float
    ) -> "Iterator[HTTPResponse]":
        """An answer whose status is below 400. timeout_s: of silence."""
        import http.client  # not needed for help and version, and slow to load

        # A connection per request: commands make few, and a fresh one never meets a keep-alive that has just ended.
        make = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
        connection = make(self._host, self._port, timeout=timeout_s)
        try:
            connection.request(method, self._prefix + path, payload, headers)
            response = connection.getresponse()
            if response.status >= 400:
                raise self._refusal(response.status, response.read(), f"{method} {path.partition('?')[0]}")
            yield response
        except TimeoutError as error:
            raise ServerUnreachable(f"the server at {self.url} did not answer in {timeout_s:.0f} s") from error
        except OSError as error:
            raise ServerUnreachable(f"no server answers at {self.url}: {error.strerror or error}") from error
        except http.client.HTTPException as error:
            raise self._not_the_admin_api() from error
        finally:
            connection.close()

    def _decoded(self, raw: bytes) -> Any:
        if not raw:
            return None
        try:
            return json.loads(raw)
        except ValueError as error:
            raise self._not_the_admin_api() from error

    def _not_the_admin_api(self) -> ServerUnreachable:
        return ServerUnreachable(f"what answers at {self.url} is not the admin API")

    def _refusal(self, status: int, raw: bytes, request: str) -> Refused | ServerUnreachable:
        """Errors are JSON with a message, or plain text when the request could not be parsed."""
        try:
            body = json.loads(raw)
        except ValueError:
            body = None
        if isinstance(body, dict) and isinstance(body.get("message"), str):
            if "source" in body:  # only the ingress says where an error comes from
                return ServerUnreachable(f"what answers at {self.url} is the ingress, not the admin API")
            return Refused(body["message"], status, body.get("restate_code"))
        text = raw.decode(errors="replace").strip()
        if text.startswith("<"):  # a page for people
            return self._not_the_admin_api()
        if not text and status in (404, 405, 501):
            return Refused(f"the server at {self.url} has no `{request}`; it may be older than this program", status)
        return Refused(text or f"the server answered with status {status}", status)


def _with_parameters(path: str, parameters: Mapping[str, str | int | None]) -> str:
    given = {name: value for name, value in parameters.items() if value is not None}
    return f"{path}?{urlencode(given)}" if given else path
