"""Text about plans: how many pictures a sweep makes, how long that takes, and in which order."""

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
"""Most node classes that are listed; those that run most often come first."""

Json = dict[str, Any]


def describe_plan(sweep: Sweep, form: Form) -> Json:
    """Describe a plan as JSON for the editor: `count`, `line`, and under `how` what runs in which
    order.
    """
    plan = sweep.plan
    total = sweep.counts.total
    pictures = "1 picture" if total == 1 else f"{total:,} pictures"
    if not plan.points:
        return {"count": pictures, "line": "All of them are there already, so nothing has to run."}
    return {
        "count": pictures,
        "line": describe_time(plan),
        "how": {
            "lines": describe_order(plan, sweep.axes),
            "classes": _list_classes(plan, form),
        },
    }


def describe_time(plan: Plan) -> str:
    """Describe how long a plan takes, what its order saves, and how many points are done."""
    planned_seconds = plan.planned.seconds
    typed_seconds = plan.as_typed.seconds
    shown_seconds = max(planned_seconds, 1.0)
    parts = [f"about {format_seconds(shown_seconds)}"]
    gain = typed_seconds - planned_seconds
    least_gain = max(1.0, MIN_GAIN * typed_seconds)
    if gain >= least_gain:
        parts.append(f"{format_seconds(gain)} less than in the order as typed")
    if plan.done:
        verb = "is" if plan.done == 1 else "are"
        parts.append(f"{plan.done:,} {verb} there already")
    return " · ".join(parts)


def describe_order(plan: Plan, axes: Sequence[Axis]) -> list[str]:
    """Describe in sentences how many servers a plan uses, and in which order."""
    segments = [segment for segment in plan.segments if segment]
    lines = ["On one server."]
    if len(segments) > 1:
        lines = [f"On {len(segments)} servers at once."]
    ranked = rank_axes(segments, len(axes))
    if len(ranked) > 1:
        rarest = axes[ranked[0]].title
        most_frequent = axes[ranked[-1]].title
        lines.append(f"“{rarest}” changes as rarely as possible, “{most_frequent}” most often.")
    return lines


def rank_axes(segments: Sequence[Sequence[Index]], count: int) -> list[int]:
    """Rank the axes by how often they change from one point to the next, rarest first; axes that
    never change are left out.
    """
    changes = [0] * count
    for segment in segments:
        for before, after in pairwise(segment):
            for axis in range(count):
                if before[axis] != after[axis]:
                    changes[axis] += 1
    ranked = sorted(range(count), key=lambda axis: changes[axis])
    return [axis for axis in ranked if changes[axis] > 0]


def _list_classes(plan: Plan, form: Form) -> list[Json]:
    """List node classes with how often they run, in the planned order and as typed."""
    planned = plan.planned.executions
    typed = plan.as_typed.executions
    # A stable sort: of equally many runs, the first class stays first.
    names = sorted(typed, key=lambda name: -typed[name])
    classes = []
    for name in names[:MAX_LISTED]:
        definition = form.object_info.get(name)
        title = definition.title if definition else name
        classes.append(
            {
                "name": title,
                "typed": typed[name],
                "planned": planned.get(name, 0),
            }
        )
    return classes
