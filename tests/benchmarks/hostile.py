"""What others notice of an attack: `python -m tests.benchmarks.hostile`.

For each attack a fresh app, whose process stands alone: somebody opens the history 200 times, then
200 times more while another process attacks. The worst click, and the memory above that of the app
before. `--checkout DIR` measures the code of another checkout.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from comfygradio.settings import shipped_presets
from tests.benchmarks.attacks import ATTACKS
from tests.benchmarks.figures import Goal, describe_spread, format_table, write_json
from tests.benchmarks.processes import Server, open_app, run_server
from tests.benchmarks.visitor import Visitor

CLICKS = 200
SECONDS = 6.0
"""How long an attack goes on."""

PATIENCE_SECONDS = 13.0
"""After so long a round ends, even where fewer clicks were answered."""

CLICK_LIMIT_MS = 250.0
HOSTILE_LIMIT_MB = 300.0
HONEST_LIMIT_MB = 640.0
"""Ten bytes a pixel of at most 64 megapixels."""

SERVERS = {"large result": "large", "dripped result": "drip", "endless result": "flood"}
"""Attack → what the ComfyUI behind the app does to it."""


@dataclass(frozen=True)
class Round:
    """Seconds of clicks before an attack and during it, and bytes of memory above the idle app."""

    name: str
    quiet: Sequence[float]
    clicks: Sequence[float]
    memory: float
    answers: str

    @property
    def worst(self) -> float:
        """Milliseconds of the worst click during the attack."""
        return 1000 * max(self.clicks, default=math.nan)


def main() -> None:
    """Print the figures and what is asked of them."""
    options = parse_options()
    rounds = []
    for name in options.only or ATTACKS:
        try:
            one = run_round(name, options)
        except RuntimeError as error:  # the machine is too busy to start an app within a minute
            print(f"{name}: {error}", flush=True)
            continue
        print(format_table([describe_round(one)]) + f"\n    {one.answers}", flush=True)
        rounds.append(one)
    report(rounds)
    figures = [describe_round(one) for one in rounds]
    write_json(options.json, {"benchmark": "hostile", "rounds": figures})


def parse_options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.hostile", description=__doc__)
    parser.add_argument("--only", action="append", choices=list(ATTACKS), help="repeatable")
    parser.add_argument("--clicks", type=int, default=CLICKS)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="how long an attack lasts")
    parser.add_argument("--checkout", type=Path, metavar="DIR", help="measure this code")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures as JSON")
    options = parser.parse_args()
    options.checkout = options.checkout and options.checkout.resolve()
    return options


def run_round(name: str, options: argparse.Namespace) -> Round:
    """One attack on an app of its own."""
    kind = [SERVERS[name]] if name in SERVERS else []
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        run_server("-m", "tests.benchmarks.hostile_server", *kind) as server,
        open_app(server.url, shipped_presets(), Path(folder), options.checkout) as app,
    ):
        try:
            return asyncio.run(measure(name, app, options.clicks, options.seconds))
        finally:
            app.process.kill()  # it may be busy for minutes


async def measure(name: str, app: Server, clicks: int, seconds: float) -> Round:
    """The clicks of somebody else without the attack, then with it."""
    visitor = Visitor(app.url)
    await visitor.open()
    for _ in range(10):
        await visitor.look_back()
    quiet = await click_on(visitor, clicks, PATIENCE_SECONDS)
    idle = read_memory(app, "VmRSS")
    forget_peak(app)
    attack = await asyncio.to_thread(start_attack, name, app, seconds)
    during = await click_on(visitor, clicks, PATIENCE_SECONDS, attack)
    peak = read_memory(app, "VmHWM")
    visitor.close()
    return Round(name, quiet, during, peak - idle, end_attack(attack))


async def click_on(
    visitor: Visitor, count: int, seconds: float, attack: subprocess.Popen[str] | None = None
) -> list[float]:
    """The history is opened so often, and for as long as there is an attack; returns how many
    seconds each click took.

    One that is not answered when the time is over counts with what it took until then.
    """
    ends = time.perf_counter() + seconds
    clicks: list[float] = []
    while len(clicks) < count or (attack is not None and attack.poll() is None):
        began = time.perf_counter()
        if began >= ends:
            break
        try:
            clicks.append(await asyncio.wait_for(visitor.look_back(), max(1.0, ends - began)))
        except (asyncio.TimeoutError, TimeoutError, OSError):
            clicks.append(time.perf_counter() - began)
            break
    return clicks


def start_attack(name: str, app: Server, seconds: float) -> subprocess.Popen[str]:
    """An attack in a process of its own, which has made ready what it sends."""
    command = [sys.executable, "-m", "tests.benchmarks.attacks", name, app.url, str(seconds)]
    attack = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert attack.stdout is not None
    attack.stdout.readline()
    return attack


def end_attack(attack: subprocess.Popen[str]) -> str:
    """End an attack; returns what was answered how often, if it came to say so."""
    try:
        told, complaints = attack.communicate(timeout=2.0)
    except subprocess.TimeoutExpired:
        attack.kill()
        attack.communicate()
        return "still waiting for an answer"
    if attack.returncode:
        return f"failed: {complaints.strip().splitlines()[-1:]}"
    counts: dict[str, Any] = json.loads(told)
    return ", ".join(f"{answer}: {count}" for answer, count in counts.items())


def read_memory(server: Server, key: str) -> float:
    """Bytes that a process holds (VmRSS) or held at most (VmHWM); NaN where the system does not
    tell (only Linux does).
    """
    status = Path(f"/proc/{server.process.pid}/status")
    found = re.search(rf"{key}:\s*(\d+) kB", status.read_text()) if status.exists() else None
    return int(found[1]) * 1024 if found else math.nan


def forget_peak(server: Server) -> None:
    """From now on VmHWM counts anew (see proc(5), clear_refs)."""
    try:
        Path(f"/proc/{server.process.pid}/clear_refs").write_text("5")
    except OSError:
        return


def describe_round(one: Round) -> dict[str, Any]:
    """A round as a row of a table; times in milliseconds, memory in megabytes."""
    quiet = describe_spread([1000 * value for value in one.quiet])
    during = describe_spread([1000 * value for value in one.clicks])
    return {
        "attack": one.name,
        "quiet p95": quiet.p95,
        "quiet worst": quiet.largest,
        "clicks": during.count,
        "p95": during.p95,
        "worst": during.largest,
        "MB": one.memory / 1e6,
    }


def report(rounds: Sequence[Round]) -> None:
    """Print all figures and the goals."""
    print("\nMilliseconds and megabytes\n\n" + format_table([describe_round(r) for r in rounds]))
    print()
    for one in rounds:
        limit = HONEST_LIMIT_MB if one.name.startswith("honest") else HOSTILE_LIMIT_MB
        print(Goal(f"{one.name}, worst click", one.worst, CLICK_LIMIT_MS, "ms"))
        print(Goal(f"{one.name}, memory", one.memory / 1e6, limit, "MB"))


if __name__ == "__main__":
    main()
