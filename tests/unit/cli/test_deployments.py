"""`perdure deployments`."""

import json
from typing import Any

import pytest

SERVICES = [
    {"name": "Probe", "ty": "Service", "revision": 2, "handlers": [{"name": "greet"}, {"name": "add"}]},
    {"name": "Counter", "ty": "VirtualObject", "revision": 1, "handlers": [{"name": "get"}], "info": []},
]


@pytest.fixture
def endpoint(admin: Any) -> Any:
    admin.answers["POST", "/deployments"] = (201, {"id": "dp_1", "services": SERVICES})
    return admin


def bodies(admin: Any) -> list[Any]:
    return [body for method, path, body in admin.received if (method, path) == ("POST", "/deployments")]


@pytest.mark.parametrize("words", [("deployments", "register"), ("deployment", "add"), ("dp", "discover")])
def test_register_looks_first_and_then_registers(endpoint: Any, run: Any, words: tuple[str, str]) -> None:
    result = run(*words, "http://localhost:9080")
    assert result.exit_code == 0, result.stderr
    assert "http://localhost:9080 is registered as dp_1" in result.stdout
    assert "add, greet" in result.stdout
    planned, done = bodies(endpoint)
    assert planned == {**done, "dry_run": True}
    assert done == {
        "uri": "http://localhost:9080",
        "force": False,
        "breaking": False,
        "use_http_11": False,
        "dry_run": False,
    }


def test_register_passes_everything_on(endpoint: Any, run: Any) -> None:
    options = ["--force", "--breaking", "--use-http1.1", "--header", "a=1=2", "--header", "b=", "--metadata", "git=abc"]
    assert run("dp", "register", "http://localhost:9080", *options, "-y").exit_code == 0
    body = bodies(endpoint)[-1]
    assert body["force"] is body["breaking"] is body["use_http_11"] is True
    assert body["additional_headers"] == {"a": "1=2", "b": ""}
    assert body["metadata"] == {"git": "abc"}


def test_a_dry_run_changes_nothing(endpoint: Any, run: Any) -> None:
    result = run("dp", "register", "http://localhost:9080", "--dry-run")
    assert "would be registered." in result.stdout
    assert "dp_1" not in result.stdout
    assert [body["dry_run"] for body in bodies(endpoint)] == [True]


def test_a_known_address_is_left_alone_without_force(endpoint: Any, run: Any) -> None:
    endpoint.answers["POST", "/deployments"] = (200, {"id": "dp_1", "services": SERVICES})
    result = run("dp", "register", "http://localhost:9080")
    assert result.exit_code == 0
    assert "is already registered as dp_1" in result.stdout
    assert "--force" in result.stdout
    assert len(bodies(endpoint)) == 1


@pytest.mark.parametrize(("typed", "code", "requests"), [("y\n", 0, 2), ("n\n", 1, 1), ("", 1, 1)])
def test_replacing_a_known_one_asks_first(endpoint: Any, run: Any, typed: str, code: int, requests: int) -> None:
    endpoint.answers["POST", "/deployments"] = (200, {"id": "dp_1", "services": SERVICES})
    result = run("dp", "register", "http://localhost:9080", "--force", input=typed)
    assert result.exit_code == code
    assert "in place of what is there (Counter, Probe)?" in result.stderr
    assert len(bodies(endpoint)) == requests
    if code:
        assert "Give -y" in result.stderr


def test_json_is_all_that_is_written(endpoint: Any, run: Any) -> None:
    document = json.loads(run("dp", "register", "http://localhost:9080", "--json").stdout)
    assert document["id"] == "dp_1"
    assert (document["created"], document["dry_run"]) == (True, False)


def test_a_refusal_gives_the_servers_words_and_the_meaning_of_the_code(endpoint: Any, run: Any) -> None:
    endpoint.answers["POST", "/deployments"] = (
        500,
        {"message": "[META0003] cannot\nconnect", "restate_code": "META0003"},
    )
    result = run("dp", "register", "http://localhost:9080")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "error: cannot connect. META0003: Discovery failed" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_header_must_be_a_pair(run: Any) -> None:
    result = run("dp", "register", "http://localhost:9080", "--header", "nothing")
    assert result.exit_code == 2
    assert "key=value" in result.stderr


def test_list(admin: Any, run: Any) -> None:
    deployment = {
        "id": "dp_1",
        "uri": "http://localhost:9080/",
        "protocol_type": "BidiStream",
        "http_version": "HTTP/2.0",
        "created_at": "2026-11-20T10:22:05.850000000Z",
        "min_protocol_version": 5,
        "max_protocol_version": 7,
        "services": [{"name": "Probe", "revision": 2}],
    }
    admin.answers["GET", "/deployments"] = (200, {"deployments": [deployment]})
    shown = run("deployments", "list").stdout
    assert "2026-11-20 10:22:05.850 UTC" in shown
    assert all(text in shown for text in ("dp_1", "http://localhost:9080/", "HTTP/2.0", "5 to 7", "Probe (revision 2)"))
    assert json.loads(run("dp", "ls", "--json").stdout) == {"deployments": [deployment]}


def test_an_empty_list_says_what_to_do(admin: Any, run: Any) -> None:
    admin.answers["GET", "/deployments"] = (200, {"deployments": []})
    assert "perdure deployments register" in run("dp", "ls").stdout
