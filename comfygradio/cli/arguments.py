"""Arguments: what every flag of the command line is called, and what its help says."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from comfygradio.jobs.naming import DEFAULT_PATTERN

JOINED = "&"
"""Stands before the text of an axis that joins the one before it; no field's name begins with it.
"""

Server = Annotated[
    list[str] | None,
    typer.Option("--server", metavar="URL", help="The ComfyUI server [http://127.0.0.1:8188]."),
]
Servers = Annotated[
    list[str] | None,
    typer.Option(
        "--server", metavar="URL", help="A ComfyUI server; repeatable [http://127.0.0.1:8188]."
    ),
]
Header = Annotated[
    list[str] | None,
    typer.Option(
        "--header",
        metavar="'NAME: VALUE'",
        help="A header for the server, such as a token; repeatable.",
    ),
]
ApiKey = Annotated[
    str | None,
    typer.Option("--api-key", metavar="KEY", help="A key of comfy.org, for nodes that ask for it."),
]
Demo = Annotated[
    bool, typer.Option("--demo", help="Use an embedded demo server instead of ComfyUI.")
]
Presets = Annotated[
    list[str] | None,
    typer.Option(
        "--presets",
        metavar="DIR",
        help="A folder of presets; repeatable [./presets, else our own].",
    ),
]
Outputs = Annotated[
    str | None, typer.Option("--outputs", metavar="DIR", help="Where results are kept [outputs].")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Verbose = Annotated[
    bool,
    typer.Option("--verbose", help="Tell every call of ComfyUI and every message, on stderr."),
]
JsonLines = Annotated[bool, typer.Option("--json", help="Print JSON, an object a line.")]
StepSeconds = Annotated[
    str | None,
    typer.Option(
        "--step-seconds", metavar="SECONDS", help="Time of a step of the demo server [0.05]."
    ),
]
Host = Annotated[
    str | None, typer.Option("--host", metavar="HOST", help="Address to listen on [127.0.0.1].")
]

Port = Annotated[
    str | None, typer.Option("--port", metavar="PORT", help="Port of the page [7860].")
]
Auth = Annotated[
    str | None,
    typer.Option(
        "--auth", metavar="FILE", help="Who may log in: lines that comfygradio password writes."
    ),
]
RootPath = Annotated[
    str | None,
    typer.Option(
        "--root-path", metavar="PATH", help="Where a proxy shows the page, such as /forms."
    ),
]
AllowHost = Annotated[
    list[str] | None,
    typer.Option(
        "--allow-host", metavar="NAME", help="Another name of the page's host; repeatable."
    ),
]
AllowOrigin = Annotated[
    list[str] | None,
    typer.Option(
        "--allow-origin",
        metavar="URL",
        help="A website whose scripts may call the page; repeatable, * for all.",
    ),
]
AllowFrame = Annotated[
    list[str] | None,
    typer.Option(
        "--allow-frame", metavar="URL", help="A website that may frame the page; repeatable."
    ),
]
TrustProxy = Annotated[
    list[str] | None,
    typer.Option(
        "--trust-proxy",
        metavar="ADDRESS",
        help="A proxy whose X-Forwarded headers count; repeatable.",
    ),
]
Author = Annotated[
    bool,
    typer.Option(
        "--author", help="Show the page that makes presets: on this machine, or to operators."
    ),
]
Authors = Annotated[
    list[str] | None,
    typer.Option(
        "--authors", metavar="NAME", help="A user of --auth who makes presets; repeatable."
    ),
]
Operator = Annotated[
    list[str] | None,
    typer.Option(
        "--operator", metavar="NAME", help="A user of --auth who sees the Status page; repeatable."
    ),
]
LocalOperator = Annotated[
    bool,
    typer.Option(
        "--local-operator",
        help="Without a login: show the Status page to whoever sits at this machine.",
    ),
]
JobsPerPerson = Annotated[
    str | None,
    typer.Option("--jobs-per-person", metavar="N", help="Jobs of one person that may wait [100]."),
]
JobsInAll = Annotated[
    str | None,
    typer.Option("--jobs-in-all", metavar="N", help="Jobs of everybody that may wait [1000]."),
]
Streams = Annotated[
    str | None,
    typer.Option(
        "--streams",
        metavar="N",
        help="Pages that are told of their jobs by a stream; further ones ask [200].",
    ),
]
MaxMegapixels = Annotated[
    str | None,
    typer.Option("--max-megapixels", metavar="X", help="Largest picture, in millions of pixels."),
]
MaxSteps = Annotated[
    str | None, typer.Option("--max-steps", metavar="N", help="Most steps of a sampler.")
]
MaxSweepPoints = Annotated[
    str | None,
    typer.Option(
        "--max-sweep-points",
        metavar="N",
        help="Most points of a sweep from the page; 0 for none [10000].",
    ),
]
MaxUploadMb = Annotated[
    str | None,
    typer.Option("--max-upload-mb", metavar="N", help="Largest file that is taken, in MB [100]."),
]
MaxResultMb = Annotated[
    str | None,
    typer.Option(
        "--max-result-mb", metavar="N", help="Largest result that is fetched, in MB [4000]."
    ),
]
Names = Annotated[
    str | None,
    typer.Option("--names", metavar="PATTERN", help=f"Names of results [{DEFAULT_PATTERN}]."),
]
OnDisconnect = Annotated[
    str | None,
    typer.Option(
        "--on-disconnect",
        metavar="keep|cancel",
        help="What becomes of a job that nobody watches [keep].",
    ),
]

Engine = Annotated[
    str | None,
    typer.Option(
        "--engine", metavar="URL", help="A Dask scheduler, whose workers are then the servers."
    ),
]
Scheduler = Annotated[
    str | None,
    typer.Option(
        "--scheduler", metavar="URL", help="The Dask scheduler, such as tls://gpu-head:8786."
    ),
]
TlsCa = Annotated[
    str | None, typer.Option("--tls-ca", metavar="FILE", help="The cluster's CA certificate, PEM.")
]
TlsCert = Annotated[
    str | None,
    typer.Option("--tls-cert", metavar="FILE", help="Our certificate in the cluster, PEM."),
]
TlsKey = Annotated[
    str | None, typer.Option("--tls-key", metavar="FILE", help="The key of that certificate, PEM.")
]

Drafted = Annotated[
    Path,
    typer.Argument(
        metavar="WORKFLOW|PNG", help="API-format JSON, or a picture or video that ComfyUI made."
    ),
]
Saved = Annotated[
    Path | None,
    typer.Option(
        "--saved",
        metavar="FILE",
        help="The same workflow as ComfyUI saves it, for App mode's choices.",
    ),
]

PrintPrompt = Annotated[
    bool, typer.Option("--print-prompt", help="Print the filled workflow; run nothing.")
]
PrintCurl = Annotated[
    bool,
    typer.Option("--print-curl", help="Print a line of curl that posts the prompt; run nothing."),
]

Method = Annotated[str, typer.Argument(metavar="METHOD", help="GET, POST and so on.")]
Target = Annotated[
    str, typer.Argument(metavar="PATH", help="A path with its query, such as /history?max_items=3.")
]
Data = Annotated[
    str | None,
    typer.Option("--data", metavar="FILE|-", help="The body: a file, or - for standard input."),
]

LaneName = Annotated[
    str | None,
    typer.Option("--name", metavar="NAME", help="What apps call this server [its address]."),
]
LaneHost = Annotated[
    str | None,
    typer.Option(
        "--host", metavar="HOST", help="Address to listen on [that on the way to the scheduler]."
    ),
]
LanePort = Annotated[
    int,
    typer.Option(
        "--port", metavar="PORT", min=0, max=65535, help="Port to listen on; 0 takes a free one."
    ),
]
ClusterAddress = Annotated[
    str,
    typer.Option("--address", metavar="URL", help="Where to listen, such as tls://10.0.0.1:8786."),
]

Preset = Annotated[
    str, typer.Argument(metavar="PRESET", help="A preset's name, or the path of its YAML file.")
]
Values = Annotated[
    list[str] | None, typer.Argument(metavar="FIELD=VALUE", help="Field values; pictures as paths.")
]

Swept = Annotated[
    str | None,
    typer.Argument(metavar="PRESET|FILE", help="A preset's name, or a sweep's YAML or JSON file."),
]
Axis = Annotated[
    list[str] | None,
    typer.Option(
        "--axis",
        metavar="FIELD=VALUES",
        help="An axis, such as cfg=1-10 or sampler=euler,heun; repeatable.",
    ),
]
With = Annotated[
    list[str] | None,
    typer.Option(
        "--with",
        metavar="FIELD=VALUES",
        help="Another field that changes together with the axis before.",
    ),
]
Plan = Annotated[
    bool,
    typer.Option("--plan", help="Say what would be run, in which order and how long; run nothing."),
]
Resume = Annotated[
    Path | None,
    typer.Option("--resume", metavar="DIR", help="Go on with the last sweep in this folder."),
]
Retry = Annotated[bool, typer.Option("--retry", help="Run points that failed once more.")]
NoCarry = Annotated[
    bool, typer.Option("--no-carry", help="Let the server's memory go between points.")
]
Out = Annotated[
    Path | None,
    typer.Option(
        "--out", metavar="DIR", help="Where to save [OUTPUTS/YYYY-MM-DD/PRESET-sweep-HHMMSS]."
    ),
]


def join_axes(given: Sequence[str]) -> list[str]:
    """The arguments with each `--with` as an `--axis` that is marked, since the order between the
    two counts.
    """
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
