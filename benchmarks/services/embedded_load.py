"""Engine, handlers and callers in one process: `embedded_load.py --data FOLDER` and what `load.py` takes, but no port.

The callers are tasks that use the engine's own client, as a program does that embeds Perdure.
"""

import asyncio
import gc
import json
import os
import resource
import sys
import time
from pathlib import Path

import uvloop

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from own_app import app

from load import Run, arguments, measure
from perdure.client import Client
from perdure.embedded import Embedded


async def call(client: Client, run: Run, path: str, body: str) -> None:
    """One caller: calls, waits for the answer, calls again."""
    service, *key, handler = path.strip("/").split("/")
    value = json.loads(body)
    while run.take():
        sent_at = time.perf_counter()
        try:
            await client.call(f"{service}/{handler}", value, key=key[0] if key else None)
        except Exception as error:
            run.fail(repr(error)[:300])
        else:
            if run.measuring:
                run.latencies.append(time.perf_counter() - sent_at)


async def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--data", required=True)
    options = parser.parse_args()
    tasks = []
    async with Embedded(app, data=options.data) as engine:
        # As docs/howto/embedding.md advises to programs that live for their engine, and as the server does for itself.
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 20)

        async def start(run: Run) -> None:
            for number in range(options.callers):
                run.join()
                path = options.path.replace("{caller}", str(number))
                tasks.append(asyncio.ensure_future(call(engine.client, run, path, options.body)))

        found = await measure(options, {"server": [os.getpid()]}, start)
        await asyncio.gather(*tasks)
    # All of it is one process: what the handlers and the load took is in the server's.
    found["cpu"] |= {"service": 0.0, "load": 0.0}
    found["peak_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(found))


uvloop.run(main())
