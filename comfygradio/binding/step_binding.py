"""Binds step grids to a field and adjusts its limits, step and choices to them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from comfygradio.comfy.object_info import InputSpec
from comfygradio.forms.field import Field
from comfygradio.forms.preset_file import FieldFile
from comfygradio.forms.problem import BindError
from comfygradio.forms.slots import Slot
from comfygradio.forms.step_grid import build_step_grid, intersect_grids
from comfygradio.forms.value_check import describe_off_step, parse_size


def bind_grids(
    field: Field, line: FieldFile, specs: dict[Slot, InputSpec]
) -> tuple[Field, tuple[str, ...]]:
    """The field with the grids of its inputs, its limits brought to them, and notes.

    Raises BindError where no value is left.
    """
    if field.widget not in ("number", "slider", "size"):
        return field, ()
    grids = {}
    for part, slots in field.slots.items():
        grid = intersect_grids(build_step_grid(specs[slot]) for slot in slots)
        if grid is not None:
            grids[part] = grid
    shared = intersect_grids(grids.values())
    if shared is None:
        return field, ()
    low = None if field.minimum is None else shared.ceil(field.minimum)
    high = None if field.maximum is None else shared.floor(field.maximum)
    if low is not None and high is not None and low > high:
        raise BindError(
            "preset",
            f"no value is left: it goes in steps of {shared.step}, and none lies from "
            f"{field.minimum} to {field.maximum}.",
        )
    bound = replace(field, grids=grids, minimum=low, maximum=high, step=shared.step)
    if line.step is None or line.step == shared.step:
        return bound, ()
    if line.step % shared.step == 0:
        return replace(bound, step=line.step), ()
    note = f"the step {line.step} does not suit the server's step {shared.step}, which is taken."
    return bound, (note,)


def describe_off_step_choices(field: Field) -> Iterator[str]:
    """A sentence for each of the preset's own sizes that lies between the steps; it stays."""
    if not field.grids:
        return
    for choice in field.choices or ():
        between = describe_off_step(field, parse_size(choice.value))
        if between:
            yield f"{choice.label} lies between the steps: {between}"
