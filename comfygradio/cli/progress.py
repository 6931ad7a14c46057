"""Progress bars on stderr, where that is a terminal: of one job, and of a sweep.

rich is imported only where a bar is drawn.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from comfygradio.comfy.prompt_progress import PromptProgress

if TYPE_CHECKING:
    from comfygradio.sweeps.sweep import Sweep


@contextmanager
def open_job_progress() -> Iterator[Callable[[PromptProgress], None]]:
    """Show a bar for one job, and below it what the node says; yield what updates both."""
    if not sys.stderr.isatty():
        yield lambda state: None
        return
    from rich.console import Console, Group
    from rich.live import Live
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
    from rich.text import Text

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
    )
    console = Console(stderr=True)
    bar = Progress(*columns, console=console)
    # What a node says may be long.
    line = Text(no_wrap=True, overflow="ellipsis")
    task = bar.add_task("", total=1.0)

    def show(state: PromptProgress) -> None:
        bar.update(task, completed=state.progress, description=_describe_job(state))
        line.plain = state.text

    with Live(Group(bar, line), console=console, transient=True, refresh_per_second=10):
        yield show


@contextmanager
def open_sweep_progress() -> Iterator[Callable[[Sweep], None]]:
    """Show a bar for a sweep, a step for each point; yield the function that updates it."""
    if not sys.stderr.isatty():
        yield lambda sweep: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=None)

        def show(sweep: Sweep) -> None:
            counts = sweep.counts
            description = _describe_sweep(sweep)
            progress.update(
                task, total=counts.total, completed=counts.over, description=description
            )

        yield show


def _describe_job(state: PromptProgress) -> str:
    if state.status == "queued" and state.queue_position:
        return f"queued, {state.queue_position} before it"
    if not state.node:
        return state.status
    if not state.steps:
        return state.node
    return f"{state.node} {state.step}/{state.steps}"


def _describe_sweep(sweep: Sweep) -> str:
    # Here, since a single job does without the modules of sweeps.
    from comfygradio.sweeps.planner.plan import format_seconds

    counts = sweep.counts
    left = sweep.seconds_left
    parts = []
    if counts.failed:
        parts.append(f"{counts.failed} failed")
    if left is not None:
        parts.append(f"{format_seconds(left)} left")
    return ", ".join(parts)
