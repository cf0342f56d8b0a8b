"""The official Python SDK's app is discovered over every transport."""

import json

import pytest

from perdure.invoker.endpoint import fetch
from perdure.invoker.transport import Request

from .conftest import open_rig
from .peers import ECHO_APP

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(60)]

ACCEPT = ", ".join(f"application/vnd.restate.endpointmanifest.v{version}+json" for version in (1, 2, 3, 4))


@pytest.mark.parametrize("kind", ["memory", "link", "http2", "http1"])
async def test_discovery(kind):
    from . import sdk_app

    async with open_rig(kind, sdk_app.app, str(ECHO_APP.with_name("sdk_app.py"))) as rig:
        request = Request("GET", "/discover", [("accept", ACCEPT)])
        response = await fetch(rig.transport, request, limit=1024 * 1024, timeout=10)
    assert response.status == 200
    assert response.headers["content-type"] == "application/vnd.restate.endpointmanifest.v4+json"
    manifest = json.loads(response.body)
    assert manifest["protocolMode"] == ("REQUEST_RESPONSE" if kind == "http1" else "BIDI_STREAM")
    assert [service["name"] for service in manifest["services"]] == ["Greeter"]
