"""How the HTTP transports meet peers that are missing, old, broken or strict."""

import asyncio
import datetime
import ipaddress
import socket
import ssl

import h2.config
import h2.connection
import h2.events
import h2.settings
import pytest

from perdure.invoker.endpoint import ResponseTooLarge, connect, fetch
from perdure.invoker.http1 import Http1Transport
from perdure.invoker.http1_connection import Http1Settings
from perdure.invoker.http2 import Http2Transport
from perdure.invoker.http2_stream import Http2Settings
from perdure.invoker.target import parse_target
from perdure.invoker.transport import Http1Answer, Request, TransportError

from . import echo_app
from .exchange import WAIT_S, Exchange, ask
from .peers import http_server, raw_server

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(60)]

both_versions = pytest.mark.parametrize("http11", [False, True], ids=["http2", "http1"])


def unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


async def failure_of(transport) -> TransportError:
    try:
        return await Exchange(transport, "GET", "/discover").wait_for_failure()
    finally:
        await transport.close()


class H2Server:
    """The server's side of one HTTP/2 connection, step by step."""

    def __init__(self, reader, writer, **settings) -> None:
        self.reader, self.writer = reader, writer
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        self.h2.initiate_connection()
        self.h2.update_settings({h2.settings.SettingCodes[name]: value for name, value in settings.items()})
        self.seen = []

    async def wait_for(self, kind, count=1):
        """The first `count` events of a kind. Ends the connection if the client does."""
        while len(found := [event for event in self.seen if isinstance(event, kind)]) < count:
            await self.flush()
            data = await self.reader.read(65536)
            if not data:
                raise asyncio.IncompleteReadError(b"", None)
            self.seen += self.h2.receive_data(data)
        return found

    async def flush(self) -> None:
        self.writer.write(self.h2.data_to_send())
        await self.writer.drain()

    async def serve_on(self) -> None:
        await self.wait_for(type(None))


@both_versions
async def test_nobody_listens(http11):
    error = await failure_of(connect(f"http://127.0.0.1:{unused_port()}", http11=http11))
    assert "cannot connect" in str(error)
    assert not isinstance(error, Http1Answer)


@both_versions
async def test_the_host_does_not_exist(http11):
    assert "cannot connect" in str(await failure_of(connect("http://no-such-host.invalid", http11=http11)))


async def test_a_server_that_only_has_http1_is_recognised():
    async def talk(reader, writer):
        await reader.readline()
        for piece in (b"HT", b"TP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n"):
            writer.write(piece)
            await writer.drain()
        await reader.read()

    async with raw_server(talk) as port:
        error = await failure_of(connect(f"http://127.0.0.1:{port}", http11=False))
    assert isinstance(error, Http1Answer)
    assert "HTTP/1.1 only" in str(error)


@both_versions
@pytest.mark.parametrize("garbage", [b"", b"\x00", b"SSH-2.0-OpenSSH_9.6\r\n", b"\xff" * 200_000])
async def test_garbage_is_a_failure(http11, garbage):
    async def talk(reader, writer):
        await reader.read(1)
        writer.write(garbage)
        await writer.drain()

    async with raw_server(talk) as port:
        error = await failure_of(connect(f"http://127.0.0.1:{port}", http11=http11))
    assert type(error) is TransportError


async def test_a_server_that_never_speaks_runs_into_the_connect_timeout():
    async def talk(reader, _writer):
        await reader.read()
        await reader.read()

    async with raw_server(talk) as port:
        settings = Http2Settings(connect_timeout=0.1)
        error = await failure_of(Http2Transport(parse_target(f"http://127.0.0.1:{port}"), settings=settings))
    assert "within 0.1 s" in str(error)


