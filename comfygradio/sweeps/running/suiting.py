"""Suiting: which servers have the node classes and the files that a point asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from comfygradio.errors import ValuesRefused
from comfygradio.forms.form import Form
from comfygradio.forms.preset_file import Widget
from comfygradio.jobs.lane import Lane
from comfygradio.sweeps.axes.axis import Axis, Index
from comfygradio.sweeps.planning.space import Space

PLAIN: frozenset[Widget] = frozenset(
    {"text", "textarea", "number", "slider", "seed", "size", "color"}
)
"""Fields of these kinds name no file and no class, so that a server that can run one of their
values can run all.
"""


class Suiting:
    """Which lanes can run which points. Quick: points that differ only in plain fields are looked
    at once.

    `list_lanes` gives the lanes that are there now.
    """

    def __init__(self, space: Space, list_lanes: Callable[[], Iterable[Lane]]) -> None:
        self._space = space
        self._list_lanes = list_lanes
        self._telling = [_is_telling(space.form, axis) for axis in space.axes]
        self._known: dict[tuple[Lane, int, Index], str] = {}

    def accepts(self, server: str, index: Index) -> bool:
        """Whether the server with this URL can run a point."""
        return not self.find_lack(server, index)

    def find_lack(self, server: str, index: Index) -> str:
        """Why a server cannot run a point, in a sentence; "" if it can, or if the point is refused
        by its form.
        """
        for lane in self._list_lanes():
            if lane.url == server:
                return self._find_lack(lane, index)
        return "it is not there any more."

    def explain(self, index: Index | None) -> str:
        """Why no server can run a point, in a sentence; "" if one can, or could if it answered, and
        for no point.
        """
        lacks = []
        for lane in self._list_lanes():
            lack = ""
            if index is not None and not lane.trouble:
                lack = self._find_lack(lane, index)
            lacks.append(lack)
        if not lacks or not all(lacks):
            return ""
        return f"No ComfyUI can run some of the points: {lacks[0]}"

    def _find_lack(self, lane: Lane, index: Index) -> str:
        positions = []
        for position, is_telling in zip(index, self._telling, strict=True):
            positions.append(position if is_telling else 0)
        place = tuple(positions)
        key = (lane, lane.lessons, place)
        if key not in self._known:
            try:
                graph = self._space.prompt(place).graph
                self._known[key] = lane.refuse(graph)
            except ValuesRefused:
                self._known[key] = ""
        return self._known[key]


def _is_telling(form: Form, axis: Axis) -> bool:
    """Whether the values of an axis may ask for other files or classes."""
    for name in axis.fields:
        field = form.fields[name]
        if field.widget not in PLAIN or field.bypass:
            return True
    return False
