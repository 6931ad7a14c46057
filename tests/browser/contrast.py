"""How well one color can be told from another."""

from __future__ import annotations


def find_contrast(one: list[int], other: list[int]) -> float:
    """The ratio of WCAG 2 between two colors of red, green and blue, 0 to 255."""
    lights = sorted((find_luminance(one), find_luminance(other)))
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def find_luminance(color: list[int]) -> float:
    red, green, blue = (linearize(part / 255) for part in color)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def linearize(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)