@both_versions
async def test_base_path_and_query_frame_the_request_path(http11):
    async def app(scope, _receive, send):
        text = scope["method"].encode() + b" " + scope["raw_path"] + b"?" + scope["query_string"]
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": text})

    async with http_server(app) as port:
        transport = connect(f"http://127.0.0.1:{port}/base/path/?key=1&b=2", http11=http11)
        assert await ask(transport, "/invoke/My%20Service/x") == "GET /base/path/invoke/My%20Service/x?key=1&b=2"
        await transport.close()


@both_versions
async def test_fetch_bounds_size_and_time(http11):
    async with http_server(echo_app.app) as port:
        transport = connect(f"http://127.0.0.1:{port}", http11=http11)
        with pytest.raises(ResponseTooLarge):
            await fetch(transport, Request("GET", "/source/100000/fetch", []), limit=99_999, timeout=WAIT_S)
        response = await fetch(transport, Request("GET", "/source/100000/fetch", []), limit=100_000, timeout=WAIT_S)
        assert len(response.body) == 100_000
        with pytest.raises(TransportError, match="no answer"):
            await fetch(transport, Request("GET", f"/hold/for-ever-{http11}", []), limit=10, timeout=0.1)
        await transport.close()
        echo_app.released[f"for-ever-{http11}"].set()


async def test_more_streams_than_a_connection_takes_open_more_connections():
    async with http_server(echo_app.app, h2_max_concurrent_streams=10) as port:
        transport = Http2Transport(parse_target(f"http://127.0.0.1:{port}"))
        for _ in range(2):
            exchanges = [Exchange(transport, "POST", "/echo") for _ in range(45)]
            for exchange in exchanges:
                await exchange.wait_for_head()
            assert transport.connections == 5
            for exchange in exchanges:
                exchange.stream.half_close()
                await exchange.wait_for_end()
        await transport.close()


async def test_a_connection_is_left_before_the_server_ends_it_with_everything_on_it():
    async with http_server(echo_app.app, keep_alive_max_requests=40) as port:
        settings = Http2Settings(streams_max=8, requests_max=30)
        transport = Http2Transport(parse_target(f"http://127.0.0.1:{port}"), settings=settings)
        for _ in range(20):
            exchanges = [Exchange(transport, "POST", "/echo") for _ in range(8)]
            for exchange in exchanges:
                exchange.stream.send(b"x")
                exchange.stream.half_close()
            for exchange in exchanges:
                await exchange.wait_for_end()
        await transport.close()


async def test_when_all_connections_are_full_streams_wait_for_a_slot():
    async with http_server(echo_app.app, h2_max_concurrent_streams=5) as port:
        settings = Http2Settings(connections_max=2)
        transport = Http2Transport(parse_target(f"http://127.0.0.1:{port}"), settings=settings)
        exchanges = [Exchange(transport, "POST", "/echo") for _ in range(11)]
        for exchange in exchanges[:10]:
            await exchange.wait_for_head()
        assert exchanges[10].status is None
        assert transport.connections == 2
        exchanges[3].stream.reset()
        await exchanges[10].wait_for_head()
        await transport.close()


async def test_goaway_lets_old_streams_finish_and_fails_the_rest():
    connections = []

    async def talk(reader, writer):
        server = H2Server(reader, writer)
        connections.append(server)
        if len(connections) == 1:
            await server.wait_for(h2.events.RequestReceived, 2)
            server.h2.close_connection(last_stream_id=1)
            await server.flush()
            # The server library takes its own GOAWAY for the end; the frames that follow are made by hand.
            head = server.h2.encoder.encode([(":status", "200")])
            writer.write(len(head).to_bytes(3) + b"\x01\x04" + (1).to_bytes(4) + head)
            writer.write((4).to_bytes(3) + b"\x00\x01" + (1).to_bytes(4) + b"done")
            await reader.read(-1)
            return
        await server.wait_for(h2.events.RequestReceived)
        server.h2.send_headers(1, [(":status", "204")], end_stream=True)
        await server.serve_on()

    async with raw_server(talk) as port:
        transport = Http2Transport(parse_target(f"http://127.0.0.1:{port}"))
        first, second = Exchange(transport, "POST", "/a"), Exchange(transport, "POST", "/b")
        assert "closes the connection" in str(await second.wait_for_failure())
        assert await first.wait_for_end() == b"done"
        third = Exchange(transport, "POST", "/c")
        await third.wait_for_end()
        assert third.status == 204
        assert len(connections) == 2
        await transport.close()


