"""The formats of ids, and the partition keys behind them."""

import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perdure import ids
from perdure.ids import BadId

RECORDED: dict[str, Any] = json.loads((Path(__file__).parents[1] / "data" / "protocol-vectors.json").read_text())[
    "identifiers"
]


@pytest.mark.parametrize("known", RECORDED["invocation_ids"], ids=lambda known: known["kind"])
def test_known_invocation_ids(known: dict[str, Any]) -> None:
    raw = bytes.fromhex(known["bytes_hex"])
    assert ids.decode_invocation_id(known["text"]) == raw
    assert ids.encode_invocation_id(raw) == known["text"]
    assert ids.invocation_partition_key(raw) == known["partition_key"]
    if "awakeable_17" in known:
        assert ids.awakeable_id(raw, 17) == known["awakeable_17"]
        assert ids.decode_awakeable_id(known["awakeable_17"]) == (known["text"], 17)
        assert ids.decode_awakeable_id(known["awakeable_17"] + "=") == (known["text"], 17)


@pytest.mark.parametrize("known", RECORDED["base62"], ids=lambda known: known["text"])
def test_known_base62(known: dict[str, Any]) -> None:
    raw = bytes.fromhex(known["bytes_hex"])
    if known["width"] == 11:
        assert ids.decode_invocation_id("inv_1" + known["text"] + "0" * 22)[:8] == raw
        assert ids.encode_invocation_id(raw + bytes(16)) == "inv_1" + known["text"] + "0" * 22
    else:
        assert ids.encode_invocation_id(bytes(8) + raw) == "inv_1" + "0" * 11 + known["text"]
        assert ids.decode_deployment_id("dp_1" + known["text"]) == raw


def test_the_bytes_of_ids_made_just_now_and_long_ago() -> None:
    made = {ids.encode_invocation_id(raw): raw for raw in (random.Random(at).randbytes(24) for at in range(5000))}
    assert {text: ids.decode_invocation_id(text) for text in made} == made


def test_known_hashes_and_buckets() -> None:
    for known in RECORDED["string_hashes"]:
        assert ids.hash_key(known["input"]) == known["xxh3_64_of_utf8_plus_ff"]
    for known in RECORDED["service_buckets"]:
        assert ids.service_bucket(known["service"], known["bucket"]) == known["partition_key"]


def test_known_derived_ids() -> None:
    derived = {
        "ik,P,echo,idk-1": ids.idempotent_invocation_id("P", "echo", "idk-1"),
        "ik,O,ck,add,idem-y1": ids.idempotent_invocation_id("O", "add", "idem-y1", key="ck"),
        "wf,W,wk1": ids.workflow_invocation_id("W", "wk1"),
        "ik,sc1,P,echo,idk-11": ids.idempotent_invocation_id("P", "echo", "idk-11", scope="sc1"),
    }
    known = {item["hash_input"]: item["text"] for item in RECORDED["invocation_ids"] if "hash_input" in item}
    assert derived == known


def test_an_empty_key_is_a_key() -> None:
    keyed = ids.decode_invocation_id(ids.idempotent_invocation_id("O", "h", "i", key=""))
    assert ids.invocation_partition_key(keyed) == ids.hash_key("")
    assert ids.idempotent_invocation_id("O", "h", "i", key="") != ids.idempotent_invocation_id("O", "h", "i")


def test_fresh_ids_lie_with_their_key_scope_or_bucket() -> None:
    def partition_key(key: str | None, scope: str | None = None) -> int:
        raw = ids.decode_invocation_id(ids.fresh_invocation_id("P", key, bytes(16), 407, scope))
        assert raw[8:] == bytes(16)
        return ids.invocation_partition_key(raw)

    assert partition_key(None) == ids.service_bucket("P", 407)
    assert partition_key("k1") == ids.hash_key("k1")
    assert partition_key("k1", "sc1") == ids.hash_key("sc1")
    assert partition_key(None, "sc1") == ids.hash_key("sc1")


def test_randomness_has_its_sizes() -> None:
    assert len(ids.random_unique()) == 16
    assert ids.random_unique() != ids.random_unique()
    assert all(0 <= ids.random_bucket() < ids.SERVICE_BUCKETS for _ in range(100))


