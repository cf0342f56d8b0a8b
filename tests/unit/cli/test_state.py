"""`perdure state`."""

import base64
import json
from typing import Any

import pytest

from perdure.cli import json_patch, watching
from perdure.cli.failures import BadUsage


@pytest.fixture
def some(admin: Any) -> Any:
    """Two keys; posting state replaces it where the version fits."""

    def put(key: str, name: str, value: bytes) -> None:
        admin.insert("state", service_name="Counter", service_key=key, key=name, value=value.hex())

    def post(body: dict[str, Any]) -> None:
        if body.get("version") == "stale":
            return
        admin.tables.execute("delete from state where service_key = ?", [body["object_key"]])
        for name, value in body["new_state"].items():
            put(body["object_key"], name, bytes(value))

    put("a", "count", b"1")
    put("a", "last", b'{"n": 1}')
    put("b/c", "raw", b"\xff\x00")
    admin.answers["POST", "/services/Counter/state"] = (202, post)
    return admin


def state(run: Any, key: str) -> Any:
    return json.loads(run("state", "get", "Counter", key, "--json").stdout)["state"]


def test_get(some: Any, run: Any) -> None:
    document = json.loads(run("state", "get", "Counter", "a", "--json").stdout)
    assert document["state"] == {"count": 1, "last": {"n": 1}}
    # The version as the official server computes it.
    assert document["version"] == "jACQh_yPFyL5KTJA2n-C3gzrs03GLkW7CaFLTKo3UYk"
    assert '{"n": 1}' in run("kv", "get", "Counter", "a").stdout
    assert "has no state" in run("state", "get", "Counter", "none").stdout


def test_patch_keeps_the_bytes_of_what_it_does_not_touch(some: Any, run: Any) -> None:
    result = run("state", "patch", "Counter", "a", "-p", '[{"op":"add","path":"/count","value":7}]', input="y\n")
    assert (result.exit_code, "Counter/a  changed" in result.stdout) == (0, True)
    assert "count: 1 becomes 7" in result.stderr
    body = some.received[-1][2]
    assert bytes(body["new_state"]["last"]) == b'{"n": 1}'
    assert body["version"] == "jACQh_yPFyL5KTJA2n-C3gzrs03GLkW7CaFLTKo3UYk"
    assert state(run, "a") == {"count": 7, "last": {"n": 1}}


def test_bytes_can_be_changed_too(some: Any, run: Any) -> None:
    assert state(run, "b/c") == {"raw": {"$base64": "/wA="}}
    value = json.dumps({"op": "replace", "path": "/raw/$base64", "value": base64.b64encode(b"\xfe").decode()})
    assert run("state", "patch", "Counter", "b/c", "-y", "-p", value).exit_code == 0
    assert some.received[-1][2]["new_state"] == {"raw": [0xFE]}
    wrong = '{"op":"replace","path":"/raw/$base64","value":"?"}'
    assert run("state", "patch", "Counter", "b/c", "-y", "-p", wrong).exit_code == 2


def test_edit(some: Any, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERDURE_EDITOR", "sed -i s/1,/2,/")
    assert run("state", "edit", "Counter", "a", "-y", "--force").exit_code == 0
    assert "version" not in some.received[-1][2]
    assert state(run, "a") == {"count": 2, "last": {"n": 1}}
    monkeypatch.setenv("PERDURE_EDITOR", "true")
    assert "not changed" in run("state", "edit", "Counter", "a").stdout


def test_a_change_of_what_has_changed_is_told(some: Any, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    some.answers["POST", "/services/Counter/state"] = (202, None)
    monkeypatch.setattr(watching, "pause", lambda _: None)
    result = run("state", "clear", "Counter/a", "-y")
    assert (result.exit_code, "--force" in result.stderr) == (1, True)
    some.insert("sys_keyed_service_status", service_name="Counter", service_key="a", invocation_id="inv_1")
    result = run("state", "clear", "Counter/a", "-y")
    assert (result.exit_code, "when the invocation that holds the key is done" in result.stdout) == (0, True)


def test_clear(some: Any, run: Any) -> None:
    assert run("state", "clear", "Counter", input="n\n").exit_code == 1
    result = run("state", "clear", "Counter/b/c", "--json", "-y")
    assert json.loads(result.stdout) == {"changes": [{"service": "Counter", "key": "b/c", "effect": "changed"}]}
    assert state(run, "a") != {}
    assert run("state", "clear", "Counter", "-y").exit_code == 0
    assert state(run, "a") == {}
    for target in ("Counter", "Counter/a"):
        result = run("state", "clear", target, "-y")
        assert (result.exit_code, "has no state" in result.stderr) == (1, True)
    assert run("state", "clear", "Counter/", "-y").exit_code == 2


DOCUMENT = {"a": 1, "list": [1, 2], "x/y": {"~": None}}


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        ({"op": "add", "path": "/b", "value": 2}, {**DOCUMENT, "b": 2}),
        ({"op": "add", "path": "/list/1", "value": 9}, {**DOCUMENT, "list": [1, 9, 2]}),
        ({"op": "add", "path": "/list/-", "value": 9}, {**DOCUMENT, "list": [1, 2, 9]}),
        ({"op": "replace", "path": "/x~1y/~0", "value": 3}, {**DOCUMENT, "x/y": {"~": 3}}),
        ({"op": "replace", "path": "/list/0", "value": 3}, {**DOCUMENT, "list": [3, 2]}),
        ({"op": "replace", "path": "", "value": {}}, {}),
        ({"op": "remove", "path": "/list/0"}, {**DOCUMENT, "list": [2]}),
        ({"op": "move", "from": "/a", "path": "/list/0"}, {"list": [1, 1, 2], "x/y": {"~": None}}),
        ({"op": "copy", "from": "/list", "path": "/a"}, {**DOCUMENT, "a": [1, 2]}),
        ({"op": "test", "path": "/a", "value": 1}, DOCUMENT),
    ],
)
def test_json_patch(operation: dict[str, Any], expected: Any) -> None:
    assert json_patch.apply(DOCUMENT, [operation]) == expected


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "add", "path": "/b"},
        {"op": "add", "path": "b", "value": 1},
        {"op": "add", "path": "/list/9", "value": 1},
        {"op": "add", "path": "/list/x", "value": 1},
        {"op": "add", "path": "/a/b", "value": 1},
        {"op": "replace", "path": "/b", "value": 1},
        {"op": "remove", "path": "/list/2"},
        {"op": "remove", "path": ""},
        {"op": "move", "from": "/list", "path": "/list/0"},
        {"op": "test", "path": "/a", "value": True},
        {"op": "burn", "path": "/a"},
        {"path": "/a"},
    ],
)
def test_a_patch_that_does_not_fit(operation: dict[str, Any]) -> None:
    with pytest.raises(BadUsage, match="operation 1"):
        json_patch.apply(DOCUMENT, [operation])


@pytest.mark.parametrize("patch", ["{", "3", "[1]"])
def test_a_patch_that_is_none(some: Any, run: Any, patch: str) -> None:
    assert run("state", "patch", "Counter", "a", "-p", patch).exit_code == 2
