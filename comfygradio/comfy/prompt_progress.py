"""The progress of a prompt, as `ComfyClient.run` yields it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from comfygradio.comfy.outputs import Output

Stage = Literal["uploading", "queued", "running", "done"]


@dataclass(frozen=True)
class Preview:
    """The newest preview picture, encoded as the server sent it."""

    data: bytes = field(repr=False)
    mime: str
    node_id: str | None


@dataclass(frozen=True)
class PromptProgress:
    """A snapshot of the progress of one prompt.

    `progress` is 0 to 1 over the whole graph, never falls, and is 1 only when done.
    """

    prompt_id: str
    status: Stage
    queue_position: int | None = None
    """Number of prompts ahead of this one, the running one included; None if unknown or
    not queued.
    """
    progress: float = 0.0
    node: str | None = None
    """Title of the running node."""
    node_id: str | None = None
    node_class: str | None = None
    """Class of the running node."""
    step: int | None = None
    """Current step of the running node, 1 to `steps`; None for nodes without steps."""
    steps: int | None = None
    has_stepped: bool = False
    """Whether a node that counts its steps has started to, this one or an earlier one."""
    is_answered: bool = True
    """Whether the server answers; False while it cannot be reached or has not responded in time."""
    preview: Preview | None = None
    preview_count: int = 0
    """Number of previews received so far, including those that a newer one replaced unseen."""
    outputs: tuple[Output, ...] = ()
    text: str = ""
    """What the running node says about its work: one line of at most 200 characters."""
    node_seconds: Mapping[str, float] = field(default_factory=dict)
    """Node id → seconds that the node ran."""
    cached: tuple[str, ...] = ()
    """Ids of the nodes that did not run because the server had cached their results."""
    warnings: tuple[str, ...] = ()
    seconds_left: float | None = None
    """Estimated seconds left, at least 0, from the node times of earlier runs; None unless it runs
    and these are known.
    """
