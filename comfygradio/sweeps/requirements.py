"""Checks which backends have the node classes and files that a point requires."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from comfygradio.errors import ValuesRefused
from comfygradio.forms.form import Form
from comfygradio.jobs.backend import Backend
from comfygradio.sweeps.axes.axis import Axis, Index
from comfygradio.sweeps.space import Space


class Requirements:
    """Tells which backends can run which points.

    Points that differ only in fields that need no files or classes share one check, since there may
    be thousands. `list_backends` lists the backends that are there now.
    """

    def __init__(self, space: Space, list_backends: Callable[[], Iterable[Backend]]) -> None:
        self._space = space
        self._list_backends = list_backends
        self._affecting: list[bool] = []
        for axis in space.axes:
            is_affecting = _affects_requirements(space.form, axis)
            self._affecting.append(is_affecting)
        self._known: dict[tuple[Backend, int, Index], str] = {}

    def accepts(self, server: str, index: Index) -> bool:
        """Whether the backend with this URL can run a point."""
        rejection = self.explain_rejection(server, index)
        return not rejection

    def explain_rejection(self, server: str, index: Index) -> str:
        """Explain why a backend cannot run a point. Returns "" if it can, or if the form refuses
        the point.
        """
        for backend in self._list_backends():
            if backend.url == server:
                return self._find_lack(backend, index)
        return "it is not there any more."

    def explain(self, index: Index | None) -> str:
        """Explain why no backend can run a point.

        Returns "" if one can, or may be able to once it answers, and if there is no point.
        """
        lacks = []
        for backend in self._list_backends():
            lack = ""
            if index is not None and not backend.trouble:
                lack = self._find_lack(backend, index)
            lacks.append(lack)
        if not lacks or not all(lacks):
            return ""
        return f"No ComfyUI can run some of the points: {lacks[0]}"

    def _find_lack(self, backend: Backend, index: Index) -> str:
        # Positions on other axes make no difference, so that the first one stands for all of them.
        positions = []
        for position, is_affecting in zip(index, self._affecting, strict=True):
            positions.append(position if is_affecting else 0)
        place = tuple(positions)
        key = (backend, backend.capabilities_version, place)
        if key not in self._known:
            try:
                prompt = self._space.prompt(place)
                self._known[key] = backend.explain_rejection(prompt.graph)
            except ValuesRefused:
                # No backend is at fault: the form's own sentence comes when the point is to run.
                self._known[key] = ""
        return self._known[key]


def _affects_requirements(form: Form, axis: Axis) -> bool:
    """Whether values of an axis can change which files or node classes are required."""
    for name in axis.fields:
        field = form.fields[name]
        if field.kind.names_resource or field.bypass:
            return True
    return False
