"""Many jobs of many people on servers that keep failing: `python -m tests.benchmarks.soak --jobs
2000`.

Each server is a process of its own behind a faulty line. Every second or so something goes wrong: a
server is killed and starts again empty, its WebSockets are cut, muted or truncated, an answer is
lost or is an error, it refuses or falls silent for a moment; now and then a person stops a job. At
the end: every job has ended, none was posted again without having been lost, every file is there
once, and the memory has not grown.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from comfygradio.comfy.client import ComfyClient
from comfygradio.comfy.timers import PollTimings
from comfygradio.demo import DemoOptions, DemoServer
from comfygradio.jobs.backend import Backend
from comfygradio.jobs.job import Job
from comfygradio.jobs.job_queue import JobQueue
from comfygradio.jobs.job_store import JobStore
from tests.benchmarks.figures import Goal, describe_spread
from tests.faults.faulty_proxy import FaultyProxy
from tests.faults.http_fault import (
    drop_request,
    drop_response,
    fake_response,
    replace_response,
    trickle_response,
    truncate_body,
)
from tests.jobs.lines import count_files, draw, free_port

PATIENCE = PollTimings(0.5, 1.0, 0.05, 0.2, (0.1, 0.2, 0.4, 0.8), renewal=1.0)
OPEN = 150
"""Jobs that wait or run at once."""


@dataclass
class Machine:
    """One server process on a port of its own, with the line before it."""

    port: int
    line: FaultyProxy
    folder: Path
    process: subprocess.Popen[str] | None = None
    lives: list[Counter[str]] = field(default_factory=list)
    """For each start, how often the server took a prompt, by its id."""

    def start(self) -> None:
        """Start it and wait until it answers."""
        command = [
            sys.executable,
            "-m",
            "tests.benchmarks.soak",
            "--serve",
            str(self.port),
            "--folder",
            str(self.folder),
        ]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout and self.process.stdout.readline()
        self.line.posted = Counter()
        self.lives.append(self.line.posted)

    def restart(self) -> None:
        """Kill it and start it again, empty."""
        self.kill()
        self.start()

    def kill(self) -> None:
        """SIGKILL."""
        if self.process:
            self.process.kill()
            self.process.communicate()


@dataclass
class Trouble(threading.Thread):
    """Makes things go wrong until it is ended."""

    machines: list[Machine]
    chance: random.Random
    pause: float
    done: Counter[str] = field(default_factory=Counter)
    ended: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        super().__init__(daemon=True)

    def __hash__(self) -> int:
        return id(self)

    def run(self) -> None:
        """One fault after the other."""
        while not self.ended.wait(self.chance.uniform(0.3, 1.7) * self.pause):
            machine = self.chance.choice(self.machines)
            name, act = self.chance.choice(list(self.list_faults(machine).items()))
            self.done[name] += 1
            act()

    def list_faults(self, machine: Machine) -> dict[str, Callable[[], object]]:
        """What can go wrong with one server."""
        line = machine.line
        faults = {
            "502": fake_response(502),
            "502 late": replace_response(fake_response(502)),
            "request lost": drop_request,
            "answer lost": drop_response,
            "cut": truncate_body,
            "slow": trickle_response,
        }
        name, fault = self.chance.choice(list(faults.items()))
        call = self.chance.choice(["POST /prompt", "GET /history", "GET /queue", "GET /ws"])
        return {
            "killed": machine.restart,
            "sockets cut": line.cut_sockets,
            "sockets muted": line.mute_sockets,
            "sockets truncated": line.truncate_sockets,
            "refused": lambda: self.interrupt(line.stop_listening, line.start_listening),
            "silent": lambda: self.interrupt(line.pause, line.resume),
            f"{call} {name}": lambda: line.inject(call, fault),
        }

    def interrupt(self, begin: Callable[[], None], end: Callable[[], None]) -> None:
        """Something that lasts half a second."""
        begin()
        self.ended.wait(0.5)
        end()


def read_rss() -> float:
    """Resident memory of this process in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def work(
    queue: JobQueue, count: int, people: int, chance: random.Random, marks: dict[int, float]
) -> list[str]:
    """Order jobs and wait until every one is over; the tokens.

    `marks` gets the memory at each thousand.
    """
    tokens: list[str] = []
    opened: dict[str, tuple[Job, Callable[[], None]]] = {}
    ended, changed, quiet_since = 0, threading.Event(), time.monotonic()
    while ended < count:
        while len(tokens) < count and len(opened) < OPEN:
            owner = f"user:{chance.randrange(people)}"
            job = queue.submit(
                draw(len(tokens), chance.choice([0.0, 0.0, 0.05])), owner, chance.randrange(2)
            )
            tokens.append(job.token)
            opened[job.token] = job, job.listen(changed.set)
            if chance.random() < 0.02:
                threading.Timer(chance.random() * 3, queue.stop, [job.token]).start()
        changed.wait(0.5)
        changed.clear()
        over = [token for token, (job, _) in opened.items() if job.snapshot.is_over]
        for token in over:
            _, unlisten = opened.pop(token)
            unlisten()
            ended += 1
            if ended % 1000 == 0:
                marks[ended] = read_rss()
                print(
                    f"{ended} jobs are over, {marks[ended]:.0f} MB, {threading.active_count()} "
                    "threads",
                    flush=True,
                )
        quiet_since = time.monotonic() if over else quiet_since
        if time.monotonic() - quiet_since > 120:
            print(
                f"{len(opened)} jobs never ended: "
                f"{[job.snapshot for job, _ in opened.values()][:3]}",
                flush=True,
            )
            break
    return tokens


