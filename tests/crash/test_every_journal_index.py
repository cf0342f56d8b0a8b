"""`kill -9` of the server after each single entry of a journal."""

import sqlite3
import time
from pathlib import Path

import httpx
import pytest

from perdure.storage.sqlite.store import PARTITION_FILE

from .ledger import Entry, check_invariants, completed_runs, journal_of
from .processes import Endpoint, Server

pytestmark = pytest.mark.crash

ENDPOINT = Path(__file__).with_name("slow_claim.py")
STEPS = ("parse_documents", "convert_to_usd", "reimburse")
ENTRIES = 21
"""Of a whole claim: input, three steps, three approvals, seven changes of state, output."""
WAITING = {6: "assessor", 9: "manager", 12: "auditor"}
"""Lengths of the journal at which the claim waits for somebody."""

DOCUMENTS = {"customer": "Ada", "invoices": ["roof 1200.50 USD", "window 99.50 USD"]}


class Claim:
    """One run of the workflow on a server that is killed at some moment."""

    def __init__(self, server: Server, traces: Path, key: str) -> None:
        self._server = server
        self._traces = traces
        self.key = key
        self._approved: set[str] = set()
        self._before = self.executions()

    def begin(self) -> None:
        url = f"{self._server.ingress}/InsuranceClaim/{self.key}/run/send"
        assert httpx.post(url, json=DOCUMENTS, timeout=20).status_code in (200, 202)

    def executions(self) -> list[int]:
        """How often each step ran, in all claims so far."""
        return [path.stat().st_size if (path := self._traces / step).exists() else 0 for step in STEPS]

    def executed(self) -> list[int]:
        """How often each step of this claim ran."""
        return [now - before for now, before in zip(self.executions(), self._before, strict=True)]

    def advance(self, length: int) -> None:
        """Gives approvals where they are waited for, until the journal has that many entries."""
        end = time.monotonic() + 20
        with_file = sqlite3.connect(f"file:{self._server.data / PARTITION_FILE}?mode=ro", uri=True)
        try:
            while (now := len(journal_of(with_file, "InsuranceClaim", "run", self.key))) < length:
                assert time.monotonic() < end, f"{self.key}: stuck at {now} of {length} entries"
                reviewer = WAITING.get(now)
                if reviewer is not None and reviewer not in self._approved:
                    self.approve(reviewer)
                time.sleep(0.001)
        finally:
            with_file.close()

    def approve(self, reviewer: str) -> None:
        url = f"{self._server.ingress}/InsuranceClaim/{self.key}/decide"
        headers = {"idempotency-key": f"{self.key}-{reviewer}"}
        decision = {"reviewer": reviewer, "approved": True}
        assert httpx.post(url, json=decision, headers=headers, timeout=20).status_code == 200
        self._approved.add(reviewer)

    def journal(self) -> list[Entry]:
        connection = sqlite3.connect(f"file:{self._server.data / PARTITION_FILE}?mode=ro", uri=True)
        try:
            return journal_of(connection, "InsuranceClaim", "run", self.key)
        finally:
            connection.close()

    def result(self) -> object:
        url = f"{self._server.ingress}/restate/workflow/InsuranceClaim/{self.key}/attach"
        return httpx.get(url, timeout=20).json()


def kill_at(server: Server, traces: Path, length: int) -> int:
    """Runs one claim with a crash at that length of its journal. Returns: the length at which it came."""
    claim = Claim(server, traces, f"claim-{length}")
    claim.begin()
    claim.advance(length)
    server.kill()
    left = claim.journal()
    done = completed_runs(left)
    at_the_crash = claim.executed()
    server.start()
    claim.advance(ENTRIES)
    assert claim.result() == {"customer": "Ada", "amount_usd": 1300.0, "reference": f"payment-{claim.key}-1300.00"}
    assert claim.journal()[: len(left)] == left, "what was stored before the crash is stored after it"
    executed = claim.executed()
    assert executed[:done] == at_the_crash[:done] == [1] * done, "a stored step is not executed again"
    assert all(1 <= times <= 2 for times in executed[done:]), f"after {len(left)} entries: {executed}"
    return len(left)


def crash_at(tmp_path: Path, lengths: list[int]) -> None:
    traces = tmp_path / "traces"
    traces.mkdir()
    with Endpoint(tmp_path, ENDPOINT, {"CRASH_TRACES": str(traces)}) as endpoint, Server(tmp_path) as server:
        endpoint.start()
        server.start()
        answer = httpx.post(f"{server.admin}/deployments", json={"uri": endpoint.url}, timeout=20)
        assert answer.status_code in (200, 201), answer.text
        reached = [kill_at(server, traces, length) for length in lengths]
        print(f"killed at {reached} entries")
        late = [(wanted, found) for wanted, found in zip(lengths, reached, strict=True) if found > wanted + 1]
        assert len(late) <= len(lengths) // 4, f"most of the kills came too late to prove anything: {late}"
        server.stop()
        check_invariants(server.data)


def test_a_crash_at_some_entries(tmp_path: Path) -> None:
    """One of each kind: after a step's result, while it waits for a promise, while a step runs."""
    crash_at(tmp_path, [4, 6, 18])


@pytest.mark.soak
@pytest.mark.timeout(400)
def test_a_crash_at_every_entry(tmp_path: Path) -> None:
    crash_at(tmp_path, list(range(1, ENTRIES + 1)))
