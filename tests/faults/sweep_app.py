"""An app with a sweep, to be killed: `python -m tests.faults.sweep_app URL OUTPUTS DEFINITION` runs
for ever.

It goes on with the sweep of the outputs folder, and begins the definition where there is none. How
many points are done is printed whenever that changes.
"""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path

from tests.faults.scenario import open_queue
from tests.sweeps.running import bind, take_up, write_preset


def main(url: str, outputs: str, definition: str) -> None:
    """Runs until killed."""
    folder = Path(outputs)
    with open_queue(folder, url) as queue:
        sweeps = take_up(queue, bind(write_preset(folder.parent / "presets"), queue))
        records = sweeps.list_sweeps("anna")
        sweep = (
            sweeps.find(records[0].token)
            if records
            else sweeps.start(json.loads(definition), "anna")
        )
        assert sweep
        changed, told = threading.Event(), -1
        sweep.listen(changed.set)
        while True:
            if sweep.counts.done != told:
                told = sweep.counts.done
                print(json.dumps([sweep.token, sweep.phase, told]), flush=True)
            changed.wait(1.0)
            changed.clear()


if __name__ == "__main__":
    main(*sys.argv[1:])
