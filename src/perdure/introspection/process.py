"""The process that answers queries: `python -m perdure.introspection.process FD`, a socket to the server.

It ends with the server, whose end of the socket closes then.
"""

import logging
import os
import resource
import signal
import sys
import traceback
from collections.abc import Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

import apsw

from perdure.introspection.link import (
    Answer,
    Ask,
    Attempts,
    Begin,
    Ready,
    Refusal,
    Reply,
    WantAttempts,
    pack,
    unpack_question,
)
from perdure.introspection.problems import QueryError
from perdure.introspection.reader import Reader
from perdure.introspection.result import QueryLimits, QueryResult, too_much_memory
from perdure.model.invocation import OpenAttempt
from perdure.model.registry import Registry

_NICENESS: Final = 10
"""Gets about a tenth of a processor that the server wants too, and all of one that is idle."""
_OOM_SCORE: Final = 500
"""When memory runs out the kernel ends this process before the server."""


def main() -> None:
    # The terminal tells every process of its group; the server ends this one when it has no more use for it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # The translator logs what it finds odd in a query; whoever asked is told.
    logging.getLogger("sqlglot").setLevel(logging.CRITICAL)
    connection = Connection(int(sys.argv[1]))
    try:
        _serve(connection)
    except (EOFError, ConnectionError):
        pass


def _serve(connection: Connection) -> None:
    begin = unpack_question(connection.recv_bytes())
    assert isinstance(begin, Begin)
    _restrain(begin.limits)

    def ask_attempts() -> Mapping[int, OpenAttempt | None]:
        _send(connection, WantAttempts())
        told = unpack_question(connection.recv_bytes())
        assert isinstance(told, Attempts)
        return told.open

    try:
        reader = Reader(Path(begin.path), begin.server_version, begin.limits, ask_attempts)
    except QueryError as error:
        _send(connection, Refusal(error.code, str(error)))
        return
    _send(connection, Ready())
    registry = Registry({}, {}, {})
    while True:
        asked = unpack_question(connection.recv_bytes())
        assert isinstance(asked, Ask)
        if asked.services is not None:
            registry = Registry({}, asked.services, {})
        try:
            answer = _answer(reader, asked, registry, begin.limits)
        except QueryError as error:
            _send(connection, Refusal(error.code, str(error)))
            continue
        _send(connection, Answer(answer.columns, answer.media_type))
        connection.send_bytes(answer.body)


def _answer(reader: Reader, asked: Ask, registry: Registry, limits: QueryLimits) -> QueryResult:
    text = asked.text.decode("utf-8", "surrogatepass")
    try:
        return reader.answer(text, asked.shape, asked.now, registry)
    except MemoryError:
        raise too_much_memory(limits) from None
    except (QueryError, EOFError, ConnectionError):
        raise  # a refusal, or the server is gone
    except Exception as error:
        # A defect, in this code or in a library that met an odd query: the next query is none the worse for it.
        traceback.print_exc()
        raise QueryError(f"an internal error, {type(error).__name__}; the server's log has the details") from error


def _send(connection: Connection, reply: Reply) -> None:
    connection.send_bytes(pack(reply))


def _restrain(limits: QueryLimits) -> None:
    """Makes sure that no query can take the processor or the memory from the server."""
    os.nice(_NICENESS)
    apsw.hard_heap_limit(limits.working_bytes)
    # Rows as objects, the answer in pieces and as a whole, and the interpreter itself.
    whole = limits.working_bytes + 4 * limits.bytes + 256 * 2**20
    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    if most == resource.RLIM_INFINITY or most > whole:
        resource.setrlimit(resource.RLIMIT_DATA, (whole, whole))
    try:
        Path("/proc/self/oom_score_adj").write_text(str(_OOM_SCORE), encoding="ascii")
    except OSError:
        pass  # not Linux, or not allowed: then the kernel decides alone


if __name__ == "__main__":
    main()
