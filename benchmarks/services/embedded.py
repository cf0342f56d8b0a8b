"""A server with the handlers of `bare_app` in its own process: `embedded.py DATA INGRESS ADMIN`."""

import asyncio
import gc
import sys
from pathlib import Path

import uvloop
from bare_app import app

from perdure.node.node import Node
from perdure.node.settings import load_settings


async def serve(data: Path, ingress: str, admin: str) -> None:
    node = Node(load_settings(None, {"ingress": ingress, "admin": admin, "data": data}))
    await node.start()
    await node.add_app("bare", app)
    # As the command line does.
    gc.collect()
    gc.freeze()
    await asyncio.Event().wait()


uvloop.run(serve(Path(sys.argv[1]), sys.argv[2], sys.argv[3]))
