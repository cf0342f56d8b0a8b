"""Stacks to test: a server, the services in one of the official SDKs, and what leads from one to the other."""

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from perdure.worker.loader import load_app
from support.client import Client, wait_for
from support.embedded import embedded
from support.records import Records
from support.servers import PYTHON_SERVICES, START_S, perdure, python_services, reference, typescript_services


@dataclass(frozen=True)
class Setup:
    """What a stack is made of.

    server: perdure or reference.  sdk: python or typescript.  transport: http2, http1, link or memory.
    protocol: the version that server and SDK agree upon.
    """

    server: str
    sdk: str
    transport: str
    protocol: int

    @property
    def name(self) -> str:
        parts = [self.sdk, self.transport, f"v{self.protocol}"]
        return "-".join(["reference", *parts] if self.server == "reference" else parts)


# Each transport with each SDK that can use it, and each version over a transport that streams. 6 is what the
# official server speaks by default, and 5 what older SDKs do.
SETUPS = [
    Setup("perdure", "python", "http2", 7),
    Setup("perdure", "python", "http2", 5),
    Setup("perdure", "python", "http1", 6),
    Setup("perdure", "python", "link", 7),
    Setup("perdure", "python", "memory", 7),
    Setup("perdure", "typescript", "http2", 7),
    Setup("perdure", "typescript", "http2", 6),
    Setup("reference", "python", "http2", 6),
    Setup("reference", "python", "http2", 7),
    Setup("reference", "python", "http1", 6),
    Setup("reference", "typescript", "http2", 6),
    Setup("reference", "typescript", "http2", 7),
]


@dataclass
class Stack:
    """A server with the services registered, and what the handlers record."""

    setup: Setup
    client: Client
    records: Records


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
    records = Records(folder / "records")
    with started(setup, folder, records.environment) as client:
        yield Stack(setup, client, records)


@pytest.fixture(params=[("python", "0s"), ("python", "200ms"), ("typescript", "200ms")], ids=" ".join)
def hasty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stack]:
    """A stack on which cancels wait for a moment only, or not at all."""
    sdk, grace = request.param
    setup = Setup("perdure", sdk, "http2", 7)
    (tmp_path / "records").mkdir()
    records = Records(tmp_path / "records")
    with started(setup, tmp_path, records.environment, grace) as client:
        yield Stack(setup, client, records)


@pytest.fixture
def tag() -> str:
    """A name that nobody else uses: for records and for keys."""
    return f"t{uuid.uuid4().hex[:12]}"


@contextmanager
def started(
    setup: Setup, folder: Path, environment: Mapping[str, str], cancel_grace: str = "1 hour"
) -> Iterator[Client]:
    """Starts the server and the services, registers them, and ends all in the end. environment: of the services.

    cancel_grace: of our server; so long that no test waits for its end, unless it wants to.
    """
    ours = {"PERDURE_CANCEL_GRACE": cancel_grace}
    match setup.transport:
        case "link":
            with perdure(folder, {**environment, **ours}, dev=PYTHON_SERVICES) as client:
                wait_for(lambda: client.call("Echo/echo", 1), "the services of the worker to be registered", START_S)
                yield client
        case "memory":
            with pytest.MonkeyPatch.context() as patch:
                patch.syspath_prepend(PYTHON_SERVICES.parent)
                for name, value in {**environment, **ours}.items():
                    patch.setenv(name, value)
                with embedded(folder / "data", load_app(str(PYTHON_SERVICES))) as client:
                    yield client
        case version:
            services = python_services if setup.sdk == "python" else typescript_services
            server, settings = (
                (reference, {"RESTATE_EXPERIMENTAL_ENABLE_PROTOCOL_V7": str(setup.protocol == 7).lower()})
                if setup.server == "reference"
                else (perdure, {"PERDURE_HIGHEST_PROTOCOL_VERSION": str(setup.protocol), **ours})
            )
            with services(folder, environment) as uri, server(folder, settings) as client:
                client.register(uri, use_http_11=version == "http1")
                yield client
