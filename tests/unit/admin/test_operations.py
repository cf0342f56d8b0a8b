"""What reaches the partition, and what comes back: invocations, state, services, and the API as a whole."""

import json
from typing import Any

import pytest

from perdure.errors import StoreUnavailable
from perdure.ids import decode_invocation_id
from perdure.introspection.problems import QueryNotPlanned
from perdure.introspection.result import Shape
from perdure.model.actions import Done, Refused, Restarted
from perdure.model.records import (
    Cancel,
    EntryChange,
    Kill,
    ModifyState,
    Operator,
    Pause,
    Purge,
    PurgeJournal,
    RestartAsNew,
    Resume,
    StateMutation,
)

ID = "inv_1g1KG8igX0QD2KcEv0Nf2ulzDJ01D32oAs"
DEPLOYMENT = "dp_106v8EeZcV5JEnDoDh8E4RX"


@pytest.mark.parametrize(
    ("request_line", "record"),
    [
        (f"PATCH /invocations/{ID}/cancel", Cancel(1, id=ID)),
        (f"PATCH /v4/invocations/{ID}/kill", Kill(1, id=ID)),
        (f"PATCH /invocations/{ID}/pause", Pause(1, id=ID)),
        (f"PATCH /invocations/{ID}/resume", Resume(1, id=ID)),
        (f"PATCH /invocations/{ID}/resume?deployment=Latest", Resume(1, id=ID, deployment="latest")),
        (f"PATCH /invocations/{ID}/resume?deployment={DEPLOYMENT}", Resume(1, id=ID, deployment=DEPLOYMENT)),
        (f"PATCH /invocations/{ID}/purge", Purge(1, id=ID)),
        (f"PATCH /invocations/{ID}/purge-journal", PurgeJournal(1, id=ID)),
    ],
)
def test_an_operation(admin: Any, request_line: str, record: Any) -> None:
    method, path = request_line.split()
    assert admin.request(method, path).status_code == 200
    admin.gateway.answer = Done(immediate=False)
    assert admin.request(method, path).status_code == 202
    admin.gateway.answer = Refused(425, "too early")
    refused = admin.request(method, path)
    assert (refused.status_code, refused.json()) == (425, {"message": "too early", "restate_code": None})
    assert admin.gateway.records == [record] * 3


NEW = "inv_1g1KG8igX0QD2KcEv0Nf2ulzDJ01D32oAt"


def test_a_restart_tells_the_new_id_twice(admin: Any) -> None:
    admin.gateway.answer = Restarted(NEW)
    answer = admin.request("PATCH", f"/invocations/{ID}/restart-as-new?from=3&deployment=keep&key=k2")
    assert answer.json() == {"new_invocation_id": NEW, "invocationId": NEW}
    [record] = admin.gateway.records
    assert record == RestartAsNew(1, id=ID, new_id=record.new_id, from_index=3, deployment="keep", key="k2")
    assert record.new_id != ID
    assert decode_invocation_id(record.new_id)[:8] == decode_invocation_id(ID)[:8]
    admin.gateway.answer = Refused(410, "gone")
    assert admin.request("PATCH", f"/invocations/{ID}/restart-as-new").status_code == 410


@pytest.mark.parametrize("start", ["-1", "x", "", "1.5", "99999999999", "٣", "9" * 5000])
def test_a_restart_from_no_index(admin: Any, start: str) -> None:
    answer = admin.request("PATCH", f"/invocations/{ID}/restart-as-new?from={start}")
    assert answer.status_code == 400
    assert answer.text.startswith("Failed to deserialize query string: from: ")


BATCH = "/internal/invocations_batch_operations"


