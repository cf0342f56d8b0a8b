"""A server with the three examples, brought into the states that they are there to show. Needs no network.

`screenshots.py` looks at it; `python scripts/demo.py` keeps it there for a person to look at.
"""

import os
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from support.client import Client, wait_for  # noqa: E402
from support.processes import Program, free_addresses, is_free  # noqa: E402

EXAMPLES = {
    "coding_agent/agent:app": 9080,
    "insurance_claim/claim:app": 9081,
    "dead_endpoint/agents:app": 9082,
}
"""What is served, each at its port of the documents, or at another one if that is taken."""

INACTIVITY = "3s"
"""What waits is suspended after that time: longer than a step of the stand-in model takes, short for who looks on."""

JOURNAL = 'SELECT "index", name FROM sys_journal WHERE id = \'{id}\' ORDER BY "index"'
CUSTOMERS = ("ada", "ben", "cleo", "dora", "emil", "fay", "gus", "hana", "ivo", "jun", "kai", "lea")
START_S = 30.0
STEP_S = 60.0


@contextmanager
def examples(folder: Path) -> Iterator[Client]:
    """`perdure up` and the examples, each a service of its own. folder: takes the state and the logs."""
    ingress, admin, gone = free_addresses(3)
    surroundings = {
        "OPENAI_API_KEY": "",
        "ORDER_TOOL_URL": f"http://{gone}/",
        "CLAIM_RATES_FILE": str(folder / "rates.json"),
        "PERDURE_TIMEOUTS__INACTIVITY": INACTIVITY,
        "PERDURE_CONFIG": os.devnull,
    }
    programs = Path(sys.executable).parent
    with ExitStack() as stack:

        def start(name: str, *command: str) -> Program:
            program = Program(command, folder / f"{name}.log", surroundings)
            stack.callback(program.stop)
            return program

        up = [str(programs / "perdure"), "up", "--ingress", ingress, "--admin", admin, "--data", str(folder / "data")]
        server = start("server", *up)
        client = Client(f"http://{ingress}", f"http://{admin}")
        stack.callback(client.close)
        wait_for(lambda: server.check() or client.healthy(), "the server", START_S)
        for target, port in EXAMPLES.items():
            address = at_port(port)
            start(
                target.partition("/")[0],
                str(programs / "hypercorn"),
                "--bind",
                address,
                str(ROOT / "examples" / target),
            )
            wait_for(lambda address=address: listens(address), f"{target} on {address}", START_S)
            client.register(f"http://{address.replace('127.0.0.1', 'localhost')}")
        yield client


def at_port(port: int) -> str:
    """The address with this port if nobody has it, else any."""
    return f"127.0.0.1:{port}" if is_free(port) else free_addresses(1)[0]


def listens(address: str) -> bool:
    host, _, port = address.partition(":")
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((host, int(port))) == 0


def bring_about(client: Client) -> dict[str, str]:
    """Brings the examples into their states. Returns: ids of invocations, by what there is to be seen of them."""
    seen = claims(client) | support(client)
    queue(client)
    client.call("CodingAgent/alice/message", user("Write a function that adds two numbers"))
    seen |= interruption(client)
    for invocation in (seen["declined"], seen["unreadable"]):
        client.wait_status(invocation, "completed")
    client.wait_status(seen["approval"], "suspended")
    client.wait_status(seen["currency"], "paused")
    return seen


