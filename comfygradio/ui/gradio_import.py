"""Imports Gradio in two thirds of its time.

Whenever Gradio is imported, it parses the source of each of its components and renders a stub file
(`.pyi`) to see whether the one beside it is still right. That takes a second of the processor and
serves only people who write components.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

COMPONENT_META = "gradio.component_meta"
"""The module of Gradio that writes stub files."""

STUB_WRITER = "create_or_modify_pyi"
"""The function in it that does."""


class StubFileSkipper(MetaPathFinder):
    """Finds that one module, and takes the writing of stub files out of it.

    A Gradio that names them otherwise is imported as it is.
    """

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """The module's spec, with a loader that runs it and then changes it; None for others."""
        if fullname != COMPONENT_META:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is None or spec.loader is None:
            return None
        run_module = spec.loader.exec_module

        def run_and_change(module: ModuleType) -> None:
            run_module(module)
            if hasattr(module, STUB_WRITER):
                setattr(module, STUB_WRITER, write_no_stub_file)

        spec.loader.exec_module = run_and_change  # type: ignore[method-assign]
        return spec


def write_no_stub_file(component_class: type, class_name: str, events: Sequence[object]) -> None:
    """What Gradio calls for each class of a component instead."""


def import_gradio() -> None:
    """Import Gradio without its look at the stub files; nothing, where it has been imported."""
    finder = StubFileSkipper()
    sys.meta_path.insert(0, finder)
    try:
        importlib.import_module("gradio")
    finally:
        sys.meta_path.remove(finder)
