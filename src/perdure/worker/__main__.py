"""`python -m perdure.worker`."""

import sys

from perdure.worker.main import main

sys.exit(main(sys.argv[1:]))