@given(st.binary(min_size=24, max_size=24), st.integers(0, 2**32 - 1))
def test_any_id_survives_the_round_trip(raw: bytes, signal_id: int) -> None:
    text = ids.encode_invocation_id(raw)
    assert len(text) == 38
    assert ids.decode_invocation_id(text) == raw
    awakeable = ids.awakeable_id(raw, signal_id)
    assert len(awakeable) == 44
    assert ids.decode_awakeable_id(awakeable) == (text, signal_id)


VALID_INVOCATION = RECORDED["invocation_ids"][0]["text"]
VALID_DEPLOYMENT = RECORDED["deployment_ids"][0]["text"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("foo", "bad format"),
        ("", "bad format"),
        ("foo_1abc", "bad format"),
        ("inv_foo", "unrecognized codec version"),
        ("inv_", "unrecognized codec version"),
        ("inv_1zzz", "bad length"),
        (VALID_INVOCATION + "0", "bad length"),
        (VALID_DEPLOYMENT, "id doesn't match the expected type"),
        (VALID_INVOCATION[:-1] + "-", "bad format"),
        (VALID_INVOCATION[:-1] + "é", "bad format"),
        ("inv_1" + "Z" * 33, "bad format"),
    ],
)
def test_what_is_wrong_with_an_invocation_id(text: str, reason: str) -> None:
    with pytest.raises(BadId) as raised:
        ids.decode_invocation_id(text)
    assert str(raised.value) == reason


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("foo", "bad format"),
        ("sign_foo", "unrecognized codec version"),
        ("sign_1foo", "id doesn't match the expected type"),
        ("sign_1" + "!" * 38, "id doesn't match the expected type"),
        ("prom_1foo", "bad length"),
        ("prom_1" + "A" * 38, "id doesn't match the expected type"),
        (VALID_INVOCATION, "id doesn't match the expected type"),
    ],
)
def test_what_is_wrong_with_an_awakeable_id(text: str, reason: str) -> None:
    with pytest.raises(BadId) as raised:
        ids.decode_awakeable_id(text)
    assert str(raised.value) == reason


@given(st.text())
def test_no_text_upsets_a_decoder(text: str) -> None:
    for decode in (
        ids.decode_invocation_id,
        ids.decode_awakeable_id,
        ids.decode_deployment_id,
        ids.decode_subscription_id,
    ):
        for candidate in (text, "inv_1" + text, "sign_1" + text, "dp_1" + text, "sub_1" + text):
            try:
                decode(candidate)
            except BadId:
                pass


def test_deployment_and_subscription_ids_carry_their_time() -> None:
    for known in RECORDED["deployment_ids"]:
        raw = ids.decode_deployment_id(known["text"])
        assert raw.hex() == known["bytes_hex"]
        assert int.from_bytes(raw[:6], "big") == known["ulid_timestamp_ms"]
    deployment = ids.new_deployment_id(1795170032520)
    assert int.from_bytes(ids.decode_deployment_id(deployment)[:6], "big") == 1795170032520
    assert len(deployment) == 26
    subscription = ids.new_subscription_id(1795170032520)
    assert int.from_bytes(ids.decode_subscription_id(subscription)[:6], "big") == 1795170032520
    assert len(subscription) == 27
    with pytest.raises(BadId, match="bad format"):
        ids.decode_deployment_id("xx")


def test_ulids() -> None:
    # The example of the ULID specification for its time part.
    with ids.drawn_from(bytes):
        assert ids.new_ulid(1469918176385) == "01ARYZ6S41" + "0" * 16
        assert ids.new_ulid((1 << 48) - 1) == "7" + "Z" * 9 + "0" * 16
    with ids.drawn_from(lambda size: b"\xff" * size):
        assert ids.new_ulid(0) == "0" * 10 + "Z" * 16
    assert ids.ulid_bytes(1, b"\xff" * 10) < ids.ulid_bytes(2, bytes(10))


def test_an_awakeable_id_not_in_ascii_is_refused() -> None:
    with pytest.raises(ids.BadId):
        ids.decode_awakeable_id("sign_1" + "é" * 38)
