"""The formats of ids, and where partition keys come from.

    {prefix}_1{body}      1 is the version of the text form

    inv   base62 of the 8-byte partition key (11 characters), base62 of the 16-byte unique part (22)
    dp    base62 of a 16-byte ULID (22)        sub   the same
    sign  base64url of 24 invocation bytes and a u32 signal id (38)

Base 62 reads the bytes as a *little-endian* number although they are big-endian ones; the format is
older than this program and is kept so that ids are interchangeable with compatible servers.
"""

import base64
import binascii
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import ClassVar, Final, NewType

from xxhash import xxh3_64_intdigest

from perdure.errors import PerdureError

InvocationId = NewType("InvocationId", str)
"""Text form of an invocation id, `inv_1` and 33 characters."""

SERVICE_BUCKETS: Final = 512
"""Invocations without a key are spread over this many partition keys per service."""

_ALPHABET: Final = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_PAIRS: Final = [a + b for a in _ALPHABET for b in _ALPHABET]
_DIGITS: Final = bytes(max(_ALPHABET.find(chr(code)), 0) for code in range(256))
_CROCKFORD: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_CROCKFORD_OF_BYTE: Final = (_CROCKFORD * 8).encode()
"""Of each byte the digit for its lower five bits."""
_PREFIXES: Final = frozenset({"inv", "dp", "sub", "sign", "prom", "snap", "mut", "vq"})
_62_4: Final = 62**4
_62_11: Final = 62**11


class BadId(PerdureError, ValueError):
    """Text that is not an id of the wanted kind. `str()` is one of the four reasons below."""

    code: ClassVar[str] = "E0001"
    hint: ClassVar[str] = "Copy the id exactly as the server printed it."

    BAD_FORMAT: ClassVar[str] = "bad format"
    BAD_VERSION: ClassVar[str] = "unrecognized codec version"
    BAD_LENGTH: ClassVar[str] = "bad length"
    WRONG_TYPE: ClassVar[str] = "id doesn't match the expected type"


# ---- Base 62 ----
#
# Hot path: an id is written for every invocation and call. Pairs of digits come from a table, and four digits are
# split off at a time: that many still fit into what Python divides a long number by quickly.


@lru_cache(maxsize=4096)  # the buckets of a service and the keys in use come again and again
def _encode_u64(raw: bytes) -> str:
    pairs = _PAIRS
    rest, c = divmod(int.from_bytes(raw, "little"), _62_4)
    a, b = divmod(rest, _62_4)
    return (
        f"{_ALPHABET[a // 3844]}{pairs[a % 3844]}{pairs[b // 3844]}{pairs[b % 3844]}{pairs[c // 3844]}{pairs[c % 3844]}"
    )


def _encode_u128(raw: bytes) -> str:
    pairs = _PAIRS
    rest, f = divmod(int.from_bytes(raw, "little"), _62_4)
    rest, e = divmod(rest, _62_4)
    rest, d = divmod(rest, _62_4)
    rest, c = divmod(rest, _62_4)
    a, b = divmod(rest, _62_4)
    return (
        f"{pairs[a]}{pairs[b // 3844]}{pairs[b % 3844]}{pairs[c // 3844]}{pairs[c % 3844]}{pairs[d // 3844]}"
        f"{pairs[d % 3844]}{pairs[e // 3844]}{pairs[e % 3844]}{pairs[f // 3844]}{pairs[f % 3844]}"
    )


def _decode_base62(text: str, size: int) -> bytes:
    """`text` must have the full width for `size` bytes; widths are 11 (8 bytes) and 22 (16 bytes)."""
    if not (text.isascii() and text.isalnum()):
        raise BadId(BadId.BAD_FORMAT)
    digits = text.encode().translate(_DIGITS)
    value = 0
    for start in range(0, len(digits), 11):
        # Eleven digits at a time: with small numbers Python is quicker than with long ones.
        chunk = 0
        for digit in digits[start : start + 11]:
            chunk = chunk * 62 + digit
        value = value * _62_11 + chunk
    try:
        return value.to_bytes(size, "little")
    except OverflowError:
        raise BadId(BadId.BAD_FORMAT) from None


def _body(text: str, prefix: str, length: int) -> str:
    """The part behind `{prefix}_1`, `length` characters of whatever."""
    found, separator, rest = text.partition("_")
    if not separator or found not in _PREFIXES:
        raise BadId(BadId.BAD_FORMAT)
    if not rest.startswith("1"):
        raise BadId(BadId.BAD_VERSION)
    if found != prefix:
        raise BadId(BadId.WRONG_TYPE)
    if len(rest) != length + 1:
        raise BadId(BadId.BAD_LENGTH)
    return rest[1:]


