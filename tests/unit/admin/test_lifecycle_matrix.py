"""Every operation in every state, held against what the official server was recorded to do (`-s` shows the table).

What may differ is listed here, and in `docs/reference/differences.md` with its reason.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from perdure.model.actions import Reply
from perdure.model.invocation import Failure, Invocation, Status
from perdure.model.records import Record
from support.datadriven import Directive
from support.driver import apply_checked
from support.engine_script import EngineScript
from support.narration import START
from support.stores import MemoryStore

CELLS: list[dict[str, Any]] = json.loads(
    Path(__file__).parents[2].joinpath("data", "lifecycle-matrix.json").read_text(encoding="utf-8")
)["cells"]
DEPLOYED = [
    "deploy dp_1",
    "service Probe run",
    "object Cart add",
    "workflow Flow run",
]
UNKNOWN_ID = "inv_1g1KG8igX0QD2KcEv0Nf2ulzDJ01D32oAs"
UNKNOWN_DEPLOYMENT = "dp_106v8EeZcV5JEnDoDh8E4RX"

PROBE = ["invoke x target=Probe/run"]
DONE = ["progress x", "run id=1", "propose id=1 value=v", "output value=1", "end"]
SCENES: dict[str, list[list[str]]] = {
    "scheduled": [["invoke x target=Probe/run delay=1000"]],
    "pending": [["invoke h target=Cart/k/add"], ["invoke x target=Cart/k/add"]],
    "running": [PROBE, ["progress x", "run id=1"]],
    "backing-off": [PROBE, ["progress x", "run id=1", "error"]],
    "suspended": [PROBE, ["progress x", "run id=1", "suspend signal:17"]],
    "paused": [PROBE, ["progress x", "run id=1", "error behavior=pause"]],
    "completed-success": [PROBE, DONE],
    "completed-failure": [PROBE, ["progress x", "output failure=400:boom", "end"]],
    "completed-no-journal": [PROBE, DONE, ["purge-journal x"]],
    "workflow-suspended": [["invoke x target=Flow/k/run"], ["progress x", "run id=1", "suspend signal:17"]],
    "workflow-completed": [["invoke x target=Flow/k/run"], DONE],
    "unknown": [],
    "malformed": [],
}

_UNSTARTED = ("scheduled", "pending")
_STOPS = ("PATCH /cancel", "PATCH /kill", "DELETE ", "DELETE ?mode=kill")
_RESTARTS = ("PATCH /restart-as-new", "PATCH /restart-as-new?deployment=latest")
_FROM = ("PATCH /restart-as-new?from=1", "PATCH /restart-as-new?from=1&deployment=keep")

ALLOWED: dict[tuple[str, str], str] = (
    {(state, verb): "leaves a row" for state in _UNSTARTED for verb in _STOPS}
    | {(state, "PATCH /pause"): "pausable before the start" for state in _UNSTARTED}
    | {(state, "PATCH /pause"): "pause means pause" for state in ("suspended", "workflow-suspended")}
    | {("completed-failure", verb): "the prefix includes the output" for verb in _FROM}
    | {("workflow-completed", verb): "tells that a new key would do" for verb in (*_RESTARTS, *_FROM)}
)
"""State and operation, to the difference that is meant."""


class Stage:
    """An engine with `x` in the wanted state, behind the admin API."""

    def __init__(self, admin: Any, state: str) -> None:
        self.admin = admin
        self.store = MemoryStore()
        script = EngineScript(self.store)
        for lines in [DEPLOYED, *SCENES[state]]:
            script.run(Directive(lines, 0))
        self.id = {"unknown": UNKNOWN_ID, "malformed": "garbage"}.get(state) or script.id_of("x")
        admin.gateway.ask = self.ask

    async def ask(self, build: Callable[[int], Record]) -> Any:
        self.store.begin()
        actions = apply_checked(self.store, build(1), START + 5)
        self.store.commit()
        return next(action.answer for action in actions if isinstance(action, Reply))

    def request(self, operation: str) -> dict[str, Any]:
        """What came of it, in the words of the record."""
        method, path = operation.split(" ", 1)
        path = path.replace("{id}", self.id).replace("<well-formed unknown dp id>", UNKNOWN_DEPLOYMENT)
        answer = self.admin.request(method, path)
        message = answer.json()["message"].replace(self.id, "{id}") if answer.status_code >= 400 else None
        row = self.store.tx.invocation_by_id(self.id)
        return {"http_status": answer.status_code, "error_message": message, **_shown(row)}


def _shown(row: Invocation | None) -> dict[str, Any]:
    if row is None:
        return {"row": None, "killed": False}
    failure = json.loads(row.failure) if row.failure else {}
    killed = row.status is Status.COMPLETED and failure.get("message") == KILLED.message
    return {"row": "completed" if row.status is Status.COMPLETED else "live", "killed": killed}


KILLED = Failure(409, "killed")


def _recorded(cell: dict[str, Any]) -> dict[str, Any]:
    row = cell["row_0_8s_later"]
    seen = row if isinstance(row, dict) else {}
    killed = seen.get("completion_failure") == "[409] killed"
    # What the handler made of a cancellation by then is not the engine's doing.
    over = seen.get("status") == "completed" and seen.get("completion_failure") != "[409] cancelled"
    shown = None if not seen else "completed" if over else "live"
    return {
        "http_status": cell["http_status"],
        "error_message": cell.get("error_message"),
        "row": shown,
        "killed": killed,
    }


def _difference(admin: Any, cell: dict[str, Any]) -> str | None:
    recorded, found = _recorded(cell), Stage(admin, cell["state"]).request(cell["operation"])
    differing = [name for name in recorded if recorded[name] != found[name]]
    return "; ".join(f"{name}: {recorded[name]} -> {found[name]}" for name in differing) or None


def test_only_what_is_meant_differs(make_admin: Any) -> None:
    differences = {}
    for cell in CELLS:
        place = cell["state"], cell["operation"].replace("/invocations/{id}", "")
        difference = _difference(make_admin(), cell)
        if difference is not None:
            differences[place] = difference
    for (state, operation), difference in differences.items():
        why = ALLOWED.get((state, operation), "NOT MEANT")
        print(f"{state:20} {operation:50} {why}: {difference}")
    assert differences.keys() == ALLOWED.keys()
