"""Seeds for deterministic random values."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from perdure.protocol.seeds import random_seed, random_seed_v5, siphash_1_3


def test_known_seeds(vectors: dict[str, Any]) -> None:
    for known in vectors["random_seeds"]:
        raw = bytes.fromhex(known["invocation_id_hex"])
        assert random_seed(raw) == known["siphash13_seed"]
        assert random_seed_v5(raw) == known["sha256_seed"]


def test_the_seeds_of_recorded_invocations(vectors: dict[str, Any]) -> None:
    for known in vectors["random_values"]:
        raw = bytes.fromhex(known["invocation_id_hex"])
        assert random_seed(raw) == known["start_message_random_seed"]
        if known["protocol_version"] == 5:
            assert random_seed_v5(raw) == known["effective_seed"]


@settings(deadline=None)
@given(st.binary(min_size=24, max_size=24))
def test_the_seed_is_the_same_with_and_without_the_interpreters_hash(raw: bytes) -> None:
    assert random_seed(raw) == siphash_1_3((24).to_bytes(8, "little") + raw)
