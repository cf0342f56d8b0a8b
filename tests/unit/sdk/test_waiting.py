"""Waiting: for one thing or several, suspension, and cancellation."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

import perdure as restate
from perdure.protocol.messages import MessageType, completion, signal_notification
from support.sdk_peer import (
    Entry,
    Peer,
    ack,
    attempt,
    failed,
    frame,
    handler,
    input_command,
    opening,
    run_command,
    run_completion,
    signal,
    sleep_command,
    sleep_completion,
    talk,
)

SECOND = timedelta(seconds=1)
CANCEL = signal(signal_notification(1, void=True))


def called(service: str, first_id: int) -> Entry:
    from perdure.protocol import messages_pb2 as pb

    return pb.CallCommandMessage(
        service_name=service,
        handler_name="h",
        invocation_id_notification_idx=first_id,
        result_completion_id=first_id + 1,
    )


def callee(completion_id: int, invocation_id: str) -> Entry:
    type_id = MessageType.CALL_INVOCATION_ID_COMPLETION
    return type_id, completion(type_id, completion_id, invocation_id=invocation_id)


# ---- Combinators ----


async def all_of(ctx: restate.Context, text: str) -> list[Any]:
    first, second = ctx.sleep(SECOND), ctx.awakeable(type_hint=str)[1]
    assert await restate.gather(first, second) == [first, second]
    return [await first, await second]


def test_gather_waits_for_all() -> None:
    said = talk(handler(all_of).function, signal(signal_notification(17, value=b'"x"')), sleep_completion(1))
    assert said[1] == [
        "AwaitingOn awaiting_on { waiting_signals: 1 nested_futures { waiting_completions: 1 "
        "combinator_type: ALL_COMPLETED } combinator_type: FIRST_COMPLETED }"
    ]
    assert said[2] == ['Output value { content: "[null, \\"x\\"]" }', "End"]


def test_what_has_come_is_left_out_of_a_suspension() -> None:
    sent = attempt(all_of, sleep_command(1), sleep_completion(1))
    assert sent[-1] == (
        "Suspension awaiting_on { waiting_signals: 1 nested_futures { waiting_signals: 17 "
        "combinator_type: ALL_COMPLETED } combinator_type: FIRST_COMPLETED }"
    )
    flat = attempt(all_of, sleep_command(1), sleep_completion(1), version=6)
    assert flat == ["Suspension waiting_signals: 1 waiting_signals: 17"]


def test_a_signal_that_has_come_is_left_out_too() -> None:
    async def run(ctx: restate.Context, text: str) -> None:
        await restate.gather(ctx.sleep(SECOND), ctx.signal("go"))

    sent = attempt(run, sleep_command(1), signal(signal_notification("go", void=True)), version=6)
    # Otherwise the server would wake the handler at once, for ever.
    assert sent == ["Suspension waiting_completions: 1 waiting_signals: 1"]


async def first_of(ctx: restate.Context, text: str) -> tuple[str, Any]:
    return await restate.select(nap=ctx.sleep(SECOND), answer=ctx.awakeable()[1])


@pytest.mark.parametrize(
    ("journal", "winner"),
    [
        ([sleep_completion(1), signal(signal_notification(17, value=b"1"))], '["nap", null]'),
        ([signal(signal_notification(17, value=b"1")), sleep_completion(1)], '["answer", 1]'),
    ],
)
def test_the_journal_says_who_was_first(journal: list[Entry], winner: str) -> None:
    (sent, _) = attempt(first_of, sleep_command(1), *journal)
    assert sent.replace("\\", "") == f'Output value {{ content: "{winner}" }}'


def test_select_raises_what_the_first_raises() -> None:
    async def run(ctx: restate.Context, text: str) -> None:
        await restate.select(a=ctx.attach_invocation("inv_1x"), b=ctx.sleep(SECOND))

    said = talk(run, failed(MessageType.ATTACH_INVOCATION_COMPLETION, 1))
    assert said[1][0] == 'Output failure { code: 418 message: "no tea" }'


def attached(way: Any) -> Any:
    """A handler that combines the results of two other invocations."""

    async def run(ctx: restate.Context, text: str) -> Any:
        return await way(*[ctx.attach_invocation(name, type_hint=int) for name in ("inv_1a", "inv_1b")])

    return run


def well(completion_id: int) -> Entry:
    type_id = MessageType.ATTACH_INVOCATION_COMPLETION
    return type_id, completion(type_id, completion_id, value=b"%d" % completion_id)


def badly(completion_id: int) -> Entry:
    return failed(MessageType.ATTACH_INVOCATION_COMPLETION, completion_id)


@pytest.mark.parametrize(
    ("way", "combinator", "turns", "result"),
    [
        (restate.race, "FIRST_COMPLETED", [well(2)], 'value { content: "2" }'),
        (restate.race, "FIRST_COMPLETED", [badly(1)], 'failure { code: 418 message: "no tea" }'),
        (restate.first_succeeded, "FIRST_SUCCEEDED_OR_ALL_FAILED", [badly(1), well(2)], 'value { content: "2" }'),
        (
            restate.first_succeeded,
            "FIRST_SUCCEEDED_OR_ALL_FAILED",
            [badly(2), badly(1)],
            'failure { code: 418 message: "no tea" }',
        ),
        (restate.all_succeeded, "ALL_SUCCEEDED_OR_FIRST_FAILED", [well(2), well(1)], 'value { content: "[1, 2]" }'),
        (
            restate.all_succeeded,
            "ALL_SUCCEEDED_OR_FIRST_FAILED",
            [badly(2)],
            'failure { code: 418 message: "no tea" }',
        ),
    ],
)
def test_other_combinators_are_told_to_the_server(way: Any, combinator: str, turns: list[Entry], result: str) -> None:
    said = talk(attached(way), *turns)
    assert said[0][-1] == (
        "AwaitingOn awaiting_on { waiting_signals: 1 nested_futures { waiting_completions: 1 waiting_completions: 2 "
        f"combinator_type: {combinator} }} combinator_type: FIRST_COMPLETED }}"
    )
    assert said[-1] == [f"Output {result}", "End"]


def test_as_completed_follows_the_journal() -> None:
    async def run(ctx: restate.Context, text: str) -> list[int]:
        naps = [ctx.sleep(SECOND) for _ in range(3)]
        return [naps.index(nap) async for nap in restate.as_completed(*naps)]

    said = talk(run, sleep_completion(3), sleep_completion(1), sleep_completion(2))
    assert said[3][0] == 'Output value { content: "[2, 0, 1]" }'


def test_wait_completed_tells_what_is_left() -> None:
    async def run(ctx: restate.Context, text: str) -> list[int]:
        assert await restate.wait_completed() == ([], [])
        naps = [ctx.sleep(SECOND) for _ in range(3)]
        completed, rest = await restate.wait_completed(*naps)
        return [naps.index(nap) for nap in [*completed, *rest]]

    assert talk(run, sleep_completion(2))[1][0] == 'Output value { content: "[1, 0, 2]" }'


def test_combinators_take_futures_of_a_context_only() -> None:
    async def run(ctx: restate.Context, text: str) -> None:
        await restate.gather(asyncio.get_running_loop().create_future())  # type: ignore[arg-type]

    (sent,) = attempt(run)
    assert "[E0317]" in sent


def test_a_loser_keeps_the_next_signal_for_others() -> None:
    async def run(ctx: restate.Context, text: str) -> str:
        await restate.select(go=ctx.signal("go"), nap=ctx.sleep(SECOND))
        return await ctx.signal("go", type_hint=str)

    said = talk(run, sleep_completion(1), signal(signal_notification("go", value=b'"went"')))
    assert said[2][0] == 'Output value { content: "\\"went\\"" }'


def test_runs_that_are_awaited_together_are_executed_together() -> None:
    together = asyncio.Barrier(2)

    async def meet() -> None:
        await together.wait()

    async def run(ctx: restate.Context, text: str) -> None:
        await restate.gather(ctx.run_typed("a", meet), ctx.run_typed("b", meet))

    said = talk(run, ack(1), ack(2))
    assert [one.split()[0] for one in said[0]] == ["Run", "Run", "ProposeRunCompletion", "ProposeRunCompletion"]
    assert said[2] == ["Output value { }", "End"]


def test_a_wait_for_nothing_but_runs_is_not_announced() -> None:
    async def run(ctx: restate.Context, text: str) -> None:
        async def action() -> None: ...

        await ctx.run_typed("quick", action)

    assert not any(one.startswith("AwaitingOn") for one in talk(run, ack(1))[0])


# ---- Suspension ----


def test_code_of_the_user_sees_a_suspension_and_changes_nothing() -> None:
    seen: list[str] = []

    async def items(ctx: restate.Context) -> AsyncIterator[int]:
        try:
            await ctx.sleep(SECOND)
            yield 1
        finally:
            seen.append("generator")

    async def run(ctx: restate.Context, text: str) -> None:
        try:
            async for _ in items(ctx):
                seen.append("not reached")
        except Exception:
            seen.append("not caught")
        finally:
            seen.append("finally")
            ctx.service_send(handler_of_nobody, "x")
            seen.append("not sent")

    sent = attempt(run)
    assert sent[-1].startswith("Suspension")
    assert not any(one.startswith("OneWayCall") for one in sent)
    assert seen == ["generator", "finally"]


nobody = restate.Service("Nobody")


@nobody.handler("h")
async def handler_of_nobody(ctx: restate.Context, text: str) -> None:
    return None


def test_swallowing_a_suspension_gives_no_result() -> None:
    seen: list[bool] = []

    async def run(ctx: restate.Context, text: str) -> str:
        try:
            await ctx.sleep(SECOND)
        except BaseException as error:
            seen.append(restate.is_internal_exception(error))
        return "swallowed"

    assert attempt(run)[-1].startswith("Suspension")
    assert seen == [True]


def test_a_run_may_end_after_the_request_did() -> None:
    may_end = asyncio.Event()

    async def run(ctx: restate.Context, text: str) -> None:
        async def action() -> str:
            await may_end.wait()
            return "done"

        await ctx.run_typed("long", action)

    async def play() -> list[list[str]]:
        peer = Peer(handler(run))
        said = [await peer.converse(opening([input_command()]), end=True)]
        may_end.set()
        return [*said, await peer.converse()]

    before, after = asyncio.run(play())
    assert before == ['Run result_completion_id: 1 name: "long"']
    assert [one.split()[0] for one in after] == ["ProposeRunCompletion", "Suspension"]


# ---- Cancellation ----


async def parent(ctx: restate.Context, text: str) -> str:
    first = ctx.generic_call("A", "h", b"")
    ctx.generic_send("B", "h", b"")
    second = ctx.generic_call("C", "h", b"")
    try:
        await restate.gather(first, second)
    except restate.TerminalError as error:
        await ctx.sleep(SECOND)
        return f"{error.status_code} {error.message}"
    return "not cancelled"


def test_a_cancel_goes_to_the_callees_first_and_surfaces_then() -> None:
    said = talk(parent, callee(1, "inv_1a"), CANCEL, callee(4, "inv_1c"), sleep_completion(6))
    assert said[2] == []
    assert said[3][:2] == [
        'SendSignal target_invocation_id: "inv_1a" idx: 1 void { }',
        'SendSignal target_invocation_id: "inv_1c" idx: 1 void { }',
    ]
    assert said[4][0] == 'Output value { content: "\\"409 cancelled\\"" }'


def test_without_the_id_of_a_callee_a_cancel_waits() -> None:
    async def play() -> str:
        peer = Peer(handler(parent))
        await peer.converse(opening([input_command()]))
        await peer.converse(frame(CANCEL))
        return (await peer.converse(end=True))[-1]

    assert asyncio.run(play()) == ("Suspension awaiting_on { waiting_completions: 1 combinator_type: FIRST_COMPLETED }")


def test_a_second_cancel_reaches_what_was_called_since() -> None:
    async def run(ctx: restate.Context, text: str) -> None:
        try:
            await ctx.generic_call("A", "h", b"")
        except restate.TerminalError:
            await ctx.generic_call("B", "h", b"")

    said = talk(run, callee(1, "inv_1a"), CANCEL, callee(3, "inv_1b"), CANCEL)
    assert said[4] == [
        'SendSignal target_invocation_id: "inv_1b" idx: 1 void { }',
        'Output failure { code: 409 message: "cancelled" }',
        "End",
    ]


def test_a_cancel_surfaces_while_a_run_executes_and_ends_it() -> None:
    ended: list[str] = []

    async def run(ctx: restate.Context, text: str) -> None:
        async def action() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                ended.append("action")

        await ctx.run_typed("endless", action)

    said = talk(run, CANCEL)
    assert said[1] == ['Output failure { code: 409 message: "cancelled" }', "End"]
    assert ended == ["action"]


# ---- Journals that do not fit ----


def test_another_command_than_the_recorded_one() -> None:
    async def run(ctx: restate.Context, text: str) -> None:
        await ctx.sleep(SECOND)

    (sent,) = attempt(run, run_command(1, "charge"), run_completion(1, b"1"))
    assert sent.startswith("Error code: 570")
    assert "command 1 is Run \\'charge\\' in the journal, and the code issued Sleep at " in sent
    assert "test_waiting.py" in sent
    assert sent.endswith("related_command_index: 1 related_command_type: 1036")


def test_a_command_with_other_content_than_the_recorded_one() -> None:
    async def run(ctx: restate.Context, text: str) -> None:
        ctx.generic_call("B", "h", b"")

    (sent,) = attempt(run, called("A", 1))
    assert "command 1 is Call A/h in the journal, and the code issued Call B/h" in sent


def test_a_wait_that_was_added() -> None:
    async def run(ctx: restate.Context, text: str) -> None:
        await ctx.awakeable()[1]
        await ctx.sleep(SECOND)

    (sent,) = attempt(run, sleep_command(1))
    assert sent.startswith("Error code: 570")
    assert "the journal goes on with command 1, Sleep, and the code waits for something" in sent


def test_an_end_before_the_journals() -> None:
    async def run(ctx: restate.Context, text: str) -> str:
        return "early"

    (sent,) = attempt(run, sleep_command(1))
    assert "command 1 is Sleep in the journal, and the code issued Output" in sent


def test_a_mismatch_cannot_be_caught_by_accident() -> None:
    async def run(ctx: restate.Context, text: str) -> str:
        try:
            ctx.generic_send("B", "h", b"")
        except Exception:
            return "caught"
        return "went on"

    (sent,) = attempt(run, sleep_command(1))
    assert sent.startswith("Error code: 570")
