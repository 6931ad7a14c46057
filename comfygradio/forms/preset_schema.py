"""The JSON Schema of preset files, with which editors complete keys and mark mistakes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from comfygradio.errors import PresetError
from comfygradio.forms.preset_file import PresetFile

SCHEMA_FILE = "preset.schema.json"

SCHEMA_COMMENT = f"# yaml-language-server: $schema={SCHEMA_FILE}"
"""The first line of a preset beside its schema. Editors with a YAML language server look for it."""


def build_schema() -> dict[str, Any]:
    """Build the schema (JSON Schema 2020-12) of a whole preset file."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **PresetFile.model_json_schema(by_alias=True),
    }
    _allow_extension(schema)
    return schema


def _allow_extension(schema: dict[str, Any]) -> None:
    """Let a file that extends another leave out the workflow, and take away fields with null.

    The model describes a preset with all that it takes over, the schema what stands in a file.
    """
    null = {"type": "null"}
    whole_fields = {"fields": {"additionalProperties": {"type": "object"}}}
    schema["required"] = ["title"]
    schema["anyOf"] = [
        {"required": ["extends"]},
        {"required": ["workflow"], "properties": whole_fields},
    ]
    entries = schema["properties"]["fields"]["patternProperties"]
    for pattern, entry in entries.items():
        entries[pattern] = {"anyOf": [entry, null]}
    # Every other key of a field may be null anyway.
    keys = schema["$defs"]["FieldEntry"]["properties"]
    for name in ("advanced", "optional"):
        keys[name]["anyOf"] = [{"type": keys[name].pop("type")}, null]


def write_schema(folder: Path) -> Path:
    """Write the schema into a folder of presets, replacing an older one. Raises PresetError."""
    path = folder / SCHEMA_FILE
    try:
        path.write_text(dump_schema(), encoding="utf-8")
    except OSError as error:
        raise PresetError(f"{path} cannot be written: {error.strerror or error}.") from error
    return path


def dump_schema() -> str:
    """Format the schema as the text of its file."""
    text = json.dumps(build_schema(), indent=1, ensure_ascii=False)
    return f"{text}\n"