def claims(client: Client) -> dict[str, str]:
    """One claim for each way that a claim can go."""

    def file(key: str, customer: str, *invoices: str) -> str:
        return client.send(f"InsuranceClaim/{key}/run", {"customer": customer, "invoices": invoices})

    def decide(key: str, reviewer: str, approved: bool = True) -> None:
        client.call(f"InsuranceClaim/{key}/decide", {"reviewer": reviewer, "approved": approved})

    found = {
        "approval": file("claim-1", "Ada", "bicycle 640.00 USD"),
        "currency": file("claim-2", "Ben", "roof repair 1200.50 EUR", "paint 99.50 EUR"),
        "paid": file("claim-3", "Cleo", "window 310.00 GBP"),
        "unreadable": file("claim-4", "Dora", "roof"),
        "declined": file("claim-5", "Emil", "yacht 98000.00 USD"),
    }
    for key in ("claim-2", "claim-3"):
        for reviewer in ("assessor", "manager", "auditor"):
            decide(key, reviewer)
    decide("claim-1", "assessor")
    decide("claim-5", "assessor")
    decide("claim-5", "manager", approved=False)
    return found


def support(client: Client) -> dict[str, str]:
    """Agents whose tool is gone: most of them are retried, and operators have seen to some."""
    asked = [
        client.send("SupportAgent/answer", {"customer": name, "order": f"order-{at}"}, idempotency_key=f"question-{at}")
        for at, name in enumerate(CUSTOMERS, 1)
    ]
    for invocation in asked:
        client.wait_status(invocation, "backing-off")
    operate(client, asked[2], "pause", "ben", "the customer is away until Monday")
    operate(client, asked[1], "kill", "ada", "asked twice")
    operate(client, asked[0], "cancel", "ada", "the customer has left")
    client.wait_status(asked[0], "completed")
    client.wait_status(asked[2], "paused")
    return {"retrying": asked[4], "cancelled": asked[0], "by hand": asked[2]}


def queue(client: Client) -> None:
    """A conversation that an operator holds, and what waits behind it."""
    held = client.send("CodingAgent/dave/message", user("Write a parser for CSV"), delay="2s")
    operate(client, held, "pause", "ada", "maintenance of the model")
    client.wait_status(held, "paused")
    for text in ("with quotes", "and with comments", "never mind the comments"):
        client.send("CodingAgent/dave/message", user(text))
    client.send("CodingAgent/erin/message", user("Update the dependencies"), delay="1h")


def interruption(client: Client) -> dict[str, str]:
    """Bob changes his mind in the middle of a step; later on, what was interrupted is run again from that step."""
    first = client.call("CodingAgent/bob/message", user("Write a web server in Python"))["task_id"]
    wait_for(lambda: len(journal(client, first)) >= 4, "the second step of the first task", STEP_S)
    second = client.call("CodingAgent/bob/message", user("No, write it in Rust"))["task_id"]
    client.wait_status(first, "completed")
    wait_for(lambda: client.invocation(second)["status"] == "completed", "the replacement", STEP_S)
    draft = next(row["index"] for row in journal(client, first) if row.get("name") == "Draft")
    again = operate(client, first, "restart-as-new", "bob", "Python after all", {"from": draft - 1})
    wait_for(lambda: client.invocation(again)["status"] == "completed", "the restarted task", STEP_S)
    return {"interrupted": first, "replacement": second, "restarted": again}


def journal(client: Client, invocation: str) -> list[dict[str, Any]]:
    return client.query(JOURNAL.replace("{id}", invocation))


def user(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}


def operate(
    client: Client, invocation: str, verb: str, who: str, why: str, options: dict[str, Any] | None = None
) -> str:
    """One operation with its reason. Returns: the id of what it has begun, if it does."""
    answer = httpx.patch(
        f"{client.admin}/invocations/{invocation}/{verb}",
        params=options,
        headers={"x-perdure-actor": who, "x-perdure-reason": why},
    ).raise_for_status()
    return str(answer.json().get("new_invocation_id", "")) if answer.content else ""


def main() -> int:
    for number in (signal.SIGINT, signal.SIGTERM):
        # Unwinds, so that what was started is stopped.
        signal.signal(number, lambda _received, _frame: sys.exit(0))
    with tempfile.TemporaryDirectory() as folder, examples(Path(folder)) as client:
        bring_about(client)
        print(f"{client.admin}/ui until Control-C", flush=True)
        signal.pause()
    return 0


if __name__ == "__main__":
    sys.exit(main())
