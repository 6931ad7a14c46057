"""What the demo server is told to be: its speed, its pretended version and its faults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

SINCE: Mapping[str, tuple[int, ...]] = {
    "api_prefix": (0, 0, 2),
    "upload_dedup": (0, 0, 2),
    "unknown_class_is_400": (0, 0, 1),
    "execution_success": (0, 0, 2),
    "execution_timestamps": (0, 0, 2),
    "display_node": (0, 0, 3),
    "cached_outputs_resent": (0, 0, 3),
    "history_meta": (0, 0, 3),
    "models_routes": (0, 1, 0),
    "versions_in_stats": (0, 1, 0),
    "origin_check": (0, 1, 0),
    "error_objects": (0, 3, 28),
    "progress_state": (0, 3, 45),
    "feature_flags": (0, 3, 45),
    "own_prompt_id": (0, 3, 45),
    "partial_targets": (0, 3, 48),
    "interrupt_by_id": (0, 3, 57),
    "history_offset": (0, 3, 60),
    "hidden_keys": (0, 3, 68),
    "create_time": (0, 3, 69),
    "platform_os": (0, 4, 0),
    "preview_method": (0, 5, 0),
    "jobs": (0, 6, 0),
    "v3_schemas": (0, 4, 0),
    "missing_node_type": (0, 12, 0),
    "view_nosniff": (0, 12, 0),
    "node_replacements": (0, 14, 0),
    "cross_site_check": (0, 19, 0),
    "dependency_cycle": (0, 20, 0),
    "uuid_prompt_id": (0, 25, 0),
    "jobs_cancel": (0, 26, 0),
}
"""First release that has a capability (0.0.x stands for the months of 2024 without version
numbers).
"""


@dataclass(frozen=True)
class DemoOptions:
    """How a demo server behaves; every fault is off by default.

    Times are in seconds, sizes in pixels unless named otherwise. Paths in the fault options are
    bare (`/prompt`, never `/api/prompt`) and hold for both forms.
    """

    step_seconds: float = 0.05
    """Time of one sampler step."""
    node_seconds: float = 0.0
    """Extra time of every executed node."""
    preview_size: int = 512
    """Longest side of a preview frame."""
    preview_method: str = "none"
    """Default for prompts without `extra_data.preview_method`; `none` sends no frames."""
    version: str = "0.33.0"
    """`0.33.0`, `0.3.64`, `0.3.40`, any other `x.y.z`, or `2024-01`."""
    lab_nodes: bool = False
    """Adds the test nodes: LabSleep, LabRaise, LabText and LabFrames for runs; LabTags
    (multi-select), LabColor, LabFile (any upload), LabKinds (an input of each kind) and LabDynamic
    (dotted inputs) for forms.
    """
    extra_classes: Path | str | None = None
    """JSON file in the shape of /object_info: the classes in it that this server lacks are listed
    and checked as they stand there; running one ends in an execution_error.
    """
    max_upload_size: int = 104857600
    """Largest request body in bytes; more is answered 413."""
    checkpoints: tuple[str, ...] = (
        "dream-sd15.safetensors",
        "photo-xl.safetensors",
        "sub folder/ink-sd15.safetensors",
        "v1-5-pruned-emaonly.safetensors",
    )
    loras: tuple[str, ...] = (
        "film-grain.safetensors",
        "soft-light.safetensors",
        "watercolor.safetensors",
    )
    vae: tuple[str, ...] = ("clear-vae.safetensors",)
    upscale_models: tuple[str, ...] = ("4x-UltraSharp.pth", "sharp-x4.pth", "soft-x2.pth")
    controlnet: tuple[str, ...] = ("lines-sd15.safetensors", "pose-sd15.safetensors")
    embeddings: tuple[str, ...] = ("calm", "tidy-hands")
    extra_models: int = 0
    """So many further checkpoints and LoRAs, a hundred in each folder."""
    model_previews: str = "some"
    """Which models have a picture: `some`, or `none`; with `broken` the server fails at each (500),
    as older ones do.
    """

    token: str | None = None
    """Every request needs it as Bearer, as basic password or as `?token=`; else 401."""
    path_prefix: str = ""
    """For instance `/comfy`: everything is served below it and nothing elsewhere."""
    html_on: tuple[str, ...] = ()
    """Paths answered by an HTML page with status 200, as a login page would."""
    fail_on: Mapping[str, int] = field(default_factory=dict)
    """Path to HTTP status answered instead of the real thing."""
    slow_on: Mapping[str, float] = field(default_factory=dict)
    """Path to seconds of delay before the answer."""
    cut_on: tuple[str, ...] = ()
    """Paths whose body ends in the middle although content-length promises more."""
    drop_socket_after: int | None = None
    """Every WebSocket is dropped without a close frame after so many messages."""
    mute_socket_after: int | None = None
    """Every WebSocket stays open but silent after so many messages."""
    lose_types: tuple[str, ...] = ()
    """Message types never sent; binary previews are called `preview`."""
    double_types: tuple[str, ...] = ()
    """Message types sent twice."""
    unknown_messages: bool = False
    """Sends text and binary messages of unknown types in between."""
    missing_classes: tuple[str, ...] = ()
    """Classes this server does not have."""
    fail_at_step: int | None = None
    """Sampler step (from 1) that raises a RuntimeError."""
    oom_at_step: int | None = None
    """Sampler step (from 1) that runs out of memory."""
    no_history_delay: float = 0.0
    """Seconds after the end of a run before /history shows it."""
    start_gap: float = 0.0
    """Seconds between taking a prompt from the queue and its start; an interrupt in it is lost, as
    in ComfyUI.
    """
    lose_outputs: bool = False
    """/view answers 404 for every file of output/ and temp/."""
    lose_named: tuple[str, ...] = ()
    """/view answers 404 for files of output/ and temp/ whose names fit one of these globs."""
    tidy_outputs: bool = False
    """The files of a result are deleted when it is sent again from the cache, as if somebody had
    tidied up output/ and temp/ between two prompts.
    """
    sequence_names: bool = False
    """SaveImage tells one name for all of its pictures, `x_00001.%03d.png`, as nodes that write
    sequences do; they are counted from 1.
    """

    def can(self, capability: str) -> bool:
        """Whether the pretended version already has this key of `SINCE`."""
        first = SINCE[capability]
        return parse_version(self.version) >= first


def parse_version(text: str) -> tuple[int, ...]:
    """`0.33.0` becomes (0, 33, 0); a month such as `2024-01` is older than every release."""
    if "-" in text:
        return (0, 0, 0)
    return tuple(int(part) for part in text.split("."))
