"""What every transport promises, in memory as over a socket."""

import asyncio

import pytest

from .exchange import Exchange, ask

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(60)]

MIB = 1024 * 1024


async def test_a_request_gets_its_response(rig):
    exchange = Exchange(rig.transport, "POST", "/echo")
    exchange.stream.send(b"hello ")
    exchange.stream.send(b"world")
    exchange.stream.half_close()
    assert await exchange.wait_for_end() == b"hello world"
    assert exchange.status == 200
    assert exchange.headers["x-thing"] == "a, b"
    assert exchange.headers["content-type"] == "text/plain"


async def test_both_directions_flow_at_once(rig):
    exchange = Exchange(rig.transport, "POST", "/echo")
    await exchange.wait_for_head() if rig.kind != "http1" else None
    for round_ in range(1, 20):
        exchange.stream.send(b"ping")
        await exchange.wait_for(4 * round_)
    assert not exchange.ended
    exchange.stream.half_close()
    await exchange.wait_for_end()


async def test_the_head_comes_before_any_body_was_sent(rig):
    exchange = Exchange(rig.transport, "POST", "/echo")
    await exchange.wait_for_head()
    exchange.stream.half_close()
    assert await exchange.wait_for_end() == b""


async def test_what_is_sent_after_the_half_close_is_ignored(rig):
    exchange = Exchange(rig.transport, "POST", "/echo")
    exchange.stream.send(b"a")
    exchange.stream.half_close()
    exchange.stream.half_close()
    exchange.stream.send(b"b")
    assert await exchange.wait_for_end() == b"a"
    exchange.stream.send(b"c")
    exchange.stream.half_close()
    exchange.stream.reset()


@pytest.mark.parametrize("size", [8 * MIB, 32 * MIB])
async def test_a_large_request_body_arrives(rig, size):
    exchange = Exchange(rig.transport, "POST", "/sink")
    exchange.stream.send(b"r" * (size - 7))
    exchange.stream.send(b"r" * 7)
    exchange.stream.half_close()
    assert await exchange.wait_for_end() == str(size).encode()


@pytest.mark.parametrize("size", [8 * MIB, 32 * MIB])
async def test_a_large_response_waits_for_credit(rig, size):
    exchange = Exchange(rig.transport, "GET", f"/source/{size}/{rig.kind}{size}", consume=False)
    exchange.stream.half_close()
    await exchange.wait_for(MIB)
    await no_more_comes(exchange)
    assert len(exchange.body) < 4 * MIB
    if rig.kind in ("memory", "link"):
        # Behind a socket the peer's own buffers count as well, and they are not ours to bound.
        assert int(await ask(rig.transport, f"/sent/{rig.kind}{size}")) < 4 * MIB
    exchange.consume_from_now_on()
    assert len(await exchange.wait_for_end()) == size


async def no_more_comes(exchange):
    """Until the body has stopped growing."""
    size = -1
    while size != len(exchange.body):
        size = len(exchange.body)
        more = asyncio.create_task(exchange.wait_for(size + 1))
        await asyncio.wait([more], timeout=0.2)
        more.cancel()


async def test_three_hundred_exchanges_at_once(rig):
    exchanges = [Exchange(rig.transport, "POST", "/echo") for _ in range(300)]
    for number, exchange in enumerate(exchanges):
        exchange.stream.send(b"%d" % number)
    for number, exchange in enumerate(exchanges):
        await exchange.wait_for(len(str(number)))
    for exchange in exchanges:
        exchange.stream.half_close()
    for number, exchange in enumerate(exchanges):
        assert await exchange.wait_for_end() == b"%d" % number


async def test_one_exchange_after_another(rig):
    for number in range(50):
        exchange = Exchange(rig.transport, "POST", "/echo")
        exchange.stream.send(b"%d" % number)
        exchange.stream.half_close()
        assert await exchange.wait_for_end() == b"%d" % number


async def test_the_app_sees_a_reset_as_a_disconnect(rig):
    exchange = Exchange(rig.transport, "POST", f"/watch/me-{rig.kind}")
    await exchange.wait_for(1)
    exchange.stream.reset()
    exchange.stream.reset()
    assert await ask(rig.transport, f"/disconnected/me-{rig.kind}") == "seen"
    assert not exchange.over


async def test_a_reset_before_anything_was_sent_harms_nobody(rig):
    abandoned = Exchange(rig.transport, "POST", "/echo")
    abandoned.stream.reset()
    exchange = Exchange(rig.transport, "POST", "/echo")
    exchange.stream.half_close()
    assert await exchange.wait_for_end() == b""
    assert not abandoned.over
    assert abandoned.status is None


async def test_a_reset_gives_back_what_was_not_consumed(rig):
    for number in range(8):
        exchange = Exchange(rig.transport, "GET", f"/source/{8 * MIB}/waste{number}", consume=False)
        exchange.stream.half_close()
        await exchange.wait_for(MIB)
        exchange.stream.reset()
    exchange = Exchange(rig.transport, "GET", f"/source/{8 * MIB}/wanted")
    exchange.stream.half_close()
    assert len(await exchange.wait_for_end()) == 8 * MIB


async def test_an_app_that_raises_answers_500(rig):
    exchange = Exchange(rig.transport, "POST", "/fail")
    exchange.stream.half_close()
    await exchange.wait_for_end()
    assert exchange.status == 500


async def test_an_app_that_raises_late_breaks_the_exchange(rig):
    exchange = Exchange(rig.transport, "POST", "/fail-late")
    exchange.stream.half_close()
    await exchange.wait_for_failure()
    assert exchange.status == 200


async def test_the_peer_vanishes_in_the_middle(rig):
    exchanges = [Exchange(rig.transport, "POST", "/watch/vanish") for _ in range(5)]
    for exchange in exchanges:
        await exchange.wait_for(1)
    if rig.kind == "memory":
        await rig.transport.close()
    rig.vanish()
    for exchange in exchanges:
        await exchange.wait_for_failure()


async def test_closing_fails_what_is_open_and_what_comes_later(rig):
    exchange = Exchange(rig.transport, "POST", "/watch/closing")
    await exchange.wait_for(1)
    unstarted = Exchange(rig.transport, "POST", "/echo")
    await rig.transport.close()
    await exchange.wait_for_failure()
    await unstarted.wait_for_failure()
    late = Exchange(rig.transport, "POST", "/echo")
    assert late.error is None, "a failure must not come from within open()"
    await late.wait_for_failure()


async def test_a_handler_that_raises_loses_only_its_own_exchange(rig):
    complaints = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: complaints.append(context))
    other = Exchange(rig.transport, "POST", "/echo")
    clumsy = Exchange(rig.transport, "POST", f"/watch/clumsy-{rig.kind}")
    clumsy.data_received = lambda _data: 1 // 0
    assert await ask(rig.transport, f"/disconnected/clumsy-{rig.kind}") == "seen"
    asyncio.get_running_loop().set_exception_handler(None)
    assert [type(complaint["exception"]) for complaint in complaints] == [ZeroDivisionError]
    other.stream.send(b"fine")
    other.stream.half_close()
    assert await other.wait_for_end() == b"fine"
