"""Seeds for deterministic random values."""

from typing import Any

from perdure.protocol.seeds import random_seed, random_seed_v5


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