def report(
    queue: JobQueue, tokens: list[str], lives: list[Counter[str]], marks: dict[int, float]
) -> list[Goal]:
    """The figures.

    A server loses a prompt only by its end, so none may be taken twice within one life.
    """
    records = [record for record in map(queue.store.find, tokens) if record]
    phases = Counter(record.phase for record in records)
    posted = sum(lives, Counter[str]())
    again = [record for record in records if any(life[record.id] > 1 for life in lives)]
    made = sum(len(record.results) for record in records)
    files = [path for record in records for result in record.results if (path := result.path)]
    waits = describe_spread([record.ended - record.created for record in records if record.ended])
    errors = Counter(record.error.partition(" http")[0][:60] for record in records if record.error)
    print(
        f"phases {dict(phases)}; posted {posted.total()} times, lost "
        f"{sum(r.attempts for r in records)} times"
    )
    print(
        f"seconds from order to end: median {waits.median:.1f}, p95 {waits.p95:.1f}, largest "
        f"{waits.largest:.1f}"
    )
    print(f"errors {dict(errors)}")
    for record in again[:5]:
        print(f"  posted {posted[record.id]} times, lost {record.attempts} times: {record}"[:300])
    lacking = sum(record.phase == "done" and not record.results for record in records)
    goals = [
        Goal(
            "jobs that never ended",
            len(tokens) - sum(phases[p] for p in ("done", "failed", "stopped")),
            0,
            "jobs",
        ),
        Goal("jobs taken twice in one life of a server", len(again), 0, "jobs"),
        Goal("done jobs without a result", lacking, 0, "jobs"),
        Goal("files missing", sum(not path.is_file() for path in files), 0, "files"),
        Goal("files too many", count_files(queue.outputs) - len(files), 0, "files"),
        Goal("results that were not fetched", made - len(files), phases["failed"], "results"),
    ]
    if 1000 in marks and len(marks) > 1:
        goals.append(
            Goal(
                "growth of memory after the first thousand",
                marks[max(marks)] / marks[1000],
                1.1,
                "times",
            )
        )
    return goals


def soak(options: argparse.Namespace, outputs: Path) -> list[Goal]:
    """Everything from the start of the servers to the figures."""
    chance = random.Random(options.seed)
    with ExitStack() as stack:
        machines = []
        for port in [free_port() for _ in range(options.servers)]:
            machine = Machine(
                port,
                stack.enter_context(FaultyProxy(f"http://127.0.0.1:{port}")),
                outputs.parent / f"server-{port}",
            )
            stack.callback(machine.kill)
            machine.start()
            machines.append(machine)
        store = JobStore.open(outputs)
        stack.callback(store.close)
        clients = [
            ComfyClient(one.line.url, patience=PATIENCE, timeout_seconds=10) for one in machines
        ]
        queue = JobQueue(
            [Backend(stack.enter_context(client)) for client in clients], store, outputs
        )
        stack.callback(queue.close)
        trouble = Trouble(machines, random.Random(options.seed), options.pause)
        trouble.start()
        stack.callback(trouble.ended.set)
        marks: dict[int, float] = {}
        tokens = work(queue, options.jobs, options.people, chance, marks)
        print(
            f"faults {dict(trouble.done)}; lives of the servers "
            f"{[len(one.lives) for one in machines]}"
        )
        trouble.ended.set()
        trouble.join()
        return report(queue, tokens, [life for one in machines for life in one.lives], marks)


def serve(port: int, folder: Path) -> None:
    """The server process; its files outlive it."""
    with DemoServer(
        DemoOptions(step_seconds=0.0, lab_nodes=True), port=port, folder=folder
    ) as server:
        print(server.url, flush=True)
        threading.Event().wait()


def main() -> None:
    """Run it and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=2000)
    parser.add_argument("--people", type=int, default=50)
    parser.add_argument("--servers", type=int, default=3)
    parser.add_argument(
        "--pause", type=float, default=1.0, help="seconds between faults, on average"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.serve, options.folder)
        return
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        goals = soak(options, Path(folder) / "outputs")
    print(f"{options.jobs} jobs in {time.monotonic() - began:.0f} s")
    print("\n".join(map(str, goals)))
    sys.exit(not all(goal.met for goal in goals))


if __name__ == "__main__":
    main()
