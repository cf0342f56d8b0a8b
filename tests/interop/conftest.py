"""Stacks to test: a server, the services in one of the official SDKs, and what leads from one to the other."""

import os
import shutil
import sys
import uuid
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.client import Client, wait_for
from support.processes import Program, free_addresses, listening_socket

HERE = Path(__file__).resolve().parent
SOURCES = HERE.parents[1] / "src"
START_S = 30.0


@dataclass(frozen=True)
class Setup:
    """server: perdure or reference.  sdk: python or typescript.  transport: http2, http1 or link."""

    server: str
    sdk: str
    transport: str

    @property
    def name(self) -> str:
        return "-".join([*(["reference"] if self.server == "reference" else []), self.sdk, self.transport])


OVER_HTTP = (("python", "http2"), ("python", "http1"), ("typescript", "http2"))
SETUPS = [
    *(Setup("perdure", *each) for each in OVER_HTTP),
    Setup("perdure", "python", "link"),
    *(Setup("reference", *each) for each in OVER_HTTP),
]


@dataclass
class Stack:
    """A server with the services registered. folder: where the handlers record."""

    setup: Setup
    client: Client
    folder: Path

    def recorded(self, tag: str) -> list[str]:
        """The lines that handlers have written under this tag, in order."""
        path = self.folder / tag
        return path.read_text(encoding="utf-8").splitlines() if path.exists() else []

    def wait_recorded(self, tag: str, line: str) -> list[str]:
        """Waits until the line is there; returns all."""
        wait_for(lambda: line in self.recorded(tag), f"a handler to record {line!r} under {tag}")
        return self.recorded(tag)

    def awakeable(self, tag: str, prefix: str = "") -> str:
        """Waits until a handler has recorded the id of an awakeable behind `prefix`; returns the id."""
        start = f"{prefix}sign_1"

        def found() -> str:
            return next((line.removeprefix(prefix) for line in self.recorded(tag) if line.startswith(start)), "")

        return wait_for(found, f"a handler to record an awakeable under {tag}")

    def release(self, tag: str) -> None:
        """Lets a blocked closure go on."""
        (self.folder / f"{tag}.released").touch()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Runs a test on every stack, or with the mark `sdk` on those of one SDK."""
    if "stack" not in metafunc.fixturenames:
        return
    mark = metafunc.definition.get_closest_marker("sdk")
    wanted = mark.args if mark else ("python", "typescript")
    metafunc.parametrize(
        "stack",
        [
            pytest.param(
                setup,
                id=setup.name,
                marks=pytest.mark.reference if setup.server == "reference" else pytest.mark.interop,
            )
            for setup in SETUPS
            if setup.sdk in wanted
        ],
        indirect=True,
        scope="session",
    )


@pytest.fixture(scope="session")
def stack(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    setup: Setup = request.param
    folder = tmp_path_factory.mktemp(setup.name)
    (folder / "records").mkdir()
    with started(setup, folder) as client:
        yield Stack(setup, client, folder / "records")


@pytest.fixture
def tag() -> str:
    """A name that nobody else uses: for records and for keys."""
    return f"t{uuid.uuid4().hex[:12]}"


@contextmanager
def started(setup: Setup, folder: Path) -> Iterator[Client]:
    """Starts the server and the services, registers them, and ends all in the end."""
    environment = {"PERDURE_INTEROP_DIR": str(folder / "records")}
    with ExitStack() as resources:
        if setup.transport == "link":
            client = resources.enter_context(perdure(folder, environment, dev=HERE / "services.py"))
            wait_for(lambda: client.call("Echo/echo", 1), "the services of the worker to be registered", START_S)
            yield client
            return
        start_server = reference if setup.server == "reference" else perdure
        services = python_services if setup.sdk == "python" else typescript_services
        uri = resources.enter_context(services(folder, environment))
        client = resources.enter_context(start_server(folder, {}))
        client.register(uri, use_http_11=setup.transport == "http1")
        yield client


@contextmanager
def python_services(folder: Path, environment: Mapping[str, str]) -> Iterator[str]:
    """The Python services behind hypercorn: their URI."""
    with served([sys.executable, str(HERE / "serve.py")], folder, environment) as uri:
        yield uri


@contextmanager
def typescript_services(folder: Path, environment: Mapping[str, str]) -> Iterator[str]:
    """The TypeScript services: their URI. Skips where the SDK is not installed."""
    if not (HERE / "ts" / "node_modules" / "@restatedev" / "restate-sdk").is_dir():
        pytest.skip(
            "the TypeScript SDK is not installed: `make setup` does it where a package registry for npm is reached"
        )
    beside = Path(sys.executable).parent / "node"
    node = str(beside) if beside.exists() else shutil.which("node")
    if node is None:
        pytest.skip("there is no node: `make setup` installs it")
    with served([node, str(HERE / "ts" / "services.mjs")], folder, environment) as uri:
        yield uri


@contextmanager
def served(command: list[str], folder: Path, environment: Mapping[str, str]) -> Iterator[str]:
    """A program that serves on the socket whose number is its last argument: its URI."""
    with listening_socket() as sock:
        uri = f"http://127.0.0.1:{sock.getsockname()[1]}"
        program = Program([*command, str(sock.fileno())], folder / "services.log", environment, inherit=[sock])
    try:
        yield uri
    finally:
        program.kill()  # its handlers may wait for hours, and nobody waits for their end


@contextmanager
def perdure(folder: Path, environment: Mapping[str, str], dev: Path | None = None) -> Iterator[Client]:
    """A Perdure server; with `dev` it serves that file itself."""
    beside = Path(sys.executable).parent / "perdure"
    program = [str(beside)] if beside.exists() else [sys.executable, "-m", "perdure.cli.main"]
    work = ["dev", str(dev), "--workers", "1"] if dev else ["up"]
    ingress, admin = free_addresses(2)
    options = ["--ingress", ingress, "--admin", admin, "--data", str(folder / "data")]
    paths = [str(SOURCES), *filter(None, [os.environ.get("PYTHONPATH")])]
    settings = {**environment, "PYTHONPATH": os.pathsep.join(paths)}
    with healthy(Program([*program, *work, *options], folder / "server.log", settings), ingress, admin) as client:
        yield client


@contextmanager
def reference(folder: Path, environment: Mapping[str, str]) -> Iterator[Client]:
    """The official server that `PERDURE_REFERENCE_SERVER` names."""
    program = os.environ.get("PERDURE_REFERENCE_SERVER")
    if not program:
        pytest.skip("PERDURE_REFERENCE_SERVER names no official server: `make interop-reference` installs one")
    ingress, admin, node = free_addresses(3)
    settings = {
        "DO_NOT_TRACK": "1",
        "RESTATE_DISABLE_TELEMETRY": "true",
        "RESTATE_DEFAULT_NUM_PARTITIONS": "4",
        "RESTATE_BASE_DIR": str(folder / "data"),
        "RESTATE_NODE_NAME": "interop",
        "RESTATE_LISTEN_MODE": "tcp",
        "RESTATE_INGRESS__BIND_ADDRESS": ingress,
        "RESTATE_ADMIN__BIND_ADDRESS": admin,
        "RESTATE_BIND_ADDRESS": node,
        "RESTATE_ADVERTISED_ADDRESS": f"http://{node}/",
    }
    started = Program([program], folder / "server.log", {**environment, **settings})
    with healthy(started, ingress, admin) as client:
        yield client
        started.kill()  # what npm puts around the program does not pass a request to end on


@contextmanager
def healthy(program: Program, ingress: str, admin: str) -> Iterator[Client]:
    """A server's surfaces, once it is healthy; the program is stopped in the end."""
    client = Client(f"http://{ingress}", f"http://{admin}")

    def well() -> bool:
        program.check()
        return client.healthy()

    try:
        wait_for(well, f"the server to become healthy; its log: {program.log}", START_S)
        yield client
    finally:
        client.close()
        program.stop()
