"""Suiting: which servers have the node classes and the files that a point asks for."""

from __future__ import annotations

from collections.abc import Iterable

from comfygradio.errors import ValuesRefused
from comfygradio.forms.preset_file import Widget
from comfygradio.jobs.lane import Lane
from comfygradio.sweeps.axes.axis import Index
from comfygradio.sweeps.planning.space import Space

PLAIN: frozenset[Widget] = frozenset({"text", "textarea", "number", "slider", "seed", "size", "color"})
"""Fields of these kinds name no file and no class, so that a server that can run one of their values can run all."""


class Suiting:
    """Which lanes can run which points. Quick: points that differ only in plain fields are looked at once."""

    def __init__(self, space: Space, lanes: Iterable[Lane]) -> None:
        self._space = space
        self._lanes = {lane.url: lane for lane in lanes}
        self._telling = [
            any(space.form.fields[name].widget not in PLAIN or space.form.fields[name].bypass for name in axis.fields)
            for axis in space.axes
        ]
        self._known: dict[tuple[str, int, Index], str] = {}

    def accepts(self, server: str, index: Index) -> bool:
        """Whether the server with this URL can run a point."""
        return not self.find_lack(server, index)

    def find_lack(self, server: str, index: Index) -> str:
        """Why a server cannot run a point, in a sentence; "" if it can, or if the point is refused by its form."""
        lane = self._lanes[server]
        place = tuple(position if tells else 0 for position, tells in zip(index, self._telling, strict=True))
        key = server, lane.lessons, place
        if key not in self._known:
            try:
                self._known[key] = lane.refuse(self._space.prompt(place).graph)
            except ValuesRefused:
                self._known[key] = ""
        return self._known[key]

    def explain(self, index: Index | None) -> str:
        """Why no server can run a point, in a sentence; "" if one can, or could if it answered, and for no point."""
        if index is None:
            return ""
        lacks = ["" if lane.trouble else self.find_lack(url, index) for url, lane in self._lanes.items()]
        return f"No ComfyUI can run some of the points: {lacks[0]}" if all(lacks) else ""