async def test_a_server_that_greets_and_leaves_is_not_asked_for_ever():
    greeted = 0

    async def talk(reader, writer):
        nonlocal greeted
        greeted += 1
        server = H2Server(reader, writer)
        server.h2.close_connection(last_stream_id=0)
        await server.flush()
        await reader.read()

    async with raw_server(talk) as port:
        await failure_of(Http2Transport(parse_target(f"http://127.0.0.1:{port}")))
    assert greeted <= 2


async def test_a_stream_that_the_server_resets_fails_with_its_code():
    async def talk(reader, writer):
        server = H2Server(reader, writer)
        await server.wait_for(h2.events.RequestReceived)
        server.h2.reset_stream(1, 11)
        await server.serve_on()

    async with raw_server(talk) as port:
        error = await failure_of(connect(f"http://127.0.0.1:{port}", http11=False))
    assert "ENHANCE_YOUR_CALM" in str(error)


async def test_an_unanswered_ping_ends_the_connection():
    async def talk(reader, writer):
        server = H2Server(reader, writer)
        await server.wait_for(h2.events.RequestReceived)
        await reader.read(-1)  # reads on, answers nothing

    async with raw_server(talk) as port:
        settings = Http2Settings(ping_interval=0.05, ping_timeout=0.05)
        error = await failure_of(Http2Transport(parse_target(f"http://127.0.0.1:{port}"), settings=settings))
    assert "PING" in str(error)


async def test_answered_pings_keep_the_connection():
    pings = asyncio.Event()

    async def talk(reader, writer):
        server = H2Server(reader, writer)
        await server.wait_for(h2.events.PingReceived, 3)
        pings.set()
        await server.serve_on()

    async with raw_server(talk) as port:
        settings = Http2Settings(ping_interval=0.02, ping_timeout=0.3)
        transport = Http2Transport(parse_target(f"http://127.0.0.1:{port}"), settings=settings)
        exchange = Exchange(transport, "POST", "/")
        async with asyncio.timeout(WAIT_S):
            await pings.wait()
        assert not exchange.over
        await transport.close()


async def test_an_idle_connection_is_closed():
    gone = asyncio.Event()

    async def talk(reader, writer):
        server = H2Server(reader, writer)
        await server.wait_for(h2.events.RequestReceived)
        server.h2.send_headers(1, [(":status", "200")], end_stream=True)
        try:
            await server.serve_on()
        finally:
            gone.set()

    async with raw_server(talk) as port:
        settings = Http2Settings(ping_interval=0.01, ping_timeout=0.3, idle_timeout=0.05)
        transport = Http2Transport(parse_target(f"http://127.0.0.1:{port}"), settings=settings)
        assert await ask(transport, "/") == ""
        async with asyncio.timeout(WAIT_S):
            await gone.wait()
        assert transport.connections == 0
        await transport.close()


async def test_a_request_body_waits_for_the_peers_window():
    async def talk(reader, writer):
        server = H2Server(reader, writer)
        await server.wait_for(h2.events.RequestReceived)
        size = 0
        while size < 65_535:
            size = sum(len(event.data) for event in await server.wait_for(h2.events.DataReceived))
            server.seen += server.h2.receive_data(await reader.read(65536)) if size < 65_535 else []
        server.h2.send_headers(1, [(":status", "200")])
        await server.serve_on()

    async with raw_server(talk) as port:
        transport = Http2Transport(parse_target(f"http://127.0.0.1:{port}"))
        exchange = Exchange(transport, "POST", "/")
        exchange.stream.send(b"x" * 1_000_000)
        await exchange.wait_for_head()
        assert exchange.stream.queued == 1_000_000 - 65_535
        await transport.close()


