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
from comfygradio.settings import Settings
from tests.engine.certificates import make_certificates, needs_openssl
from tests.engine.cluster import check_done, open_queue
from tests.engine.network import Host, open_network
from tests.faults.world import await_that, paint
from tests.jobs.lines import is_running, wait

COMFYUI = "http://127.0.0.1:8188"
"""Where each machine's ComfyUI is: nobody else reaches it."""


@contextmanager
def open_machines(folder: Path) -> Iterator[tuple[str, Settings, list[Host]]]:
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


def count_runs(host: Host) -> int:
    """How many pictures a machine has saved."""
    demo: subprocess.Popen[str] = host.processes[0]
    assert demo.stdin and demo.stdout
    demo.stdin.write("\n")
    demo.stdin.flush()
    return int(demo.stdout.readline())


@needs_openssl
def test_a_machine_that_is_cut_off_goes_on_with_its_jobs_when_it_is_back(tmp_path: Path) -> None:
    """Its prompts end meanwhile, and are collected: nothing runs twice."""
    with (
        open_machines(tmp_path) as (address, settings, hosts),
        open_queue(address, tmp_path / "outputs", 2, settings=settings) as (queue, _),
    ):
        assert [lane.url for lane in queue.lanes] == [
            f"http://{host.address}:8188" for host in hosts
        ]
        jobs = [queue.submit(paint(2)) for _ in range(8)]
        for job in jobs[:2]:
            wait(job, is_running)
        lost = next(host for host in hosts if host.address in jobs[0].home)
        lost.cut()
        lane = next(lane for lane in queue.lanes if lost.address in lane.url)
        began = time.monotonic()
        with pytest.raises(ServerUnreachable, match="is that machine there"):
            lane.client.queue_remaining()
        assert time.monotonic() - began < 15, "nobody waits for a machine that is gone"
        await_that(lambda: lane.trouble, 40)
        lost.join()
        check_done(queue, jobs, 90)
        await_that(lambda: not lane.trouble, 40)
        assert sum(map(count_runs, hosts)) == 8 and jobs[0].home == lane.url


@needs_openssl
def test_others_take_over_from_a_machine_that_stays_away(tmp_path: Path) -> None:
    """It comes back with prompts that somebody else has run: they count once, and it is
    used again.
    """
    with (
        open_machines(tmp_path) as (address, settings, hosts),
        open_queue(address, tmp_path / "outputs", 2, home_seconds=2.0, settings=settings) as (
            queue,
            _,
        ),
    ):
        jobs = [queue.submit(paint(1)) for _ in range(8)]
        for job in jobs[:2]:
            wait(job, is_running)
        lost, stays = hosts if hosts[0].address in jobs[0].home else hosts[::-1]
        lost.cut()
        check_done(queue, jobs, 90)
        assert stays.address in jobs[0].home
        lost.join()
        lane = next(lane for lane in queue.lanes if lost.address in lane.url)
        await_that(lambda: not lane.trouble, 60)
        more = [queue.submit(paint(0.3)) for _ in range(6)]
        check_done(queue, [*jobs, *more])
        assert (
            any(lost.address in job.home for job in more)
            and 14 <= sum(map(count_runs, hosts)) <= 16
        )
