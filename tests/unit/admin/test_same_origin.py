"""Which requests of browsers the admin API answers."""

import asyncio

import httpx
import pytest
from starlette.responses import PlainTextResponse

from perdure.admin.same_origin import SameOrigin

OURS = {"host": "localhost:9070", "origin": "http://localhost:9070", "sec-fetch-site": "same-origin"}


def status(method: str, headers: dict[str, str], *, loopback: bool = True, allowed: tuple[str, ...] = ()) -> int:
    guard = SameOrigin(PlainTextResponse("done"), loopback=loopback, allowed=frozenset(allowed))

    async def send() -> int:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(guard), base_url="http://localhost:9070") as client:
            return (await client.request(method, "/invocations/x/cancel", headers=headers)).status_code

    return asyncio.run(send())


@pytest.mark.parametrize("method", ["GET", "PATCH", "POST", "DELETE"])
def test_our_own_page_is_answered(method: str) -> None:
    assert status(method, OURS) == 200


@pytest.mark.parametrize("host", ["localhost:9070", "127.0.0.1:9070", "[::1]:9070", "agents.localhost"])
def test_the_names_of_this_machine_are_known(host: str) -> None:
    assert status("PATCH", {"host": host, "origin": f"http://{host}", "sec-fetch-site": "same-origin"}) == 200


def test_programs_that_are_not_browsers_are_not_asked() -> None:
    assert status("PATCH", {"host": "engine.internal:9070"}) == 200


@pytest.mark.parametrize("method", ["PATCH", "POST", "PUT", "DELETE"])
@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example", "sec-fetch-site": "cross-site"},
        {"origin": "http://localhost:3000", "sec-fetch-site": "same-site"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
    ],
)
def test_a_foreign_page_changes_nothing(method: str, headers: dict[str, str]) -> None:
    assert status(method, {"host": "localhost:9070", **headers}) == 403


@pytest.mark.parametrize("method", ["GET", "PATCH"])
def test_a_name_that_was_made_to_point_here_is_refused(method: str) -> None:
    host = "evil.example:9070"
    assert status(method, {"host": host, "origin": f"http://{host}", "sec-fetch-site": "same-origin"}) == 403


def test_a_name_that_the_settings_allow_is_known() -> None:
    headers = {"host": "agents.example", "origin": "https://agents.example", "sec-fetch-site": "same-origin"}
    assert status("PATCH", headers, allowed=("agents.example",)) == 200


def test_a_proxy_may_change_the_host() -> None:
    headers = {"host": "127.0.0.1:9070", "origin": "https://agents.example", "sec-fetch-site": "same-origin"}
    assert status("PATCH", headers, allowed=("agents.example",)) == 200


def test_a_server_for_other_machines_goes_by_any_name() -> None:
    headers = {"host": "agents.lan:9070", "origin": "http://agents.lan:9070", "sec-fetch-site": "same-origin"}
    assert status("PATCH", headers, loopback=False) == 200
