"""Write the commands that download models into ComfyUI's folders, for a POSIX shell.

Names and addresses come out of foreign files: each goes into the shell as one quoted word. What
could lead out of the folder is refused before, by `model_entry`.
"""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Iterable

from comfygradio.forms.model_entry import ModelEntry

ROOT = "models"
"""The folder below ComfyUI's own that has all folders of models."""

SHA256SUM = "$(command -v sha256sum || echo shasum -a 256)"
"""What checks a SHA256: macOS has had only the second program for long."""

HEAD = """\
#!/bin/sh
# Run this in ComfyUI's folder, the one that has the folder models in it.
# It needs a POSIX shell, curl, and sha256sum or shasum; on Windows, Git Bash and WSL have them.
if ! test -d models; then
  echo "There is no folder models here: run this in ComfyUI's folder." >&2
  exit 1
fi
"""


def write_command(model: ModelEntry) -> str:
    """Write one line that downloads a model into its folder.

    The file gets its name at the end, when all of it is there and its hash, if known, is right.
    """
    path = f"{ROOT}/{model.path}"
    part = f"{path}.part"
    steps = [
        f"mkdir -p {shlex.quote(posixpath.dirname(path))}",
        f"{_write_curl(model.url)} --output {shlex.quote(part)} {shlex.quote(model.url)}",
    ]
    # No program that is everywhere checks a BLAKE3.
    if model.hash is not None and model.hash_type == "SHA256":
        # Such a list of hashes has two spaces between the hash and the name.
        line = f"{model.hash}  {part}"
        steps.append(f"printf '%s\\n' {shlex.quote(line)} | {SHA256SUM} -c -")
    steps.append(f"mv {shlex.quote(part)} {shlex.quote(path)}")
    return " && ".join(steps)


def write_script(models: Iterable[ModelEntry]) -> str:
    """Write a script that downloads these models one after the other, and ends at the first that
    fails.
    """
    lines = [HEAD]
    for model in models:
        lines.append(f"{write_command(model)} || exit 1\n")
    return "".join(lines)


def _write_curl(url: str) -> str:
    """Write curl with its options. It would take brackets in an address for a list of addresses."""
    if any(bracket in url for bracket in "[]{}"):
        return "curl --globoff --fail --location"
    return "curl --fail --location"
