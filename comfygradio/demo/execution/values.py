"""What travels along the links of a graph: models, conditionings, latents, images and masks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from PIL import Image

from comfygradio.demo.media.sound import Audio
from comfygradio.demo.media.video import Clip, VideoFile

Images = list[Image.Image]
"""IMAGE: a batch of RGB pictures of one size."""
Masks = list[Image.Image]
"""MASK: a batch of pictures of mode L; white is the area to change."""


@dataclass(frozen=True)
class Model:
    """MODEL and CLIP: the checkpoint and the LoRAs (name, strength) put on it."""

    checkpoint: str
    loras: tuple[tuple[str, float], ...] = ()
    stop_at_layer: int = -1

    def with_lora(self, name: str, strength: float) -> Model:
        lora = (name, strength)
        return replace(self, loras=(*self.loras, lora))


@dataclass(frozen=True)
class Vae:
    """VAE: its file name."""

    name: str


@dataclass(frozen=True)
class Upscaler:
    """UPSCALE_MODEL: its file name and factor (2 or 4)."""

    name: str
    factor: int


@dataclass(frozen=True)
class ControlNet:
    """CONTROL_NET: its file name."""

    name: str


@dataclass(frozen=True)
class Control:
    """A picture whose outlines the result should follow, and how much (0 to 10)."""

    picture: Image.Image
    strength: float


@dataclass(frozen=True)
class Conditioning:
    """CONDITIONING: the texts that count, each with its weight, and what else influences the
    picture.
    """

    texts: tuple[tuple[str, float], ...]
    extras: tuple[str, ...] = ()
    controls: tuple[Control, ...] = ()

    def text(self) -> str:
        counted = [text for text, weight in self.texts if weight > 0]
        return " ".join(counted)


@dataclass(frozen=True)
class Latent:
    """LATENT: size in pixels, batch size, the pictures it encodes (none when empty) and a noise
    mask.
    """

    width: int
    height: int
    batch: int
    pictures: tuple[Image.Image, ...] = ()
    mask: Image.Image | None = None


class RemoteError(Exception):
    """An error that claims to be of another type, for instance `torch.OutOfMemoryError`."""

    def __init__(self, shown_type: str, message: str) -> None:
        super().__init__(message)
        self.shown_type = shown_type


class NodeInputs:
    """The resolved inputs of one node; a value of the wrong kind is a TypeError, as in Python."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def get(self, name: str, default: Any = None) -> Any:
        return self._values.get(name, default)

    def has(self, name: str) -> bool:
        return name in self._values

    def names(self) -> list[str]:
        return list(self._values)

    def integer(self, name: str, default: int = 0) -> int:
        value = self._values.get(name, default)
        return int(value)

    def real(self, name: str, default: float = 0.0) -> float:
        value = self._values.get(name, default)
        return float(value)

    def text(self, name: str, default: str = "") -> str:
        value = self._values.get(name, default)
        return str(value)

    def images(self, name: str) -> Images:
        images: Images = self._checked(name, list)
        return list(images)

    def masks(self, name: str) -> Masks:
        masks: Masks = self._checked(name, list)
        return list(masks)

    def model(self, name: str) -> Model:
        model: Model = self._checked(name, Model)
        return model

    def conditioning(self, name: str) -> Conditioning:
        conditioning: Conditioning = self._checked(name, Conditioning)
        return conditioning

    def latent(self, name: str) -> Latent:
        latent: Latent = self._checked(name, Latent)
        return latent

    def upscaler(self, name: str) -> Upscaler:
        upscaler: Upscaler = self._checked(name, Upscaler)
        return upscaler

    def control_net(self, name: str) -> ControlNet:
        control_net: ControlNet = self._checked(name, ControlNet)
        return control_net

    def audio(self, name: str) -> Audio:
        audio: Audio = self._checked(name, Audio)
        return audio

    def video(self, name: str) -> Clip | VideoFile:
        video: Clip | VideoFile = self._checked(name, Clip, VideoFile)
        return video

    def _checked(self, name: str, *kinds: type[Any]) -> Any:
        if name not in self._values:
            raise TypeError(f"execute() missing 1 required positional argument: '{name}'")
        value = self._values[name]
        if isinstance(value, str):
            raise TypeError("string indices must be integers, not 'str'")
        if not isinstance(value, kinds):
            raise TypeError(f"'{type(value).__name__}' object is not subscriptable")
        return value
