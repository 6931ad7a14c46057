"""Words for plans: how many pictures a sweep makes, how long that takes, and in which order."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from comfygradio.forms.form import Form
from comfygradio.sweeps.axes.axis import Axis, Index
from comfygradio.sweeps.planner.plan import Plan, format_seconds
from comfygradio.sweeps.sweep import Sweep

MIN_GAIN = 0.02
"""Smallest share of the total time saved that is worth mentioning."""

MAX_LISTED = 12
"""So many classes of nodes are listed, those that run most often."""

Json = dict[str, Any]


def describe_plan(sweep: Sweep, form: Form) -> Json:
    """What the editor says before the start: `count`, `line`, and under `how` what runs in which
    order.
    """
    plan = sweep.plan
    total = sweep.counts.total
    pictures = "1 picture" if total == 1 else f"{total:,} pictures"
    if not plan.points:
        return {"count": pictures, "line": "All of them are there already, so nothing has to run."}
    lines = describe_order(plan, sweep.axes)
    return {
        "count": pictures,
        "line": describe_time(plan),
        "how": {"lines": lines, **_list(plan, form)},
    }


def describe_time(plan: Plan) -> str:
    """How long it takes about, what the order saves, and what is there already."""
    seconds = max(plan.planned.seconds, 1.0)
    parts = [f"about {format_seconds(seconds)}"]
    gain = plan.as_typed.seconds - plan.planned.seconds
    least_gain = max(1.0, MIN_GAIN * plan.as_typed.seconds)
    if gain >= least_gain:
        parts.append(f"{format_seconds(gain)} less than in the order as typed")
    if plan.done:
        verb = "is" if plan.done == 1 else "are"
        parts.append(f"{plan.done:,} {verb} there already")
    return " · ".join(parts)


def describe_order(plan: Plan, axes: Sequence[Axis]) -> list[str]:
    """Sentences about servers and order."""
    busy = [segment for segment in plan.segments if segment]
    lines = ["On one server."]
    if len(busy) > 1:
        lines = [f"On {len(busy)} servers at once."]
    ranked = rank_axes(busy, len(axes))
    if len(ranked) > 1:
        rarest = axes[ranked[0]].title
        most_frequent = axes[ranked[-1]].title
        lines.append(f"“{rarest}” changes as rarely as possible, “{most_frequent}” most often.")
    return lines


def rank_axes(segments: Sequence[Sequence[Index]], count: int) -> list[int]:
    """The axes that change at all, the one that changes least often from one point to the next
    first.
    """
    changes = [0] * count
    for segment in segments:
        for before, after in pairwise(segment):
            for axis in range(count):
                if before[axis] != after[axis]:
                    changes[axis] += 1
    changing = [axis for axis in range(count) if changes[axis]]
    return sorted(changing, key=lambda axis: changes[axis])


def _list(plan: Plan, form: Form) -> Json:
    """Classes of nodes with their executions in this order and as typed."""
    ours = plan.planned.executions
    typed = plan.as_typed.executions
    names = sorted(typed, key=lambda name: -typed[name])
    classes = []
    for name in names[:MAX_LISTED]:
        definition = form.object_info.get(name)
        title = definition.title if definition else name
        classes.append({"name": title, "typed": typed[name], "planned": ours.get(name, 0)})
    return {"classes": classes}
