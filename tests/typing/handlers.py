"""User code as type checkers see it. Each `reveal_type` is followed by what they must find."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, reveal_type

import perdure as restate
from perdure.embedded import Embedded
from perdure.serde import JsonSerde, Serde


@dataclass
class Trip:
    city: str
    nights: int = 1


@dataclass
class Booking:
    id: str


travel = restate.Service("Travel", invocation_retry_policy=restate.InvocationRetryPolicy(max_attempts=3))
counter = restate.VirtualObject("Counter", enable_lazy_state=True)
approval = restate.Workflow("Approval")


@travel.handler()
async def book(ctx: restate.Context, trip: Trip) -> Booking:
    """A handler keeps its type under the decorator."""
    return Booking(f"{trip.city} {ctx.uuid()}")


@travel.handler(name="ping", metadata={"a": "b"}, input_serde=JsonSerde())
async def no_argument(ctx: restate.Context) -> str:
    return "pong"


@travel.handler()
async def reserve(ctx: restate.Context, city: str, nights: int) -> Booking:
    return Booking(city * nights)


@counter.handler("add", kind="exclusive")
async def add(ctx: restate.ObjectContext, amount: int) -> int:
    total = await ctx.get("total", type_hint=int)
    reveal_type(total)  # R: int | None
    ctx.set("total", (total or 0) + amount)
    return amount


@counter.handler(kind="shared")
async def read(ctx: restate.ObjectSharedContext) -> int:
    return await ctx.get("total", type_hint=int) or 0


@approval.main(workflow_retention=timedelta(days=1))
async def run(ctx: restate.WorkflowContext, request: str) -> bool:
    decision = ctx.promise("decision", type_hint=bool)
    reveal_type(decision)  # R: DurablePromise[bool]
    value = await decision.value()
    reveal_type(value)  # R: bool
    return value


@approval.handler()
async def decide(ctx: restate.WorkflowSharedContext, value: bool) -> None:
    await ctx.promise("decision", type_hint=bool).resolve(value)


@travel.handler()
async def everything(ctx: restate.Context, trip: Trip) -> None:
    booking = await ctx.service_call(book, arg=trip)
    reveal_type(booking)  # R: Booking
    pong = await ctx.service_call(no_argument, arg=None)
    reveal_type(pong)  # R: str
    reserved = await ctx.service_call(reserve, arg={"city": "Rome", "nights": 2})
    reveal_type(reserved)  # R: Booking
    total = ctx.object_call(add, key="k", arg=3)
    reveal_type(total)  # R: RestateDurableCallFuture[int]
    reveal_type(await total)  # R: int
    approved = await ctx.workflow_call(run, key="k", arg="please")
    reveal_type(approved)  # R: bool
    sent = ctx.service_send(book, arg=trip, send_delay=timedelta(seconds=1))
    reveal_type(sent)  # R: SendHandle
    body = await ctx.generic_call("Other", "handler", b"")
    reveal_type(body)  # R: bytes
    step = await ctx.run_typed("step", len, restate.RunOptions(max_attempts=3), "text")
    reveal_type(step)  # R: int
    awaited = await ctx.run_typed("async", price, city="Rome")
    reveal_type(awaited)  # R: float
    name, answer = ctx.awakeable(type_hint=str)
    reveal_type(name)  # R: str
    signal = await ctx.signal("go", type_hint=Trip)
    reveal_type(signal)  # R: Trip
    ctx.resolve_awakeable(name, "yes")
    done = await restate.gather(total, answer)
    reveal_type(done)  # R: list[RestateDurableFuture[Any]]
    numbers = [ctx.run_typed("number", len, restate.RunOptions(), "text") for _ in range(2)]
    reveal_type(await restate.gather(*numbers))  # R: list[RestateDurableFuture[int]]
    reveal_type(await restate.select(a=numbers[0], b=numbers[1]))  # R: tuple[str, int]
    reveal_type(await restate.race(*numbers))  # R: int
    reveal_type(await restate.all_succeeded(*numbers))  # R: list[int]
    reveal_type([await one async for one in restate.as_completed(*numbers)])  # R: list[int]
    reveal_type(await restate.first_succeeded(*numbers))  # R: int
    waited = await restate.wait_completed(*numbers)
    reveal_type(waited)  # R: tuple[list[RestateDurableFuture[int]], list[RestateDurableFuture[int]]]
    reveal_type(await ctx.attach_invocation(await sent.invocation_id(), type_hint=Booking))  # R: Booking
    reveal_type(await restate.select(number=numbers[0], nap=ctx.sleep(timedelta(seconds=1))))  # R: tuple[str, Any]
    reveal_type(ctx.request().headers)  # R: dict[str, str]


async def price(city: str) -> float:
    return 1.0


class Upper(Serde[str]):
    """A serde of a user's own."""

    def serialize(self, obj: str | None) -> bytes:
        return (obj or "").upper().encode()

    def deserialize(self, buf: bytes) -> str | None:
        return buf.decode()


class Opened(restate.JournalValueCodec):
    """A codec that decodes at once."""

    def encode(self, buf: bytes) -> bytes:
        return buf[::-1]

    def decode(self, buf: bytes) -> bytes:
        return buf[::-1]


class Asked(restate.JournalValueCodec):
    """A codec that has to ask somebody."""

    def encode(self, buf: bytes) -> bytes:
        return buf

    async def decode(self, buf: bytes) -> bytes:
        return buf


async def outside() -> None:
    async with restate.create_client("http://localhost:8080") as client:
        reveal_type(client)  # R: Client
        reveal_type(await client.service_call(book, arg=Trip("Rome")))  # R: Booking
        reveal_type(await client.object_call(add, key="k", arg=1))  # R: int


served: Any = restate.app([travel, counter, approval], identity_keys=None)
built: Any = restate.endpoint().bind(travel).streaming_protocol().app()
coded: Any = [restate.app([travel], journal_value_codec=codec) for codec in (Opened(), Asked())]


async def embedded() -> None:
    async with Embedded(served) as engine:
        reveal_type(await engine.client.call(book, Trip("Rome")))  # R: Booking
        reveal_type(await engine.client.call(add, 1, key="k"))  # R: int
        reveal_type(await engine.client.call("Other/handler", 1))  # R: Any
