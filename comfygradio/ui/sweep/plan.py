"""Words for plans: how many pictures a sweep makes, how long that takes, and in which order."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from comfygradio.forms.form import Form
from comfygradio.sweeps.axes.axis import Axis, Index
from comfygradio.sweeps.planning.plan import Plan, write_seconds
from comfygradio.sweeps.running.sweep import Sweep

LEAST_GAIN = 0.02
"""What the order saves is told from this part of the whole on."""

LISTED = 12
"""So many classes of nodes are listed, those that run most often."""

Json = dict[str, Any]


def describe_plan(sweep: Sweep, form: Form) -> Json:
    """What the editor says before the start: `count`, `line`, and under `how` what runs in which
    order.
    """
    plan, counts = sweep.plan, sweep.counts
    pictures = "1 picture" if counts.total == 1 else f"{counts.total:,} pictures"
    if not plan.points:
        return {"count": pictures, "line": "All of them are there already, so nothing has to run."}
    return {
        "count": pictures,
        "line": describe_time(plan),
        "how": {"lines": describe_order(plan, sweep.axes), **_list(plan, form)},
    }


def describe_time(plan: Plan) -> str:
    """How long it takes about, what the order saves, and what is there already."""
    parts = [f"about {write_seconds(max(plan.ours.seconds, 1.0))}"]
    gain = plan.typed.seconds - plan.ours.seconds
    if gain >= max(1.0, LEAST_GAIN * plan.typed.seconds):
        parts.append(f"{write_seconds(gain)} less than in the order as typed")
    if plan.done:
        parts.append(f"{plan.done:,} {'is' if plan.done == 1 else 'are'} there already")
    return " · ".join(parts)


def describe_order(plan: Plan, axes: Sequence[Axis]) -> list[str]:
    """Sentences about servers and order."""
    busy = [lane for lane in plan.lanes if lane]
    lines = [f"On {len(busy)} servers at once." if len(busy) > 1 else "On one server."]
    ranked = rank_axes(busy, len(axes))
    if len(ranked) > 1:
        lines.append(
            f"“{axes[ranked[0]].title}” changes as rarely as possible, “{axes[ranked[-1]].title}” "
            "most often."
        )
    return lines


def rank_axes(lanes: Sequence[Sequence[Index]], count: int) -> list[int]:
    """The axes that change at all, the one that changes least often from one point to the next
    first.
    """
    steps = [pair for lane in lanes for pair in pairwise(lane)]
    changes = {axis: sum(one[axis] != other[axis] for one, other in steps) for axis in range(count)}
    return sorted((axis for axis in changes if changes[axis]), key=lambda axis: changes[axis])


def _list(plan: Plan, form: Form) -> Json:
    """Classes of nodes with their executions in this order and as typed."""
    ours, typed = plan.ours.executions, plan.typed.executions
    names = sorted(typed, key=lambda name: -typed[name])[:LISTED]
    known = {name: definition for name in names if (definition := form.object_info.get(name))}
    return {
        "classes": [
            {
                "name": known[name].title if name in known else name,
                "typed": typed[name],
                "planned": ours.get(name, 0),
            }
            for name in names
        ]
    }
