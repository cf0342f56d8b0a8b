"""The pytest plugin: a fixture. It loads the engine only when a test asks for it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from perdure.testing.harness import Harness


@pytest.fixture
def perdure_harness() -> "Iterator[Callable[..., Harness]]":
    """Starts engines in virtual time: `harness = perdure_harness(app)`, with the options of `Harness`.

    They stop with the test.
    """
    from perdure.testing.harness import Harness

    with ExitStack() as stack:

        def start(*apps: Any, **options: Any) -> Harness:
            return stack.enter_context(Harness(*apps, **options))

        yield start
