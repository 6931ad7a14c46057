"""The commands of a cluster: what they listen on, what they refuse, and that they work together."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from comfygradio.demo import DemoServer
from comfygradio.settings import shipped_presets
from tests.cli.shell import ROOT, finish, start
from tests.engine.certificates import make_certificates, needs_openssl
from tests.engine.cluster import OPTIONS, Cluster, check_done, interrupt, open_cluster, open_queue
from tests.faults.world import paint
from tests.jobs.lines import free_port

COMMANDS = {
    "worker": ("worker", "--scheduler"),
    "scheduler": ("scheduler", "--address"),
    "sweep": ("sweep", "text_to_image", "--axis", "cfg=1-2", "--engine"),
    "serve": ("serve", "--port", "0", "--engine"),
}

PRELOAD = ("--preload", "comfygradio.cluster.preload")


def list_listeners(process: subprocess.Popen[str]) -> set[str]:
    """The addresses on which a process listens."""
    found = psutil.Process(process.pid).net_connections("inet")
    return {one.laddr.ip for one in found if one.status == psutil.CONN_LISTEN}


def test_every_listener_is_on_this_machine_alone(tmp_path: Path) -> None:
    with open_cluster(tmp_path, 1) as cluster:
        (worker,) = cluster.workers
        assert cluster.scheduler and worker.stdout
        assert "has" in worker.stdout.readline() and "is a lane of" in worker.stdout.readline()
        assert list_listeners(cluster.scheduler) == list_listeners(worker) == {"127.0.0.1"}


@pytest.mark.skipif(
    sys.platform != "linux", reason="all of 127.0.0.0/8 is this machine only on Linux"
)
@needs_openssl
def test_a_worker_listens_on_the_address_given(tmp_path: Path) -> None:
    """With TLS; 127.0.0.2 stands for the address of a network."""
    flags, address = make_certificates(tmp_path), f"tls://127.0.0.2:{free_port()}"
    with DemoServer(OPTIONS) as server:
        scheduler = start("scheduler", "--address", address, *flags, cwd=tmp_path)
        assert scheduler.stdout and address in scheduler.stdout.readline()
        given = ("--server", server.url, "--host", "127.0.0.3")
        worker = start("worker", "--scheduler", address, *given, *flags, cwd=tmp_path)
        assert (
            worker.stdout
            and worker.stdout.readline()
            and "is a lane of" in worker.stdout.readline()
        )
        assert list_listeners(scheduler) == {"127.0.0.1", "127.0.0.2"}
        assert list_listeners(worker) == {"127.0.0.1", "127.0.0.3"}
        plain = start(
            *COMMANDS["sweep"], f"tcp://127.0.0.2:{address.rpartition(':')[2]}", cwd=tmp_path
        )
        assert "does not answer" in finish(plain).err
        interrupt(worker)
        interrupt(scheduler)


@pytest.mark.parametrize("command", COMMANDS)
def test_an_address_that_others_reach_is_refused_without_tls(command: str, tmp_path: Path) -> None:
    answer = finish(start(*COMMANDS[command], "tcp://10.0.0.1:8786", cwd=tmp_path))
    assert answer.code == 2 and not answer.out and answer.err.count("\n") == 1
    assert "whoever reaches a Dask port runs code there" in answer.err


def test_so_is_a_worker_that_would_listen_for_others(tmp_path: Path) -> None:
    answer = finish(
        start("worker", "--scheduler", "tcp://127.0.0.1:1", "--host", "0.0.0.0", cwd=tmp_path)
    )
    assert (
        answer.code == 2
        and "whoever reaches a Dask port" in answer.err
        and answer.err.count("\n") == 1
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_without_the_extra_it_is_said_how_to_get_it(command: str, tmp_path: Path) -> None:
    script = (
        "import sys; sys.modules['distributed'] = None\n"
        "from comfygradio.cli import run_command; raise SystemExit(run_command(sys.argv[1:]))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script, *COMMANDS[command], "tcp://127.0.0.1:8786"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (ended.returncode, ended.stdout) == (2, "")
    assert (
        ended.stderr
        == 'Many machines need Dask, which is not installed: pip install "comfygradio[dask]"\n'
    )


def test_a_worker_needs_a_scheduler(tmp_path: Path) -> None:
    answer = finish(start("worker", cwd=tmp_path))
    assert answer.code == 2 and "--scheduler tls://HOST:8786" in answer.err


def test_a_taken_port_is_said(tmp_path: Path) -> None:
    with DemoServer(OPTIONS) as server:
        answer = finish(
            start("scheduler", "--address", f"tcp://127.0.0.1:{server.port}", cwd=tmp_path)
        )
    assert (
        answer.code == 2
        and answer.err.count("\n") == 1
        and "cannot listen at tcp://127.0.0.1" in answer.err
    )


def test_an_engine_brings_its_own_servers(tmp_path: Path) -> None:
    given = (*COMMANDS["sweep"], "tcp://127.0.0.1:8786", "--server", "http://127.0.0.1:8188")
    answer = finish(start(*given, cwd=tmp_path))
    assert answer.code == 2 and "--engine brings its own servers" in answer.err


def test_a_sweep_without_workers_says_how_to_start_one(tmp_path: Path) -> None:
    with open_cluster(tmp_path, 0) as cluster:
        answer = finish(
            start(*COMMANDS["sweep"], cluster.address, "--presets", shipped_presets(), cwd=tmp_path)
        )
    assert (
        answer.code == 1
        and answer.err.count("\n") == 1
        and "comfygradio worker --scheduler" in answer.err
    )


def test_a_sweep_runs_on_all_lanes(tmp_path: Path) -> None:
    with open_cluster(tmp_path, 2) as cluster:
        for worker in cluster.workers:
            assert (
                worker.stdout
                and worker.stdout.readline()
                and "is a lane of" in worker.stdout.readline()
            )
        given = (
            "sweep",
            "text_to_image",
            "--axis",
            "cfg=1-8",
            "--presets",
            shipped_presets(),
            "--out",
            "out",
        )
        process = start(*given, cwd=tmp_path, env={"COMFYGRADIO_ENGINE": cluster.address})
        answer = finish(process, 60)
        assert answer.code == 0 and len(answer.out.splitlines()) == 8, answer
        assert min(server.executions["SaveImage"] for server in cluster.servers) >= 2


def test_any_dask_worker_is_a_lane_by_one_line(tmp_path: Path) -> None:
    """As dask-jobqueue starts them."""
    with DemoServer(OPTIONS) as server, open_cluster(tmp_path, 0) as cluster:
        given = (
            "--nthreads",
            "1",
            "--no-nanny",
            "--host",
            "127.0.0.1",
            "--dashboard-address",
            "127.0.0.1:0",
        )
        worker = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "distributed.cli.dask_worker",
                cluster.address,
                *given,
                *PRELOAD,
            ],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT), "COMFYUI_URL": server.url},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        cluster.workers.append(worker)
        with open_queue(cluster.address, tmp_path / "outputs") as (queue, _):
            assert [lane.url for lane in queue.lanes] == [server.url]
            check_done(queue, [queue.submit(paint()) for _ in range(3)])


def test_a_worker_waits_for_its_scheduler_and_leaves_at_once_meanwhile(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path)
    with DemoServer(OPTIONS) as server:
        worker = cluster.start_worker(server)
        assert worker.stdout and "node classes" in worker.stdout.readline()
        assert "does not answer; trying again" in worker.stdout.readline()
        cluster.start_scheduler()
        assert "is a lane of" in worker.stdout.readline()
        assert cluster.scheduler
        cluster.kill(cluster.scheduler)
        assert "does not answer; trying again" in worker.stdout.readline()
        assert interrupt(worker) == ""


def test_a_worker_says_when_its_comfyui_is_not_there_and_when_it_is(tmp_path: Path) -> None:
    server = DemoServer(OPTIONS, port=free_port())
    with open_cluster(tmp_path, 0) as cluster:
        worker = cluster.start_worker(server)
        cluster.workers.append(worker)
        assert worker.stdout and "does not answer." in worker.stdout.readline()
        said = {worker.stdout.readline().strip() for _ in range(2)}
        assert any("is a lane of" in line for line in said) and any(
            "does not answer." in line for line in said
        )
        with server:
            assert worker.stdout.readline() == f"{server.url} answers again.\n"
            server.kill()
            assert f"ComfyUI at {server.url} does not answer." in worker.stdout.readline()
            server.start()
            assert worker.stdout.readline() == f"{server.url} answers again.\n"
        interrupt(worker)
        cluster.workers.remove(worker)
