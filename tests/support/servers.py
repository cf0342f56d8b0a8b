"""Servers and services as programs: Perdure, the official server, and the interop services in both official SDKs."""

import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from socket import create_connection, socket
from typing import NoReturn

import pytest

from support.client import Client, wait_for
from support.processes import Program, free_addresses, listening_socket
from support.remotes import SOURCES, perdure_environment, perdure_program

TESTS = Path(__file__).resolve().parents[1]
INTEROP = TESTS / "interop"
PYTHON_SERVICES = INTEROP / "services.py"
START_S = 30.0
"""Time for a server to become healthy, on a machine that does other things too."""


@contextmanager
def python_services(
    folder: Path,
    environment: Mapping[str, str],
    sock: socket | None = None,
    log: str = "services.log",
    services: Path = PYTHON_SERVICES,
) -> Iterator[str]:
    """The Python services behind hypercorn: their URI. sock: what they listen on, where they are not the first."""
    settings = {**environment, **perdure_environment()}
    with served([sys.executable, str(INTEROP / "serve.py"), str(services)], folder / log, settings, sock) as uri:
        yield uri


@contextmanager
def perdure_services(folder: Path, environment: Mapping[str, str], services: Path) -> Iterator[str]:
    """Services with this package's SDK, which serves them itself: their URI."""
    (address,) = free_addresses(1)
    port = address.rpartition(":")[2]
    code = f"import asyncio; from {services.stem} import app; asyncio.run(app.serve({port}))"
    settings = {**environment, "PYTHONPATH": os.pathsep.join([str(services.parent), str(SOURCES)])}
    program = Program([sys.executable, "-c", code], folder / "services.log", settings)
    try:
        wait_for(lambda: program.check() or _listens(address), "the services to listen", START_S)
        yield f"http://{address}"
    finally:
        program.kill()


def _listens(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        create_connection((host, int(port)), START_S).close()
    except OSError:
        return False
    return True


@contextmanager
def typescript_services(folder: Path, environment: Mapping[str, str]) -> Iterator[str]:
    """The TypeScript services: their URI. Without the SDK the test is skipped, and fails where CI is set."""
    if not (INTEROP / "ts" / "node_modules" / "@restatedev" / "restate-sdk").is_dir():
        missing("the TypeScript SDK is not installed; `make setup` does it where npm has a package registry")
    beside = Path(sys.executable).parent / "node"
    node = str(beside) if beside.exists() else shutil.which("node")
    if node is None:
        missing("there is no node; `make setup` installs it")
    with served([node, str(INTEROP / "ts" / "services.mjs")], folder / "services.log", environment) as uri:
        yield uri


def missing(what: str) -> NoReturn:
    """Says why a test cannot run. Nobody reads that in continuous integration, so there it is a failure."""
    if os.environ.get("CI"):
        pytest.fail(what, pytrace=False)
    pytest.skip(what)


@contextmanager
def served(command: list[str], log: Path, environment: Mapping[str, str], sock: socket | None = None) -> Iterator[str]:
    """A program that serves on the socket whose number is its last argument: its URI."""
    with ExitStack() as resources:
        if sock is None:
            sock = resources.enter_context(listening_socket())
        program = Program([*command, str(sock.fileno())], log, environment, inherit=[sock])
        resources.callback(program.kill)  # its handlers may wait for hours, and nobody waits for their end
        yield f"http://127.0.0.1:{sock.getsockname()[1]}"


@contextmanager
def perdure(
    folder: Path, environment: Mapping[str, str], dev: Path | None = None, kill: bool = False
) -> Iterator[Client]:
    """A Perdure server; with `dev` it serves that file itself. kill: ends it as a crash would."""
    work = ["dev", str(dev), "--workers", "1"] if dev else ["up"]
    ingress, admin = free_addresses(2)
    options = ["--ingress", ingress, "--admin", admin, "--data", str(folder / "data")]
    settings = {**environment, **perdure_environment()}
    started = Program([*perdure_program(), *work, *options], folder / "server.log", settings)
    with healthy(started, ingress, admin) as client:
        yield client
        if kill:
            started.kill()


@contextmanager
def reference(folder: Path, environment: Mapping[str, str], kill: bool = True) -> Iterator[Client]:
    """The official server that `PERDURE_REFERENCE_SERVER` names; what npm puts around it can only be killed."""
    assert kill
    program = os.environ.get("PERDURE_REFERENCE_SERVER")
    if not program:
        pytest.skip("PERDURE_REFERENCE_SERVER names no official server: `make interop-reference` installs one")
    ingress, admin, node = free_addresses(3)
    settings = {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
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
        started.kill()


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
