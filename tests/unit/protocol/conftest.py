"""Recorded traffic between official servers and SDKs, as test data."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

VECTORS = Path(__file__).parents[2] / "data" / "protocol-vectors.json"


@cache
def load_vectors() -> dict[str, Any]:
    return json.loads(VECTORS.read_text())


@pytest.fixture
def vectors() -> dict[str, Any]:
    return load_vectors()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    # `recorded`: one whole body of one direction of an exchange, with its decoded messages.
    if "recorded" in metafunc.fixturenames:
        bodies = load_vectors()["vectors"]
        metafunc.parametrize("recorded", bodies, ids=[body["name"] for body in bodies])
