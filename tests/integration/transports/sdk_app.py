"""A service written with the official SDK."""

import restate

greeter = restate.Service("Greeter")


@greeter.handler()
async def greet(_ctx: restate.Context, name: str) -> str:
    return f"Hello {name}"


app = restate.app([greeter])
