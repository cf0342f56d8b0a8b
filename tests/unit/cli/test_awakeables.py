"""`perdure awakeables`."""

import json
from typing import Any

import pytest

ID = "sign_1ARQtvA7Nlpg3SPn1HyqxkLzhPRBzFMDbAAAAEQ"


@pytest.fixture
def waiting(admin: Any) -> Any:
    admin.answers["POST", f"/awakeables/{ID}/resolve"] = (202, None)
    admin.answers["POST", f"/awakeables/{ID}/reject"] = (202, None)
    return admin


@pytest.mark.parametrize(("words", "value"), [((), None), (("true",), True), (('{"by": "Ada"}',), {"by": "Ada"})])
def test_resolve(waiting: Any, run: Any, words: tuple[str, ...], value: object) -> None:
    result = run("awakeables", "resolve", ID, *words)
    assert (result.exit_code, result.stdout) == (0, f"{ID}  accepted\n")
    assert waiting.received == [("POST", f"/awakeables/{ID}/resolve", {"value": value})]


def test_reject(waiting: Any, run: Any) -> None:
    document = json.loads(run("awakeable", "reject", ID, "I am ill", "--json").stdout)
    assert document == {"id": ID, "effect": "accepted"}
    assert waiting.received == [("POST", f"/awakeables/{ID}/reject", {"message": "I am ill"})]


def test_a_value_that_is_not_json_says_how_to_write_it(waiting: Any, run: Any) -> None:
    result = run("awakeables", "resolve", ID, "yes")
    assert result.exit_code == 2
    assert f"""perdure awakeables resolve {ID} '"yes"'""" in result.stderr
    assert not waiting.received


def test_an_id_that_the_server_does_not_know(waiting: Any, run: Any) -> None:
    waiting.answers["POST", "/awakeables/sign_1x%2Fy/resolve"] = (400, {"message": "bad awakeable_id"})
    result = run("awakeables", "resolve", "sign_1x/y", "1")
    assert (result.exit_code, "bad awakeable_id" in result.stderr) == (1, True)
