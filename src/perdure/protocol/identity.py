"""Request identity: the server signs its requests, so that an endpoint can refuse everybody else's."""

import base64
from typing import ClassVar, Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from perdure.errors import PerdureError

SCHEME_HEADER: Final = "x-restate-signature-scheme"
TOKEN_HEADER: Final = "x-restate-jwt-v1"
SCHEME: Final = "v1"

_BASE58: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


class BadIdentityKey(PerdureError):
    """The configured private key cannot be used."""

    code: ClassVar[str] = "E0110"
    hint: ClassVar[str] = "Make one with `openssl genpkey -algorithm ed25519`."


def base58(raw: bytes) -> str:
    """Base 58 in Bitcoin's alphabet; each leading zero byte becomes a `1`."""
    zeros = len(raw) - len(raw.lstrip(b"\0"))
    value = int.from_bytes(raw, "big")
    digits = []
    while value:
        value, digit = divmod(value, 58)
        digits.append(_BASE58[digit])
    return "1" * zeros + "".join(reversed(digits))


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


class RequestSigner:
    """Signs requests with one Ed25519 key.

    kid: the public key as endpoints are configured with it, `publickeyv1_...`.
    """

    def __init__(self, pem: bytes, validity_s: int = 60) -> None:
        """pem: a PKCS#8 private key.  validity_s: how far before and after now a token is valid.

        Raises: BadIdentityKey.
        """
        try:
            key = load_pem_private_key(pem, password=None)
        except (ValueError, TypeError):
            # The library's own text is about encodings and links to its manual.
            raise BadIdentityKey("the request identity key is not an unencrypted private key in PEM format") from None
        if not isinstance(key, Ed25519PrivateKey):
            raise BadIdentityKey("the request identity key is not an Ed25519 key")
        self._key = key
        self._validity_s = validity_s
        self.kid = "publickeyv1_" + base58(key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))
        self._header = _base64url(msgspec.json.encode({"typ": "JWT", "alg": "EdDSA", "kid": self.kid}))

    def sign(self, path: str, key: str | None, now_s: int) -> str:
        """The token for one request.

        path: below the endpoint's base path, `/invoke/{service}/{handler}` or `/discover`.
        key: of the object or workflow, None for others.  now_s: seconds since the Unix epoch.
        """
        claims: dict[str, str | int] = {
            "aud": path,
            "exp": now_s + self._validity_s,
            "iat": now_s,
            "nbf": now_s - self._validity_s,
        }
        if key is not None:
            claims["sub"] = key
        signed = f"{self._header}.{_base64url(msgspec.json.encode(claims))}"
        return f"{signed}.{_base64url(self._key.sign(signed.encode()))}"

    def headers(self, path: str, key: str | None, now_s: int) -> list[tuple[str, str]]:
        """The headers to add to one request; arguments as for `sign`."""
        return [(SCHEME_HEADER, SCHEME), (TOKEN_HEADER, self.sign(path, key, now_s))]
