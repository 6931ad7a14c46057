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
    """Prompts ahead of this one, the running one included; None if unknown or not queued."""
    progress: float = 0.0
    node: str | None = None
    """Title of the node that runs."""
    node_id: str | None = None
    node_class: str | None = None
    """Class of the node that runs."""
    step: int | None = None
    """Step of the running node, 1 to `steps`; None for nodes that have none."""
    steps: int | None = None
    has_stepped: bool = False
    """Whether a node that counts its steps has begun to, this one or an earlier one."""
    is_answered: bool = True
    """Whether the server answers; False while it is gone, or has been silent for longer than it
    should.
    """
    preview: Preview | None = None
    preview_count: int = 0
    """Previews that arrived so far, those included that a newer one replaced before anybody looked.
    """
    outputs: tuple[Output, ...] = ()
    text: str = ""
    """What the running node says about its work: one line, at most 200 characters."""
    node_seconds: Mapping[str, float] = field(default_factory=dict)
    """Node id → seconds that the node ran."""
    cached: tuple[str, ...] = ()
    """Ids of the nodes that did not run, since the server had kept their results."""
    warnings: tuple[str, ...] = ()
    seconds_left: float | None = None
    """Estimate from the node times of earlier runs, at least 0; None unless it runs and these are
    known.
    """
