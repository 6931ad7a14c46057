"""Names sizes by their shape: Square, Wide, Tall, with the pixels after it."""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd

from comfygradio.forms.kinds.size import parse_size
from comfygradio.forms.kinds.value import Choice

SHAPES = ("Square", "Wide", "Tall")

Size = tuple[int, int]


def label_sizes(choices: Sequence[Choice], separator: str) -> list[tuple[str, str]]:
    """Pair the label of each size of a list with its value. An author's own label stays."""
    sizes = [parse_size(choice.value) for choice in choices]
    names = name_sizes(sizes)
    labelled = []
    for choice, size, name in zip(choices, sizes, names, strict=True):
        pixels = write_pixels(size)
        label = choice.label
        if label == pixels and name:
            label = f"{name}{separator}{pixels}"
        labelled.append((label, str(choice.value)))
    return labelled


def name_sizes(sizes: Sequence[Size]) -> list[str]:
    """Name each of these sizes by its shape, or "" if no name would tell it from the others.

    Of two sizes of one ratio the larger one is called large; more sizes of a shape get their longer
    side into the name.
    """
    names: dict[Size, str] = {}
    for shape in SHAPES:
        alike = sorted({size for size in sizes if find_shape(size) == shape})
        names.update(_name_alike(shape, alike))
    return [names[size] for size in sizes]


def find_shape(size: Size) -> str:
    """Find the shape of a size."""
    width, height = size
    if width == height:
        return "Square"
    return "Wide" if width > height else "Tall"


def write_pixels(size: Size) -> str:
    """Write a size as it is shown."""
    width, height = size
    return f"{width} × {height}"


def _name_alike(shape: str, sizes: Sequence[Size]) -> dict[Size, str]:
    """Name sizes of the same shape, smaller ones first."""
    if len(sizes) == 1:
        return {sizes[0]: shape}
    ratios = {_reduce(size) for size in sizes}
    if len(sizes) == 2 and len(ratios) == 1:
        small, large = sizes
        return {small: shape, large: f"Large {shape.lower()}"}
    sides = [max(size) for size in sizes]
    names = {}
    for size in sizes:
        side = max(size)
        names[size] = f"{shape} {side}" if sides.count(side) == 1 else ""
    return names


def _reduce(size: Size) -> Size:
    """Reduce a size to its ratio."""
    width, height = size
    shared = gcd(width, height) or 1
    return width // shared, height // shared
