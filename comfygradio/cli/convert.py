"""`comfygradio convert`: a workflow as ComfyUI saves it, in the API format that can be run."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path

from comfygradio.cli.server import open_object_info
from comfygradio.conversion.api_workflow import NOTHING_RUNS, UiFile
from comfygradio.conversion.shown_text import show_name
from comfygradio.drafting.workflow_source import load_workflow_source
from comfygradio.errors import WorkflowError
from comfygradio.settings import Settings


def convert_file(settings: Settings, source: Path, object_info_file: Path | None) -> int:
    """Print the workflow of a file in API format, and on stderr what a person should know of it;
    return 1 if the server lacks a node class.

    With `object_info_file` no server is asked. Raises ComfyGradioError.
    """
    found = load_workflow_source(source.expanduser())
    if isinstance(found, UiFile):
        return _convert(settings, found, object_info_file)
    _print_lines([f"{source} is in API format already."])
    print(json.dumps(found.graph, ensure_ascii=False, indent=2))
    return 0


def _convert(settings: Settings, file: UiFile, object_info_file: Path | None) -> int:
    with open_object_info(settings, object_info_file) as fetch:
        object_info = file.fetch_classes(fetch)
    converted = file.convert(object_info)
    if not converted.prompt:
        raise WorkflowError(NOTHING_RUNS.format(name=file.name))
    _print_lines(str(note) for note in converted.notes)
    for lack in converted.missing:
        if lack.class_type in object_info.broken:
            _print_lines(
                [f"{show_name(lack.class_type)} is broken on this ComfyUI, whose log says why."]
            )
        else:
            _print_lines([str(lack)])
    print(json.dumps(converted.prompt, ensure_ascii=False, indent=2))
    return 1 if converted.missing else 0


def _print_lines(lines: Iterable[str]) -> None:
    for line in lines:
        print(line, file=sys.stderr)
