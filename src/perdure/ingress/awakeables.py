"""Completing awakeables from outside."""

from perdure.ids import BadId, decode_awakeable_id
from perdure.ingress.paths import CompleteAwakeable
from perdure.ingress.request import Receive, read_body
from perdure.ingress.responses import Answer, IngressError, done
from perdure.ingress.settings import IngressSettings
from perdure.model.invocation import Failure, Outcome, Success
from perdure.model.records import CompleteSignal
from perdure.partition.gateway import Gateway


async def complete_awakeable(
    route: CompleteAwakeable, receive: Receive, gateway: Gateway, settings: IngressSettings
) -> Answer:
    """Resolves with the body's bytes, or rejects with the body's text. Raises: IngressError 400, 413.

    Whether the id still refers to anything is not told: completing is idempotent, the first completion counts.
    """
    try:
        invocation_id, signal_id = decode_awakeable_id(route.id)
    except BadId as error:
        raise IngressError(400, f"bad awakeable id '{route.id}': {error}") from None
    body = await read_body(receive, settings.request_size_limit)
    outcome: Outcome = Success(body) if route.resolve else Failure(500, body.decode("utf-8", "replace"))
    await gateway.ask(
        lambda token: CompleteSignal(token, id=invocation_id, signal_id=signal_id, signal_name=None, outcome=outcome)
    )
    return done()
