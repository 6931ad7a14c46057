"""The client of a backend: a ComfyClient, or a proxy that forwards the calls to one elsewhere."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any, Protocol

from comfygradio.comfy.limited_download import LimitedDownload
from comfygradio.comfy.locate import PromptLocation
from comfygradio.comfy.model_listing import ModelFile
from comfygradio.comfy.object_info import ObjectInfo
from comfygradio.comfy.prompt_progress import PromptProgress
from comfygradio.comfy.workflow import Prompt


class BackendClient(Protocol):
    """One ComfyUI server, wherever it is.

    Thread-safe; methods raise ServerErrors and mean what ComfyClient's mean.
    """

    @property
    def url(self) -> str:
        """The name of the backend; no two backends share one."""
        ...

    def run(
        self,
        prompt: Prompt,
        *,
        client_id: str | None = None,
        prompt_id: str | None = None,
        may_exist: bool = False,
        weights: Mapping[str, float] | None = None,
    ) -> Generator[PromptProgress, None, None]:
        """Submit a prompt, or locate it if it `may_exist`, and follow it. Closing the generator
        cancels the prompt; throwing an error into it does not.

        Closing raises ServerUnreachable if the cancellation may not have reached the server.
        """
        ...

    def sight(self, prompt_id: str) -> PromptLocation:
        """Locate a prompt. Errors are returned in the location, not raised."""
        ...

    def cancel(self, prompt_id: str) -> bool:
        """Stop or unqueue one prompt."""
        ...

    def queue_remaining(self) -> int:
        """How many prompts run or wait, everybody's."""
        ...

    def clear_queue(self) -> None:
        """Take all pending prompts out of the queue."""
        ...

    def interrupt(self, prompt_id: str | None = None) -> None:
        """Stop what runs."""
        ...

    def free(self, unload_models: bool = True, free_memory: bool = True) -> None:
        """Unload models and forget cached results."""
        ...

    def object_info(self, *class_types: str) -> ObjectInfo:
        """The definitions of these node classes, or of all."""
        ...

    def embeddings(self) -> list[str]:
        """Names of the embeddings."""
        ...

    def model_files(self, folder: str) -> list[ModelFile]:
        """The files in a folder of models."""
        ...

    def model_preview(self, folder: str, path_index: int, name: str) -> bytes:
        """The picture of a model."""
        ...

    def system_stats(self) -> dict[str, Any]:
        """Versions, memory and devices."""
        ...

    def view(self, filename: str, subfolder: str = "", type: str = "output") -> bytes:
        """The bytes of one file."""
        ...

    def download(
        self,
        path: str | Path,
        filename: str,
        subfolder: str = "",
        type: str = "output",
        delivery: LimitedDownload | None = None,
    ) -> Path:
        """Write one file to `path`, wholly or not at all."""
        ...

    def close(self) -> None:
        """Close idle connections."""
        ...
