"""Operations that meet something else on the way: each is answered with what happened, and leaves nothing half done."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

from support.client import wait_for
from support.remotes import Answer, HttpRemote, Remote, run_perdure

from .conftest import Site

pytestmark = pytest.mark.interop


def rounds(remote: Remote) -> int:
    """How many races: a start of the command line takes much longer than a request."""
    return 20 if isinstance(remote, HttpRemote) else 3


def waiting(site: Site, number: int = 0) -> tuple[str, str, str]:
    """An invocation that ends as soon as its awakeable is resolved: its id, its tag, and the awakeable."""
    tag = f"{site.name}.{number}"
    id = site.client.send(f"Racer{site.name}/run", tag)
    return id, tag, site.records.awakeable(tag)


def at_once(*actions: Callable[[], Any]) -> list[Any]:
    with ThreadPoolExecutor(len(actions)) as pool:
        return [future.result() for future in [pool.submit(action) for action in actions]]


def raced(site: Site, remote: Remote, verb: str, number: int) -> tuple[str, str, Answer]:
    """One that is steered in the moment in which it may end: its id, its tag, and the operation's answer."""
    id, tag, awakeable = waiting(site, number)
    answer, _ = at_once(partial(remote.do, verb, id), partial(site.client.resolve, awakeable, "end"))
    return id, tag, answer


def steps(site: Site, tag: str) -> list[str]:
    return [line for line in site.records.lines(tag) if not line.startswith("sign_1")]


def test_cancel_races_completion(site: Site, remote: Remote) -> None:
    site.deploy("old")
    for number in range(rounds(remote)):
        id, tag, answer = raced(site, remote, "cancel", number)
        row = site.client.wait_status(id, "completed")
        if row["completion_result"] == "success":
            # Taken or too late: a cancel that came when the handler had ended waiting is not seen by it.
            assert steps(site, tag) == ["finished"]
        else:
            assert answer.done, "nobody else cancels"
            assert row["completion_failure"] == "[409] cancelled"
            # It may surface at the last step just as well: that one's thread is then still writing beside the undoing.
            assert sorted(steps(site, tag)) in (["undone"], ["finished", "undone"])
        assert_told(site, id, "cancel", answer)


def test_pause_races_completion(site: Site, remote: Remote) -> None:
    site.deploy("old")
    for number in range(rounds(remote)):
        id, tag, answer = raced(site, remote, "pause", number)
        row = site.client.wait_status(id, "completed", "paused")
        if row["status"] == "paused":
            assert answer.done, "nobody else pauses"
            assert remote.do("resume", id).done
        assert site.client.attach(id) == "end"
        assert steps(site, tag) == ["finished"]
        assert_told(site, id, "pause", answer)


def test_kill_races_completion(site: Site, remote: Remote) -> None:
    site.deploy("old")
    for number in range(rounds(remote)):
        id, tag, answer = raced(site, remote, "kill", number)
        row = site.client.wait_status(id, "completed")
        assert (row.get("completion_failure") == "[409] killed") is bool(answer.done), "a kill that is answered is done"
        assert "undone" not in steps(site, tag)
        assert_told(site, id, "kill", answer)


def assert_told(site: Site, id: str, verb: str, answer: Answer) -> None:
    """What was done is among the events, and what was refused is not."""
    told = [json.loads(event)["operation"] for event in site.events(id, "Operation")]
    assert told.count(verb) == len(answer.done)
    if answer.refused:
        known = ("was already completed", "is not running, cannot be paused")
        assert any(text in answer.refused[id] for text in known), answer.refused


def test_kill_during_a_run_block(site: Site, remote: Remote) -> None:
    site.deploy("old")
    tag = f"{site.name}.block"
    id = site.client.send(f"Racer{site.name}/block", tag)
    site.records.wait_for(tag, "running")
    wait_for(lambda: len(site.journal(id)) == 2, "the block's command to be stored")
    before = site.journal(id)
    assert remote.do("kill", id).done
    failure = site.client.failure(id)
    assert (failure.status, failure.body["message"]) == (409, "killed")
    site.records.release(tag)
    # Another one runs through the same endpoint; until then the block of the killed one would have gone on.
    site.client.call(f"Racer{site.name}/block", tag)
    assert "after" in site.records.lines(tag)
    assert site.records.lines(tag).count("after") == 1, "only that of the other one"
    assert [entry["raw"] for entry in site.journal(id)] == [entry["raw"] for entry in before]


