"""The commands of a cluster: what they listen on, what they refuse, and that they work together."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from comfygradio.demo import DemoServer
from comfygradio.settings import shipped_presets
from tests.cli.shell import ROOT, Shell, finish, start
from tests.clocks import HANG_SECONDS
from tests.engine.certificates import make_certificates, needs_openssl
from tests.engine.cluster import (
    OPTIONS,
    Cluster,
    check_done,
    interrupt,
    open_cluster,
    open_queue,
    read_line,
)
from tests.faults.scenario import make_unique_order
from tests.jobs.lines import free_port

COMMANDS = {
    "worker": ("worker", "--scheduler"),
    "scheduler": ("scheduler", "--address"),
    "sweep": ("sweep", "text_to_image", "--axis", "cfg=1-2", "--engine"),
    "serve": ("serve", "--port", "0", "--engine"),
}

EVERY_COMMAND = [
    pytest.param(command, marks=pytest.mark.app if command == "serve" else ())
    for command in COMMANDS
]
"""Where they are refused inside this process; `serve` brings Gradio with it."""

PRELOAD = ("--preload", "comfygradio.cluster.preload")


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A scheduler without workers; whoever starts one ends it too."""
    with open_cluster(tmp_path_factory.mktemp("bare"), 0) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Two backends, which have joined."""
    with open_cluster(tmp_path_factory.mktemp("pair"), 2) as cluster:
        for worker in cluster.workers:
            assert "has" in read_line(worker) and "is a backend of" in read_line(worker)
        yield cluster


def list_listeners(process: subprocess.Popen[str]) -> set[str]:
    """The addresses on which a process listens."""
    found = psutil.Process(process.pid).net_connections("inet")
    return {one.laddr.ip for one in found if one.status == psutil.CONN_LISTEN}


@pytest.mark.process
def test_every_listener_is_on_this_machine_alone(pair: Cluster) -> None:
    assert pair.scheduler
    for process in (pair.scheduler, *pair.workers):
        assert list_listeners(process) == {"127.0.0.1"}


@pytest.mark.process
@pytest.mark.skipif(
    sys.platform != "linux", reason="all of 127.0.0.0/8 is this machine only on Linux"
)
@needs_openssl
def test_a_worker_listens_on_the_address_given(tmp_path: Path) -> None:
    """With TLS; 127.0.0.2 stands for the address of a network."""
    flags, address = make_certificates(tmp_path), f"tls://127.0.0.2:{free_port()}"
    with DemoServer(OPTIONS) as server:
        scheduler = start("scheduler", "--address", address, *flags, cwd=tmp_path)
        assert address in read_line(scheduler)
        plain = start(
            *COMMANDS["sweep"], f"tcp://127.0.0.2:{address.rpartition(':')[2]}", cwd=tmp_path
        )
        given = ("--server", server.url, "--host", "127.0.0.3")
        worker = start("worker", "--scheduler", address, *given, *flags, cwd=tmp_path)
        assert read_line(worker) and "is a backend of" in read_line(worker)
        assert list_listeners(scheduler) == {"127.0.0.1", "127.0.0.2"}
        assert list_listeners(worker) == {"127.0.0.1", "127.0.0.3"}
        assert "does not answer" in finish(plain, HANG_SECONDS).err
        interrupt(worker)
        interrupt(scheduler)


@pytest.mark.parametrize("command", EVERY_COMMAND)
def test_an_address_that_others_reach_is_refused_without_tls(command: str, shell: Shell) -> None:
    answer = shell(*COMMANDS[command], "tcp://10.0.0.1:8786")
    assert answer.code == 2 and not answer.out and answer.err.count("\n") == 1
    assert "whoever reaches a Dask port runs code there" in answer.err


def test_so_is_a_worker_that_would_listen_for_others(shell: Shell) -> None:
    answer = shell("worker", "--scheduler", "tcp://127.0.0.1:1", "--host", "0.0.0.0")
    assert (
        answer.code == 2
        and "whoever reaches a Dask port" in answer.err
        and answer.err.count("\n") == 1
    )


@pytest.mark.parametrize("command", EVERY_COMMAND)
def test_without_the_extra_it_is_said_how_to_get_it(
    command: str, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    answer = shell(*COMMANDS[command], "tcp://127.0.0.1:8786")
    assert (answer.code, answer.out) == (2, "")
    assert (
        answer.err
        == 'Many machines need Dask, which is not installed: pip install "comfygradio[dask]"\n'
    )


def test_a_worker_needs_a_scheduler(shell: Shell) -> None:
    answer = shell("worker")
    assert answer.code == 2 and "--scheduler tls://HOST:8786" in answer.err


@pytest.mark.process
def test_a_taken_port_is_said(tmp_path: Path) -> None:
    with DemoServer(OPTIONS) as server:
        address = f"tcp://127.0.0.1:{server.port}"
        answer = finish(start("scheduler", "--address", address, cwd=tmp_path), HANG_SECONDS)
    assert (
        answer.code == 2
        and answer.err.count("\n") == 1
        and "cannot listen at tcp://127.0.0.1" in answer.err
    )


def test_an_engine_brings_its_own_servers(shell: Shell) -> None:
    given = (*COMMANDS["sweep"], "tcp://127.0.0.1:8786", "--server", "http://127.0.0.1:8188")
    answer = shell(*given)
    assert answer.code == 2 and "--engine brings its own servers" in answer.err


@pytest.mark.process
def test_a_sweep_without_workers_says_how_to_start_one(bare: Cluster, tmp_path: Path) -> None:
    """After the time that a worker may need to join."""
    given = (*COMMANDS["sweep"], bare.address, "--presets", shipped_presets())
    answer = finish(start(*given, cwd=tmp_path), HANG_SECONDS)
    assert (
        answer.code == 1
        and answer.err.count("\n") == 1
        and "comfygradio worker --scheduler" in answer.err
    )


@pytest.mark.process
def test_a_sweep_runs_on_all_backends(pair: Cluster, tmp_path: Path) -> None:
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
    process = start(*given, cwd=tmp_path, env={"COMFYGRADIO_ENGINE": pair.address})
    answer = finish(process, HANG_SECONDS)
    assert answer.code == 0 and len(answer.out.splitlines()) == 8, answer
    assert min(server.executions["SaveImage"] for server in pair.servers) >= 2


@pytest.mark.process
def test_any_dask_worker_is_a_backend_by_one_line(bare: Cluster, tmp_path: Path) -> None:
    """As dask-jobqueue starts them."""
    with DemoServer(OPTIONS) as server, ExitStack() as stack:
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
                bare.address,
                *given,
                *PRELOAD,
            ],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT), "COMFYUI_URL": server.url},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        stack.callback(bare.kill, worker)
        queue, _ = stack.enter_context(open_queue(bare.address, tmp_path / "outputs"))
        assert [backend.url for backend in queue.backends] == [server.url]
        check_done(queue, [queue.submit(make_unique_order()) for _ in range(3)])


@pytest.mark.process
def test_a_worker_waits_for_its_scheduler_and_leaves_at_once_meanwhile(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path)
    with DemoServer(OPTIONS) as server, ExitStack() as stack:
        stack.callback(cluster.close)
        worker = cluster.start_worker(server)
        cluster.workers.append(worker)
        assert "node classes" in read_line(worker)
        assert "does not answer; trying again" in read_line(worker)
        cluster.start_scheduler()
        assert "is a backend of" in read_line(worker)
        assert cluster.scheduler
        cluster.kill(cluster.scheduler)
        assert "does not answer; trying again" in read_line(worker)
        assert interrupt(worker) == ""


@pytest.mark.process
def test_a_worker_says_when_its_comfyui_is_not_there_and_when_it_is(bare: Cluster) -> None:
    server = DemoServer(OPTIONS, port=free_port())
    worker = bare.start_worker(server)
    with ExitStack() as stack:
        stack.callback(bare.kill, worker)
        assert "does not answer." in read_line(worker)
        said = {read_line(worker).strip() for _ in range(2)}
        assert any("is a backend of" in line for line in said)
        assert any("does not answer." in line for line in said)
        stack.enter_context(server)
        assert read_line(worker) == f"{server.url} answers again.\n"
        server.kill()
        assert f"ComfyUI at {server.url} does not answer." in read_line(worker)
        server.start()
        assert read_line(worker) == f"{server.url} answers again.\n"
        interrupt(worker)