# ---- Invocation ids ----

_NEW_MAX: Final = 1024
_new: dict[str, bytes] = {}
"""The bytes of ids made lately: the first attempt asks for them soon, and to decode an id is dear."""


def encode_invocation_id(raw: bytes) -> InvocationId:
    """raw: 24 bytes, the partition key (u64, big-endian) and the unique part."""
    assert len(raw) == 24
    return _write_invocation_id(raw[:8], raw[8:])


def _write_invocation_id(key: bytes, unique: bytes) -> InvocationId:
    # Not `InvocationId(...)`, which is a call.
    text: InvocationId = "inv_1" + _encode_u64(key) + _encode_u128(unique)  # type: ignore[assignment]
    if len(_new) >= _NEW_MAX:
        _new.clear()
    _new[text] = key + unique
    return text


def decode_invocation_id(text: str) -> bytes:
    """The 24 raw bytes of an invocation id. Raises: BadId."""
    raw = _new.get(text)
    if raw is not None:
        return raw
    body = _body(text, "inv", 33)
    return _decode_base62(body[:11], 8) + _decode_base62(body[11:], 16)


def invocation_partition_key(raw: bytes) -> int:
    """The partition key (u64) that raw id bytes carry."""
    return int.from_bytes(raw[:8], "big")


def hash_key(text: str) -> int:
    """The partition key (u64) of a key, a scope or an idempotency key."""
    return xxh3_64_intdigest(text.encode() + b"\xff")


@lru_cache(maxsize=4096)
def service_bucket(service: str, bucket: int) -> int:
    """The partition key (u64) of one of a service's buckets for invocations without a key.

    bucket: 0 .. SERVICE_BUCKETS - 1.
    """
    return xxh3_64_intdigest(service.encode() + b"\xffunscoped/service\xff" + bucket.to_bytes(8, "little"))


def partition_key_for(
    service: str,
    key: str | None,
    *,
    idempotency_key: str | None = None,
    bucket: int = 0,
    scope: str | None = None,
) -> int:
    """The partition key (u64) an invocation gets.

    key: None for services without keys; the empty string is a key.
    bucket: a random number below SERVICE_BUCKETS, used when nothing else decides.
    """
    if scope is not None:
        return hash_key(scope)
    if key is not None:
        return hash_key(key)
    if idempotency_key is not None:
        return service_bucket(service, hash_key(idempotency_key) % SERVICE_BUCKETS)
    return service_bucket(service, bucket)


def _invocation_id(partition_key: int, unique: bytes) -> InvocationId:
    return _write_invocation_id(partition_key.to_bytes(8, "big"), unique)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()[:16]


def workflow_invocation_id(service: str, key: str, scope: str | None = None) -> InvocationId:
    """The id of the one run of a workflow's main handler for `key`."""
    named = f"{service},{key}" if scope is None else f"{scope},{service},{key}"
    return _invocation_id(partition_key_for(service, key, scope=scope), _digest(f"wf,{named}"))


def idempotent_invocation_id(
    service: str,
    handler: str,
    idempotency_key: str,
    key: str | None = None,
    scope: str | None = None,
) -> InvocationId:
    """The id that every request with this target and idempotency key shares."""
    named = service if key is None else f"{service},{key}"
    if scope is not None:
        named = f"{scope},{named}"
    partition_key = partition_key_for(service, key, idempotency_key=idempotency_key, scope=scope)
    return _invocation_id(partition_key, _digest(f"ik,{named},{handler},{idempotency_key}"))


def fresh_invocation_id(
    service: str, key: str | None, unique: bytes, bucket: int, scope: str | None = None
) -> InvocationId:
    """An id that no other invocation has.

    unique: 16 bytes from `random_unique` or `ulid_bytes`.  bucket: from `random_bucket`, unused if keyed.
    """
    assert len(unique) == 16
    return _invocation_id(partition_key_for(service, key, bucket=bucket, scope=scope), unique)


def sibling_invocation_id(text: str, unique: bytes) -> InvocationId:
    """A new id in the partition key of another one. unique: 16 bytes from `random_unique`. Raises: BadId."""
    assert len(unique) == 16
    return encode_invocation_id(decode_invocation_id(text)[:8] + unique)


# ---- Randomness and ULIDs ----


