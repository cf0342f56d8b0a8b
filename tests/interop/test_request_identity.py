"""Request identity: the server signs, and the official SDK refuses what is not signed by a key it knows."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from perdure.protocol.identity import RequestSigner
from support.client import CallFailed, Client, wait_for
from support.processes import listening_socket
from support.servers import perdure, python_services, reference


def new_key() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def knowing(pem: bytes, folder: Path) -> dict[str, str]:
    """The environment of services that know the public half of this key."""
    return {"PERDURE_INTEROP_IDENTITY_KEYS": RequestSigner(pem).kid, "PERDURE_INTEROP_DIR": str(folder)}


SERVERS = [
    pytest.param("perdure", marks=pytest.mark.interop),
    pytest.param("reference", marks=pytest.mark.reference),
]


@pytest.fixture(scope="module", params=SERVERS)
def signing(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Client, bytes]]:
    """A server that signs, and its key."""
    folder = tmp_path_factory.mktemp("signing")
    pem = new_key()
    (folder / "key.pem").write_bytes(pem)
    server, setting = {
        "perdure": (perdure, "PERDURE_IDENTITY_KEY"),
        "reference": (reference, "RESTATE_WORKER__INVOKER__REQUEST_IDENTITY_PRIVATE_KEY_PEM_FILE"),
    }[request.param]
    with server(folder, {setting: str(folder / "key.pem")}) as client:
        yield client, pem


@pytest.mark.parametrize("http_11", [False, True], ids=["http2", "http1"])
def test_signed_requests_are_accepted(signing: tuple[Client, bytes], tmp_path: Path, tag: str, http_11: bool) -> None:
    client, pem = signing
    with python_services(tmp_path, knowing(pem, tmp_path)) as uri:
        client.register(uri, use_http_11=http_11)
        assert client.call("Echo/echo", tag) == tag
        assert client.call(f"Ledger/{tag} ü/add", 1) == 1


def test_an_endpoint_that_knows_another_key_is_not_registered(signing: tuple[Client, bytes], tmp_path: Path) -> None:
    client, _ = signing
    with python_services(tmp_path, knowing(new_key(), tmp_path)) as uri, pytest.raises(CallFailed) as refused:
        client.register(uri)
    assert (refused.value.status, refused.value.body["restate_code"]) == (500, "META0003")
    assert "401" in refused.value.body["message"]


def test_calls_fail_while_the_endpoint_knows_another_key(signing: tuple[Client, bytes], tmp_path: Path) -> None:
    client, pem = signing
    with listening_socket() as sock:
        with python_services(tmp_path, knowing(pem, tmp_path), sock, "first.log") as uri:
            client.register(uri)
        with python_services(tmp_path, knowing(new_key(), tmp_path), sock, "second.log"):
            invocation = client.send("Echo/echo", "kept")
            row = wait_for(
                lambda: next(filter(lambda row: row and "last_failure" in row, [client.invocation(invocation)]), None),
                "an attempt to fail",
            )
            assert row is not None
            assert "401" in row["last_failure"]
            assert row["last_failure_error_code"] == "RT0012"
        with python_services(tmp_path, knowing(pem, tmp_path), sock, "third.log"):
            assert client.attach(invocation) == "kept"
