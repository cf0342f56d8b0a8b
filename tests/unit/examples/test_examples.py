"""The examples load, offer what their documents promise, and their plain functions do what they say."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

Load = Callable[[str], ModuleType]
EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
HELLO = [{"role": "user", "content": "hello"}]


def discover(app: Any) -> dict[str, set[str]]:
    """The services that an app announces, with their handlers, asked for as a server asks."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    accept = b"application/vnd.restate.endpointmanifest.v4+json"
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "path": "/discover",
        "raw_path": b"/discover",
        "query_string": b"",
        "headers": [(b"accept", accept)],
    }
    asyncio.run(app(scope, receive, send))
    assert sent[0]["status"] == 200
    manifest = json.loads(b"".join(message.get("body", b"") for message in sent[1:]))
    return {service["name"]: {handler["name"] for handler in service["handlers"]} for service in manifest["services"]}


@pytest.mark.parametrize(
    ("file", "services"),
    [
        (
            "coding_agent/agent.py",
            {"CodingAgent": {"message", "append_message", "get_history"}, "CodingTask": {"run_task"}},
        ),
        ("insurance_claim/claim.py", {"InsuranceClaim": {"run", "decide", "status"}}),
        ("dead_endpoint/agents.py", {"SupportAgent": {"answer"}}),
    ],
)
def test_an_example_offers_its_services(example: Load, file: str, services: dict[str, set[str]]) -> None:
    assert discover(example(file).app) == services


@pytest.mark.parametrize("twin", sorted(EXAMPLES.glob("*/*_restate.py")), ids=lambda path: path.parent.name)
def test_code_moves_between_the_sdks_by_its_imports_alone(twin: Path) -> None:
    own = twin.with_stem(twin.stem.removesuffix("_restate")).read_text(encoding="utf-8")
    moved = own.replace("import perdure as restate\n", "import restate\n").replace(
        "from perdure import", "from restate import"
    )
    assert "perdure import" not in moved
    assert twin.read_text(encoding="utf-8") == moved


def test_every_example_has_its_twin() -> None:
    assert {path.parent.name for path in EXAMPLES.glob("*/*_restate.py")} == {
        path.parent.name for path in EXAMPLES.glob("*/README.md")
    }


def test_the_stand_in_says_that_no_model_answered(example: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    agent = example("coding_agent/agent.py")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.setattr(agent, "STAND_IN_SECONDS", 0)

    text = ""
    for step in agent.STEPS:
        text = asyncio.run(agent.ask_model(step, HELLO, text))

    assert text == "(stand-in, no model) hello: Plan > Draft > Polish"


@pytest.fixture
def model_api() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A server that answers as the chat API does; gives its base URL and the requests it got."""
    requests: list[dict[str, Any]] = []

    class Api(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            requests.append({"path": self.path, "key": self.headers["authorization"], **body})
            choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "a real answer"}}
            answer = {"id": "1", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice]}
            data = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1", requests
    server.shutdown()
    server.server_close()
    thread.join()


def test_with_a_key_the_api_is_asked(
    example: Load, monkeypatch: pytest.MonkeyPatch, model_api: tuple[str, list[dict[str, Any]]]
) -> None:
    url, requests = model_api
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    monkeypatch.setenv("OPENAI_BASE_URL", url)
    agent = example("coding_agent/agent.py")

    assert asyncio.run(agent.ask_model("Draft", HELLO, "the plan")) == "a real answer"

    (request,) = requests
    assert (request["path"], request["key"]) == ("/v1/chat/completions", "Bearer secret")
    assert request["messages"] == [
        {"role": "system", "content": agent.STEPS["Draft"]},
        *HELLO,
        {"role": "assistant", "content": "the plan"},
    ]


def test_invoices_are_added_up(example: Load) -> None:
    claim = example("insurance_claim/claim.py")
    documents = {"customer": "Ada", "invoices": ["roof repair 1200.50 EUR", "paint 99.50 EUR"]}
    assert claim.parse_documents(documents) == {"customer": "Ada", "amount": 1300.0, "currency": "EUR"}


@pytest.mark.parametrize("invoices", [[], ["roof"], ["roof much EUR"], ["roof 1 EUR", "paint 1 USD"]])
def test_documents_that_nobody_can_read_are_refused_for_good(example: Load, invoices: list[str]) -> None:
    claim = example("insurance_claim/claim.py")
    with pytest.raises(claim.TerminalError, match="documents must name"):
        claim.parse_documents({"customer": "Ada", "invoices": invoices})


def test_the_rates_file_fixes_the_conversion(example: Load, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    rates = tmp_path / "rates.json"
    monkeypatch.setenv("CLAIM_RATES_FILE", str(rates))
    claim = example("insurance_claim/claim.py")
    euros = {"customer": "Ada", "amount": 1300.0, "currency": "EUR"}

    with pytest.raises(LookupError, match="no exchange rate for EUR"):
        claim.convert_to_usd(euros)
    rates.write_text('{"EUR": 1.08}')
    assert claim.convert_to_usd(euros) == 1404.0
