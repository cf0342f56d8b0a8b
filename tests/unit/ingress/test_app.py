"""The contract of the callers' API, request by request, against a partition that answers as told."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from perdure.errors import StoreUnavailable
from perdure.ingress.paths import BAD_CALL
from perdure.model.actions import Accepted, AlreadyInvoked, Finished, Refused
from perdure.model.invocation import Failure, HandlerKind, ServiceKind, Success, Target
from perdure.partition.gateway import NotReady
from perdure.protocol.messages_pb2 import InputCommandMessage

JSON = {"content-type": "application/json"}
ID = "inv_13AWhwuVklhN2UkNp1jhUFrJFKrK1FYdeP"
AWAKEABLE = "sign_1ifOICP1MKHvRAbpJt5OScA1XX0uhz_uoAAAAEQ"
TRACE_PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def error_of(response: Any) -> tuple[int, str, str]:
    error = json.loads(response.body)
    assert error["code"] == response.status or error["source"] == "invocation"
    assert response.headers["x-restate-error-source"] == error["source"]
    assert response.headers["content-type"] == "application/json"
    return response.status, error["message"], error["source"]


# ---- What the partition gets ----


def test_a_call_becomes_an_invoke_with_all_headers_but_the_connections_own(caller: Any) -> None:
    headers = [
        ("Host", "x"),
        ("connection", "close"),
        ("content-type", "application/json"),
        ("X-Twice", "1"),
        ("x-twice", "a\tb"),
        ("idempotency-key", "k"),
        ("idempotency-expires", "z"),
        ("authorization", "Bearer t"),
        ("traceparent", TRACE_PARENT),
    ]
    response = caller.request("POST", "/Counter/a%2Fb/add?foo=bar%20", headers, b"1")
    assert (response.status, response.body) == (200, b'"ok"')
    invoke = caller.gateway.invoke
    assert response.headers["x-restate-id"] == invoke.id
    assert invoke.reply_to == 7
    assert invoke.target == Target("Counter", "add", "a/b", ServiceKind.VIRTUAL_OBJECT, HandlerKind.EXCLUSIVE)
    assert (invoke.wait, invoke.may_exist, invoke.idempotency_key) == (True, True, "k")
    assert (invoke.execution_time, invoke.trace_parent) == (None, TRACE_PARENT)
    message = InputCommandMessage.FromString(invoke.input)
    assert message.value.content == b"1"
    assert [(h.key, h.value) for h in message.headers] == [
        ("x-restate-ingress-path", "/Counter/a%2Fb/add?foo=bar%20"),
        ("content-type", "application/json"),
        ("x-twice", "1"),
        ("x-twice", "a\tb"),
        ("authorization", "Bearer t"),
        ("traceparent", TRACE_PARENT),
    ]


@pytest.mark.parametrize("path", ["/Probe/greet", "/Probe/greet/send", "/Counter/k/add"])
def test_without_an_idempotency_key_the_server_makes_one_up(caller: Any, path: str) -> None:
    caller.request("POST", path)
    caller.request("POST", path)
    first, second = caller.gateway.records
    assert first.id != second.id
    assert not first.may_exist
    assert len(first.idempotency_key) == 26
    caller.gateway.records.clear()
    headers = {"idempotency-key": first.idempotency_key}
    caller.request("POST", path, headers)
    assert caller.gateway.invoke.id == first.id


def test_of_a_header_given_twice_the_first_counts(caller: Any) -> None:
    caller.request("POST", "/Probe/greet", [("content-type", "application/json"), ("content-type", "text/plain")], b"1")
    assert caller.gateway.invoke.target.handler == "greet"


def test_calls_of_a_workflow_get_no_idempotency_key(caller: Any) -> None:
    caller.request("POST", "/Flow/w/peek")
    caller.request("POST", "/Flow/w/peek")
    first, second = caller.gateway.records
    assert first.id != second.id
    assert (first.idempotency_key, first.may_exist) == (None, False)


def test_a_workflow_run_is_identified_by_its_key(caller: Any) -> None:
    caller.request("POST", "/Flow/w1/run", JSON, b'"x"')
    invoke = caller.gateway.invoke
    assert (invoke.id, invoke.idempotency_key, invoke.may_exist) == (
        "inv_12kpUQONmeFb40HPiUbKSfrH18FxSmvYzH",
        None,
        True,
    )


def test_an_empty_idempotency_key_is_a_key(caller: Any) -> None:
    caller.request("POST", "/Probe/greet", {"idempotency-key": ""})
    assert caller.gateway.invoke.idempotency_key == ""
    assert caller.gateway.invoke.may_exist


def test_a_malformed_trace_parent_is_none(caller: Any) -> None:
    caller.request("POST", "/Probe/greet", {"traceparent": "garbage"})
    assert caller.gateway.invoke.trace_parent is None


@pytest.mark.parametrize(
    ("query", "after_ms"),
    [
        ("delay=10s", 10_000),
        ("DELAY=PT1S", 1000),
        ("delay=1+hour+30min", 5_400_000),
        ("a&delay=0s", 0),
        ("delay=P1D", 86_400_000),
    ],
)
def test_a_delayed_send(caller: Any, query: str, after_ms: int) -> None:
    now = 1_795_169_845_087
    response = caller.request("POST", f"/Probe/greet/send?{query}")
    assert response.status == 202
    assert caller.gateway.invoke.execution_time == now + after_ms
    assert not caller.gateway.invoke.wait
    body = json.loads(response.body)
    assert list(body) == ["invocationId", "executionTime", "status"]
    assert body["executionTime"].endswith("000000Z")


def test_a_send_that_was_accepted_before_keeps_its_time(caller: Any) -> None:
    caller.gateway.answer = lambda _, invoke: Accepted(invoke.id, False, 1_795_169_845_587)
    response = caller.request("POST", "/restate/send/Probe/greet", {"idempotency-key": "k"})
    body = {
        "invocationId": caller.gateway.invoke.id,
        "executionTime": "2026-11-20T10:17:25.587000000Z",
        "status": "PreviouslyAccepted",
    }
    assert (response.status, json.loads(response.body)) == (202, body)


def test_chunks_are_joined(caller: Any) -> None:
    caller.request("POST", "/Probe/greet", JSON, [b'"a', b"", b'b"'])
    assert InputCommandMessage.FromString(caller.gateway.invoke.input).value.content == b'"ab"'


@pytest.mark.parametrize(
    ("verb", "body", "outcome"),
    [
        ("resolve", b"\x00\xff", Success(b"\x00\xff")),
        ("resolve", b"", Success(b"")),
        ("reject", b"too bad", Failure(500, "too bad")),
        ("reject", b"\xff", Failure(500, "\N{REPLACEMENT CHARACTER}")),
    ],
)
def test_awakeables(caller: Any, verb: str, body: bytes, outcome: object) -> None:
    response = caller.request("POST", f"/restate/a/{AWAKEABLE}/{verb}", {"content-type": "x/y"}, body)
    assert (response.status, response.body) == (202, b"")
    signal = caller.gateway.signal
    assert (signal.signal_id, signal.signal_name, signal.outcome) == (17, None, outcome)
    assert signal.id.startswith("inv_1")


# ---- What callers get ----


def finished(outcome: Any, expires_at: int | None = None) -> Callable[[str, Any], Finished]:
    target = Target("Probe", "raw", None, ServiceKind.SERVICE, HandlerKind.SERVICE)
    return lambda _, asked: Finished(ID, outcome, expires_at, target)


@pytest.mark.parametrize(
    ("handler", "value", "content_type"),
    [
        ("greet", b"1", "application/json"),
        ("greet", b"", None),
        ("typed", b"", "image/png"),
        ("untyped", b"x", None),
    ],
)
def test_the_content_type_of_a_result(caller: Any, handler: str, value: bytes, content_type: str | None) -> None:
    caller.gateway.answer = finished(Success(value), 1_795_256_245_161)
    response = caller.request("POST", f"/Probe/{handler}")
    assert (response.status, response.body) == (200, value)
    assert response.headers.get("content-type") == content_type
    assert response.headers["idempotency-expires"] == "2026-11-21T10:17:25.161+00:00"
    assert "x-restate-error-source" not in response.headers


@pytest.mark.parametrize("path", [f"/restate/attach/{ID}", f"/restate/output/{ID}"])
def test_attach_and_output_by_id_show_the_handlers_content_type(caller: Any, path: str) -> None:
    caller.gateway.answer = finished(Success(b"x"))
    response = caller.request("GET", path)
    assert (response.status, response.headers["content-type"]) == (200, "application/octet-stream")
    assert response.headers["x-restate-id"] == ID


@pytest.mark.parametrize(
    ("code", "status"),
    [(200, 200), (302, 302), (418, 418), (600, 600), (999, 999), (99, 500), (0, 500), (1000, 500), (101, 500)],
)
def test_the_status_of_a_failure(caller: Any, code: int, status: int) -> None:
    caller.gateway.answer = finished(Failure(code, "boom", (("k", "v"),), "trace"))
    response = caller.request("POST", "/Probe/greet")
    assert response.status == status
    expected = {"code": code, "message": "boom", "stacktrace": "trace", "metadata": {"k": "v"}, "source": "invocation"}
    assert json.loads(response.body) == expected
    assert list(json.loads(response.body)) == list(expected)
    assert response.headers["x-restate-id"] == ID


def test_a_second_call_of_a_workflow(caller: Any) -> None:
    caller.gateway.answer = lambda _, invoke: AlreadyInvoked(invoke.id)
    response = caller.request("POST", "/Flow/w/run", JSON, b"1")
    assert error_of(response) == (409, "the workflow method was already invoked", "invocation")
    assert response.headers["x-restate-id"] == caller.gateway.invoke.id


def test_health(caller: Any) -> None:
    response = caller.request("GET", "/restate/health")
    assert response.status == 200
    assert sorted(json.loads(response.body)["services"]) == ["Counter", "Flow", "PrivateSvc", "Probe"]


# ---- What is refused ----


NOT_PUBLIC = "the invoked service is not public"
NO_SCOPES = "scoped invocations require vqueues to be enabled"


@pytest.mark.parametrize(
    ("method", "path", "headers", "body", "status", "message"),
    [
        ("POST", "/Nope/greet", {}, b"", 404, "service 'Nope' not found"),
        ("POST", "/Probe/nope", {}, b"", 404, "the service 'Probe' exists, but the handler 'nope' was not found"),
        ("POST", "/PrivateSvc/hello", {}, b"", 400, NOT_PUBLIC),
        ("POST", "/Probe/secret/send", {}, b"", 400, NOT_PUBLIC),
        *[
            (method, "/Probe/greet", {}, b"", 405, "method not allowed")
            for method in ("PUT", "PATCH", "DELETE", "HEAD")
        ],
        ("POST", f"/restate/attach/{ID}", {}, b"", 405, "method not allowed"),
        ("HEAD", f"/restate/invocation/{ID}/output", {}, b"", 405, "method not allowed"),
        ("POST", "/restate/workflow/Flow/w/attach", {}, b"", 405, "method not allowed"),
        ("GET", "/restate/attach", {}, b"", 405, "method not allowed"),
        ("PUT", "/restate/lookup", {}, b"", 405, "method not allowed"),
        ("GET", f"/restate/a/{AWAKEABLE}/resolve", {}, b"", 405, "method not allowed"),
        ("POST", "/restate/health", {}, b"", 405, "method not allowed"),
        ("POST", "/restate/a/foo/resolve", {}, b"", 400, "bad awakeable id 'foo': bad format"),
        ("GET", "/restate/attach/foo", {}, b"", 400, "bad invocation id 'foo': bad format"),
        ("POST", "/restate/attach/foo", {}, b"", 400, "bad invocation id 'foo': bad format"),
        ("GET", "/restate/attach/inv_foo", {}, b"", 400, "bad invocation id 'inv_foo': unrecognized codec version"),
        ("GET", "/restate/attach/inv_1foo", {}, b"", 400, "bad invocation id 'inv_1foo': bad length"),
        ("POST", "/Probe/greet?delay=1s", {}, b"", 400, "cannot use the delay query parameter with calls."),
        ("POST", "/Probe/greet/send?delay=x", {}, b"", 400, "bad delay query parameter, must be a ISO8601 duration: "),
        ("POST", "/Probe/greet/send?delay=9999999d", {}, b"", 400, "bad delay query parameter"),
        ("POST", "/Flow/w/run", {"idempotency-key": "a"}, b"", 400, "cannot use the idempotency key with workflow"),
        ("POST", "/Probe/greet?limit-key=a", {}, b"", 400, "limit-key requires a scope to be set"),
        ("POST", "/Probe/greet", {"x-restate-limit-key": "a"}, b"", 400, "limit-key requires a scope to be set"),
        ("POST", "/restate/scope/s/call/Probe/greet", {}, b"", 400, NO_SCOPES),
        ("POST", "/Probe/greet", {"x-a": "é"}, b"", 400, "bad header x-a: "),
        ("POST", "/Probe/greet", {"content-type": "é"}, b"", 400, "bad header content-type: "),
        ("POST", "/restate/lookup", JSON, b"{", 400, "cannot read body: "),
        ("POST", "/restate/attach", JSON, b'{"target": "nonsense"}', 400, "cannot read body: "),
        ("POST", "/restate/output", JSON, b'"\xff"', 400, "cannot read body: "),
        ("POST", "/restate/output", {}, b"", 400, "cannot read body: "),
        (
            "POST",
            "/restate/lookup",
            {},
            b'{"target":"workflow","workflowName":"F","workflowKey":"k","scope":"s"}',
            400,
            NO_SCOPES,
        ),
    ],
)
def test_refused(caller: Any, method: str, path: str, headers: Any, body: bytes, status: int, message: str) -> None:
    response = caller.request(method, path, headers, body)
    got_status, got_message, source = error_of(response)
    assert (got_status, source) == (status, "ingress")
    assert got_message.startswith(message)
    assert "x-restate-id" not in response.headers
    assert caller.gateway.records == []


CHECKS: list[tuple[str, str, dict[str, str], bytes, int, str]] = [
    # Each request breaks its own rule and every later one that it can: the first rule must win.
    ("PUT", "/Counter/nope", {"x-a": "é"}, b"", 400, BAD_CALL),
    ("PUT", "/Nope/%ff/x", {"x-a": "é"}, b"", 404, "service 'Nope'"),
    ("PUT", "/Counter/%ff/nope", {"x-a": "é"}, b"", 400, "bad path, cannot decode key"),
    ("PUT", "/PrivateSvc/nope", {}, b"", 404, "the service 'PrivateSvc' exists"),
    ("PUT", "/PrivateSvc/hello", {}, b"", 400, NOT_PUBLIC),
    ("PUT", "/restate/scope/s/call/Flow/w/run", {"idempotency-key": "a"}, b"", 400, "cannot use the idempotency key"),
    ("PUT", "/restate/scope/s/call/Probe/greet", {}, b"", 400, NO_SCOPES),
    ("PUT", "/Probe/greet?delay=x", {}, b"12345678901", 405, "method not allowed"),
    ("POST", "/Probe/greet?delay=x", {}, b"12345678901", 413, "cannot read body: LengthLimitError"),
    ("POST", "/Probe/greet?delay=x&limit-key=a", {"x-a": "é"}, b"1", 400, "input validation error: Empty content-type"),
    ("POST", "/Probe/greet?delay=x&limit-key=a", {"x-a": "é"}, b"", 400, "bad delay"),
    ("POST", "/Probe/greet?delay=1s&limit-key=a", {"x-a": "é"}, b"", 400, "limit-key requires"),
    ("POST", "/Probe/greet?delay=1s", {"x-a": "é"}, b"", 400, "bad header x-a"),
    ("POST", "/Probe/greet?delay=1s", {}, b"", 400, "cannot use the delay"),
]


@pytest.mark.parametrize(("method", "path", "headers", "body", "status", "message"), CHECKS)
def test_the_order_of_checks(
    new_caller: Any, method: str, path: str, headers: Any, body: bytes, status: int, message: str
) -> None:
    response = new_caller(request_size_limit=10).request(method, path, headers, body)
    got_status, got_message, _ = error_of(response)
    assert (got_status, got_message[: len(message)]) == (status, message)


def test_output_that_is_not_ready_and_two_kinds_of_unknown(caller: Any) -> None:
    assert error_of(caller.request("GET", f"/restate/output/{ID}")) == (404, "invocation not found", "ingress")
    response = caller.request("GET", f"/restate/attach/{ID}")
    assert error_of(response) == (404, "not found", "invocation")
    assert response.headers["x-restate-id"] == ID
    caller.gateway.answer = lambda _, asked: NotReady()
    message = "the invocation exists but has not completed yet"
    assert error_of(caller.request("GET", f"/restate/output/{ID}")) == (470, message, "ingress")


def test_an_announced_body_above_the_limit_is_refused_unread(new_caller: Any) -> None:
    response = new_caller(request_size_limit=10).request("POST", "/Nope/x", {"content-length": "11"})
    assert (response.status, response.body) == (413, b"length limit exceeded")
    assert response.headers == {"content-type": "text/plain; charset=utf-8", "content-length": "21"}


@pytest.mark.parametrize("body", [b"x" * 11, [b"x" * 6, b"x" * 5, b"x"]])
@pytest.mark.parametrize("path", ["/Probe/raw", "/restate/lookup", f"/restate/a/{AWAKEABLE}/resolve"])
def test_a_body_above_the_limit_that_was_not_announced(new_caller: Any, path: str, body: Any) -> None:
    response = new_caller(request_size_limit=10).request("POST", path, {"content-type": "a/b"}, body)
    assert error_of(response) == (413, "cannot read body: LengthLimitError", "ingress")


def test_a_body_of_exactly_the_limit_passes(new_caller: Any) -> None:
    caller = new_caller(request_size_limit=10)
    for body in (b"x" * 10, [b"x" * 5, b"x" * 5]):
        assert caller.request("POST", "/Probe/raw", {"content-type": "a/b"}, body).status == 200


def test_what_a_partition_refuses(caller: Any) -> None:
    caller.gateway.answer = lambda _, asked: Refused(503, "no leader")
    assert error_of(caller.request("POST", "/Probe/greet")) == (503, "no leader", "ingress")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/Probe/greet"),
        ("POST", "/Probe/greet/send"),
        ("GET", f"/restate/output/{ID}"),
        ("POST", f"/restate/a/{AWAKEABLE}/resolve"),
    ],
)
def test_a_store_that_takes_nothing(caller: Any, method: str, path: str) -> None:
    def full(*_: Any) -> None:
        raise StoreUnavailable("the disk is full")

    caller.gateway.answer = full
    status, message, source = error_of(caller.request(method, path))
    assert (status, source) == (503, "ingress")
    assert "E0301" in message
    assert "the disk is full" in message


def test_a_defect_is_answered_and_logged(caller: Any, caplog: pytest.LogCaptureFixture) -> None:
    caller.gateway.answer = lambda *_: "nonsense"
    assert caller.request("POST", "/Probe/greet").status == 500
    assert "nonsense" in caplog.text


def test_too_many_requests_at_once(new_caller: Any) -> None:
    async def run() -> None:
        caller = new_caller(concurrent_requests_limit=1)
        caller.gateway.hold = asyncio.Event()
        first = asyncio.create_task(caller.request_async("POST", "/Probe/greet"))
        await caller.gateway.waiting.wait()
        status, message, source = error_of(await caller.request_async("POST", "/Probe/greet"))
        assert (status, source) == (429, "ingress")
        assert "limits.concurrent_requests" in message
        assert (await caller.request_async("GET", "/restate/health")).status == 200
        caller.gateway.hold.set()
        assert (await first).status == 200
        assert (await caller.request_async("POST", "/Probe/greet")).status == 200

    asyncio.run(run())


def test_cross_origin_headers_also_on_errors(caller: Any) -> None:
    response = caller.request("POST", "/Nope/x", {"Origin": "http://app.test"})
    assert response.headers["access-control-allow-origin"] == "http://app.test"
    assert response.headers["access-control-allow-credentials"] == "true"
    asked = {"Origin": "null", "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "a,b"}
    response = caller.request("OPTIONS", "/any/where/at/all", asked)
    assert response.headers["access-control-allow-methods"] == "POST"
    assert response.headers["access-control-allow-headers"] == "a,b"
    assert (response.status, response.body) == (200, b"")
