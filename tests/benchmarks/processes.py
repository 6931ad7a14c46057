"""The processes being measured: demo server and web app, each alone so that no interpreter lock is
shared.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

START_SECONDS = 600.0
STOP_SECONDS = 10.0
COMMAND = "from comfygradio.cli.app import main; raise SystemExit(main())"
ADDRESS = re.compile(r"https?://[^\s/]+:\d+")


@dataclass(frozen=True)
class Server:
    """A running server process and its address; `addresses` are all of those that it printed."""

    url: str
    process: subprocess.Popen[str]
    addresses: tuple[str, ...] = ()

    def cpu_seconds(self) -> float:
        """Processor time of the process, all its threads; NaN where the system does not tell (only
        Linux does).
        """
        try:
            text = Path(f"/proc/{self.process.pid}/stat").read_text()
        except OSError:
            return float("nan")
        user, system = text.rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


@contextmanager
def open_demo() -> Iterator[Server]:
    """A demo server whose steps take no time."""
    with run_server("-c", COMMAND, "demo", "--port", "0", "--step-seconds", "0") as server:
        yield server


@contextmanager
def open_lab(log: Path, grain: float) -> Iterator[Server]:
    """A demo server with lab nodes that writes every frame it sends into `log`."""
    with run_server("-m", "tests.benchmarks.lab_server", str(log), str(grain)) as server:
        yield server


@contextmanager
def open_minimal_app() -> Iterator[Server]:
    """A Gradio app that does nothing."""
    with run_server("-m", "tests.benchmarks.minimal_app", str(find_port())) as server:
        yield server


@contextmanager
def open_app(
    server_url: str, presets: Path, folder: Path, checkout: Path | None = None
) -> Iterator[Server]:
    """The web app on a free port; its results and Gradio's temporary files go into `folder`.

    With a `checkout` its code is taken from there.
    """
    flags = [
        "--server",
        server_url,
        "--presets",
        str(presets),
        "--outputs",
        str(folder / "outputs"),
    ]
    uploads = folder / "gradio"
    uploads.mkdir(parents=True)
    command = ("-c", COMMAND, "serve", *flags, "--port", str(find_port()))
    with run_server(*command, uploads=uploads, checkout=checkout) as server:
        yield server


@contextmanager
def run_server(
    *arguments: str, uploads: Path | None = None, checkout: Path | None = None
) -> Iterator[Server]:
    """A Python process that prints its address; stopped like Ctrl-C at the end."""
    with tempfile.TemporaryFile("w+") as complaints:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            stdout=subprocess.PIPE,
            stderr=complaints,
            text=True,
            cwd=checkout,
            env=_make_environment(uploads) | ({"PYTHONPATH": str(checkout)} if checkout else {}),
        )
        try:
            addresses = _read_addresses(process)
            if not addresses:
                complaints.seek(0)
                raise RuntimeError(
                    f"{' '.join(arguments[:4])} did not start: {complaints.read()[-2000:]}"
                )
            yield Server(addresses[0], process, addresses)
        finally:
            stop_process(process)


def stop_process(process: subprocess.Popen[str]) -> None:
    """End a process as Ctrl-C does; after ten seconds for good."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def find_port() -> int:
    """A port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def count_files(folder: Path) -> int:
    """All files below a folder."""
    return sum(path.is_file() for path in folder.rglob("*"))


def _make_environment(uploads: Path | None) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("COMFYGRADIO_", "GRADIO_"))
    }
    kept.pop("COMFYUI_URL", None)
    return (
        kept
        | {"GRADIO_ANALYTICS_ENABLED": "False"}
        | ({"GRADIO_TEMP_DIR": str(uploads)} if uploads else {})
    )


def _read_addresses(process: subprocess.Popen[str]) -> tuple[str, ...]:
    """The addresses in the first line that the process prints with any; none if it ends or stays
    silent.
    """
    found: list[str] = []
    reader = threading.Thread(target=_scan, args=(process, found), daemon=True)
    reader.start()
    deadline = time.monotonic() + START_SECONDS
    while not found and reader.is_alive() and time.monotonic() < deadline:
        reader.join(0.05)
    return tuple(ADDRESS.findall(found[0])) if found else ()


def _scan(process: subprocess.Popen[str], found: list[str]) -> None:
    """Read until the end, so that the process never blocks on a full pipe."""
    for line in process.stdout or ():
        if ADDRESS.search(line):
            found.append(line)
