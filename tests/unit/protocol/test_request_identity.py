"""Signed requests."""

import base64
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from perdure.protocol.identity import BadIdentityKey, RequestSigner, base58


@pytest.fixture
def signer(vectors: dict[str, Any]) -> RequestSigner:
    seed = bytes.fromhex(vectors["request_identity"]["private_key_ed25519_seed_hex"])
    key = Ed25519PrivateKey.from_private_bytes(seed)
    return RequestSigner(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def test_the_key_has_its_text_form(signer: RequestSigner, vectors: dict[str, Any]) -> None:
    assert signer.kid == vectors["request_identity"]["public_key_text"]


def test_recorded_tokens_are_made_again_exactly(signer: RequestSigner, vectors: dict[str, Any]) -> None:
    public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(vectors["request_identity"]["public_key_hex"]))
    for known in vectors["request_identity"]["tokens"]:
        claims = known["claims"]
        token = signer.sign(claims["aud"], claims.get("sub"), claims["iat"])
        assert token == known["jwt"]
        signed, _, signature = token.rpartition(".")
        public.verify(base64.urlsafe_b64decode(signature + "=="), signed.encode())


def test_the_headers_of_a_signed_request(signer: RequestSigner) -> None:
    headers = signer.headers("/discover", None, 1000)
    token = signer.sign("/discover", None, 1000)
    assert headers == [("x-restate-signature-scheme", "v1"), ("x-restate-jwt-v1", token)]


def test_base58_keeps_leading_zeros() -> None:
    assert base58(b"\0\0\x01") == "112"
    assert base58(b"Hello World!") == "2NEpo7TZRRrLZSi2U"


def test_other_keys_are_refused() -> None:
    ec = generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with pytest.raises(BadIdentityKey, match="not an Ed25519 key"):
        RequestSigner(ec)
    with pytest.raises(BadIdentityKey, match="not an unencrypted private key"):
        RequestSigner(b"not a key")