class _RandomPool:
    """Random bytes from the system, fetched in bulk: one call each would cost more than the id."""

    def __init__(self) -> None:
        self._bytes = b""
        self._used = 0
        self.source: Callable[[int], bytes] = os.urandom
        # A forked process must not repeat what its parent draws.
        os.register_at_fork(after_in_child=self.empty)

    def empty(self) -> None:
        self._bytes, self._used = b"", 0

    def take(self, size: int) -> bytes:
        start = self._used
        end = start + size
        if end > len(self._bytes):
            self._bytes = self.source(4096)
            start, end = 0, size
        self._used = end
        return self._bytes[start:end]


_pool = _RandomPool()


@contextmanager
def drawn_from(source: Callable[[int], bytes]) -> Iterator[None]:
    """Meanwhile, random numbers come from `source(size)`: for simulations, which repeat themselves."""
    before, _pool.source = _pool.source, source
    _pool.empty()
    try:
        yield
    finally:
        _pool.source = before
        _pool.empty()


def random_unique() -> bytes:
    """16 random bytes for `fresh_invocation_id`."""
    return _pool.take(16)


def random_bucket() -> int:
    """A random bucket for `fresh_invocation_id`, 0 .. SERVICE_BUCKETS - 1."""
    return int.from_bytes(_pool.take(2), "big") % SERVICE_BUCKETS


def ulid_bytes(now_ms: int, randomness: bytes) -> bytes:
    """16 bytes that sort by time. now_ms: since the Unix epoch.  randomness: 10 bytes."""
    assert len(randomness) == 10
    return now_ms.to_bytes(6, "big") + randomness


def new_ulid(now_ms: int) -> str:
    """A fresh ULID, 26 characters of Crockford's base 32. now_ms: since the Unix epoch."""
    # 16 random digits are the 80 random bits, without a long number in between.
    return _ulid_time(now_ms) + _pool.take(16).translate(_CROCKFORD_OF_BYTE).decode()


@lru_cache(maxsize=1)
def _ulid_time(now_ms: int) -> str:
    assert now_ms < 1 << 48
    return "".join([_CROCKFORD[(now_ms >> shift) & 31] for shift in range(45, -1, -5)])


# ---- Awakeables ----


def awakeable_id(raw: bytes, signal_id: int) -> str:
    """The id to hand out for a signal of an invocation. raw: the 24 bytes of the invocation's id."""
    assert len(raw) == 24
    return "sign_1" + base64.urlsafe_b64encode(raw + signal_id.to_bytes(4, "big")).rstrip(b"=").decode()


def decode_awakeable_id(text: str) -> tuple[InvocationId, int]:
    """The invocation and the signal id behind an awakeable id. Raises: BadId.

    Ids that start with `prom_1` belong to a journal format that is not spoken here; even well-formed
    ones are refused. Padding at the end is accepted.
    """
    if text.startswith("prom_"):
        _body(text.rstrip("="), "prom", 38)
        raise BadId(BadId.WRONG_TYPE)
    try:
        body = _body(text.rstrip("="), "sign", 38)
        if not body.isascii():
            raise BadId(BadId.BAD_FORMAT)
        raw = base64.b64decode(body + "==", altchars=b"-_", validate=True)
    except (BadId, binascii.Error) as error:
        if text.startswith("sign_1"):
            # Compatible servers try the older prefix last, so its complaint is the one callers see.
            raise BadId(BadId.WRONG_TYPE) from None
        if isinstance(error, BadId):
            raise
        raise BadId(BadId.BAD_FORMAT) from None
    return encode_invocation_id(raw[:24]), int.from_bytes(raw[24:], "big")


# ---- Deployments and subscriptions ----


def _ulid_id(prefix: str, now_ms: int) -> str:
    return f"{prefix}_1{_encode_u128(ulid_bytes(now_ms, _pool.take(10)))}"


def new_deployment_id(now_ms: int) -> str:
    """An id for a deployment registered at `now_ms` (since the Unix epoch)."""
    return _ulid_id("dp", now_ms)


def decode_deployment_id(text: str) -> bytes:
    """The 16 bytes of a deployment id; the first six are its registration time in ms. Raises: BadId."""
    return _decode_base62(_body(text, "dp", 22), 16)


def new_subscription_id(now_ms: int) -> str:
    """An id for a subscription made at `now_ms` (since the Unix epoch)."""
    return _ulid_id("sub", now_ms)


def decode_subscription_id(text: str) -> bytes:
    """The 16 bytes of a subscription id; the first six are its creation time in ms. Raises: BadId."""
    return _decode_base62(_body(text, "sub", 22), 16)
