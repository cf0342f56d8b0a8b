"""The handlers of `own_app` behind the SDK's own server: `own_server.py PORT`."""

import asyncio
import logging
import sys

from own_app import app

logging.basicConfig(level=logging.CRITICAL)
asyncio.run(app.serve(int(sys.argv[1])))
