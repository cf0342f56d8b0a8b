"""Routes that steer many invocations at once: each is answered for itself."""

import asyncio
from collections.abc import Callable
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from perdure.admin.problems import ApiError
from perdure.admin.requests import operator, read_body, read_deployment_choice, wrong_shape
from perdure.admin.responses import json_response
from perdure.admin.schemas import (
    BatchFailure,
    BatchRequest,
    BatchResponse,
    BatchRestartResponse,
    RestartedInvocation,
)
from perdure.ids import BadId, decode_invocation_id, random_unique, sibling_invocation_id
from perdure.model.actions import Refused
from perdure.model.records import Cancel, Kill, Operator, Pause, Purge, PurgeJournal, Record, RestartAsNew, Resume
from perdure.partition.gateway import Gateway

BATCH_MAX: Final = 1000
"""So many invocations in one request."""

_Build = Callable[[int, str, Operator | None], Record]
"""From the token, the invocation's id and who asks."""


class Batches:
    """Handles `/internal/invocations_batch_operations/…`: 200 with who succeeded and who did not."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def cancel(self, request: Request) -> Response:
        return await self._simple(request, lambda token, target, by: Cancel(token, id=target, operator=by))

    async def kill(self, request: Request) -> Response:
        return await self._simple(request, lambda token, target, by: Kill(token, id=target, operator=by))

    async def pause(self, request: Request) -> Response:
        return await self._simple(request, lambda token, target, by: Pause(token, id=target, operator=by))

    async def purge(self, request: Request) -> Response:
        return await self._simple(request, lambda token, target, by: Purge(token, id=target, operator=by))

    async def purge_journal(self, request: Request) -> Response:
        return await self._simple(request, lambda token, target, by: PurgeJournal(token, id=target, operator=by))

    async def resume(self, request: Request) -> Response:
        asked = await _read(request)
        where = _deployment(asked, "keep")
        answers = await self._ask_all(
            request, asked, lambda token, target, by: Resume(token, id=target, deployment=where, operator=by)
        )
        return _simple_answer(answers)

    async def restart_as_new(self, request: Request) -> Response:
        asked = await _read(request)
        where = _deployment(asked, "latest")

        def build(token: int, target: str, by: Operator | None) -> Record:
            new_id = sibling_invocation_id(target, random_unique())
            return RestartAsNew(token, id=target, new_id=new_id, deployment=where, operator=by)

        answers = await self._ask_all(request, asked, build)
        restarted = [RestartedInvocation(old, answer.id) for old, answer in answers if not isinstance(answer, Refused)]
        return json_response(BatchRestartResponse(restarted, _failures(answers)))

    async def _simple(self, request: Request, build: _Build) -> Response:
        return _simple_answer(await self._ask_all(request, await _read(request), build))

    async def _ask_all(self, request: Request, asked: BatchRequest, build: _Build) -> list[tuple[str, Any]]:
        """Each id with its answer, in the order of the request."""
        by = operator(request)

        async def ask(target: str) -> Any:
            return await self._gateway.ask(lambda token: build(token, target, by))

        answers = await asyncio.gather(*(ask(target) for target in asked.invocation_ids))
        return list(zip(asked.invocation_ids, answers, strict=True))


async def _read(request: Request) -> BatchRequest:
    asked = await read_body(request, BatchRequest)
    size = len(asked.invocation_ids)
    if size > BATCH_MAX:
        raise ApiError(400, f"Batch size {size} exceeds maximum allowed size of {BATCH_MAX}")
    for target in asked.invocation_ids:
        try:
            decode_invocation_id(target)
        except BadId as error:
            raise wrong_shape(f"invocation_ids: '{target}': {error}") from None
    return asked


def _deployment(asked: BatchRequest, default: str) -> str:
    try:
        return default if asked.deployment is None else read_deployment_choice(asked.deployment)
    except BadId as error:
        raise wrong_shape(f"deployment: '{asked.deployment}': {error}") from None


def _simple_answer(answers: list[tuple[str, Any]]) -> Response:
    succeeded = [target for target, answer in answers if not isinstance(answer, Refused)]
    return json_response(BatchResponse(succeeded, _failures(answers)))


def _failures(answers: list[tuple[str, Any]]) -> list[BatchFailure]:
    return [BatchFailure(target, answer.message) for target, answer in answers if isinstance(answer, Refused)]
