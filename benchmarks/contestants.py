"""The measured set-ups: a server, the services, and how they are joined. All on the loopback address."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

from processes import Failed, Process, answers, command_line, free_ports, listens, memory_mib, post, tree

ROOT = Path(__file__).resolve().parent.parent
LOAD = Path(__file__).resolve().parent / "load.py"
SERVICES = Path(__file__).resolve().parent / "services"
SCRATCH = ROOT / ".tools" / "bench"
REFERENCE = ROOT / ".tools" / "reference"
REFERENCE_SERVER = "@restatedev/restate-server@1.7.12"
TYPESCRIPT = ROOT / "tests" / "interop" / "ts"
BIN = Path(sys.executable).parent
NPM_FLAGS = ["--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error", "--fetch-retries=1"]


def program(name: str) -> str | None:
    """Beside the interpreter first: node and npm come as a wheel."""
    return shutil.which(name, path=str(BIN)) or shutil.which(name)


def find_reference() -> Path | None:
    """The official server's program; installed on first use, None if that is not possible."""
    found = sorted(REFERENCE.glob("node_modules/@restatedev/restate-server-*/bin/restate-server"))
    if not found:
        npm = program("npm")
        if npm is None:
            return None
        REFERENCE.mkdir(parents=True, exist_ok=True)
        (REFERENCE / "package.json").write_text('{"private":true}')
        command = [npm, *NPM_FLAGS, "install", "--save-exact", REFERENCE_SERVER]
        if subprocess.run(command, cwd=REFERENCE, check=False).returncode:
            return None
        found = sorted(REFERENCE.glob("node_modules/@restatedev/restate-server-*/bin/restate-server"))
    return found[0] if found else None


class Contestant:
    """A running server with its services, and where its ingress is.

    server, service: the processes, each followed with its children; with a worker link the service is a child of
    the server.
    """

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.ingress, self.admin, self.node = free_ports(3)
        self.server: Process | None = None
        self.service: Process | None = None

    def load_command(self) -> list[str]:
        """The generator of load, and where it finds the server; how many calls of what, the caller adds."""
        command = [sys.executable, str(LOAD), "--port", str(self.ingress)]
        for name, pids in (("server", self.server_pids), ("service", self.service_pids)):
            command += ["--watch", f"{name}:{','.join(map(str, pids))}"]
        return command

    @property
    def server_pids(self) -> list[int]:
        assert self.server is not None
        return [pid for pid in tree(self.server.pid) if not is_worker(pid)]

    @property
    def service_pids(self) -> list[int]:
        assert self.server is not None
        if self.service is not None:
            return tree(self.service.pid)
        return [pid for pid in tree(self.server.pid) if is_worker(pid)]

    def memory(self) -> dict[str, tuple[float, float]]:
        return {"server": memory_mib(self.server_pids), "service": memory_mib(self.service_pids)}

    def stop(self) -> None:
        for process in (self.server, self.service):
            if process is not None:
                process.stop()

    def call(self, path: str, body: str) -> bytes:
        return post(f"http://127.0.0.1:{self.ingress}{path}", body.encode())

    def wait_until_healthy(self) -> float:
        assert self.server is not None
        urls = (f"http://127.0.0.1:{self.admin}/health", f"http://127.0.0.1:{self.ingress}/restate/health")
        return self.server.wait_for(lambda: all(answers(url) for url in urls), "answer to /health")

    def wait_until_callable(self) -> float:
        """Until a call gets through: with a worker link the server is healthy before the app is loaded."""

        def called() -> bool:
            try:
                return json.loads(self.call("/Echo/echo", '"ready"')) == "ready"
            except (Failed, OSError, ValueError):
                return False

        assert self.server is not None
        return self.server.wait_for(called, "answer to a first call")

    def serve(self, services: str) -> None:
        """Starts services behind HTTP/2 and registers them.

        services: with which SDK, `python`, `typescript` or `own`; `own-server` is ours without hypercorn.
        """
        [port] = free_ports(1)
        command = {
            "python": [sys.executable, str(SERVICES / "bench_app.py")],
            "own": [sys.executable, str(SERVICES / "own_app.py")],
            "own-server": [sys.executable, str(SERVICES / "own_server.py")],
            "typescript": [program("node") or "node", str(SERVICES / "bench_app.mjs")],
        }[services]
        command += [str(port), *([str(TYPESCRIPT)] if services == "typescript" else [])]
        self.service = Process(f"{services} services", command, self.folder / "service.log")
        self.service.wait_for(lambda: listens(port), "listening socket")
        post(f"http://127.0.0.1:{self.admin}/deployments", json.dumps({"uri": f"http://127.0.0.1:{port}"}).encode())


class EmbeddedContestant(Contestant):
    """Engine and handlers inside of the program that makes the load. It runs for one window at a time."""

    def load_command(self) -> list[str]:
        return [sys.executable, str(SERVICES / "embedded_load.py"), "--data", str(self.folder / "data")]

    def memory(self) -> dict[str, tuple[float, float]]:
        return {}

    def wait_until_callable(self) -> float:
        return 0.0


def is_worker(pid: int) -> bool:
    return "perdure.worker" in command_line(pid)


def official(program_path: Path, folder: Path) -> Contestant:
    """The official server with its default settings, which are durable."""
    one = Contestant("official", folder)
    environment = {
        "RESTATE_DISABLE_TELEMETRY": "true",
        "DO_NOT_TRACK": "1",
        "RESTATE_BASE_DIR": str(folder / "data"),
        "RESTATE_NODE_NAME": "bench",
        "RESTATE_INGRESS__BIND_ADDRESS": f"127.0.0.1:{one.ingress}",
        "RESTATE_ADMIN__BIND_ADDRESS": f"127.0.0.1:{one.admin}",
        "RESTATE_BIND_ADDRESS": f"127.0.0.1:{one.node}",
        "RESTATE_ADVERTISED_ADDRESS": f"http://127.0.0.1:{one.node}/",
    }
    one.server = Process("official server", [str(program_path)], folder / "server.log", environment)
    return one


def perdure(folder: Path, *, app: Path | None = None) -> Contestant:
    """Perdure with its default settings. app: served by a worker process over the worker link."""
    one = Contestant("Perdure", folder)
    command = [str(BIN / "perdure"), *(["dev", str(app)] if app else ["up"])]
    command += ["--data", str(folder / "data")]
    command += ["--ingress", f"127.0.0.1:{one.ingress}", "--admin", f"127.0.0.1:{one.admin}"]
    one.server = Process("Perdure", command, folder / "server.log")
    return one
