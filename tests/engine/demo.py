"""A demo server to be killed or cut off: `python -m tests.engine.demo PORT`.

Every line on stdin is answered by its count of saved pictures; the line WAKE ends what sleeps, the
line SLEEP lets the next ones sleep again.
"""

from __future__ import annotations

import sys

from comfygradio.demo import DemoServer
from tests.engine.cluster import OPTIONS

WAKE = "wake"
SLEEP = "sleep"


def main(port: str) -> None:
    """Runs until stdin ends."""
    with DemoServer(OPTIONS, port=int(port)) as server:
        print(server.url, flush=True)
        for line in sys.stdin:
            if line.strip() == WAKE:
                server.set_skip_waits()
            if line.strip() == SLEEP:
                server.set_skip_waits(False)
            print(server.executions["SaveImage"], flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
