"""Arguments: what each command takes besides the flags of settings, and what its help says."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from comfygradio.cli.command import Argument, Option

JOINED = "&"
"""Stands before the text of an axis that joins the one before it; no field's name begins with it.
"""

Json = Annotated[bool, Option("--json", help="Print JSON.")]
JsonLines = Annotated[bool, Option("--json", help="Print JSON, an object a line.")]


ObjectInfoFile = Annotated[
    Path | None,
    Option(
        "--object-info",
        metavar="FILE",
        help="Ask no server, but this file: comfygradio api GET /object_info > FILE.",
    ),
]

Drafted = Annotated[
    Path,
    Argument(
        metavar="WORKFLOW|PNG",
        help="A workflow as ComfyUI saves or exports it, or a picture or video that it made.",
    ),
]
Saved = Annotated[
    Path | None,
    Option(
        "--saved",
        metavar="FILE",
        help="Beside an API-format workflow the same as ComfyUI saves it, for App mode's choices.",
    ),
]

PrintPrompt = Annotated[
    bool, Option("--print-prompt", help="Print the filled workflow; run nothing.")
]
PrintCurl = Annotated[
    bool,
    Option("--print-curl", help="Print a line of curl that posts the prompt; run nothing."),
]

ComfyFolder = Annotated[
    Path | None,
    Option(
        "--comfyui",
        metavar="DIR",
        help="ComfyUI's folder on this machine: finds the same file under another name.",
    ),
]
DownloadScript = Annotated[
    bool,
    Option("--script", help="Print commands for a POSIX shell that download what is missing."),
]

Method = Annotated[str, Argument(metavar="METHOD", help="GET, POST and so on.")]
Target = Annotated[
    str, Argument(metavar="PATH", help="A path with its query, such as /history?max_items=3.")
]
Data = Annotated[
    str | None,
    Option("--data", metavar="FILE|-", help="The body: a file, or - for standard input."),
]

WorkerName = Annotated[
    str | None,
    Option("--name", metavar="NAME", help="What apps call this server [its address]."),
]
WorkerHost = Annotated[
    str | None,
    Option(
        "--host", metavar="HOST", help="Address to listen on [that on the way to the scheduler]."
    ),
]
WorkerPort = Annotated[
    int,
    Option(
        "--port", metavar="PORT", min=0, max=65535, help="Port to listen on; 0 takes a free one."
    ),
]
ClusterAddress = Annotated[
    str,
    Option("--address", metavar="URL", help="Where to listen, such as tls://10.0.0.1:8786."),
]

Preset = Annotated[
    str, Argument(metavar="PRESET", help="A preset's name, or the path of its YAML file.")
]
Values = Annotated[
    list[str] | None, Argument(metavar="FIELD=VALUE", help="Field values; pictures as paths.")
]

Swept = Annotated[
    str | None,
    Argument(metavar="PRESET|FILE", help="A preset's name, or a sweep's YAML or JSON file."),
]
Axis = Annotated[
    list[str] | None,
    Option(
        "--axis",
        metavar="FIELD=VALUES",
        help="An axis, such as cfg=1-10 or sampler=euler,heun; repeatable.",
    ),
]
With = Annotated[
    list[str] | None,
    Option(
        "--with",
        metavar="FIELD=VALUES",
        help="Another field that changes together with the axis before.",
    ),
]
Plan = Annotated[
    bool,
    Option("--plan", help="Say what would be run, in which order and how long; run nothing."),
]
Resume = Annotated[
    Path | None,
    Option("--resume", metavar="DIR", help="Go on with the last sweep in this folder."),
]
Retry = Annotated[bool, Option("--retry", help="Run points that failed once more.")]
NoCarry = Annotated[bool, Option("--no-carry", help="Let the server's memory go between points.")]
Out = Annotated[
    Path | None,
    Option("--out", metavar="DIR", help="Where to save [OUTPUTS/YYYY-MM-DD/PRESET-sweep-HHMMSS]."),
]


def join_axes(given: Sequence[str]) -> list[str]:
    """Turn each `--with` into a marked `--axis`, since the order between the two counts."""
    if not given or given[0] != "sweep":
        return list(given)
    joined: list[str] = []
    for argument in given:
        is_value = joined[-1:] == ["--with"]  # which stood alone, as the argument before
        if argument.startswith("--with="):
            joined += ["--axis", JOINED + argument.removeprefix("--with=")]
        elif is_value:
            joined[-1:] = ["--axis", JOINED + argument]
        else:
            joined.append(argument)
    return joined
