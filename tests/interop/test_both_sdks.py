"""Trees of calls between services of the official Python SDK and of ours, on either server."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from support.client import Client, wait_for
from support.migrated import migrated_services
from support.records import Records
from support.servers import INTEROP, perdure, perdure_services, python_services, reference

SERVERS = [
    pytest.param(("perdure", 7), id="perdure-both-v7", marks=pytest.mark.interop),
    pytest.param(("perdure", 5), id="perdure-both-v5", marks=pytest.mark.interop),
    pytest.param(("reference", 7), id="reference-perdure-both-v7", marks=pytest.mark.reference),
    pytest.param(("reference", 6), id="reference-perdure-both-v6", marks=pytest.mark.reference),
]
OTHER = {"perdure": "restate", "restate": "perdure"}


@dataclass
class Both:
    """A server with the services of both SDKs. server: perdure or reference."""

    server: str
    client: Client
    records: Records


@pytest.fixture(scope="module", params=SERVERS)
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    server, version = request.param
    folder = tmp_path_factory.mktemp(f"both-{server}-{version}")
    names = ("ours", "theirs", "records")
    for name in names:
        (folder / name).mkdir()
    records = Records(folder / "records")
    run, settings = {
        "perdure": (perdure, {"PERDURE_HIGHEST_PROTOCOL_VERSION": str(version)}),
        "reference": (reference, {"RESTATE_EXPERIMENTAL_ENABLE_PROTOCOL_V7": str(version == 7).lower()}),
    }[server]
    with (
        python_services(folder / "theirs", records.environment, services=INTEROP / "relay_services.py") as theirs,
        perdure_services(
            folder / "ours", records.environment, services=migrated_services(folder / "ours", "relay_services")
        ) as ours,
        run(folder, settings) as client,
    ):
        client.register(theirs)
        client.register(ours)
        yield Both(server, client, records)


@pytest.fixture(params=["perdure", "restate"])
def root(request: pytest.FixtureRequest) -> str:
    """The SDK at the top of the tree."""
    name: str = request.param
    return name


def levels(root: str, depth: int) -> list[str]:
    """The SDK of each level, from the top."""
    return [root if at % 2 == 0 else OTHER[root] for at in range(depth + 1)]


def test_calls_alternate_between_the_sdks(both: Both, root: str) -> None:
    assert both.client.call(f"Relay_{root}/climb", 4) == levels(root, 4)


def test_a_failure_passes_through_both(both: Both, root: str) -> None:
    response = both.client.post(f"Relay_{root}/fall", 3)
    assert response.status_code == 422
    assert response.json()["message"] == ": ".join([*levels(root, 3), "too deep"])


def test_many_calls_at_once_come_back(both: Both, root: str) -> None:
    assert both.client.call(f"Relay_{root}/spread", 30) == [number * 2 for number in range(30)]


def test_an_object_of_one_is_called_by_the_other(both: Both, root: str, tag: str) -> None:
    assert both.client.call(f"Relay_{root}/count", tag) == [1, 3, 6]


def test_awakeables_and_signals_cross(both: Both, root: str, tag: str) -> None:
    seen = both.client.call(f"Relay_{root}/await_both", {"value": {"for": tag}, "reason": "no"})
    assert seen == [{"for": tag}, {"for": tag}, "refused: no", "refused: no"]


@pytest.mark.parametrize("ends", ["kept", "broken"])
def test_a_promise_of_one_is_settled_by_the_other(both: Both, root: str, tag: str, ends: str) -> None:
    # It is settled by a handler of its own workflow, which the other SDK calls.
    assert both.client.call(f"Pact_{root}/{tag}/run", ends) == f"{ends}: said by {OTHER[root]}"


def undone(both: Both, tag: str, depth: int) -> list[str]:
    return [line for line in both.records.lines(tag) if line.startswith("undo") and line.split()[2] == str(depth)]


def test_a_cancellation_undoes_every_level_in_order(both: Both, root: str, tag: str) -> None:
    invocation = both.client.send(f"Relay_{root}/grow", {"tag": tag, "depth": 3})
    both.records.wait_for(tag, "pay 0")
    both.client.operate(invocation, "cancel")
    assert both.client.failure(invocation).status == 409
    sdks = dict(zip((3, 2, 1, 0), levels(root, 3), strict=True))
    expected = {depth: [f"undo {step} {depth} {sdk} 409" for step in ("pay", "reserve")] for depth, sdk in sdks.items()}
    wait_for(lambda: all(undone(both, tag, depth) == expected[depth] for depth in expected), "all levels to be undone")
    if both.server == "perdure":
        # Leaves first, whoever made them: each level is over before the one that called it begins.
        lines = [line for line in both.records.lines(tag) if line.startswith("undo")]
        assert lines == [line for depth in range(4) for line in expected[depth]]


def test_one_cancels_what_it_sent_to_the_other(both: Both, root: str, tag: str) -> None:
    invocation = both.client.send(f"Relay_{root}/give_up", tag)
    awakeable = both.records.awakeable(tag)
    both.records.wait_for(tag, "holding")
    both.client.resolve(awakeable, None)
    assert both.client.attach(invocation) == "409 cancelled"
    assert both.records.lines(tag)[-1] == "let go 409"


def test_a_kill_reaches_both(both: Both, root: str, tag: str) -> None:
    invocation = both.client.send(f"Relay_{root}/grow", {"tag": tag, "depth": 3})
    both.records.wait_for(tag, "pay 0")
    both.client.operate(invocation, "kill")
    failed = both.client.failure(invocation)
    assert (failed.status, failed.body["message"]) == (409, "killed")
    sql = "SELECT status FROM sys_invocation WHERE target_service_name LIKE 'Relay%' AND target_handler_name = 'grow'"
    wait_for(lambda: {row["status"] for row in both.client.query(sql)} <= {"completed"}, "the callees to be killed")
    assert not any(line.startswith("undo") for line in both.records.lines(tag))
