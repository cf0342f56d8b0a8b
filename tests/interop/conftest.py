"""Stacks to test: a server, the services in one of the official SDKs, and what leads from one to the other."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from perdure.worker.loader import load_app
from support.client import Client, wait_for
from support.embedded import embedded
from support.servers import PYTHON_SERVICES, START_S, perdure, python_services, reference, typescript_services


@dataclass(frozen=True)
class Setup:
    """server: perdure or reference.  sdk: python or typescript.  transport: http2, http1, link or memory."""

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
    Setup("perdure", "python", "memory"),
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
    match setup.transport:
        case "link":
            with perdure(folder, environment, dev=PYTHON_SERVICES) as client:
                wait_for(lambda: client.call("Echo/echo", 1), "the services of the worker to be registered", START_S)
                yield client
        case "memory":
            with pytest.MonkeyPatch.context() as patch:
                patch.syspath_prepend(PYTHON_SERVICES.parent)
                patch.setenv("PERDURE_INTEROP_DIR", environment["PERDURE_INTEROP_DIR"])
                with embedded(folder / "data", load_app(str(PYTHON_SERVICES))) as client:
                    yield client
        case version:
            services = python_services if setup.sdk == "python" else typescript_services
            server = reference if setup.server == "reference" else perdure
            with services(folder, environment) as uri, server(folder, {}) as client:
                client.register(uri, use_http_11=version == "http1")
                yield client