@pytest.mark.parametrize(
    ("verb", "record"),
    [
        ("cancel", Cancel(1, id=ID)),
        ("kill", Kill(1, id=ID)),
        ("pause", Pause(1, id=ID)),
        ("resume", Resume(1, id=ID, deployment="latest")),
        ("purge", Purge(1, id=ID)),
        ("purge-journal", PurgeJournal(1, id=ID)),
    ],
)
def test_a_batch(admin: Any, verb: str, record: Any) -> None:
    body = {"invocation_ids": [ID, NEW], "deployment": "Latest"}
    answer = admin.request("POST", f"{BATCH}/{verb}", json=body)
    assert answer.json() == {"succeeded": [ID, NEW], "failed": []}
    assert admin.gateway.records[0] == record
    admin.gateway.answer = Refused(409, "no")
    refused = admin.request("POST", f"{BATCH}/{verb}", json=body).json()
    assert refused == {"succeeded": [], "failed": [{"invocation_id": one, "error": "no"} for one in (ID, NEW)]}


def test_a_batch_of_restarts(admin: Any) -> None:
    admin.gateway.answer = Restarted(NEW)
    answer = admin.request("POST", f"{BATCH}/restart-as-new", json={"invocation_ids": [ID]})
    assert answer.json() == {"succeeded": [{"old_invocation_id": ID, "new_invocation_id": NEW}], "failed": []}
    assert admin.gateway.records[0].deployment == "latest"


@pytest.mark.parametrize(
    ("body", "status", "text"),
    [
        ({"invocation_ids": []}, 200, '"failed":[]'),
        ({"invocation_ids": [ID] * 1000}, 200, '"failed":[]'),
        ({"invocation_ids": [ID] * 1001}, 400, "Batch size 1001 exceeds maximum allowed size of 1000"),
        ({"invocation_ids": [ID, "x"]}, 422, "Failed to deserialize the JSON body"),
        ({"invocation_ids": [ID], "deployment": "x"}, 422, "Failed to deserialize the JSON body"),
        ({}, 422, "invocation_ids"),
    ],
)
def test_what_a_batch_may_be(admin: Any, body: dict[str, Any], status: int, text: str) -> None:
    answer = admin.request("POST", f"{BATCH}/resume", json=body)
    assert answer.status_code == status
    assert text in answer.text


@pytest.mark.parametrize(("mode", "record"), [("", Cancel), ("?mode=kill", Kill), ("?mode=Purge", Purge)])
def test_the_old_delete_never_tells(admin: Any, mode: str, record: type[Any]) -> None:
    admin.gateway.answer = Refused(404, "unknown")
    assert admin.request("DELETE", f"/invocations/{ID}{mode}").status_code == 202
    assert admin.gateway.records == [record(1, id=ID)]


@pytest.mark.parametrize("verb", ["cancel", "kill", "pause", "resume", "purge", "purge-journal", "restart-as-new"])
def test_who_and_why(admin: Any, verb: str) -> None:
    admin.gateway.answer = Restarted(NEW) if verb == "restart-as-new" else Done()
    headers = {"x-perdure-actor": "Zoë".encode(), "x-perdure-reason": "stuck since noon"}
    admin.request("PATCH", f"/invocations/{ID}/{verb}", headers=headers)
    admin.request("PATCH", f"/invocations/{ID}/{verb}?actor=Zo%C3%AB&reason=stuck%20since%20noon")
    admin.request("POST", f"{BATCH}/{verb}", json={"invocation_ids": [ID]}, headers=headers)
    admin.request("PATCH", f"/invocations/{ID}/{verb}")
    told = Operator("Zoë", "stuck since noon")
    assert [record.operator for record in admin.gateway.records] == [told, told, told, None]


def test_a_reason_that_is_too_long(admin: Any) -> None:
    answer = admin.request("PATCH", f"/invocations/{ID}/kill?reason={'x' * 1001}")
    assert (answer.status_code, admin.gateway.records) == (400, [])


def test_a_bad_deployment_is_seen_first(admin: Any) -> None:
    answer = admin.request("PATCH", f"/invocations/{ID}/resume?deployment=x")
    assert answer.status_code == 400
    assert answer.json()["message"] == "The query parameter 'deployment' is invalid. Reason: bad format"
    assert admin.gateway.records == []