@pytest.mark.parametrize(
    ("verb", "second"),
    [("cancel", None), ("kill", "was already completed"), ("pause", None), ("resume", None)],
)
def test_the_same_twice_to_one_that_lives(site: Site, remote: Remote, verb: str, second: str | None) -> None:
    site.deploy("old")
    id, tag, awakeable = waiting(site)
    first = remote.do(verb, id)
    assert first.done
    again = remote.do(verb, id)
    if second is not None:
        assert second in again.refused[id]
    elif verb == "cancel":
        # The second one is refused when the handler has dealt with the first one meanwhile.
        assert again.done or "was already completed" in again.refused[id]
    else:
        assert again.done
    match verb:
        case "pause":
            site.client.wait_status(id, "paused")
            site.client.resolve(awakeable, "end")
            remote.do("resume", id)
            assert site.client.attach(id) == "end"
        case "resume":
            site.client.resolve(awakeable, "end")
            assert site.client.attach(id) == "end"
        case _:
            assert site.client.failure(id).status == 409
    assert steps(site, tag) == {"cancel": ["undone"], "kill": []}.get(verb, ["finished"])


@pytest.mark.parametrize(
    ("verb", "second"),
    [("purge", "does not exist"), ("purge-journal", None), ("restart-as-new", None)],
)
def test_the_same_twice_to_one_that_is_over(site: Site, remote: Remote, verb: str, second: str | None) -> None:
    site.deploy("old")
    tag = f"{site.name}.over"
    id = site.client.send(f"Studio{site.name}/draw", tag)
    site.client.attach(id)
    first, again = remote.do(verb, id), remote.do(verb, id)
    assert first.done
    if second is not None:
        assert second in again.refused[id]
        return
    assert again.done
    if verb == "restart-as-new":
        new = {first.done[id], again.done[id]}
        assert None not in new
        assert len(new) == 2, "two runs"
        assert {site.client.attach(str(one)) for one in new} == {"sketch 2, painting 2", "sketch 3, painting 3"}
    else:
        assert site.journal(id) == []
        assert "purged, or not retained" in remote.do("restart-as-new", id).refused[id]


def test_two_restarts_at_once_are_two_runs(site: Site, remote: Remote) -> None:
    site.deploy("old")
    id = site.client.send(f"Studio{site.name}/draw", f"{site.name}.twice")
    site.client.attach(id)
    answers = at_once(*[partial(remote.do, "restart-as-new", id)] * 2)
    new = {answer.done[id] for answer in answers}
    assert len(new) == 2
    for one in new:
        assert site.client.invocation(str(one))["restarted_from"] == id
        assert site.client.attach(str(one)).startswith("sketch")


@pytest.mark.parametrize("verb", ["cancel", "kill", "pause", "resume", "purge", "purge-journal", "restart-as-new"])
def test_what_does_not_exist_is_refused(site: Site, remote: Remote, verb: str) -> None:
    nobody = "inv_1iN9ydXW3zeB0zdyYQrG3CTAkGm3SV1qlC"
    assert remote.do(verb, nobody).refused == {nobody: f"The requested invocation '{nobody}' does not exist"}


@pytest.mark.parametrize("verb", ["pause", "cancel"])
def test_a_reason_in_any_script_arrives(site: Site, remote: Remote, verb: str) -> None:
    site.deploy("old")
    id, _, _ = waiting(site)
    reason = "zu langsam – 遅すぎる 🐢"
    remote.do(verb, id, reason=reason)
    assert json.loads(site.events(id, "Operation")[0])["reason"] == reason
    if verb == "pause":
        remote.do("kill", id, reason="é")
        assert json.loads(site.events(id, "Operation")[1])["reason"] == "é"
        assert f"pause: {reason}" in run_perdure(site.client.admin, "invocations", "describe", id).stdout


def test_a_reason_and_a_name_in_the_query_arrive(site: Site) -> None:
    site.deploy("old")
    id, _, _ = waiting(site)
    site.client.operate(id, "pause?actor=Zo%C3%AB&reason=%E9%81%85%E3%81%99%E3%81%8E%E3%82%8B")
    told = json.loads(site.events(id, "Operation")[0])
    assert (told["actor"], told["reason"]) == ("Zoë", "遅すぎる")
