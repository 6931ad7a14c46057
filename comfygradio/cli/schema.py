"""`comfygradio schema`: the JSON Schema of preset files, for editors."""

from __future__ import annotations

from pathlib import Path

from comfygradio.forms.preset_schema import dump_schema, write_schema


def print_schema(folder: Path | None) -> int:
    """Print the schema, or write it into a folder of presets and print its path.

    Raises PresetError.
    """
    if folder:
        print(write_schema(folder))
    else:
        print(dump_schema(), end="")
    return 0