def test_state_is_replaced_as_a_whole(admin: Any) -> None:
    admin.register("http://localhost:9080/", admin.service("Counter", "VIRTUAL_OBJECT"))
    body = {"object_key": "k", "new_state": {"a": [0, 255], "b": "é"}, "version": "v"}
    assert admin.request("POST", "/services/Counter/state", json=body).status_code == 202
    mutation = StateMutation("Counter", "k", {"a": b"\x00\xff", "b": "é".encode()}, "v")
    assert admin.gateway.records == [ModifyState(1, mutation=mutation)]
    body["new_state"] = {"a": [256]}
    assert admin.request("POST", "/services/Counter/state", json=body).status_code == 422


def test_one_entry_of_a_state_is_changed(admin: Any) -> None:
    admin.register("http://localhost:9080/", admin.service("Counter", "VIRTUAL_OBJECT"), admin.service("P", "SERVICE"))
    body = {"object_key": "", "name": "é", "before": [0, 255], "value": "1"}
    answer = admin.request("PATCH", "/services/Counter/state", json=body)
    assert (answer.status_code, answer.json()) == (200, {"applied": True})
    admin.gateway.answer = Done(immediate=False)
    answer = admin.request("PATCH", "/services/Counter/state", json={**body, "before": None, "value": None})
    assert (answer.status_code, answer.json()) == (202, {"applied": False})
    admin.gateway.answer = Refused(409, "another")
    assert admin.request("PATCH", "/services/Counter/state", json=body).status_code == 409
    changes = [EntryChange("é", b"\x00\xff", b"1"), EntryChange("é", None, None), EntryChange("é", b"\x00\xff", b"1")]
    mutations = [StateMutation("Counter", "", {}, change=change) for change in changes]
    assert admin.gateway.records == [ModifyState(1, mutation=mutation) for mutation in mutations]


def test_an_entry_that_cannot_be_changed(admin: Any) -> None:
    admin.register("http://localhost:9080/", admin.service("P", "SERVICE", admin.handler("run")))
    body = {"object_key": "k", "name": "n", "before": None, "value": "1"}
    assert admin.request("PATCH", "/services/P/state", json=body).status_code == 400
    assert admin.request("PATCH", "/services/Nothing/state", json=body).status_code == 404
    del body["before"]
    assert admin.request("PATCH", "/services/P/state", json=body).status_code == 422
    assert admin.gateway.records == []


def test_settings_of_a_service(admin: Any) -> None:
    handler = admin.handler("add", "EXCLUSIVE", journalRetention=20_000)
    admin.register("http://localhost:9080/", admin.service("Counter", "VIRTUAL_OBJECT", handler))
    changes = {"public": False, "idempotency_retention": "2 hours", "journal_retention": "PT30M", "abort_timeout": "5m"}
    shown = admin.request("PATCH", "/services/Counter", json=changes).json()
    assert shown == admin.request("GET", "/services/Counter").json()
    assert (shown["idempotency_retention"], shown["journal_retention"], shown["abort_timeout"]) == ("2h", "30m", "5m")
    assert (shown["revision"], shown["handlers"][0]["public"]) == (1, False)
    assert shown["handlers"][0]["journal_retention"] == "20s"
    shown = admin.request("PATCH", "/services/Counter", json={"public": None, "inactivity_timeout": "90s"}).json()
    assert (shown["public"], shown["inactivity_timeout"], shown["idempotency_retention"]) == (False, "1m 30s", "2h")
    endless = {"inactivity_timeout": "100000000000000 days"}
    assert admin.request("PATCH", "/services/Counter", json=endless).status_code == 422


