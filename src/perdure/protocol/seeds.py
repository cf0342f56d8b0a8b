"""Seeds for the random values a handler draws: the same for every attempt of an invocation."""

import hashlib
import struct
from collections.abc import Callable
from typing import Final

_U64: Final = 0xFFFFFFFFFFFFFFFF

# SipHash's initial state, which a zero key leaves as it is.
_V0: Final = 0x736F6D6570736575
_V1: Final = 0x646F72616E646F6D
_V2: Final = 0x6C7967656E657261
_V3: Final = 0x7465646279746573


def _sip_round(v0: int, v1: int, v2: int, v3: int) -> tuple[int, int, int, int]:
    v0 = (v0 + v1) & _U64
    v1 = ((v1 << 13) & _U64 | v1 >> 51) ^ v0
    v0 = (v0 << 32) & _U64 | v0 >> 32
    v2 = (v2 + v3) & _U64
    v3 = ((v3 << 16) & _U64 | v3 >> 48) ^ v2
    v0 = (v0 + v3) & _U64
    v3 = ((v3 << 21) & _U64 | v3 >> 43) ^ v0
    v2 = (v2 + v1) & _U64
    v1 = ((v1 << 17) & _U64 | v1 >> 47) ^ v2
    v2 = (v2 << 32) & _U64 | v2 >> 32
    return v0, v1, v2, v3


def siphash_1_3(data: bytes) -> int:
    """SipHash-1-3 (u64) with a zero key. data: a multiple of eight bytes."""
    v0, v1, v2, v3 = _V0, _V1, _V2, _V3
    # The last word is SipHash's own: the byte count in its top byte.
    for word in (*struct.unpack(f"<{len(data) // 8}Q", data), (len(data) & 0xFF) << 56):
        v0, v1, v2, v3 = _sip_round(v0, v1, v2, v3 ^ word)
        v0 ^= word
    v2 ^= 0xFF
    for _ in range(3):
        v0, v1, v2, v3 = _sip_round(v0, v1, v2, v3)
    return v0 ^ v1 ^ v2 ^ v3


def _native_siphash_1_3() -> Callable[[bytes], int] | None:
    """CPython's own, by which it tells whether a source file has changed: thirty times as fast as ours.

    It is no public function and may become another hash, so it is asked for a value that is known.
    """
    try:
        from _imp import source_hash
    except ImportError:
        return None

    def native(data: bytes) -> int:
        return int.from_bytes(source_hash(0, data), "little")

    probe = bytes(range(32))
    return native if native(probe) == siphash_1_3(probe) else None


_siphash: Final = _native_siphash_1_3() or siphash_1_3
_LENGTH: Final = (24).to_bytes(8, "little")


def random_seed(raw_id: bytes) -> int:
    """The `random_seed` (u64) of StartMessage. raw_id: the 24 bytes of the invocation's id.

    SipHash-1-3 with a zero key over the length (24, u64 little-endian) and the bytes, so that an
    invocation draws the same values on any compatible server.
    """
    assert len(raw_id) == 24
    return _siphash(_LENGTH + raw_id)


def random_seed_v5(raw_id: bytes) -> int:
    """The seed (u64) that an SDK derives by itself in version 5. raw_id: as above."""
    return int.from_bytes(hashlib.sha256(raw_id).digest()[:8], "big")
