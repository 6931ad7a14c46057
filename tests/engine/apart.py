"""A cluster of machines that are apart, with TLS; one is cut off from the network, and comes back.

`test_network.py` runs these tests in a network namespace of their own.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from comfygradio.errors import ServerUnreachable
from comfygradio.jobs.job import Job
from comfygradio.jobs.job_queue import JobQueue
from comfygradio.settings import Settings
from tests.clocks import HANG_SECONDS
from tests.engine.certificates import make_certificates, needs_openssl
from tests.engine.cluster import HELD_SECONDS, await_that, check_done, open_queue, wait
from tests.engine.demo import SLEEP, WAKE
from tests.engine.network import Host, open_network
from tests.faults.scenario import make_unique_order
from tests.jobs.lines import is_running

Machines = tuple[str, Settings, list[Host]]

COMFYUI = "http://127.0.0.1:8188"
"""Where each machine's ComfyUI is: nobody else reaches it."""


@contextmanager
def open_machines(folder: Path) -> Iterator[Machines]:
    """A scheduler and two machines with a ComfyUI and a worker each: its address, our certificates,
    the two.
    """
    flags = make_certificates(folder)
    ca, certificate, key = (Path(flag) for flag in flags[1::2])
    with open_network(3) as (_, (head, *hosts)):
        address = f"tls://{head.address}:8786"
        head.run("-m", "comfygradio", "scheduler", "--address", address, *flags, folder=folder)
        for host in hosts:
            demo = host.run("-m", "tests.engine.demo", "8188", folder=folder)
            assert demo.stdout and demo.stdout.readline().strip() == COMFYUI
            given = ("--scheduler", address, "--server", COMFYUI)
            host.run("-m", "comfygradio", "worker", *given, *flags, folder=folder)
        yield address, Settings(tls_ca=ca, tls_cert=certificate, tls_key=key), hosts


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    """The same machines for all tests; each of them leaves them connected."""
    with open_machines(tmp_path_factory.mktemp("machines")) as machines:
        yield machines


def count_runs(host: Host, order: str = "") -> int:
    """How many pictures a machine has saved; its demo server follows the order first."""
    demo: subprocess.Popen[str] = host.processes[0]
    assert demo.stdin and demo.stdout
    demo.stdin.write(f"{order}\n")
    demo.stdin.flush()
    return int(demo.stdout.readline())


def submit_held(queue: JobQueue, hosts: list[Host], count: int) -> list[Job]:
    """So many jobs; the first one of every machine runs until the machine is told to wake."""
    for host in hosts:
        count_runs(host, SLEEP)
    held = [queue.submit(make_unique_order(HELD_SECONDS)) for _ in hosts]
    for job in held:
        wait(job, is_running)
    return [*held, *(queue.submit(make_unique_order()) for _ in range(count - len(held)))]


def wake(hosts: list[Host]) -> None:
    """Let the jobs end that are held, on machines that are cut off too."""
    for host in hosts:
        count_runs(host, WAKE)


@needs_openssl
def test_a_machine_that_is_cut_off_goes_on_with_its_jobs_when_it_is_back(
    machines: Machines, tmp_path: Path
) -> None:
    """Its prompts end meanwhile, and are collected: nothing runs twice."""
    address, settings, hosts = machines
    before = sum(map(count_runs, hosts))
    with open_queue(address, tmp_path / "outputs", 2, settings=settings) as (queue, _):
        assert [backend.url for backend in queue.backends] == [
            f"http://{host.address}:8188" for host in hosts
        ]
        jobs = submit_held(queue, hosts, 8)
        lost = next(host for host in hosts if host.address in jobs[0].backend_url)
        lost.cut()
        backend = next(backend for backend in queue.backends if lost.address in backend.url)
        began = time.monotonic()
        with pytest.raises(ServerUnreachable, match="is that machine there"):
            backend.client.queue_remaining()
        waited = time.monotonic() - began
        assert waited < HANG_SECONDS, "nobody waits for a machine that is gone"
        await_that(lambda: backend.trouble)
        wake(hosts)
        lost.join()
        check_done(queue, jobs)
        await_that(lambda: not backend.trouble)
        assert sum(map(count_runs, hosts)) - before == 8 and jobs[0].backend_url == backend.url


@needs_openssl
def test_others_take_over_from_a_machine_that_stays_away(
    machines: Machines, tmp_path: Path
) -> None:
    """It comes back with prompts that somebody else has run: they count once, and it is
    used again.
    """
    address, settings, hosts = machines
    before = sum(map(count_runs, hosts))
    outputs = tmp_path / "outputs"
    with open_queue(address, outputs, 2, affinity_seconds=2.0, settings=settings) as (queue, _):
        jobs = submit_held(queue, hosts, 8)
        lost, stays = hosts if hosts[0].address in jobs[0].backend_url else hosts[::-1]
        lost.cut()
        wake(hosts)
        check_done(queue, jobs)
        assert stays.address in jobs[0].backend_url
        lost.join()
        backend = next(backend for backend in queue.backends if lost.address in backend.url)
        await_that(lambda: not backend.trouble)
        more = [queue.submit(make_unique_order(0.3)) for _ in range(6)]
        check_done(queue, [*jobs, *more])
        assert any(lost.address in job.backend_url for job in more)
        assert 14 <= sum(map(count_runs, hosts)) - before <= 16
