"""Request identity: lets an endpoint answer nobody but the servers whose public keys it knows.

A signed request carries a JSON Web Token: header, claims and an Ed25519 signature, each in base64url.
"""

import base64
import binascii
import json
from collections.abc import Iterable
from typing import Any, Final

from perdure.sdk.definition_errors import BadIdentityKey

SCHEME_HEADER: Final = b"x-restate-signature-scheme"
TOKEN_HEADER: Final = b"x-restate-jwt-v1"

_PREFIX: Final = "publickeyv1_"
_BASE58: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_KEY_BYTES: Final = 32
_TOKEN_BYTES_MAX: Final = 16 * 1024


class RequestVerifier:
    """Knows the public keys of servers."""

    def __init__(self, keys: Iterable[str]) -> None:
        """keys: `publickeyv1_…`, as servers print them. Raises: BadIdentityKey (E0348)."""
        # Not at the top: only endpoints with keys need the package.
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        self._keys = [Ed25519PublicKey.from_public_bytes(_raw_key(key)) for key in keys]

    def refusal(self, headers: dict[bytes, bytes], path: str, now_s: float) -> str | None:
        """Why a request is refused; None if it is one of a known server.

        path: below the place where the app is mounted, `/invoke/{service}/{handler}` or `/discover`.
        now_s: seconds since the Unix epoch.
        """
        scheme = headers.get(SCHEME_HEADER)
        if scheme is None:
            return f"the request has no {SCHEME_HEADER.decode()}"
        if scheme != b"v1":
            return f"the signature scheme is not v1: {scheme.decode(errors='replace')[:64]}"
        token = headers.get(TOKEN_HEADER, b"")
        parts = token.split(b".")
        if len(token) > _TOKEN_BYTES_MAX or len(parts) != 3:
            return f"the request has no token in {TOKEN_HEADER.decode()}"
        header, claims = _json_part(parts[0]), _json_part(parts[1])
        if header is None or claims is None or header.get("alg") != "EdDSA":
            return "the token cannot be read"
        if not self._is_signed(parts[0] + b"." + parts[1], _base64url(parts[2])):
            return "the token is signed with none of the known keys"
        return _claims_refused(claims, path, now_s)

    def _is_signed(self, signed: bytes, signature: bytes | None) -> bool:
        from cryptography.exceptions import InvalidSignature

        if signature is None:
            return False
        for key in self._keys:
            try:
                key.verify(signature, signed)
            except InvalidSignature:
                continue
            return True
        return False


def _claims_refused(claims: dict[str, Any], path: str, now_s: float) -> str | None:
    audience, expires, issued, begins = (claims.get(name) for name in ("aud", "exp", "iat", "nbf"))
    if audience != path:
        return "the token is for another path"
    for moment in (expires, issued, begins):
        if not isinstance(moment, int | float) or isinstance(moment, bool):
            return "the token does not say when it is valid"
    if not begins <= now_s < expires or issued > now_s:  # type: ignore[operator]  # numbers, as was just seen
        return "the token is not valid now; look at the clocks of both machines"
    return None


def _raw_key(key: str) -> bytes:
    if not key.startswith(_PREFIX):
        raise BadIdentityKey(f"{key!r} is not a public key of a server")
    value = 0
    text = key[len(_PREFIX) :]
    for digit in text:
        position = _BASE58.find(digit)
        if position < 0:
            raise BadIdentityKey(f"{key!r} has a character that no key has, `{digit}`")
        value = value * 58 + position
    size = (value.bit_length() + 7) // 8 + len(text) - len(text.lstrip("1"))
    if size != _KEY_BYTES:
        raise BadIdentityKey(f"{key!r} has {size} bytes, a key has {_KEY_BYTES}")
    return value.to_bytes(_KEY_BYTES, "big")


def _base64url(part: bytes) -> bytes | None:
    try:
        return base64.b64decode(part + b"=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None


def _json_part(part: bytes) -> dict[str, Any] | None:
    raw = _base64url(part)
    if raw is None:
        return None
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
