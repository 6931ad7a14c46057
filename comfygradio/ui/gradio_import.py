"""Imports Gradio in two thirds of the usual time.

While Gradio is imported, it parses the source of each of its components and renders a stub file
(`.pyi`), to see whether the existing one is up to date. That takes a second of processor time, and
helps only people who write components.
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
"""The function in that module that writes them."""


class StubFileSkipper(MetaPathFinder):
    """Finds Gradio's module that writes stub files, and replaces the function that does.

    If a later Gradio renames the module or the function, it is imported unchanged.
    """

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """Find the spec of the module, with a loader that changes it; None for other modules."""
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
    """Do nothing; Gradio calls this for each class of a component."""


def import_gradio() -> None:
    """Import Gradio without checking its stub files; do nothing if it is imported already."""
    finder = StubFileSkipper()
    sys.meta_path.insert(0, finder)
    try:
        importlib.import_module("gradio")
    finally:
        sys.meta_path.remove(finder)
