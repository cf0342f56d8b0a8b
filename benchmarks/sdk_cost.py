"""What one invocation costs our SDK alone: processor time of its attempts, without any server.

`python benchmarks/sdk_cost.py [--tree DIR]...` compares source trees, in turn.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

from contestants import ROOT, SERVICES


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tree", type=Path, action="append", help="source trees to compare; this one if none is given")
    parser.add_argument("--turns", type=int, default=5, help="processes of each tree")
    parser.add_argument("--rounds", type=int, default=5, help="within each process")
    options = parser.parse_args()
    trees = [tree.resolve() for tree in options.tree or [ROOT]]
    found: dict[tuple[str, Path], list[float]] = {}
    for _ in range(options.turns):
        for tree in trees:
            for call, costs in _measure(tree, options.rounds).items():
                found.setdefault((call, tree), []).extend(costs)
    for call in dict.fromkeys(call for call, _ in found):
        for tree in trees:
            costs = found[call, tree]
            print(f"{call:9} {tree.name:12} {statistics.median(costs):7.1f} µs (least {min(costs):7.1f})")
    return 0


def _measure(tree: Path, rounds: int) -> dict[str, list[float]]:
    command = [sys.executable, str(SERVICES / "attempts.py"), str(rounds)]
    environment = {**os.environ, "PYTHONPATH": str(tree / "src")}
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    costs: dict[str, list[float]] = json.loads(done.stdout)
    return costs


if __name__ == "__main__":
    sys.exit(main())