@pytest.mark.parametrize(
    "head", [[("x", "y")], [(":status", "abc")], [(":status", "20000")]], ids=["none", "letters", "long"]
)
async def test_a_response_without_a_proper_status_fails(head):
    async def talk(reader, writer):
        server = H2Server(reader, writer)
        await server.wait_for(h2.events.RequestReceived)
        block = server.h2.encoder.encode(head)
        await server.flush()
        writer.write(len(block).to_bytes(3) + b"\x01\x04" + (1).to_bytes(4) + block)
        await reader.read(-1)

    async with raw_server(talk) as port:
        assert "broke HTTP/2" in str(await failure_of(connect(f"http://127.0.0.1:{port}", http11=False)))


async def test_http1_reuses_its_connection():
    async with http_server(echo_app.app) as port:
        transport = Http1Transport(parse_target(f"http://127.0.0.1:{port}"))
        for _ in range(5):
            assert await ask(transport, "/sent/nothing") == "0"
        assert transport.connections == 1
        await transport.close()


async def test_http1_closes_idle_connections_and_opens_new_ones():
    async with http_server(echo_app.app) as port:
        settings = Http1Settings(idle_timeout=0.01)
        transport = Http1Transport(parse_target(f"http://127.0.0.1:{port}"), settings=settings)
        assert await ask(transport, "/sent/nothing") == "0"
        async with asyncio.timeout(WAIT_S):
            while transport.connections:
                await asyncio.sleep(0.005)
        assert await ask(transport, "/sent/nothing") == "0"
        await transport.close()


@pytest.mark.parametrize(
    ("answer", "closes"),
    [
        (b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello", False),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhelloHTTP/1.1 500 Smuggled\r\n\r\n", False),
        (b"HTTP/1.1 200 OK\r\n\r\nhello", True),
        (b"HTTP/1.0 200 OK\r\n\r\nhello", True),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nconnection: close\r\n\r\nhello", True),
    ],
    ids=["length", "trailing bytes", "until close", "1.0", "continue"],
)
async def test_http1_answers_of_every_shape(answer, closes):
    async def talk(reader, writer):
        while True:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
            if closes:
                return

    async with raw_server(talk) as port:
        transport = connect(f"http://127.0.0.1:{port}", http11=True)
        for _ in range(3):
            assert await ask(transport, "/") == "hello"
        await transport.close()


@both_versions
async def test_tls(http11, tmp_path):
    server_tls = certificate(tmp_path)
    client_tls = ssl.create_default_context(cafile=server_tls["certfile"])
    client_tls.set_alpn_protocols(["http/1.1"] if http11 else ["h2", "http/1.1"])
    async with http_server(echo_app.app, **server_tls) as port:
        transport = connect(f"https://127.0.0.1:{port}", http11=http11, tls=client_tls)
        assert await ask(transport, "/sent/nothing") == "0"
        await transport.close()
        untrusting = connect(f"https://127.0.0.1:{port}", http11=http11)
        assert "certificate" in str(await failure_of(untrusting))


async def test_tls_without_http2_is_recognised(tmp_path):
    server_tls = certificate(tmp_path)
    client_tls = ssl.create_default_context(cafile=server_tls["certfile"])
    client_tls.set_alpn_protocols(["h2", "http/1.1"])
    async with http_server(echo_app.app, alpn_protocols=["http/1.1"], **server_tls) as port:
        transport = connect(f"https://127.0.0.1:{port}", http11=False, tls=client_tls)
        assert isinstance(await failure_of(transport), Http1Answer)


def certificate(folder) -> dict[str, str]:
    """A self-signed certificate for 127.0.0.1, as settings of the server."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .sign(key, hashes.SHA256())
    )
    certfile, keyfile = folder / "cert.pem", folder / "key.pem"
    certfile.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    keyfile.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return {"certfile": str(certfile), "keyfile": str(keyfile)}
