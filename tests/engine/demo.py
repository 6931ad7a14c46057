"""A demo server to be killed or cut off: `python -m tests.engine.demo PORT`. A line on stdin asks
for its count of saved pictures.
"""

from __future__ import annotations

import sys

from comfygradio.demo import DemoServer
from tests.engine.cluster import OPTIONS


def main(port: str) -> None:
    """Runs until stdin ends."""
    with DemoServer(OPTIONS, port=int(port)) as server:
        print(server.url, flush=True)
        for _ in sys.stdin:
            print(server.executions["SaveImage"], flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
