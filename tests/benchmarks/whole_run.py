"""What a whole `comfygradio run` takes, as a process: `python -m tests.benchmarks.whole_run`.

Seconds from its start to its end, and of processor time, for one small picture on a demo server
whose steps take no time. --checkout DIR (repeatable) runs the code of another folder in turn with
this one's. --beside COMMAND runs another program in turn; {host}, {port} and {workflow} in it are
filled in. Bytecode is kept, as that of every installed program is.
"""

from __future__ import annotations

import argparse
import os
import resource
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from tests.benchmarks.figures import Row, format_table, percentile
from tests.benchmarks.presets import write_color_preset
from tests.benchmarks.processes import COMMAND, open_demo

HERE = Path(__file__).parent.parent.parent


def make_command(checkout: Path, url: str, folder: Path) -> list[str]:
    """`comfygradio run` with the code of a checkout; the color is added at the end."""
    code = f"import sys; sys.path.insert(0, {str(checkout)!r}); {COMMAND}"
    flags = ["--server", url, "--presets", str(folder / "presets"), "--out", str(folder / "made")]
    return [sys.executable, "-c", code, "run", "color", *flags]


def run_once(command: Sequence[str], environ: Mapping[str, str], folder: Path) -> list[float]:
    """Seconds and seconds of processor time of a process. Raises CalledProcessError."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    subprocess.run(command, env=environ, cwd=folder, capture_output=True, check=True)
    seconds = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    user = after.ru_utime - before.ru_utime
    system = after.ru_stime - before.ru_stime
    return [seconds, user + system]


def measure(
    programs: Mapping[str, Sequence[str]], beside: Sequence[str], runs: int, folder: Path
) -> dict[str, list[list[float]]]:
    """The times of each program by its name; they run in turn."""
    environ = dict(os.environ, PYTHONPYCACHEPREFIX=str(folder / "bytecode"))
    environ.pop("PYTHONDONTWRITEBYTECODE", None)
    times: dict[str, list[list[float]]] = {}
    color = 0
    for number in range(runs + 1):
        turn: dict[str, Sequence[str]] = {}
        for name, command in programs.items():
            color += 1  # a picture that was made before would come from the server's cache
            turn[name] = [*command, f"color={color}"]
        if beside:
            turn[beside[0]] = beside
        for name, command in turn.items():
            took = run_once(command, environ, folder)
            if number > 0:  # the first run writes the bytecode
                times.setdefault(name, []).append(took)
    return times


def fill_command(text: str, url: str, workflow: Path) -> list[str]:
    """The command of another program, with the server's address and a workflow in API format."""
    address = urlsplit(url)
    filled = text.format(host=address.hostname, port=address.port, workflow=workflow)
    return shlex.split(filled)


def describe(name: str, times: Sequence[Sequence[float]]) -> Row:
    """A row of the table."""
    seconds = [one[0] for one in times]
    processor = [one[1] for one in times]
    return {
        "program": name,
        "seconds": percentile(seconds, 50),
        "at best": min(seconds),
        "processor": percentile(processor, 50),
        "processor at best": min(processor),
    }


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--checkout", type=Path, action="append", default=[])
    parser.add_argument("--beside", metavar="COMMAND", default="")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, open_demo() as server:
        folder = Path(name)
        preset = write_color_preset(folder / "presets")
        programs = {}
        for checkout in (HERE, *given.checkout):
            programs[str(checkout)] = make_command(checkout.resolve(), server.url, folder)
        beside = fill_command(given.beside, server.url, preset.with_suffix(".json"))
        times = measure(programs, beside, given.runs, folder)
    print(format_table([describe(name, measured) for name, measured in times.items()]))


if __name__ == "__main__":
    main()
