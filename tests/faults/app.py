"""An app to be killed: `python -m tests.faults.app URL OUTPUTS GRAPHS NAMES [BYTES]` queues the
graphs and waits.

With BYTES, no file of this process may grow beyond that once the jobs are ordered, as on a full
disk. Every phase is printed as it comes. A line on stdin is the token of a job to be stopped.
"""

from __future__ import annotations

import json
import resource
import signal
import sys
import threading
from pathlib import Path

from comfygradio.jobs.job_queue import JobQueue
from tests.faults.scenario import make_graph_order, open_queue
from tests.jobs.lines import is_over, wait


def stop_jobs_from_stdin(queue: JobQueue) -> None:
    """Do as stdin says."""
    for line in sys.stdin:
        queue.stop(line.strip())


def main(url: str, outputs: str, graphs: str, names: str, limit: str = "") -> None:
    """Runs until killed."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    with open_queue(Path(outputs), url, names=names) as queue:
        jobs = [queue.submit(make_graph_order(graph), "anna") for graph in json.loads(graphs)]
        if limit:
            resource.setrlimit(
                resource.RLIMIT_FSIZE, (int(limit), resource.getrlimit(resource.RLIMIT_FSIZE)[1])
            )
        for job in jobs:
            print(job.token, flush=True)
        threading.Thread(target=stop_jobs_from_stdin, args=(queue,), daemon=True).start()
        for job in jobs:
            print(
                json.dumps([job.token, (end := wait(job, is_over)).phase, end.error]),
                flush=True,
            )
        threading.Event().wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
