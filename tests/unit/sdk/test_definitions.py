"""What can be defined, and what is said where it cannot."""

import asyncio
import functools
from collections.abc import Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from perdure.sdk.definition_errors import BadHandler, BadName, BadOption, DuplicateName, NotAHandler, NotAService
from perdure.sdk.definitions import InvocationRetryPolicy, handler_of
from perdure.sdk.endpoint import Endpoint, app, endpoint
from perdure.sdk.exceptions import TerminalError
from perdure.sdk.serde import BytesSerde
from perdure.sdk.services import Service, VirtualObject, Workflow


@pytest.mark.parametrize("name", ["", "a b", "1st", "_", "-x", "ä", "Restate", "restateful", "OpenAPI"])
def test_services_with_impossible_names(name: str) -> None:
    with pytest.raises(BadName, match="E0341"):
        Service(name)


@pytest.mark.parametrize("name", ["a b", "1st", "a.b", "a-b", "ä"])
def test_handlers_with_impossible_names(name: str) -> None:
    with pytest.raises(BadName, match="E0341"):

        @Service("Greeter").handler(name=name)
        async def greet(ctx: Any) -> None: ...


def test_a_name_is_taken_once() -> None:
    greeter = Service("Greeter")

    @greeter.handler()
    async def greet(ctx: Any) -> None: ...

    with pytest.raises(DuplicateName, match="Greeter has a handler `greet` already"):

        @greeter.handler(name="greet")
        async def other(ctx: Any) -> None: ...

    with pytest.raises(DuplicateName, match="two services have the name Greeter"):
        app([greeter, Service("Greeter")])


def no_context() -> Any:
    async def handler() -> None: ...

    return handler


def context_by_keyword() -> Any:
    async def handler(*, ctx: Any) -> None: ...

    return handler


def any_keywords() -> Any:
    async def handler(ctx: Any, **values: Any) -> None: ...

    return handler


def generator() -> Any:
    async def handler(ctx: Any) -> Any:
        yield 1

    return handler


@pytest.mark.parametrize("make", [no_context, context_by_keyword, any_keywords, generator])
def test_functions_that_cannot_be_handlers(make: Callable[[], Any]) -> None:
    with pytest.raises(BadHandler, match=r"S/handler .*async def"):
        Service("S").handler()(make())


def test_a_decorator_without_its_parentheses() -> None:
    with pytest.raises(BadHandler, match="lacks its parentheses"):

        @Service("S").handler  # type: ignore[arg-type]  # what users do
        async def greet(ctx: Any) -> None: ...


def test_a_serde_gives_one_value() -> None:
    service = Service("S")

    @service.handler(input_serde=BytesSerde())
    async def greet(ctx: Any, first: str, second: str) -> None: ...

    with pytest.raises(BadHandler, match="S/greet has an input_serde"):
        app([service])


@pytest.mark.parametrize(
    "options",
    [
        {"inactivity_timeout": 5},
        {"abort_timeout": timedelta(seconds=-1)},
        {"metadata": {"a": 1}},
        {"invocation_context_managers": ["no function"]},
        {"invocation_retry_policy": InvocationRetryPolicy(max_attempts=-1)},
        {"invocation_retry_policy": InvocationRetryPolicy(exponentiation_factor=-1)},
        {"invocation_retry_policy": InvocationRetryPolicy(on_max_attempts="explode")},  # type: ignore[arg-type]
    ],
)
def test_options_that_cannot_be(options: dict[str, Any]) -> None:
    with pytest.raises(BadOption, match=r"^S: .*E0345"):
        Service("S", **options)
    with pytest.raises(BadOption, match=r"^S/greet: .*E0345"):

        @Service("S").handler(**options)
        async def greet(ctx: Any) -> None: ...


def test_other_values_that_cannot_be() -> None:
    with pytest.raises(BadOption, match="`exclusive` or `shared`"):
        VirtualObject("O").handler(kind="workflow")  # type: ignore[arg-type]
    with pytest.raises(BadOption, match="content type"):
        Service("S").handler(accept="json")(no_op)
    with pytest.raises(BadOption, match="request_response"):
        app([], protocol="http")  # type: ignore[arg-type]


async def no_op(ctx: Any) -> None: ...


@pytest.mark.parametrize("services", [Service("S"), 1, [1], [no_op]])
def test_what_is_not_a_list_of_services(services: Any) -> None:
    with pytest.raises(NotAService, match="E0346"):
        app(services)


def test_what_is_not_a_handler() -> None:
    with pytest.raises(NotAHandler, match="no_op is not a handler"):
        handler_of(no_op)


def test_a_decorated_function_is_called_as_before() -> None:
    @Service("S").handler()
    async def double(ctx: Any, value: int) -> int:
        """Twice."""
        return 2 * value

    assert asyncio.run(double(None, 21)) == 42
    assert double.__name__ == "double"
    assert double.__doc__ == "Twice."


def test_one_function_serves_in_two_services() -> None:
    first, second = Service("First"), Service("Second")
    made = [service.handler()(no_op) for service in (first, second)]
    assert [str(handler_of(one)) for one in made] == ["First/no_op", "Second/no_op"]


def test_handlers_through_the_decorators_of_others() -> None:
    def logged(function: Any) -> Any:
        @functools.wraps(function)
        async def wrapper(*args: Any, **kwargs: Any) -> Any:
            return await function(*args, **kwargs)

        return wrapper

    def bare(function: Any) -> Any:
        async def wrapper(*args: Any) -> Any:
            return await function(*args)

        return wrapper

    service = Service("S")

    async def double(ctx: Any, value: int) -> int:
        return 2 * value

    for name, decorate in (("logged", logged), ("bare", bare)):
        handler = handler_of(service.handler(name=name)(decorate(double)))
        assert asyncio.run(handler.run(None, b"21")) == b"42"


def test_an_endpoint_is_built_in_steps() -> None:
    greeter = Service("Greeter")
    greeter.handler(name="greet")(no_op)
    built = endpoint().bind(greeter, Workflow("W")).streaming_protocol()
    assert isinstance(built, Endpoint)
    assert list(built.services) == ["Greeter", "W"]
    assert built.mode(streams=False) == "BIDI_STREAM"
    assert built.request_response_protocol().mode(streams=True) == "REQUEST_RESPONSE"
    assert built.handler("Greeter", "greet") is not None
    assert built.handler("Greeter", "gone") is None
    assert built.handler("Gone", "greet") is None


def test_context_managers_enclose_a_handler_the_services_outermost() -> None:
    seen: list[str] = []

    def around(name: str) -> Callable[[], Any]:
        @asynccontextmanager
        async def manager() -> Any:
            seen.append(f"enter {name}")
            try:
                yield
            except TerminalError as error:
                seen.append(f"{name} saw {error.message}")
                raise
            finally:
                seen.append(f"leave {name}")

        return manager

    service = Service("S", invocation_context_managers=[around("service")])

    @service.handler(invocation_context_managers=[around("first"), around("second")])
    async def work(ctx: Any) -> None:
        seen.append("work")
        raise TerminalError("enough")

    with pytest.raises(TerminalError):
        asyncio.run(handler_of(work).run(None, b""))
    assert seen == [
        "enter service",
        "enter first",
        "enter second",
        "work",
        "second saw enough",
        "leave second",
        "first saw enough",
        "leave first",
        "service saw enough",
        "leave service",
    ]


def test_a_function_that_is_not_async() -> None:
    @Service("S").handler()
    def greet(ctx: Any) -> str:
        return "hello"

    with pytest.raises(BadHandler, match="S/greet is not `async`"):
        asyncio.run(handler_of(greet).run(None, b""))
