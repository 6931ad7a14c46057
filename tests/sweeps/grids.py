"""Sweeps without forms: graphs whose nodes say which axes reach them, and the sweeps of the
project's notes.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from comfygradio.comfy.node_times import InputLookup
from comfygradio.comfy.object_info import NodeDef, ObjectInfo
from comfygradio.comfy.workflow import Prompt
from comfygradio.sweeps.axes.axis import Index


@dataclass(frozen=True)
class Part:
    """A node: the axes that decide its own inputs, and the nodes that feed it."""

    name: str
    seconds: float = 0.0
    axes: tuple[int, ...] = ()
    sources: tuple[str, ...] = ()


@dataclass(frozen=True)
class GraphSpace:
    """A sweep over a graph of parts; the class of a node is its name up to the first `_`."""

    sizes: tuple[int, ...]
    parts: tuple[Part, ...]

    def __iter__(self) -> Any:
        return itertools.product(*map(range, self.sizes))

    def prompt(self, index: Index) -> Prompt:
        """The graph of a point."""
        return Prompt({part.name: self._build(part, index) for part in self.parts})

    def seconds(self, node_id: str, inputs: InputLookup) -> float:
        """What the part says."""
        return next(part.seconds for part in self.parts if part.name == node_id)

    @property
    def known(self) -> ObjectInfo:
        """Classes of its nodes; what is called Save is an output."""
        classes = {part.name.partition("_")[0] for part in self.parts}
        return ObjectInfo(
            {name: NodeDef(name, name, {}, ("IMAGE",), name == "Save") for name in classes}
        )

    def _build(self, part: Part, index: Index) -> dict[str, Any]:
        inputs: dict[str, Any] = {
            "text": part.name,
            **{f"axis{axis}": index[axis] for axis in part.axes},
        }
        inputs |= {f"link{place}": [source, 0] for place, source in enumerate(part.sources)}
        return {"class_type": part.name.partition("_")[0], "inputs": inputs}


def picture(*more: Part, sampler: float = 5.0, **axes: tuple[int, ...]) -> tuple[Part, ...]:
    """A graph from text to a picture; `checkpoint`, `prompt` and `sampler_axes` are the axes of its
    parts.
    """
    return (
        Part("CheckpointLoader", 10.0, axes.get("checkpoint", ())),
        Part("Encode_good", 0.1, axes.get("prompt", ()), ("CheckpointLoader",)),
        Part("Encode_bad", 0.1, (), ("CheckpointLoader",)),
        Part(
            "Sampler",
            sampler,
            axes.get("sampler_axes", ()),
            ("CheckpointLoader", "Encode_good", "Encode_bad"),
        ),
        *more,
    )


def sweep_a() -> GraphSpace:
    """5 cfg × 4 samplers × 10 seeds."""
    end = (
        Part("Decode", 0.5, (), ("Sampler", "CheckpointLoader")),
        Part("Save", 0.0, (), ("Decode",)),
    )
    return GraphSpace((5, 4, 10), picture(*end, sampler_axes=(0, 1, 2)))


def sweep_b() -> GraphSpace:
    """4 seeds × 5 cfg × 3 prompts × 4 checkpoints, typed the wrong way round: as the notes have it,
    checkpoint last.
    """
    end = (
        Part("Decode", 0.5, (), ("Sampler", "CheckpointLoader")),
        Part("Save", 0.0, (), ("Decode",)),
    )
    return GraphSpace(
        (4, 5, 3, 4), picture(*end, sampler_axes=(0, 1), prompt=(2,), checkpoint=(3,))
    )


def sweep_c() -> GraphSpace:
    """3 LoRAs × 4 seeds × 4 strengths of a second pass × 3 upscalers."""
    parts = (
        Part("CheckpointLoader", 10.0),
        Part("Lora", 1.0, (0,), ("CheckpointLoader",)),
        Part("Encode_good", 0.1, (), ("Lora",)),
        Part("Encode_bad", 0.1, (), ("Lora",)),
        Part("Sampler", 5.0, (1,), ("Lora", "Encode_good", "Encode_bad")),
        Part("Decode_small", 0.5, (), ("Sampler", "CheckpointLoader")),
        Part("Upscaler", 0.5, (3,)),
        Part("Upscale", 2.0, (), ("Upscaler", "Decode_small")),
        Part("Encoded", 0.5, (), ("Upscale", "CheckpointLoader")),
        Part("Sampler_second", 8.0, (1, 2), ("Lora", "Encode_good", "Encode_bad", "Encoded")),
        Part("Decode", 0.5, (), ("Sampler_second", "CheckpointLoader")),
        Part("Save", 0.0, (), ("Decode",)),
    )
    return GraphSpace((3, 4, 4, 3), parts)


def sweep_d() -> GraphSpace:
    """4 base models × 4 refiners × 3 seeds."""
    parts = picture(
        Part("CheckpointLoader_refiner", 10.0, (1,)),
        Part("Encode_refiner", 0.1, (), ("CheckpointLoader_refiner",)),
        Part("Encode_refinerbad", 0.1, (), ("CheckpointLoader_refiner",)),
        Part(
            "Sampler_refiner",
            1.5,
            (2,),
            ("CheckpointLoader_refiner", "Encode_refiner", "Encode_refinerbad", "Sampler"),
        ),
        Part("Decode", 0.5, (), ("Sampler_refiner", "CheckpointLoader_refiner")),
        Part("Save", 0.0, (), ("Decode",)),
        sampler=4.0,
        checkpoint=(0,),
        sampler_axes=(2,),
    )
    return GraphSpace((4, 4, 3), parts)


KINDS = ("checkpoint", "lora", "prompt", "seed", "cfg", "denoise", "upscaler", "vae", "refiner")
"""What the axes of a random pipeline change."""


def pipeline(kinds: Sequence[str], sizes: Sequence[int]) -> GraphSpace:
    """A sweep over text to image with a second pass and a refiner, by axes of these kinds in the
    order as typed.
    """

    def on(*names: str) -> tuple[int, ...]:
        return tuple(place for place, kind in enumerate(kinds) if kind in names)

    parts = (
        Part("CheckpointLoader", 10.0, on("checkpoint")),
        Part("VAELoader", 1.0, on("vae")),
        Part("Lora", 1.0, on("lora"), ("CheckpointLoader",)),
        Part("Encode_good", 0.1, on("prompt"), ("Lora",)),
        Part("Encode_bad", 0.1, (), ("Lora",)),
        Part("Sampler", 5.0, on("seed", "cfg"), ("Lora", "Encode_good", "Encode_bad")),
        Part("Decode_small", 0.5, (), ("Sampler", "VAELoader")),
        Part("Upscaler", 0.5, on("upscaler")),
        Part("Upscale", 2.0, (), ("Upscaler", "Decode_small")),
        Part("Encoded", 0.5, (), ("Upscale", "VAELoader")),
        Part("CheckpointLoader_refiner", 10.0, on("refiner")),
        Part("Encode_refiner", 0.1, on("prompt"), ("CheckpointLoader_refiner",)),
        Part(
            "Sampler_second",
            8.0,
            on("seed", "denoise"),
            ("CheckpointLoader_refiner", "Encode_refiner", "Encoded"),
        ),
        Part("Decode", 0.5, (), ("Sampler_second", "VAELoader")),
        Part("Save", 0.0, (), ("Decode",)),
    )
    return GraphSpace(tuple(sizes), parts)


SWEEPS: Mapping[str, Any] = {"A": sweep_a, "B": sweep_b, "C": sweep_c, "D": sweep_d}


def random_space(seed: int, points: int = 300) -> GraphSpace:
    """A sweep of 2 to 4 axes over a random graph of 4 to 10 nodes that all lead to a picture."""
    chance = random.Random(seed)
    sizes: list[int] = []
    while len(sizes) < chance.randint(2, 4):
        sizes.append(chance.randint(2, 6))
    parts: list[Part] = []
    for place in range(chance.randint(4, 10)):
        axes = tuple(axis for axis in range(len(sizes)) if chance.random() < 0.35)
        names = [part.name for part in parts]
        sources = tuple(chance.sample(names, min(len(names), chance.randint(0, 2))))
        parts.append(
            Part(f"Node_{place}", chance.choice([0.1, 0.5, 2.0, 5.0, 10.0]), axes, sources)
        )
    fed = {source for part in parts for source in part.sources}
    ends = tuple(part.name for part in parts if part.name not in fed)
    return GraphSpace(tuple(sizes), (*parts, Part("Save", 0.0, tuple(range(len(sizes))), ends)))


def spanning_bound(needed: Sequence[frozenset[int]], seconds: Sequence[float]) -> float:
    """What no order of one server can beat: all work, less a largest spanning tree of what two
    points share.
    """
    shared = [max((0.0, *())) for _ in needed]
    left = set(range(1, len(needed)))
    total, at = sum(seconds[result] for point in needed for result in point), 0
    while left:
        for other in left:
            shared[other] = max(
                shared[other], sum(seconds[result] for result in needed[at] & needed[other])
            )
        at = max(left, key=lambda place: shared[place])
        left.remove(at)
        total -= shared[at]
    return total