def test_the_openapi_of_a_service(admin: Any) -> None:
    hidden = admin.handler("hidden", "SHARED", ingressPrivate=True)
    admin.register(
        "http://localhost:9080/",
        admin.service("Flow", "WORKFLOW", admin.handler("run", "WORKFLOW"), hidden),
        admin.service("Plain", "SERVICE", admin.handler("hi")),
    )
    flow = admin.request("GET", "/services/Flow/openapi").json()
    assert sorted(flow["paths"]) == [
        "/restate/call/Flow/{key}/run",
        "/restate/send/Flow/{key}/run",
        "/restate/workflow/Flow/{key}/attach",
        "/restate/workflow/Flow/{key}/output",
    ]
    plain = admin.request("GET", "/services/Plain/openapi").json()
    assert "/restate/invocation/Plain/hi/{idempotencyKey}/output" in plain["paths"]
    assert plain["servers"] == [{"url": "http://localhost:8080/"}]
    assert plain["components"]["schemas"]["hiRequest"] == {"type": "string"}


def test_the_description_covers_every_route(admin: Any) -> None:
    described = admin.request("GET", "/v3/openapi").json()
    operations = {(method, path) for path, item in described["paths"].items() for method in item}
    assert ("patch", "/invocations/{invocation_id}/resume") in operations
    assert ("post", "/deployments") in operations
    references = {part.split('"')[0] for part in json.dumps(described).split("#/components/schemas/")[1:]}
    assert references <= described["components"]["schemas"].keys()


def test_a_store_that_takes_nothing_is_503(admin: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def ask(_: Any) -> Any:
        raise StoreUnavailable("the disk is full")

    monkeypatch.setattr(admin.gateway, "ask", ask)
    answer = admin.request("PATCH", f"/invocations/{ID}/cancel")
    assert answer.status_code == 503
    assert "the disk is full" in answer.json()["message"]


@pytest.mark.parametrize("size", [2 * 1024 * 1024 + 1, 3_000_000])
def test_a_body_that_is_too_long(admin: Any, size: int) -> None:
    answer = admin.request("POST", "/query", content=b" " * size, headers={"content-type": "application/json"})
    assert answer.status_code == 413
    assert answer.text == "Failed to buffer the request body: length limit exceeded"


def test_answers_are_compressed_on_demand(admin: Any) -> None:
    admin.register("http://localhost:9080/", *(admin.service(f"S{n}", "SERVICE") for n in range(9)))
    zipped = admin.request("GET", "/services", headers={"accept-encoding": "gzip"})
    assert zipped.headers["content-encoding"] == "gzip"
    plain = admin.request("GET", "/services", headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.json() == zipped.json()


def test_head_is_get_without_a_body(admin: Any) -> None:
    answer = admin.request("HEAD", "/version")
    assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize("body", [b"{", b"\xff", b"[" * 100_000, b'{"query": 1}', b"[]", b"null"])
def test_broken_json_is_told(admin: Any, body: bytes) -> None:
    answer = admin.request("POST", "/query", content=body, headers={"content-type": "application/json"})
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"].startswith("text/plain")


class RefusingEngine:
    async def query(self, text: str, shape: Shape) -> Any:
        raise QueryNotPlanned("Schema error: no such column")


def test_a_query_that_fails(make_admin: Any) -> None:
    answer = make_admin(query_engine=RefusingEngine()).request("POST", "/query", json={"query": "x"})
    assert answer.status_code == 500
    assert answer.json() == {"message": "Datafusion error: Schema error: no such column", "restate_code": "E0502"}


@pytest.mark.parametrize(
    ("accept", "shape"),
    [
        ("application/json", "json"),
        ("", "arrow"),
        ("*/*", "arrow"),
        ("application/vnd.apache.arrow.stream", "arrow"),
        ("application/json, */*", "arrow"),
    ],
)
def test_only_who_asks_for_nothing_but_json_gets_it(admin: Any, accept: str, shape: str) -> None:
    answer = admin.request("POST", "/query", json={"query": "select 1"}, headers={"accept": accept})
    assert (answer.status_code, answer.headers["content-type"], answer.text) == (200, f"x/{shape}", shape)
